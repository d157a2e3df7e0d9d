"""What sits in a seat: an agent gets one assignment at a time and gives a JSON value, or raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from collab_tui.model.runs import Work
from collab_tui.orchestrator.plan import ReplyKind, Task

if TYPE_CHECKING:
    from collab_tui.orchestrator.agents.sessions import Sessions
    from collab_tui.orchestrator.board import TaskBoard


class WorkError(Exception):
    """An assignment came to nothing; the text says why, in one line. It may be tried again."""

    def __init__(self, why: str, *, branch: str | None = None, log: Path | None = None) -> None:
        """Both as of `Given`: there may be something to look at also where nothing was given."""
        super().__init__(why)
        self.branch = branch
        self.log = log


class CannotWorkError(Exception):
    """This agent cannot work here at all: trying again would change nothing. The text says what to do about it."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One piece of work for one seat."""

    run: str
    """The id of the run."""
    goal: str
    task: Task
    seat: str
    """The name as which the agent takes part."""
    work: Work
    attempt: int
    """From 1, within the task."""
    round: int
    """From 1; more: a reviewer sent it back, see `comments`."""
    reply: ReplyKind
    """What is read out of what the agent gives."""
    inputs: Mapping[str, Any]
    """What the task needs -> its value; of `KEY/*` a mapping of the keys of its tasks."""
    prompt: str
    """What is to be done, whole: the role's template, filled in."""
    candidate: Any = None
    """Of a review: the result that is to be judged."""
    comments: Sequence[str] = ()
    """What reviewers said of the rounds before, in order."""
    error: str | None = None
    """Why the attempt before this one came to nothing, where it did."""
    previous: Any = None
    """The result that was sent back."""
    depth: int = 0
    """How many tasks added one another until this one was there."""
    most_depth: int = 0
    branch_of: str | None = None
    """Of a review: the branch on which the result stands, if it has one."""
    branches: Mapping[str, str] = field(default_factory=dict)
    """Keys of tasks that it needs -> the branches on which their work stands."""
    blackboard: TaskBoard | None = field(default=None, compare=False, repr=False)
    """For a callable in this process; what it writes stands there in the name of its seat."""
    report: Callable[[float | None, str | None], None] = field(default=lambda progress, message: None, repr=False)
    """Declares progress (per cent) or a message of the seat; may be called from any thread."""
    is_cancelled: Callable[[], bool] = field(default=lambda: False, repr=False)
    """Whether it is to end: nobody waits for its result any more. For blocking callables, which nobody can end."""
    waits: Callable[[bool], None] = field(default=lambda is_waiting: None, repr=False)
    """Says that it waits for the person, or no longer: meanwhile its time does not go by, nor that of a run in which
    nobody else is at work. May be called from any thread."""

    def document(self) -> dict[str, Any]:
        """As JSON values, for an agent in another process."""
        told = {
            "run": self.run,
            "goal": self.goal,
            "task": self.task.key,
            "title": self.task.title,
            "seat": self.seat,
            "work": self.work.value,
            "attempt": self.attempt,
            "round": self.round,
            "reply": self.reply.value,
            "inputs": dict(self.inputs),
            "prompt": self.prompt,
            "data": dict(self.task.data),
            "comments": list(self.comments),
            "error": self.error,
            "branches": dict(self.branches),
            "depth": self.depth,
            "most_depth": self.most_depth,
        }
        told |= {"candidate": self.candidate, "branch": self.branch_of} if self.work is Work.REVIEW else {}
        return told | ({"previous": self.previous} if self.round > 1 else {})


@dataclass(frozen=True, slots=True)
class Given:
    """What an agent gave."""

    value: Any
    """JSON; of a program its words, still to be read as the role's reply says."""
    branch: str | None = None
    """The branch that it worked on, where it had a worktree of its own."""
    log: Path | None = None
    """Where its output stands."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every agent of a run may use."""

    registry: Path
    project: Path
    """The folder that the registry belongs to."""
    run: str
    environment: Mapping[str, str]
    """From which programs get what is allowed."""
    grace: float
    """Seconds from being asked to end until being made to."""
    private: Path
    """A folder of the run for the user's eyes only (0700): logs, what has to be known after a crash."""
    notice: Callable[[str], None]
    held: int | None = None
    """A descriptor that whatever is started for the run holds for as long as it runs: see `kept.KeptRun.agents`."""
    sessions: Sessions | None = None
    """The sessions of this machine; None: there are none here."""
    is_dry_run: bool = False
    """Agents are only asked whether they could work here: sessions there will be once it starts."""


class Worker(Protocol):
    """An agent in one seat. `work` is called by one task at a time."""

    async def work(self, assignment: Assignment) -> Given:
        """Do it. Raises `WorkError`, `CannotWorkError`; whatever else it raises failed too.

        Cancelled, it ends what it started, within the grace, and leaves nothing running.
        """
        ...

    async def settle(self, task: str) -> None:
        """A task that it worked on is over: let go of what is kept for another round."""
        ...

    async def close(self) -> None:
        """The run is over: end all that is left. Called once, also after a failure."""
        ...


class Agent(Protocol):
    """Something that can take the seats of a role."""

    @property
    def told(self) -> str:
        """What it is, in words for people: `claude`, `python work.py`, `function plan`."""
        ...

    @property
    def keeps_seat(self) -> bool:
        """Its seat is taken from the first attempt at a task until that is over or waits for the person, so that
        another round finds the same conversation and folder.
        """
        ...

    @property
    def announces(self) -> bool:
        """What sits there says itself in the registry that it begins and ends."""
        ...

    @property
    def worktree(self) -> bool:
        """It works in a worktree for each task, not in the project itself."""
        ...

    async def check(self, surroundings: Surroundings) -> None:
        """Whether it can work here, before anything starts. Raises `CannotWorkError`."""
        ...

    def seated(self, seat: str, surroundings: Surroundings) -> Worker:
        """Take a seat; nothing is started yet."""
        ...
