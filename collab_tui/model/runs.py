"""Runs of the orchestrator as the registry tells of them: tasks, seats, the blackboard. Frozen values only.

A run is a team of agents that works on one goal: each role has a pool of seats, a seat is an agent of the board, and
what one gives stands on the blackboard for those who need it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from collab_tui.model.words import name_key


class RunState(StrEnum):
    """How far a run is, as its own lines say; whether its process is there, they do not."""

    RUNNING = "running"
    DONE = "done"
    """Every task is done."""
    FAILED = "failed"
    """It ended, and not every task is done."""
    CANCELLED = "cancelled"
    """The person ended it, or its program was ended."""

    @property
    def is_over(self) -> bool:
        """Nothing comes of it any more, unless it is resumed."""
        return self is not RunState.RUNNING


class TaskState(StrEnum):
    """How far a task is."""

    PENDING = "pending"
    """It waits for what it needs, or for a seat."""
    RUNNING = "running"
    RETRYING = "retrying"
    """An attempt failed; the next one comes after a while."""
    WORKED = "worked"
    """There is a result that is still to be reviewed, or that the person is still to see."""
    REVIEWING = "reviewing"
    REJECTED = "rejected"
    """A reviewer sent it back: it waits for a seat, to be done again."""
    ASKED = "asked"
    """It waits for the person."""
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """What it needs never comes."""

    @property
    def is_over(self) -> bool:
        """It ended; nothing follows in this run."""
        return self in _OVER

    @property
    def is_at_work(self) -> bool:
        """It has a seat that works on it."""
        return self in (TaskState.RUNNING, TaskState.REVIEWING)


_OVER = frozenset((TaskState.DONE, TaskState.FAILED, TaskState.TIMED_OUT, TaskState.CANCELLED, TaskState.SKIPPED))


class Work(StrEnum):
    """What a seat does with a task."""

    WORK = "work"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a seat worked on a task."""

    number: int
    """From 1, within its task; reviews count too."""
    work: Work
    round: int
    """From 1; it grows whenever a reviewer sends the task back."""
    seat: str
    started_at: datetime | None
    ended_at: datetime | None
    outcome: TaskState | None
    """What the task came to with its end; None while it runs."""
    took_ms: int | None
    """For which the agent had it."""
    error: str | None
    """Why it failed, or what the reviewer said."""


@dataclass(frozen=True, slots=True)
class RunTask:
    """One task of a run."""

    key: str
    role: str | None
    """None: nobody works on it, the person's yes is all that it needs."""
    title: str | None
    needs: tuple[str, ...]
    """Keys of tasks or of the blackboard; `KEY/*`: a task and all that were added below it."""
    gives: str
    """The key of the blackboard under which its result stands."""
    priority: int
    review: str | None
    """The role that reviews it."""
    rounds: int
    """How often a reviewer may send it back until the person is asked."""
    needs_approval: bool
    """The person is asked before it starts."""
    added_by: str | None
    """The task whose agent added it while the run went."""
    state: TaskState
    seat: str | None
    """Who works on it, or did last."""
    round: int
    error: str | None
    comment: str | None
    """What a reviewer said last."""
    request: str | None
    """The id of the request that it waits for, or waited for last."""
    branch: str | None
    log: str | None
    """Where its output stands, from the folder of the registry."""
    attempts: tuple[Attempt, ...]
    """The latest ones."""
    work_ms: int
    """For which agents had it, all attempts together."""
    candidate: Value | None
    """Its last result, which nobody accepted yet; None of a task that is done."""
    started_at: datetime | None
    """When the first attempt began."""
    ended_at: datetime | None
    position: int
    """The line that told of it last."""


@dataclass(frozen=True, slots=True)
class Value:
    """What stands on the blackboard under one key: its last revision."""

    key: str
    revision: int
    """From 1; 0 of one that is not accepted yet."""
    by: str
    task: str | None
    at: datetime | None
    text: str
    """The beginning of it, as JSON or as the text that it is."""
    size: int
    """Bytes of the whole."""
    digest: str | None
    """SHA-256 of the whole, where it stands in a file of its own."""
    file: str | None
    """From the folder of the registry."""
    position: int
    """The line that has it."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The seats of a role."""

    role: str
    agent: str
    """What sits there, in words: `claude`, `python work.py`."""
    seats: tuple[str, ...]
    """Names of agents."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run."""

    id: str
    name: str
    agent: str
    """As whom the orchestrator itself writes."""
    goal: str
    pipeline: str | None
    """The file that it follows."""
    state: RunState
    reason: str | None
    """Why it ended so."""
    host: str | None
    pid: int | None
    carrier: str | None
    """To whom its commands go: see `protocol.commands.Carrier`."""
    pools: tuple[Pool, ...]
    strangers: frozenset[str]
    """Keys of names among its seats that somebody had before it began and that wrote nothing for it: anybody may
    name others."""
    tasks: tuple[RunTask, ...]
    """In the order in which they were told of."""
    values: tuple[Value, ...]
    """In the order in which their keys were written first."""
    resumed: int
    """How often it went on after its process was gone."""
    away_ms: int
    """Between its ends and its resumptions, all together."""
    waited_ms: int
    """For which nothing went on before the person answered, all together."""
    waits_since: datetime | None
    """Since when nothing goes on before the person answers."""
    started_at: datetime | None
    ended_at: datetime | None
    set_at: Mapping[str, int]
    """Field -> the line that set it."""
    position: int
    """The line that told of it last."""
    told_at: datetime | None
    """When that was written: of one that goes on its last sign of life."""

    def agents(self) -> Iterator[str]:
        """The names of its agents: the one that leads it, then its seats, without those that are none of it."""
        yield self.agent
        for pool in self.pools:
            yield from (seat for seat in pool.seats if name_key(seat) not in self.strangers)

    def at_work(self) -> frozenset[str]:
        """Keys of the names of those who work on a task."""
        return frozenset(name_key(t.seat) for t in self.tasks if t.seat is not None and t.state.is_at_work)

    def task(self, key: str) -> RunTask | None:
        """The task of that key."""
        return next((task for task in self.tasks if task.key == key), None)
