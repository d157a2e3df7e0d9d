"""Events that start nothing though they would: told in the registry, in a storm of them once every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from collab_tui.workers.record import Record
from collab_tui.workers.stream_event import StreamEvent

BETWEEN: Final = 5.0
"""Seconds between two lines of one kind; the second tells of all that came meanwhile."""


@dataclass
class _Kind:
    written_at: float
    """By the steady clock."""
    event: StreamEvent | None = None
    """The last that is still to be told."""
    why: str = ""
    count: int = 0


class Notes:
    """What is told of refused and dropped events."""

    def __init__(self, record: Record, notice: Callable[[str], None]) -> None:
        self._record = record
        self._notice = notice
        self._kinds: dict[tuple[str, str], _Kind] = {}
        """Outcome and stream -> what is to be told of them."""
        self._later: asyncio.Task[None] | None = None

    async def add(self, outcome: str, event: StreamEvent, why: str) -> None:
        """Tell of one: at once, or with those that come within the next seconds."""
        kind = self._kinds.get((outcome, event.stream))
        if kind is None or (kind.event is None and time.monotonic() - kind.written_at >= BETWEEN):
            self._kinds[outcome, event.stream] = _Kind(time.monotonic())
            self._notice(f"stream {event.stream}: {outcome}, on {event.task}: {why}")
            await self._record.note(fields_of(event) | {"outcome": outcome, "why": why})
            return
        kind.event, kind.why, kind.count = event, why, kind.count + 1
        if self._later is None or self._later.done():
            self._later = asyncio.create_task(self._flush_later())

    async def end(self) -> None:
        """Tell what is still to be told."""
        if self._later is not None:
            self._later.cancel()
            await asyncio.wait({self._later})
        await self._flush()

    async def _flush_later(self) -> None:
        await asyncio.sleep(BETWEEN)
        await self._flush()

    async def _flush(self) -> None:
        for (outcome, stream), kind in list(self._kinds.items()):
            if kind.event is not None:
                told = fields_of(kind.event) | {"outcome": outcome, "why": kind.why, "count": kind.count}
                self._kinds[outcome, stream] = _Kind(time.monotonic())
                self._notice(f"stream {stream}: {kind.count} {outcome}, the last on {kind.event.task}: {kind.why}")
                await self._record.note(told)


def fields_of(event: StreamEvent) -> dict[str, Any]:
    """What a line tells of an event."""
    told = {"stream": event.stream, "event_id": event.event_id, "task": event.task, "status": event.status}
    told |= {"priority": event.priority, "project": event.project, "title": event.title}
    return {name: value for name, value in told.items() if value}
