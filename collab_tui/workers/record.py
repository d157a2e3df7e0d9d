"""What the registry tells of streams and workers, and the one way to add to that: nothing twice.

Before a line is written, under the lock that all writers share, it is read on to the end and looked whether the same
stands there. So an event starts at most one worker, also when the monitor was killed, the stream sends it again, or a
monitor on another machine reads the same stream.

Anybody can write a line in the name of the monitor. What this one said of a worker it knows by the ids of its lines,
which follow from a key that only it has: another's line neither takes the place of its own nor keeps it from speaking.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

from collab_tui.model.event import Event, Item
from collab_tui.model.session_book import word_of
from collab_tui.model.words import MONITOR, name_key
from collab_tui.model.workers import WorkerKind, WorkerState
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.persistence import Persistence
from collab_tui.registry.append import NotWrittenError, RefusedError, encode
from collab_tui.registry.base import looks
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for, own_key
from collab_tui.workers.lately import Lately

_REMEMBERED: Final = 100_000
"""Events and workers that are remembered, the newest."""
_KEY: Final = "worker-lines.json"


class _Said(NamedTuple):
    """What this monitor said of a worker last, and in how many lines it spoke of it."""

    state: WorkerState | None
    lines: int


_NOTHING: Final = _Said(None, 0)


def line_key(registry: Path) -> bytes:
    """The key from which the ids of this monitor's lines follow, made where there is none. Raises `NotWrittenError`."""
    return own_key(kept_for(registry) / _KEY)


class Record:
    """What was taken, by this monitor and by others, and what this one said. Lines are written as it is asked."""

    def __init__(
        self,
        registry: JsonlRegistry,
        monitor: str,
        persist: Persistence,
        see: Callable[[Item], None] = lambda item: None,
        key: bytes = b"",
    ) -> None:
        """`monitor` is the id of this one; `see` gets each line that is read, in a thread; `key` is its `line_key`."""
        self._registry = registry
        self._monitor = monitor
        self._persist = persist
        self._see_too = see
        self._key = key
        self._reading = Lock()
        self._forget()

    def _forget(self) -> None:
        self._taken: OrderedDict[str, str] = OrderedDict()
        """Key of an event -> the id of the line that takes it."""
        self._said: OrderedDict[str, _Said] = OrderedDict()
        self.lately = Lately()

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
        """What this monitor said of a worker last; None for one of which it said nothing."""
        return self._said.get(worker, _NOTHING).state

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
        worker, state = item.text("worker"), word_of(WorkerState, item.data.get("state"))
        if worker is None or state is None:
            return
        lines = self._said.get(worker, _NOTHING).lines
        if item.id == self._line(worker, state, lines):
            _remember(self._said, worker, _Said(state, lines + 1), renew=True)
            if item.data.get("kind") == WorkerKind.EXECUTION.value:
                self.lately.see(item, worker, state)

    def _line(self, worker: str, state: WorkerState, lines: int) -> str:
        """The id of the line that says it, after so many of the same worker."""
        return hmac.new(self._key, f"{worker} {state} {lines}".encode(), hashlib.sha256).hexdigest()[:16]

    # Adding to it

    async def take(self, key: str, line: str, fields: Mapping[str, Any]) -> bool:
        """Write that an event was taken, as a line of that id; False when another line takes it."""

        def why_not() -> str | None:
            return "it was taken" if key in self._taken else None

        await self._write({"id": line, "event": "stream_event", **fields, "key": key}, why_not)
        return self._taken.get(key) == line

    async def say(self, worker: str, state: WorkerState, fields: Mapping[str, Any]) -> bool:
        """Write how far a worker is, unless that is the last that was said of it; False then."""
        line = {"event": "worker", "worker": worker, "state": state.value, **fields}
        while True:
            known = self._said.get(worker, _NOTHING)
            if known.state is state or (known.state is not None and known.state.is_over):
                return False

            def why_not(known: _Said = known) -> str | None:
                return "more was said of it" if self._said.get(worker, _NOTHING) != known else None

            if await self._write({"id": self._line(worker, state, known.lines), **line}, why_not):
                return True

    async def note(self, fields: Mapping[str, Any]) -> None:
        """Write what became of events that start nothing."""
        await self._write({"event": "stream_event", **fields}, lambda: None)

    async def _write(self, event: Mapping[str, Any], why_not: Callable[[], str | None]) -> bool:
        """Append a line unless there is a reason not to (False); tries again for as long as it cannot be written.

        Raises `UnusableError` for what never can be written.
        """
        line = {"agent": MONITOR, "monitor": self._monitor, **event}
        encode(line)  # what cannot be written is refused before trying again and again
        with suppress(RefusedError):
            await self._persist(lambda: self._append(line, why_not))
            return True
        return False

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
