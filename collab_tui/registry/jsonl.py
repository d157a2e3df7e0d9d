"""The embedded default: one JSON object per line in one file.

Reading opens the file at each look (network drives show new bytes only then), never waits for a lock and never reads a
byte twice, but for the few by which it notices that the file is another: identity, size, its beginning, and what stands
before the place it read to.
"""

from __future__ import annotations

import bisect
import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from collab_tui.model.event import MAX_LINE, Item, Unreadable, decode
from collab_tui.registry import append as appending
from collab_tui.registry.base import News, State

_CHUNK: Final = 1 << 16
"""Bytes read and decoded at once; fits the processor's cache, measured 10 % faster than 1 MiB."""
_BLOCK: Final = 1 << 20
_HEAD: Final = 4096
_BEFORE: Final = 64
SETTLED_AFTER: Final = 5.0
"""Seconds for which lines with NUL bytes must stay as they are to count as damaged, and not as still on their way: a
reader on a network drive sees NULs before the bytes of another machine arrive.
"""
_LONG_AGO: Final = 86_400.0
"""Seconds since the last change by the clock of whoever keeps the file: more than that clock may be wrong by."""
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class Position:
    """Where an event stands in the file."""

    index: int
    """Counted from 0; the line number is one more."""
    offset: int
    """In bytes."""


class JsonlRegistry:
    """A registry in one file. Any thread may call it; only one reads on at a time."""

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._monotonic = monotonic
        self._patience = SETTLED_AFTER
        self._reading = Lock()
        self._reset()

    @property
    def name(self) -> str:
        """The path as given."""
        return str(self.path)

    def is_there(self) -> bool:
        """There is something at the path; else an append makes it."""
        return os.path.lexists(self.path)

    def append(
        self,
        event: Mapping[str, Any],
        *,
        unless: Callable[[], str | None] | None = None,
        seal: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Append one event durably; see `collab_tui.registry.append`."""
        return appending.append(str(self.path), event, unless=unless, seal=seal)

    def append_all(
        self,
        events: Sequence[Mapping[str, Any]],
        *,
        unless: Callable[[], str | None] | None = None,
        seal: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    ) -> list[dict[str, Any]]:
        """Append several events durably, at the cost of one; gives those that fitted. See `registry.append`."""
        return appending.append_all(str(self.path), events, unless=unless, seal=seal)

    def read_next(self, *, final: bool = False) -> News:
        """The next piece after what was read before. With `final` an unterminated last line counts.

        Lines with NUL bytes, and what comes after them, wait until they settled; with `final` they count at once.
        """
        with self._reading:
            return self._read_next(final)

    def _read_next(self, final: bool) -> News:
        try:
            descriptor = os.open(self.path, _FLAGS)
        except FileNotFoundError:
            return News(state=State.MISSING)
        except OSError as error:
            return News(state=State.UNREADABLE, detail=error.strerror or str(error))
        known = self.__dict__.copy()
        try:
            return self._look(descriptor, final)
        except OSError as error:
            # Half a look counts for nothing: neither lines nor a restart may get lost with it.
            self.__dict__.update(known)
            return News(state=State.UNREADABLE, detail=error.strerror or str(error))
        finally:
            os.close(descriptor)

    def last_items(self) -> Sequence[Item]:
        """The whole lines of the last chunk, at their positions: those before it are counted, not read."""
        try:
            descriptor = os.open(self.path, _FLAGS)
        except OSError:
            return ()  # the next look says why
        try:
            size = os.fstat(descriptor).st_size
            start = max(0, size - _CHUNK)
            chunk = _read_at(descriptor, start, size - start)
            begin = chunk.find(b"\n") + 1 if start else 0
            end = chunk.rfind(b"\n") + 1
            if begin >= end:
                return ()
            before = sum(
                _read_at(descriptor, at, min(_BLOCK, start - at)).count(b"\n") for at in range(0, start, _BLOCK)
            )
        except OSError:
            return ()
        finally:
            os.close(descriptor)
        return list(decode(chunk[begin:end], before + bool(start)))

    def items(self, first: int, last: int) -> Sequence[Item]:
        """Lines that were read before, from one position to another, excluded; clipped to what is there."""
        first, last = max(0, first), min(last, self._position)
        found: list[Item] = []
        while first < last:
            chunk = self._chunk_items(first)
            if not chunk or chunk[-1].position < first:
                break  # the file is another by now: the next look at the registry says so
            skip = first - chunk[0].position
            found += chunk[skip : skip + last - first]
            first = chunk[-1].position + 1
        return found

    def since(self, position: int) -> Sequence[Item]:
        """Every whole line from a position to the end as it is now, without moving where `read_next` goes on.

        Raises `NotWrittenError` when it cannot be read: what is not known must not be taken for nothing.
        """
        twin = JsonlRegistry(self.path)
        with self._reading:
            reading = twin._reading
            twin.__dict__.update(self.__dict__)
            twin._reading, twin._starts = reading, self._starts.copy()
        twin._patience = 0  # what stands behind NUL bytes is there too
        found = list(twin.items(position, twin._position))
        while True:
            news = twin.read_next()
            if news.state is State.MISSING:
                return []
            if news.state is State.UNREADABLE:
                raise appending.NotWrittenError(f"{self.path} cannot be read now: {news.detail}")
            if news.restarted is not None:
                found, position = [], 0  # another file: all of it came since
            found += (item for item in news.items if item.position >= position)
            if not news.remaining:
                return found

    def position_of(self, index: int) -> Position:
        """The place of a line that was read before."""
        start, offset, _ = self._chunk_of(index)
        chunk = self._read_chunk(index)
        return Position(index, offset + sum(len(line) + 1 for line in chunk.split(b"\n")[: index - start]))

    def place_of(self, position: int) -> str:
        """At which byte a line that was read begins, in words."""
        if not 0 <= position < self._position:
            return ""
        return f"from byte {self.position_of(position).offset:,}"

    def was_changed(self) -> bool:
        """What was remembered of this registry is not what stands there now; another registry is no changed one."""
        from collab_tui.registry import seen  # after the first paint

        try:
            change = seen.change_since(self.path)
        except OSError:
            return False  # it cannot be read: the next look says so
        return change is not None and not change.is_another

    def remember(self) -> None:
        """Keep for later what was read so far: see `collab_tui.registry.seen`."""
        from collab_tui.registry import seen  # after the first paint

        with self._reading:
            size, lines = self._offset, self._position
        seen.remember(self.path, size, lines)

    # Following

    def _reset(self) -> None:
        self._identity: tuple[int, int] | None = None
        self._head = b""
        self._before = b""
        self._offset = 0
        self._position = 0
        self._starts: list[Position] = []
        """Where chunks of about `_CHUNK` bytes begin; a line that is too long has one of its own."""
        self._skipping = False
        """In the middle of a line that is too long."""
        self._unsettled = b""
        """Whole lines from the place read to, the first with NUL bytes: they may yet become others."""
        self._unsettled_since = 0.0

    def _look(self, descriptor: int, final: bool) -> News:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            return News(state=State.UNREADABLE, detail=f"it is {what}")
        restarted = self._what_changed(descriptor, status)
        if restarted is not None:
            self._reset()
        self._identity = (status.st_dev, status.st_ino)
        data = _read_at(descriptor, self._offset, MAX_LINE if self._skipping else _CHUNK)
        end = data.rfind(b"\n") + 1
        if not end and len(data) >= _CHUNK and not self._skipping:
            data = _read_at(descriptor, self._offset, MAX_LINE + _CHUNK)
            end = data.rfind(b"\n") + 1
        if self._skipping or (not end and len(data) > MAX_LINE):
            return self._skip(descriptor, data, restarted, status.st_size)
        unterminated = False
        if final and end < len(data) and self._offset + len(data) >= status.st_size and data[end:].strip():
            unterminated = not isinstance(next(iter(decode(data[end:], 0))), Unreadable)
            end = len(data) if unterminated else end
        chunk = data[:end]
        if not final and b"\0" in chunk:
            chunk = chunk[: self._settled(chunk, status)]
            end = len(chunk)
        first = self._position
        if chunk and (not self._starts or self._offset - self._starts[-1].offset >= _CHUNK):
            self._starts.append(Position(self._position, self._offset))
        self._advance(descriptor, chunk, chunk.count(b"\n") + unterminated)
        remaining = status.st_size - self._offset if end and not unterminated else 0
        return News(decode(chunk, first) if chunk else (), State.READY, "", restarted, unterminated, max(0, remaining))

    def _settled(self, chunk: bytes, status: os.stat_result) -> int:
        """How many bytes of these whole lines, some with NUL bytes, can be taken for what they will be."""
        is_old = status.st_size - self._offset - len(chunk) >= _CHUNK or time.time() - status.st_mtime > _LONG_AGO
        if is_old or not self._patience:
            return len(chunk)
        start = chunk.rfind(b"\n", 0, chunk.find(b"\0")) + 1
        if start:
            return start
        now = self._monotonic()
        if not self._unsettled or not chunk.startswith(self._unsettled):
            self._unsettled, self._unsettled_since = chunk, now
        if now - self._unsettled_since < self._patience:
            return 0
        settled, self._unsettled = len(self._unsettled), b""
        return settled

    def _what_changed(self, descriptor: int, status: os.stat_result) -> str | None:
        """How the file differs from the one read before; None when it goes on."""
        if self._identity is None:
            return None
        if self._identity != (status.st_dev, status.st_ino):
            return "replaced"
        if status.st_size < self._offset:
            return "truncated"
        # The inode alone is no proof: SMB and 9p keep it when another file takes the name.
        head = _read_at(descriptor, 0, len(self._head))
        before = _read_at(descriptor, self._offset - len(self._before), len(self._before))
        return None if head == self._head and before == self._before else "rewritten"

    def _advance(self, descriptor: int, piece: bytes, lines: int) -> None:
        self._position += lines
        self._offset += len(piece)
        if len(self._head) < _HEAD:
            self._head = _read_at(descriptor, 0, min(_HEAD, self._offset))
        self._before = (self._before + piece[-_BEFORE:])[-_BEFORE:]

    def _skip(self, descriptor: int, data: bytes, restarted: str | None, size: int) -> News:
        """Pass over a line that is too long, in pieces; it becomes one item when its end is seen."""
        if not self._skipping:
            self._starts.append(Position(self._position, self._offset))
            self._skipping = True
        end = data.find(b"\n") + 1
        piece = data[:end] if end else data
        started = self._starts[-1].offset
        self._advance(descriptor, piece, 0)
        if not end:
            return News(restarted=restarted, remaining=max(0, size - self._offset) if piece else 0)
        self._skipping = False
        line = _read_at(descriptor, started, _HEAD)
        item = Unreadable(self._position, too_long(self._offset - started), line)
        self._position += 1
        self._starts.append(Position(self._position, self._offset))
        return News((item,), State.READY, "", restarted, False, max(0, size - self._offset))

    # Looking up

    def _chunk_of(self, index: int) -> tuple[int, int, int]:
        """First position, first byte and end byte of the chunk that holds the line."""
        starts, end = self._starts, self._offset
        if not starts:
            return index, 0, 0
        number = bisect.bisect_right(starts, index, key=lambda start: start.index) - 1
        start = starts[number]
        if number + 1 < len(starts):
            end = starts[number + 1].offset
        return start.index, start.offset, end

    def _read_chunk(self, index: int) -> bytes:
        _, offset, end = self._chunk_of(index)
        try:
            descriptor = os.open(self.path, _FLAGS)
            try:
                return _read_at(descriptor, offset, min(end - offset, MAX_LINE + 2 * _CHUNK))
            finally:
                os.close(descriptor)
        except OSError:
            return b""  # gone since: the next look at the registry says so

    def _chunk_items(self, index: int) -> list[Item]:
        start, offset, end = self._chunk_of(index)
        chunk = self._read_chunk(index)
        if end - offset > MAX_LINE + 2 * _CHUNK:
            return [Unreadable(start, too_long(end - offset), chunk[:_HEAD])]
        return list(decode(chunk, start)) if chunk else []


def too_long(size: int) -> str:
    """Why a line of so many bytes is not read."""
    return f"too long: {size:,} bytes, the limit is {MAX_LINE:,}"


def _read_at(descriptor: int, offset: int, count: int) -> bytes:
    """Up to `count` bytes from an offset, fewer only at the end of the file."""
    os.lseek(descriptor, offset, os.SEEK_SET)
    pieces = []
    while count > 0:
        piece = os.read(descriptor, count)
        if not piece:
            break
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
