"""The tasks of a run as its schedule has them, what may begin of them, and the places in which agents sit."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from collab_tui.model.runs import TaskState, Work
from collab_tui.orchestrator.plan import Task


class Question(StrEnum):
    """What the person is asked about a task."""

    START = "start"
    """Whether it may begin; of a task that nobody works on that is all."""
    RESULT = "result"
    """Whether to take a result that was sent back once too often."""


ENDED: Final = {
    TaskState.FAILED: "failed",
    TaskState.TIMED_OUT: "took too long",
    TaskState.CANCELLED: "was cancelled",
    TaskState.SKIPPED: "was skipped",
}


@dataclass(slots=True)
class Job:
    """One task of a run, and how far it is."""

    task: Task
    order: int
    """From 0, as they came."""
    depth: int
    added_by: str | None
    state: TaskState = TaskState.PENDING
    work: Work = Work.WORK
    """What is done with it, or comes next."""
    seat: str | None = None
    """Who works on it now."""
    kept: str | None = None
    """The seat that is kept for it between its attempts."""
    last_seat: dict[Work, str] = field(default_factory=dict)
    """Where it was last: it goes there again if that is free."""
    attempts: int = 0
    failures: int = 0
    """Attempts in a row that came to nothing, at the same work."""
    error: str | None = None
    """Why the last of those did."""
    round: int = 1
    comments: list[str] = field(default_factory=list)
    approved: str | None = None
    """The question that the person said yes to last; None: to none yet."""
    is_taken: bool = False
    """The person takes what there is as its result."""
    question: Question | None = None
    """With what it waits for the person."""
    unmet: int = 0
    """How many of its needs are not met."""
    why: str | None = None
    """Why it ended otherwise than done."""
    is_told: bool = False
    """The line of its end is on its way into the registry, whatever becomes of who waits for that."""

    @property
    def key(self) -> str:
        """The key of its task."""
        return self.task.key

    def told_need(self, need: str) -> str:
        """Of one that came to nothing: why what needs this of it comes to nothing too."""
        if need == self.key:
            return f"it needs {need}, which {ENDED[self.state]}"
        return f"it needs {need}, of which nothing comes: {self.key} {ENDED[self.state]}"

    @property
    def role(self) -> str | None:
        """The role that has to do what comes next."""
        return self.task.review if self.work is Work.REVIEW else self.task.role


@dataclass(frozen=True, slots=True)
class Start:
    """A seat is to begin with a task."""

    job: Job
    seat: str


@dataclass(frozen=True, slots=True)
class Ask:
    """The person is to be asked about a task."""

    job: Job
    question: Question


@dataclass(frozen=True, slots=True)
class Take:
    """The person said yes, and that is all that was missing: the result is to be written."""

    job: Job


class Seats:
    """The free places of one role; the first ones are taken first, so that a small queue uses few."""

    def __init__(self, names: Sequence[str]) -> None:
        self._place = {name: place for place, name in enumerate(names)}
        self._names = names
        self._free = set(names)
        self._order = list(range(len(names)))

    def __bool__(self) -> bool:
        return bool(self._free)

    def take(self, wanted: str | None) -> str:
        """A free seat, the wanted one if it is. There is one."""
        if wanted in self._free:
            self._free.remove(wanted)
            return wanted
        while True:
            name = self._names[heapq.heappop(self._order)]
            if name in self._free:  # else it was taken by name before
                self._free.remove(name)
                return name

    def release(self, name: str) -> None:
        """It is free again."""
        self._free.add(name)
        heapq.heappush(self._order, self._place[name])
