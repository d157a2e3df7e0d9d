"""The blackboard of a run: named values, each written once a revision, with who wrote it and when.

What stands here stands in the registry: a value is there for others once its line is on the disk, so a run that is
resumed has it. Those who wait for one are woken by the line that has it.

It is one process's. A program that an agent runs has no way to write here but what it gives as its result: a line that
anybody writes into the registry is believed by nobody (see `journal`).
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from collab_tui.model.event import parse_time
from collab_tui.model.runs import TaskState
from collab_tui.orchestrator.journal import Journal, without_none
from collab_tui.orchestrator.values import Json, ValueFiles, ValueRefusedError, checked

MOST_KEYS: Final = 10_000
MOST_BYTES: Final = 256 << 20
"""Of all values together, their last revisions."""
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_./-]{0,199}", re.ASCII)


class ConflictError(Exception):
    """Another wrote the key first; the text says who, `entry` is what stands there, if it stands there already."""

    def __init__(self, text: str, entry: Entry | None) -> None:
        super().__init__(text)
        self.entry = entry


class ReleasedError(Exception):
    """The run is over: nothing is written any more, and nothing comes that was waited for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands under one key: one revision."""

    key: str
    revision: int
    """From 1."""
    json: Json
    by: str
    """The agent that wrote it."""
    at: datetime | None
    task: str | None = None
    """The task whose result it is, or for which it was written."""

    @property
    def value(self) -> Any:
        """The value, anew each time: who changes what they got changes nothing here."""
        return self.json.value


def checked_key(key: object) -> str:
    """A name of a value: small letters, digits, `-_./`, at most 200. Raises `ValueRefusedError`."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueRefusedError(
            f"a key has small letters, digits, and -_./ after the first, at most 200 in all: not {key!r:.80}"
        )
    return key


class _Promise(NamedTuple):
    """The last revision of a key that stands, or is being written."""

    revision: int
    by: str
    size: int


_NONE: Final = _Promise(0, "", 0)


class Blackboard:
    """The values of one run. Reading is for any thread; all else belongs to the event loop of its journal."""

    def __init__(self, journal: Journal, files: ValueFiles, entries: Iterable[Entry] = ()) -> None:
        """`entries` are what stood there when the run ended, of one that is resumed: see `ledger`."""
        self._journal = journal
        self._files = files
        self._entries = {entry.key: entry for entry in entries}
        self._promised = {
            key: _Promise(entry.revision, entry.by, entry.json.size) for key, entry in self._entries.items()
        }
        self._size = sum(promise.size for promise in self._promised.values())
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._over: str | None = None
        self.told: Callable[[str], object] | None = None
        """Hears, in the loop, of each key of which a revision stands now."""

    # Reading

    def get(self, key: str, default: Any = None) -> Any:
        """The value now, or `default`; a copy."""
        entry = self._entries.get(key)
        return default if entry is None else entry.value

    def entry(self, key: str) -> Entry | None:
        """The value now, with who wrote it and when."""
        return self._entries.get(key)

    def revision(self, key: str) -> int:
        """How often it was written; 0 for what was not."""
        entry = self._entries.get(key)
        return 0 if entry is None else entry.revision

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def snapshot(self) -> Mapping[str, Entry]:
        """All as it stands at one moment."""
        return self._entries.copy()

    async def wait_for(self, key: str, timeout: float | None = None, after: int = 0) -> Any:  # noqa: ASYNC109
        """The value, as soon as its revision is above `after`: at once if it is already.

        `timeout` is in seconds. Raises `TimeoutError`, and `ReleasedError` when the run is over.
        """
        checked_key(key)
        async with asyncio.timeout(timeout):
            while self.revision(key) <= after:
                self._refuse_when_over()
                woken = asyncio.get_running_loop().create_future()
                self._waiting[key].add(woken)
                try:
                    await woken
                finally:
                    self._leave(key, woken)
        return self.get(key)

    def _leave(self, key: str, woken: asyncio.Future[None]) -> None:
        if waiting := self._waiting.get(key):
            waiting.discard(woken)
            if not waiting:
                del self._waiting[key]

    # Writing

    async def put(
        self, key: str, value: Any, *, by: str, task: str | None = None, expected: int | None = None
    ) -> Entry:
        """Write the next revision of a value; gives it once it stands, also for a process that comes after this one.

        With `expected`, only if that is the last revision (0: none) that anybody wrote or is writing. Raises
        `ConflictError` else, once that one stands, `ValueRefusedError` for what cannot be a value or is too much,
        `ReleasedError` when the run is over. Cancelled, it is written all the same.
        """
        return await self._write(key, value, by, task, expected, "run_value", {"task": task})

    async def done(
        self, key: str, value: Any, *, by: str, task: str, first: Callable[[], object] | None = None, **fields: Any
    ) -> Entry:
        """The same for the result of a task: the one line that has the value says that the task is done.

        `first` is called before that is sent, once the value is one that can stand.
        """
        told = {"task": task, "state": TaskState.DONE.value, **fields}
        return await self._write(key, value, by, task, None, "run_task", told, first)

    async def worked(self, key: str, value: Any, *, by: str, task: str, **fields: Any) -> Json:
        """Tell of a result that is still to be judged, which is given back: it stands in the registry, and not here."""
        self._refuse_when_over()
        json = checked(value)
        told = {"task": task, "state": TaskState.WORKED.value, **fields, "key": checked_key(key)}
        await asyncio.shield(self._send(by, "run_task", told, json, self._files.fields_of(json)))
        return json

    async def _write(
        self,
        key: str,
        value: Any,
        by: str,
        task: str | None,
        expected: int | None,
        event: str,
        told: Mapping[str, Any],
        first: Callable[[], object] | None = None,
    ) -> Entry:
        self._refuse_when_over()
        json, last = checked(value), self._promised.get(checked_key(key), _NONE)
        if expected is not None and expected != last.revision:
            if last.revision > self.revision(key):  # whoever tries again at once is to see what was written meanwhile
                await self.wait_for(key, after=last.revision - 1)
            wrote = f"{last.by} wrote revision {last.revision}" if last.revision else "nobody wrote it yet"
            raise ConflictError(f"{key} is not as it was at revision {expected}: {wrote}", self._entries.get(key))
        size = self._size - last.size + json.size
        if size > MOST_BYTES:
            raise ValueRefusedError(f"with {key} the blackboard would have over {MOST_BYTES:,} bytes")
        if not last.revision and len(self._promised) >= MOST_KEYS:
            raise ValueRefusedError(f"the blackboard has {MOST_KEYS:,} keys already, and {key} is another")
        revision, fields = last.revision + 1, self._files.fields_of(json)
        if first is not None:
            first()
        sent = self._send(by, event, {**told, "key": key, "revision": revision}, json, fields)
        self._promised[key], self._size = _Promise(revision, by, json.size), size

        def entry(written: asyncio.Future[dict[str, Any]]) -> Entry:
            return Entry(key, revision, json, by, parse_time(written.result()["timestamp"]), task)

        def stand(written: asyncio.Future[dict[str, Any]]) -> None:
            if not written.cancelled() and written.exception() is None:
                self._stand(entry(written))

        sent.add_done_callback(stand)  # also when nobody waits for it any more
        await asyncio.shield(sent)
        return entry(sent)

    def _send(
        self, by: str, event: str, told: Mapping[str, Any], json: Json, fields: Mapping[str, Any]
    ) -> asyncio.Future[dict[str, Any]]:
        """A line that has a value, once the value is in its file if `fields` say that it is a large one."""
        before = partial(self._files.save, json) if "file" in fields else None
        return self._journal.send(by, event, {**without_none(told), **fields}, before)

    def _stand(self, entry: Entry) -> None:
        self._entries[entry.key] = entry
        for woken in self._waiting.pop(entry.key, ()):
            if not woken.done():
                woken.set_result(None)
        if self.told is not None:
            self.told(entry.key)

    def _refuse_when_over(self) -> None:
        if self._over is not None:
            raise ReleasedError(self._over)

    def close(self, reason: str) -> None:
        """The run is over: whoever waits is released, and nothing more is written."""
        self._over = reason
        for waiting in self._waiting.values():
            for woken in waiting:
                if not woken.done():
                    woken.set_result(None)
