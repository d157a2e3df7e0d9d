"""The board: what the registry says at one position. Frozen values only; a new event makes a new board.

Positions are plain integers: the index of the line (from 0) that set a value. `set_at` of an agent and the
`position` of everything else are the provenance of what the screen shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from collab_tui.model.event import Event
from collab_tui.model.sessions import Command, Session
from collab_tui.model.words import Status, name_key
from collab_tui.model.workers import Stream, Worker

if TYPE_CHECKING:
    from collab_tui.model.runs import Run


class ProblemKind(StrEnum):
    """What can be odd about a registry or in it."""

    UNREADABLE = "unreadable"
    UNTERMINATED = "unterminated"
    OUT_OF_ORDER = "out_of_order"
    BAD_TIME = "bad_time"
    BAD_PROGRESS = "bad_progress"
    REPEATED_ID = "repeated_id"
    NO_SUCH_REQUEST = "no_such_request"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something odd, with the line where it stands."""

    kind: ProblemKind
    position: int
    text: str


class Blocker(NamedTuple):
    """A named thing that keeps one agent from going on."""

    text: str
    position: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """A named participant, as it declared itself; what we observe of it is in its `last_*` fields and in `Moment`."""

    name: str
    status: Status | None
    """None: it never declared one."""
    raw_status: str | None
    status_since: int | None
    """The line with which it took on the present raw status."""
    progress: float | None
    """Per cent, 0 to 100."""
    current_task: str | None
    task_since: int | None
    """The line with which the present task began."""
    next_action: str | None
    message: str | None
    role: str | None
    blockers: tuple[Blocker, ...]
    dependencies: tuple[str, ...]
    estimated_completion: str | None
    gone: bool
    """Its session ended and nothing came from it since."""
    unblocked: bool
    """It says "blocked" but its last blocker was resolved: not yet moving."""
    last_event: str
    last_event_at: datetime | None
    last_position: int
    last_decision: int | None
    """The line of the last decision it wrote."""
    set_at: Mapping[str, int]
    """Field -> the line that set its present value."""

    @property
    def key(self) -> str:
        """Its name as compared."""
        return name_key(self.name)

    @property
    def is_stuck(self) -> bool:
        """It declares that it cannot go on by itself."""
        return self.status in (Status.WAITING, Status.BLOCKED) and not self.unblocked and not self.gone

    @property
    def is_blocked(self) -> bool:
        """It says that it is blocked, or has a blocker and is not done in spite of it."""
        return self.status is Status.BLOCKED or (bool(self.blockers) and self.status is not Status.COMPLETED)

    def is_older_than_task(self, name: str) -> bool:
        """The value of this field was set before the present task began."""
        return self.task_since is not None and self.set_at.get(name, self.task_since) < self.task_since


class RequestKind(StrEnum):
    """What a request asks for."""

    APPROVAL = "approval"
    CHOICE = "choice"
    QUESTION = "question"


class RequestState(StrEnum):
    """Where a request stands. Expiry needs a clock: see `Moment.is_expired`."""

    OPEN = "open"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    MOVED_ON = "moved_on"
    """It was perhaps answered, and then its asker went on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision as it concerns one request."""

    by: str
    position: int
    verdict: str | None
    """`approved` or `rejected`; None for an answer in words."""
    text: str | None
    comment: str | None
    time: datetime | None
    has_request_id: bool
    """It names the request by its id; without that it may mean another."""
    event: Event = field(compare=False, repr=False)
    """As it was read."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an agent asks for and waits on."""

    id: str
    position: int
    asker: str
    targets: tuple[str, ...]
    """Whom it is addressed to; most often one."""
    to_person: bool
    """It waits for the person: addressed to them, perhaps among others, or to nobody in particular."""
    kind: RequestKind
    request: str
    task: str | None
    """What the asker was working on."""
    details: str | None
    options: tuple[str, ...]
    default: str | None
    evidence: tuple[str, ...]
    urgency: str | None
    asked_at: datetime | None
    deadline: datetime | None
    """Passed: overdue, still answerable."""
    expires: datetime | None
    """Passed: closed, unanswerable."""
    state: RequestState
    answer: Answer | None
    """The decision that closed it, or, while it is open, the one that perhaps answers it."""
    closed_at: int | None
    asker_gone: bool
    decisions: tuple[Event, ...] = field(repr=False)
    """The one that closed it, and of later ones the first of each writer and those that carry a signature. Who wrote
    them is not checked here.
    """
    event: Event = field(compare=False, repr=False)
    """As it was read."""

    @property
    def target(self) -> str | None:
        """Whom it is addressed to, as one text."""
        return ", ".join(self.targets) or None

    @property
    def is_open(self) -> bool:
        """Nothing in the registry closed it."""
        return self.state is RequestState.OPEN

    @property
    def is_critical(self) -> bool:
        """Its asker calls it critical: an answer is asked for once more."""
        return (self.urgency or "").casefold() == "critical"


class Because(StrEnum):
    """Why somebody waits."""

    REQUEST = "request"
    STATUS = "status"
    BLOCKER = "blocker"
    DEPENDENCY = "dependency"
    TASK = "task"
    """It is an idle seat of a run, and somebody has what its next tasks need: derived, nobody declares it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a wait."""

    because: Because
    text: str
    position: int
    request_id: str | None = None
    answered: bool = False
    """The awaited agent decided something after the wait began: perhaps that was it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """An edge: `waiter` waits for `awaited`, with every reason for it."""

    waiter: str
    awaited: str
    reasons: tuple[Reason, ...]

    @property
    def since(self) -> int:
        """The line with which the oldest reason began."""
        return min(reason.position for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Deadlock:
    """A cycle of agents that cannot go on, each waiting for the next, the last for the first."""

    agents: tuple[str, ...]
    waits: tuple[Wait, ...]
    """The edges of the cycle, in its order."""

    @property
    def id(self) -> str:
        """The same for the same cycle, wherever it is entered."""
        return "deadlock:" + ",".join(sorted(self.agents))

    @property
    def since(self) -> int:
        """The line that closed the cycle."""
        return max(wait.since for wait in self.waits)

    @property
    def request_id(self) -> str | None:
        """The request whose answer breaks the cycle, the oldest if there are several."""
        requests = [r for wait in self.waits for r in wait.reasons if r.request_id]
        return min(requests, key=lambda r: r.position).request_id if requests else None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A blocker text with everyone who has it."""

    text: str
    holders: tuple[str, ...]
    since: int
    holds_up: tuple[str, ...]
    """The holders and all who wait for them, directly or not."""


@dataclass(frozen=True, slots=True)
class Board:
    """The state at one position."""

    position: int
    """How many lines of the registry it has seen; the next line's index."""
    agents: tuple[Agent, ...] = ()
    """In the order of their first events."""
    requests: tuple[Request, ...] = ()
    """Open ones and those closed lately, oldest first."""
    waits: tuple[Wait, ...] = ()
    deadlocks: tuple[Deadlock, ...] = ()
    blockers: tuple[Obstacle, ...] = ()
    """The one that holds up most first."""
    problems: tuple[Problem, ...] = ()
    """The first thousand; `problem_count` counts all."""
    problem_count: int = 0
    events: int = 0
    registry_id: str | None = None
    last_time: datetime | None = None
    """Time of the last line that has a readable one."""
    sessions: tuple[Session, ...] = ()
    """The last one of each name, in the order of their starts."""
    commands: tuple[Command, ...] = ()
    """The last ones, in order."""
    streams: tuple[Stream, ...] = ()
    workers: tuple[Worker, ...] = ()
    """In the order in which they were queued."""
    runs: tuple[Run, ...] = ()
    """In the order in which they were started."""

    def run(self, run_id: str) -> Run | None:
        """The run with that id."""
        return next((run for run in self.runs if run.id == run_id), None)

    def session(self, name: str) -> Session | None:
        """The session of that name, in any spelling."""
        key = name_key(name)
        return next((session for session in self.sessions if name_key(session.name) == key), None)

    def agent(self, name: str) -> Agent | None:
        """The agent of that name, in any spelling."""
        key = name_key(name)
        return next((agent for agent in self.agents if agent.key == key), None)

    def request(self, request_id: str) -> Request | None:
        """The request with that id."""
        return next((request for request in self.requests if request.id == request_id), None)

    @property
    def open_requests(self) -> tuple[Request, ...]:
        """Requests that nothing in the registry closed."""
        return tuple(request for request in self.requests if request.is_open)
