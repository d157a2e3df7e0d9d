"""Streams and the workers that their events start, as the registry tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class StreamState(StrEnum):
    """How a source of events is doing."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RETRYING = "retrying"
    """It was cut off, and is tried again after a while."""
    STOPPED = "stopped"
    """It said that it has nothing for us, or the settings say so: nobody tries again."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One source of events as last told of."""

    name: str
    monitor: str
    state: StreamState
    why: str | None
    position: int
    since: datetime | None
    events: int
    """Events of it that were taken, since the registry began."""
    dropped: int = 0
    """Events that started nothing: too many waited, or one waited for the same."""
    refused: int = 0
    """Events that asked for what none may."""


class WorkerKind(StrEnum):
    """What a worker is for."""

    DECISION = "decision"
    EXECUTION = "execution"


class WorkerState(StrEnum):
    """How far it is."""

    QUEUED = "queued"
    ASKED = "asked"
    """The person is to say whether it starts."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"
    """It was never started: too many waited, or the same was done before."""
    REFUSED = "refused"
    """It was not allowed: by the person, or because the event asks for what no event may."""
    STOPPED = "stopped"
    """The person ended it, before it started or after."""

    @property
    def is_over(self) -> bool:
        """Nothing more comes of it."""
        return self not in (WorkerState.QUEUED, WorkerState.ASKED, WorkerState.RUNNING)


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker as last told of."""

    id: str
    kind: WorkerKind
    state: WorkerState
    monitor: str
    task: str
    title: str | None
    priority: str
    """urgent, high, normal or low."""
    project: str | None
    stream: str | None
    """The source of the event that it is for; None: it was started by hand."""
    cause: str | None
    """The id of the stream's event, or of the decision worker that wants it."""
    why: str | None
    """Why it was started, as its rule or the verdict says."""
    outcome: str | None
    """What came of it, once it is over."""
    request: str | None
    """The id of the request whose answer starts it."""
    session: str | None
    """The name of the session that it works in."""
    verdict: Mapping[str, Any] | None = field(compare=False)
    """What a decision worker found."""
    log: str | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    took_ms: int | None
    position: int
    """The line that told of it last."""
