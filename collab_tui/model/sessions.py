"""Sessions: programs of agents that a monitor started, as the registry tells of them.

`run` tells one start of a session from the next. What the agent declares stands in its `Agent`; what is observed of its
program is said by the monitor, and is as true as its last word: whoever shows it as running looks whether that lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Observed(StrEnum):
    """What is seen of a session's program, whatever its agent says."""

    STARTING = "starting"
    IDLE = "idle"
    """It can take a prompt."""
    WORKING = "working"
    APPROVAL = "waiting for approval"
    INPUT = "waiting for input"
    STOPPED = "stopped"
    """It ended as it should."""
    FAILED = "failed"
    """It ended by itself, or never became ready."""
    LOST = "lost"
    """It went away with its monitor, its terminal or its machine: nobody ended it."""

    @property
    def is_running(self) -> bool:
        """There is a program."""
        return self not in (Observed.STOPPED, Observed.FAILED, Observed.LOST)


@dataclass(frozen=True, slots=True)
class Session:
    """One session as last told of."""

    name: str
    """The agent's name, under which it takes part; there is one session of a name at a time."""
    run: str
    monitor: str
    """The id of the monitor that owns it."""
    host: str
    definition: str
    driver: str
    pid: int | None
    cwd: str | None
    branch: str | None
    """None: it works in no worktree of its own."""
    base: str | None
    task: str | None
    worker: str | None
    """The id of the worker that it is."""
    log: str | None
    """Where its output is kept, on that host."""
    started: int
    """The line that tells of its start."""
    started_at: datetime | None
    observed: Observed
    why: str | None
    """Why it is so, where that is not plain."""
    observed_at: int
    """The line that says so."""
    observed_since: datetime | None
    last_line: str | None
    """What it said last, on one line."""
    changed: int | None
    """Files of its worktree that differ from its last commit."""
    unpushed: int | None
    """Commits of its branch that stand nowhere else."""
    queued: int
    """Prompts that wait for the one before."""
    undelivered: int
    """Answers that could not be handed to it yet."""
    can_resume: bool
    """Its agent's program can go on where this ended."""


class CommandState(StrEnum):
    """How far the monitor is with a command."""

    SENT = "sent"
    """No monitor said anything of it yet."""
    ACCEPTED = "accepted"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Nothing more comes of it."""
        return self in (CommandState.DONE, CommandState.FAILED)


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody wants of a session, and what came of it. Who wrote it is not checked here."""

    id: str
    by: str
    kind: str
    """start, send_prompt, interrupt, stop, restore, ..."""
    target: str | None
    """The name of the session."""
    monitor: str | None
    """The id of the monitor that is to carry it out."""
    position: int
    at: datetime | None
    state: CommandState
    reason: str | None
    told_at: int
    """The line that told its state."""
    has_run: bool = False
    """It was under way: of a prompt, it was given."""
