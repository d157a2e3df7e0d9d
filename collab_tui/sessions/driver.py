"""What every way to talk to an agent's program has in common: how one is started, prompted, interrupted and ended.

A driver runs one program. It never knows of registries, worktrees or requests: what it sees it tells its `Listener`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from collab_tui.config.settings import ToolInput
from collab_tui.model.board import RequestKind
from collab_tui.model.sessions import Observed
from collab_tui.sessions.definitions import Definition


class DriverError(Exception):
    """A program cannot be started, prompted or reached; the text says why, and what to do about it."""


class LostError(DriverError):
    """The program is not there any more."""


class UnreachableError(DriverError):
    """The program may run, and cannot be reached now: it is tried again."""


class Delivery(StrEnum):
    """Whether a prompt reached the agent."""

    SUBMITTED = "submitted"
    NOT_SUBMITTED = "not submitted"
    """It is certain that it did not: it may be sent again."""
    UNVERIFIED = "unverified"
    """Nobody can tell: it is not sent again by itself."""


class ReplyStatus(StrEnum):
    """How a turn ended."""

    DONE = "done"
    FAILED = "failed"
    """The agent's program says so: an error of the model, a limit."""
    INTERRUPTED = "interrupted"
    TIMED_OUT = "timed out"
    LOST = "lost"
    """The program ended before the turn did."""
    NOT_SUBMITTED = "not submitted"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one prompt."""

    text: str
    """The agent's last words in this turn; of a program in a terminal what it showed since the prompt."""
    status: ReplyStatus
    duration: float
    """Seconds from the prompt."""
    delivery: Delivery = Delivery.SUBMITTED
    reason: str = ""
    """Why it is not `DONE`."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the agent's program asks of the person before it goes on."""

    kind: RequestKind
    text: str
    """One line."""
    details: str | None = None
    options: Sequence[str] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    """More fields of the request."""


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """What the person said to it."""

    is_approved: bool
    """Of a question with options or in words: it was answered."""
    text: str | None = None
    """The option, or the words."""
    comment: str | None = None


class Listener(Protocol):
    """Hears of a program what its driver sees. All but `ask` return at once."""

    def submitted(self) -> None:
        """The prompt of the turn that runs is surely with the agent; told once."""
        ...

    def observed(self, state: Observed, why: str | None = None) -> None:
        """Its state changed."""
        ...

    def said(self, text: str) -> None:
        """A piece of its output, for whoever watches: its last line is shown. Untrusted."""
        ...

    def resumable(self, resume_id: str) -> None:
        """By this id the agent's own program can go on with the conversation later."""
        ...

    def declared(self, fields: Mapping[str, Any]) -> None:
        """The agent said something of its work in its protocol: `progress`, `current_task`, `message`."""
        ...

    async def ask(self, question: Question) -> QuestionAnswer | None:
        """Put a question to the person and wait; None: nobody answers it. Cancelled: it is withdrawn."""
        ...


@dataclass(frozen=True, slots=True)
class Launch:
    """All that a driver needs to start a program, or to take up one that runs."""

    name: str
    """The agent's name; checked by `sessions.names`."""
    run: str
    """16 hex digits, another at each start."""
    definition: Definition
    folder: Path
    """Where it starts: a directory that exists."""
    environment: Mapping[str, str]
    """The whole of it, already picked by what is allowed."""
    private: Path
    """A folder of this session alone (0700, exists) for sockets and signals."""
    log: Path
    """Where its output is kept; the driver writes it within bounds (`processes.output`)."""
    is_read_only: bool = False
    """The agent may look and change nothing."""
    tool_input: ToolInput = ToolInput.SUMMARY
    """What is recorded of what its tools are given: the setting `[hooks] tool_input`."""
    writable: Mapping[Path, bool] = field(default_factory=dict)
    """Places outside of its folder -> whether it writes there when it commits; False: never, though what is around is
    written.
    """
    resume_id: str | None = None
    """Go on with this conversation."""
    handle: Mapping[str, Any] | None = None
    """Take up what runs already: what `Driver.handle` gave. Raises `LostError` where it does not."""


class Driver(Protocol):
    """One program of an agent. Its methods are called by one task at a time, but `interrupt` and `stop` at any time."""

    @property
    def pid(self) -> int | None:
        """Its process; None before it started, or where there is one for each prompt."""
        ...

    @property
    def handle(self) -> Mapping[str, Any] | None:
        """By what a later monitor finds it again; None: it ends with this one."""
        ...

    async def start(self) -> None:
        """Start it, or take it up; returns once it can take a prompt. Raises `DriverError`."""
        ...

    async def prompt(self, text: str) -> Reply:
        """Give it one prompt and wait until its turn ends. What the program does wrong is in the reply.

        Cancelled, the turn is interrupted, and nothing of it is ever taken for the reply to a later prompt.
        """
        ...

    async def interrupt(self) -> None:
        """End the turn that runs, if any; the program stays."""
        ...

    async def stop(self, grace: float) -> str:
        """End the program and all that it started, by force after the grace (seconds); gives what `wait` gives."""
        ...

    async def wait(self) -> str:
        """Wait until it is gone, however that comes: `exit 0`, `signal 9`, `lost: why`."""
        ...


@runtime_checkable
class Lasting(Protocol):
    """What a driver has beside that whose program outlives this process, while its `handle` says how to find it."""

    async def leave(self) -> None:
        """Let go of the program: it goes on, and nothing here looks at it or touches it any more."""
        ...
