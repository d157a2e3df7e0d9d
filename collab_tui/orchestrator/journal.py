"""What a run writes into the registry: its lines in order, each on the disk before anything follows from it.

Anybody can write a line in the name of a run. So every line of ours has a `proof`: an HMAC over all that it says, with
its id, its time, its run and its number in it, by a key that only this user has. A resumed run believes no other line
(see `ledger`), and a line of ours counts once, wherever a copy of it is put.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, Final

from collab_tui.model.signature import AmbiguousError, canonical, parse
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.persistence import Persistence
from collab_tui.registry.append import NotDurableError, NotWrittenError, RegistryError, UnusableError, encode
from collab_tui.registry.jsonl import JsonlRegistry

PROOF: Final = "proof"
NUMBER: Final = "number"
"""The field that says which line of its run it is, from 1."""
PART: Final = "part"
"""The field that says which of the run's processes wrote it: 8 hex digits."""
ASKED: Final = "asked"
"""The field that says to which question the person said yes, in the line that they did."""
_WHAT: Final = b"collab-tui run line 1\n"
_LARGEST: Final = {"timestamp": "0000-00-00T00:00:00.000Z", NUMBER: 10**12, PART: "0" * 8, PROOF: "0" * 64}
"""What a line gets when it is written."""
_OF_SESSIONS: Final = frozenset(("session_start", "session_end"))
"""Events whose `run` would be one of a session: they have none, and no number."""
_MOST_AT_ONCE: Final = 1 << 18
"""Bytes that are written with one sync."""


def proof_of(event: Mapping[str, Any], key: bytes) -> str:
    """What only who has the key can say of a whole event. Raises `AmbiguousError` for what has no canonical form."""
    said = {name: value for name, value in event.items() if name != PROOF}
    return hmac.new(key, _WHAT + canonical(said), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class _Line:
    """One that is to be written."""

    event: Mapping[str, Any]
    size: int
    """Bytes."""
    before: Callable[[], object] | None
    written: asyncio.Future[dict[str, Any]]


class Journal:
    """The lines of one run. What waits or sends belongs to one event loop."""

    def __init__(
        self, registry: JsonlRegistry, run: str, key: bytes, notice: Callable[[str], None], *, after: int = 0
    ) -> None:
        """`notice` is told once when nothing can be written now, and once when it can again. `after` is the number of
        the run's last line, of a run that is resumed: see `ledger`.
        """
        self.run = run
        self._registry = registry
        self._key = key
        self._notice = notice
        self._number = after
        self.after = after
        """The number of the last line that was known when it began."""
        self.part = os.urandom(4).hex()
        """As its lines say by which process they were written."""
        self.told: Callable[[Mapping[str, Any]], object] | None = None
        """Hears of each line once it is on the disk."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        """Its own: those of the loop may all be taken by agents that wait for what is written here."""
        self._persist = Persistence(notice, self._thread)
        self._appending = Lock()
        self._seen: os.stat_result | None = None
        """The file after our last line."""
        self._last = b""
        """The proof of that line."""
        self._was_changed = False
        self._waiting: deque[_Line] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def is_in_trouble(self) -> bool:
        """Nothing can be written now: nothing new is to be started until it can."""
        return self._persist.is_in_trouble

    @property
    def is_idle(self) -> bool:
        """All that was sent is written."""
        return not self._waiting

    async def write(self, agent: str, event: str, **fields: Any) -> dict[str, Any]:
        """Append a line, and wait until it is on the disk however long that takes; gives it back as written.

        Fields that are None are left out. Cancelled, it is written all the same: see `send`. Raises `UnusableError` for
        what never can be written, `NotWrittenError` when the journal was closed before it could be.
        """
        return await asyncio.shield(self.send(agent, event, without_none(fields)))

    def send(
        self, agent: str, event: str, fields: Mapping[str, Any], before: Callable[[], object] | None = None
    ) -> asyncio.Future[dict[str, Any]]:
        """The same without waiting: it comes after what was sent before, whatever becomes of who sent it.

        `before` is called in a thread, and again with every try, for what has to be on the disk before the line is. It
        raises `NotWrittenError` where that cannot be done now.
        """
        if self._is_closed:
            raise NotWrittenError(f"the run {self.run} is over: nothing is written of it any more")
        line, size = self._line(agent, event, fields)
        sent = _Line(line, size, before, asyncio.get_running_loop().create_future())
        self._waiting.append(sent)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return sent.written

    def write_now(self, agent: str, event: str, **fields: Any) -> dict[str, Any]:
        """Append a line once, in the thread of the caller, before whatever waits. Raises `RegistryError`."""
        return self.write_all_now([(agent, event, fields)])[0]

    def write_all_now(self, lines: Iterable[tuple[str, str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """The same with several at once, each with its agent, event and fields."""
        told = [self._line(agent, event, without_none(fields))[0] for agent, event, fields in lines]
        written = self._append(told)
        self._tell(written)
        if len(written) < len(told):
            raise NotWrittenError(f"only {len(written)} of {len(told)} lines fitted into {self._registry.name}")
        return written

    async def keep(self, work: Callable[[], object]) -> None:
        """Have something else on the disk, however long that takes: `work` raises `NotWrittenError` to try again."""
        await self._persist(work)

    async def close(self, patience: float) -> int:
        """Wait so many seconds for what is still to be written, then give up; gives how many lines were not written.

        Nothing can be sent any more.
        """
        self._is_closed = True
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=patience)
            self._writing.cancel()
            await asyncio.wait({self._writing})
        lost = len(self._waiting)
        self._fail(NotWrittenError(f"the run {self.run} ended before it could be written"))
        self._thread.shutdown(wait=False)
        return lost

    def _line(self, agent: str, event: str, fields: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        """The event as everybody will read it, and how long its line gets. Raises `UnusableError`."""
        told = {"id": os.urandom(8).hex(), "agent": agent, "event": event}
        told |= {} if event in _OF_SESSIONS else {"run": self.run}
        line = encode({**told, **fields, **_LARGEST})
        try:
            read = parse(line)
        except AmbiguousError as error:
            raise UnusableError(f"this event cannot be written so that all read the same: {error}") from error
        return {name: value for name, value in read.items() if name not in _LARGEST}, len(line)

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch = self._next()
                written = await self._persist(partial(self._append_batch, batch))
                self._tell(written)
                for line, event in zip(batch, written, strict=False):  # of a full disk, those that fitted
                    self._waiting.popleft()
                    if not line.written.done():
                        line.written.set_result(event)
        except Exception as error:  # a mistake of ours must not leave anybody waiting
            self._notice(f"lines of the run {self.run} could not be written: {type(error).__name__}: {error}")
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        while self._waiting:
            written = self._waiting.popleft().written
            if not written.done():
                written.set_exception(error)
                written.exception()  # nobody has to wait for it

    def _next(self) -> list[_Line]:
        """The lines of one write, the first whatever its length."""
        size = 0
        batch: list[_Line] = []
        for line in self._waiting:
            size += line.size
            if batch and size > _MOST_AT_ONCE:
                break
            batch.append(line)
        return batch

    def _append_batch(self, batch: Sequence[_Line]) -> list[dict[str, Any]]:
        """Called in the thread. Raises what `Persistence` tries again after."""
        for line in batch:
            if line.before is not None:
                line.before()
        try:
            return self._append([line.event for line in batch])
        except UnusableError as error:  # not what is written, that was looked at: the path, which may come back
            raise NotWrittenError(str(error)) from error

    def _append(self, lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        with self._appending:
            number = self._number
            try:
                written = self._registry.append_all(lines, unless=self._look, seal=self._seal)
            except NotDurableError:
                raise  # they may stand there: their numbers are taken
            except RegistryError:
                self._number, self._was_changed = number, False  # what stands there now may not be what stays
                raise
            self._number = number + sum(NUMBER in line for line in written)
            self._last = written[-1][PROOF].encode() if written else self._last
            with suppress(OSError):  # it is gone already: the next look says so
                self._seen = os.stat(self._registry.path)
        announce(self._registry.path)
        return written

    def _seal(self, event: Mapping[str, Any]) -> dict[str, Any]:
        numbered: dict[str, Any] = {}
        if "run" in event:
            self._number += 1
            numbered |= {NUMBER: self._number, PART: self.part}
        return numbered | {PROOF: proof_of({**event, **numbered}, self._key)}

    def _look(self) -> None:
        """Whether the registry still is the one that the run writes into. Called under the lock of all writers."""
        seen = self._seen
        if seen is None:
            return
        try:
            now = os.stat(self._registry.path)
        except OSError as error:  # else an append would make another
            raise NotWrittenError(f"{self._registry.name} is gone: {error.strerror}") from error
        is_same = (now.st_dev, now.st_ino) == (seen.st_dev, seen.st_ino) and now.st_size >= seen.st_size
        self._was_changed = self._was_changed or not (is_same or self._stands(seen.st_size))

    def _stands(self, end: int) -> bool:
        """Our last line is where it was: what is there now is a whole copy, and nothing is lost."""
        try:
            with open(self._registry.path, "rb") as file:
                file.seek(max(0, end - _MOST_AT_ONCE))
                return self._last in file.read(_MOST_AT_ONCE)
        except OSError:
            return False

    def _tell(self, written: Sequence[Mapping[str, Any]]) -> None:
        if self.told is not None:
            for event in written:
                self.told(event)
        if self._was_changed:
            self._was_changed = False
            self._notice(
                f"{self._registry.name} was replaced or shortened while the run {self.run} goes on: what it wrote "
                "before is not there any more, and is not known when it is resumed"
            )


def without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What there is of them, as it is written."""
    return {name: value for name, value in fields.items() if value is not None}
