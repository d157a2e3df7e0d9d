"""What the registry tells of streams and workers, and the one way to add to that: nothing twice.

Before a line is written, under the lock that all writers share, it is read on to the end and looked whether the same
stands there. So an event starts at most one worker, also when the monitor was killed, the stream sends it again, or a
monitor on another machine reads the same stream.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from threading import Lock
from typing import Any, Final

from collab_tui.model.event import Event, Item
from collab_tui.model.words import MONITOR, name_key
from collab_tui.model.workers import WorkerKind, WorkerState
from collab_tui.protocol.nearby import announce
from collab_tui.registry.append import NotWrittenError, RefusedError, encode
from collab_tui.registry.base import looks
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.workers.persistence import Persistence
from collab_tui.workers.queue import Start

_REMEMBERED: Final = 100_000
"""Events and workers that are remembered, the newest."""
_STARTS: Final = 2000


class Record:
    """What was taken and done, by this monitor and by others. Lines are written in the order in which it is asked."""

    def __init__(
        self,
        registry: JsonlRegistry,
        monitor: str,
        persist: Persistence,
        see: Callable[[Item], None] = lambda item: None,
    ) -> None:
        """`monitor` is the id of this one; `see` gets each line that is read, in a thread."""
        self._registry = registry
        self._monitor = monitor
        self._persist = persist
        self._see_too = see
        self._reading = Lock()
        self._forget()

    def _forget(self) -> None:
        self._taken: OrderedDict[str, str] = OrderedDict()
        """Key of an event -> the id of the line that takes it."""
        self._states: OrderedDict[str, WorkerState] = OrderedDict()
        self._starts: deque[Start] = deque(maxlen=_STARTS)
        self._unasked: deque[float] = deque(maxlen=_STARTS)

    # What stands there

    async def read(self) -> None:
        """Read on to the end."""
        await asyncio.to_thread(self._read_alone)

    @property
    def taken(self) -> frozenset[str]:
        """The keys of all events that were taken."""
        return frozenset(self._taken)

    def taken_by(self, key: str) -> str | None:
        """The id of the line by which an event was taken."""
        return self._taken.get(key)

    def state_of(self, worker: str) -> WorkerState | None:
        """What was told of a worker last; None for one that nobody told of."""
        return self._states.get(worker)

    @property
    def starts(self) -> list[Start]:
        """When decision workers of this monitor started, the last ones."""
        return list(self._starts)

    def unasked_since(self, time: float) -> int:
        """How many execution workers of this monitor were to start unasked since then (seconds since the epoch)."""
        return sum(at >= time for at in self._unasked)

    def _read_alone(self) -> None:
        with self._reading:
            self._read()

    def _read(self) -> None:
        for news in looks(self._registry):
            if news.restarted is not None:
                self._forget()
            for item in news.items:
                self._see(item)

    def _see(self, item: Item) -> None:
        self._see_too(item)
        if not isinstance(item, Event) or item.kind not in ("stream_event", "worker"):
            return
        if name_key(item.agent or "") != MONITOR:
            return
        if item.kind == "stream_event":
            if isinstance(key := item.data.get("key"), str):
                _remember(self._taken, key, item.id)
            return
        worker, state = item.text("worker"), item.data.get("state")
        if worker is None or state not in set(WorkerState):
            return
        _remember(self._states, worker, WorkerState(state), renew=True)
        if item.data.get("monitor") == self._monitor:
            self._note_start(item, WorkerState(state))

    def _note_start(self, event: Event, state: WorkerState) -> None:
        at, kind = _epoch(event.time), event.data.get("kind")
        if kind == WorkerKind.DECISION and state is WorkerState.RUNNING:
            self._starts.append(Start(at, event.text("task") or "", event.text("worker") or ""))
        if kind == WorkerKind.EXECUTION and state is WorkerState.QUEUED and event.data.get("unasked") is True:
            self._unasked.append(at)

    # Adding to it

    async def take(self, key: str, line: str, fields: Mapping[str, Any]) -> bool:
        """Write that an event was taken, as a line of that id; False when another line takes it."""

        def why_not() -> str | None:
            return "it was taken" if key in self._taken else None

        await self._write({"id": line, "event": "stream_event", **fields, "key": key}, why_not)
        return self._taken.get(key) == line

    async def say(self, worker: str, state: WorkerState, fields: Mapping[str, Any]) -> None:
        """Write how far a worker is, unless that is the last that was said of it."""

        def why_not() -> str | None:
            known = self._states.get(worker)
            return "it was told" if known is state or (known is not None and known.is_over) else None

        await self._write({"event": "worker", "worker": worker, "state": state.value, **fields}, why_not)

    async def note(self, fields: Mapping[str, Any]) -> None:
        """Write what became of events that start nothing."""
        await self._write({"event": "stream_event", **fields}, lambda: None)

    async def _write(self, event: Mapping[str, Any], why_not: Callable[[], str | None]) -> None:
        """Append a line unless there is a reason not to; tries again for as long as it cannot be written.

        Raises `UnusableError` for what never can be written.
        """
        line = {"agent": MONITOR, "monitor": self._monitor, **event}
        encode(line)  # what cannot be written is refused before trying again and again
        with suppress(RefusedError):
            await self._persist(lambda: self._append(line, why_not))

    def _append(self, line: Mapping[str, Any], why_not: Callable[[], str | None]) -> None:
        def unless() -> str | None:
            """Called under the lock that all writers share."""
            if not self._registry.is_there():
                raise NotWrittenError(f"{self._registry.name} is gone")
            self._read()
            return why_not()

        with self._reading:
            self._registry.append(line, unless=unless)
            announce(self._registry.path)
            self._read()


def _remember(known: OrderedDict[str, Any], key: str, value: Any, *, renew: bool = False) -> None:
    if key in known and not renew:
        return  # the first line that takes an event is the one that counts
    known[key] = value
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)


def _epoch(time: datetime | None) -> float:
    return time.timestamp() if time is not None else 0.0
