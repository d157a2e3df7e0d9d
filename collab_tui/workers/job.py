"""One worker as this monitor has it to do: what it is for, and how far it is.

It is kept in a file of the user's own (`jobs`), and only what is there is ever started: the lines of the registry tell
of it, and keep the same from being done twice, but anybody can write those.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Final

from collab_tui.config.workers import Priority
from collab_tui.model.workers import WorkerKind, WorkerState
from collab_tui.sessions.names import task_name
from collab_tui.workers.stream_event import StreamEvent

MAX_TRIES: Final = 2
"""Times that a decision worker runs: it changes nothing, so one that was cut off runs once more."""
_NAME: Final = 34
"""Characters of a task in the name of its session."""


class Step(StrEnum):
    """How far it is."""

    TAKEN = "taken"
    """It is to be told that its event was taken."""
    ASKING = "asking"
    """The person is to say whether it starts."""
    WAITING = "waiting"
    """It starts when its turn comes."""
    RUNNING = "running"
    OVER = "over"
    """What came of it is to be told, and what follows from it to be queued."""
    TOLD = "told"
    """What came of it is to be reported to the source."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done by one worker."""

    id: str
    """16 hex digits, that follow from what it is for: the same is never another worker."""
    kind: WorkerKind
    task: str
    step: Step
    queued_at: float
    """Seconds since the epoch."""
    title: str | None = None
    status: str | None = None
    priority: str = Priority.NORMAL.value
    project: str | None = None
    stream: str | None = None
    cause: str | None = None
    why: str | None = None
    template: str | None = None
    prompt: str | None = None
    """What the person told it by hand, in place of a template."""
    agent: str | None = None
    """The name of its definition: of one that is asked about, what was asked. None: the one of the settings."""
    base: str | None = None
    order: int = 0
    key: str | None = None
    """Of its event."""
    line: str | None = None
    """The id of the line by which its event is taken: another's was taken by another."""
    tries: int = 0
    request: str | None = None
    """The id of the request whose answer starts it."""
    is_unasked: bool = False
    """It starts without the person having been asked."""
    asked_because: str | None = None
    """Why the person is asked though the settings let it start unasked."""
    session: str | None = None
    run: str | None = None
    head: str | None = None
    """The commit on which its branch stood before it was told anything."""
    is_prompted: bool = False
    """Its session was told what to do, or is being told."""
    started_at: float | None = None
    log: str | None = None
    """Where its log stands, from the folder of the registry."""
    outcome: WorkerState | None = None
    told: str | None = None
    """Why that came of it."""
    verdict: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    """What it did: `commits`, `branch`, `summary`."""

    @property
    def rank(self) -> tuple[int, float, int, str]:
        """Its place in the queue: priority, then arrival, then the order that a verdict gives."""
        return Priority(self.priority).rank, self.queued_at, self.order, self.id

    @property
    def is_on_event(self) -> bool:
        """An event wants it decided, and nobody else."""
        return self.kind is WorkerKind.DECISION and self.cause is not None

    @property
    def session_name(self) -> str:
        """What its session is called: by its task, and by the worker that it is."""
        what = "decide" if self.kind is WorkerKind.DECISION else "work"
        return f"{what}-{task_name(self.task)[:_NAME].rstrip('-_')}-{self.id[:4]}"

    @property
    def event(self) -> StreamEvent:
        """The task, as an event would tell of it."""
        told = (self.task, self.status, self.priority, self.project, self.title)
        return StreamEvent(self.stream or "", self.cause or "", *told)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def job_for(event: StreamEvent, template: str, why: str, now: float) -> Job:
    """The decision worker for an event, its event still to be taken."""
    return Job(
        id=event.key[:16],
        kind=WorkerKind.DECISION,
        task=event.task,
        step=Step.TAKEN,
        queued_at=now,
        title=event.title,
        status=event.status,
        priority=event.priority,
        project=event.project,
        stream=event.stream,
        cause=event.event_id,
        why=why,
        template=template,
        key=event.key,
        line=os.urandom(8).hex(),
    )


_KNOWN: Final = frozenset(one.name for one in fields(Job))


def job_of(document: Any) -> Job | None:
    """The job that was kept; None for what is none."""
    try:
        given = {key: value for key, value in document.items() if key in _KNOWN}
        given |= {"kind": WorkerKind(given["kind"]), "step": Step(given["step"])}
        given |= {"outcome": WorkerState(given["outcome"])} if given.get("outcome") else {}
        Priority(given.get("priority", Priority.NORMAL))
        return Job(**given)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
