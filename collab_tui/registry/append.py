"""The lean path of the file registry: lock, repair, write, sync.

It runs inside other programs' hooks on every tool call, so it imports the standard library only, and of that only what
starts in a few milliseconds (no dataclasses, pathlib, typing, secrets: 3 to 125 ms each).

The order is what keeps lines whole on every file system: lock a sidecar, open afresh, end a torn tail, write once,
sync, close, unlock. On network drives a data file kept open across the lock loses half of all lines without an error
to anybody; a lock on the data file itself shuts out readers on SMB.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import sys
import time
from functools import lru_cache

from collab_tui.registry.timestamps import format_time, is_time, time_of_last

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

MAX_LINE = 1 << 20
"""Bytes that a line may have, its newline included."""
LOCK_TIMEOUT = 10.0
"""Seconds to wait for other writers."""

_LOCK_BYTE = 1 << 30
"""Windows locks bytes against reading too: one far behind the holder's name."""
_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_UNREADABLE = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_NO_TIME = "0000-00-00T00:00:00.000Z"
_TIME_PLACE = f'","timestamp":"{_NO_TIME}"'.encode()
"""Holds the place of the time, which is known only under the lock: it stands after the id. No text can hold these
bytes: in a text every quote has a backslash before it.
"""
_TAIL = 1024
_AS_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_SKEW = 1.0
"""Seconds that the previous line's clock may be ahead before its time counts as lying in our future."""


class RegistryError(Exception):
    """A registry could not be read or written; the text says what to do about it."""

    exit_code = 74


class NotWrittenError(RegistryError):
    """The line is not in the registry."""


class NotDurableError(RegistryError):
    """The line was written, but the system could not promise that it is on the disk."""


class LockedError(RegistryError):
    """Another writer held the lock until the time limit."""

    exit_code = 75


class RefusedError(RegistryError):
    """The condition of the append no longer holds; nothing was written."""

    exit_code = 1


class UnusableError(RegistryError):
    """The path or the event is not one that can be appended to or written."""

    exit_code = 2


def append(
    path: str,
    event: Mapping[str, Any],
    *,
    unless: Callable[[], str | None] | None = None,
    seal: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    timeout: float = LOCK_TIMEOUT,
    durable: bool = True,
) -> dict[str, Any]:
    """Append one event as one line and give it back as written, with its `id` and `timestamp`.

    What a program writes that a rule runs says so, in `caused_by`: `$COLLAB_CAUSE` is the activation of that rule.
    `unless` runs under the lock that all our writers share; when it returns a reason, nothing is written and
    `RefusedError` carries it. `seal` gets the event with all its fields, the time included, and gives the fields to
    add: a signature. `timeout` is in seconds. Without `durable` the disk is not waited for.

    Raises `LockedError`, `RefusedError`, `UnusableError`, `NotWrittenError` or `NotDurableError`.
    """
    return append_all(path, (event,), unless=unless, seal=seal, timeout=timeout, durable=durable)[0]


def append_all(
    path: str,
    events: Sequence[Mapping[str, Any]],
    *,
    unless: Callable[[], str | None] | None = None,
    seal: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    timeout: float = LOCK_TIMEOUT,
    durable: bool = True,
) -> list[dict[str, Any]]:
    """Append several events in one write, with one lock and one sync; gives those that are there, fewer where the disk
    is full: the first ones. See `append`.
    """
    prepared = [_prepared(event) for event in events]

    def lines(last_time: str | None) -> bytes:
        written: list[bytes] = []
        for event, encoded in prepared:
            before = time_of_last(written[-1]) if written else last_time
            written.append(_stamped(event, encoded, before, seal))
        return b"".join(written)

    count = _append(path, lines, unless, timeout, durable, in_parts=True)
    return [event for event, _ in prepared[:count]]


def _prepared(event: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The event as it is to be written, but for its time, and its line. Raises `UnusableError`."""
    written = {"id": os.urandom(8).hex(), "timestamp": _NO_TIME, **event}
    if cause := os.environ.get("COLLAB_CAUSE"):
        written.setdefault("caused_by", cause)
    if not isinstance(written["id"], str) or not written["id"].strip():
        raise UnusableError(f"the id of an event is a text, not {written['id']!r:.60}; leave it out to get one")
    if "timestamp" in event and not is_time(event["timestamp"]):
        raise UnusableError(
            f"the timestamp of an event is an RFC 3339 time such as 2026-01-31T08:00:00.000Z, "
            f"not {event['timestamp']!r:.60}; leave it out to get one"
        )
    return written, encode(written)  # what cannot be written is refused before taking the lock


def _stamped(
    event: dict[str, Any],
    encoded: bytes,
    last_time: str | None,
    seal: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None,
) -> bytes:
    """The line of an event with its time, which the event gets too, and what it is sealed with."""
    is_timed = event["timestamp"] != _NO_TIME
    if not is_timed:
        now = time.time()
        stamp = format_time(now)
        if last_time is not None and stamp < last_time <= format_time(now + _SKEW):
            stamp = last_time
        event["timestamp"] = stamp
    if seal is not None:
        event.update(seal(event))
        return encode(event)
    if is_timed:
        return encoded
    before, after = encoded.split(_TIME_PLACE, 1)
    return before + f'","timestamp":"{event["timestamp"]}"'.encode() + after


def encode(event: Mapping[str, Any]) -> bytes:
    r"""The line of an event: readable UTF-8, with what could steer a terminal or split a line as `\uXXXX`."""
    try:
        text = _AS_JSON(event)
    except (TypeError, ValueError, RecursionError) as error:
        raise UnusableError(f"this event cannot be written as JSON: {error}") from error
    line = _UNREADABLE.sub(_escape, text).encode() + b"\n"
    if len(line) > MAX_LINE:
        raise UnusableError(
            f"this event has {len(line):,} bytes; a line may have {MAX_LINE:,}. Put the long part in a file and name it"
        )
    return line


def append_line(
    path: str,
    line: Callable[[str | None], bytes],
    *,
    unless: Callable[[], str | None] | None = None,
    timeout: float = LOCK_TIMEOUT,
    durable: bool = True,
) -> None:
    """Append what `line` makes under the lock from the previous line's time, all of it. See `append`."""
    _append(path, line, unless, timeout, durable, in_parts=False)


def _append(
    path: str,
    line: Callable[[str | None], bytes],
    unless: Callable[[], str | None] | None,
    timeout: float,
    durable: bool,
    *,
    in_parts: bool,
) -> int:
    """The same; gives how many lines of it are there. With `in_parts` the first ones do where not all fit."""
    lock = hold(path, timeout)
    try:
        reason = unless() if unless is not None else None
        if reason is not None:
            raise RefusedError(reason)
        return _write(path, line, durable, in_parts)
    finally:
        _release(lock)


def _write(path: str, line: Callable[[str | None], bytes], durable: bool, in_parts: bool) -> int:
    descriptor, is_new = _open(path)
    try:
        tail = _read_tail(descriptor)
        torn = bool(tail) and not tail.endswith(b"\n")
        data = (b"\n" if torn else b"") + line(time_of_last(tail))
        written = os.write(descriptor, data)
        if written != len(data):
            _end_fragment(descriptor)
        count = data.count(b"\n", torn, written)
        if written != len(data) and not (in_parts and count):
            raise NotWrittenError(f"only {written} of {len(data)} bytes fitted into {path}: is the disk full?")
        if durable:
            _sync(descriptor, path, is_new)
    except OSError as error:
        _release(descriptor)
        raise NotWrittenError(f"nothing was written to {path}: {error.strerror}") from error
    except BaseException:
        _release(descriptor)
        raise
    try:
        os.close(descriptor)
    except OSError as error:  # network drives report a failed write here
        raise NotDurableError(f"{path} could not be closed after writing: {error.strerror}") from error
    return count


def _open(path: str) -> tuple[int, bool]:
    """The registry, opened afresh, and whether it was made just now."""
    if not hasattr(os, "O_NOFOLLOW") and os.path.islink(path):
        raise UnusableError(f"{path} is a symbolic link; give the file itself")
    try:
        try:
            descriptor, is_new = os.open(path, _FLAGS | os.O_APPEND), False
        except FileNotFoundError:
            descriptor, is_new = os.open(path, _FLAGS | os.O_APPEND | os.O_CREAT, 0o600), True
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnusableError(f"{path} is a symbolic link; give the file itself") from error
        if error.errno in (errno.EISDIR, errno.ENOENT, errno.ENOTDIR, errno.ENXIO):
            raise UnusableError(f"{path} is no file that can be appended to: {error.strerror}") from error
        raise NotWrittenError(f"cannot open {path}: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
    except OSError as error:
        _release(descriptor)
        raise NotWrittenError(f"cannot open {path}: {error.strerror}") from error
    if stat.S_ISREG(status.st_mode) and status.st_nlink <= 1:
        return descriptor, is_new
    _release(descriptor)
    if stat.S_ISREG(status.st_mode):
        raise UnusableError(f"{path} is a hard link: what is appended would stand in another file too; use a copy")
    raise UnusableError(f"{path} is not a regular file")


def _read_tail(descriptor: int) -> bytes:
    """The end of the file with the whole of its last line, unless that is too long to be one of ours."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    tail = b""
    for count in (_TAIL, MAX_LINE):
        os.lseek(descriptor, max(0, size - count), os.SEEK_SET)
        tail = os.read(descriptor, count)
        if count >= size or tail.find(b"\n", 0, -1) >= 0:
            break
    return tail


def _end_fragment(descriptor: int) -> None:
    """Keep a partial line apart from the next one, if there is room for one more byte."""
    try:
        os.write(descriptor, b"\n")
    except OSError:
        return  # the next writer does it


def _release(descriptor: int) -> None:
    """Close what nothing depends on any more: an error of it must not hide what became of the line."""
    try:
        os.close(descriptor)
    except OSError:
        return


def _sync(descriptor: int, path: str, is_new: bool) -> None:
    try:
        getattr(os, "fdatasync", os.fsync)(descriptor)
        if is_new and os.name == "posix":
            folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        # Not tried again: after a failed sync the system may call the lost pages clean.
        raise NotDurableError(f"written to {path}, but perhaps not to the disk: {error.strerror}") from error


def hold(path: str, timeout: float) -> int:
    """Hold the lock of a path, which is that of its sidecar `.lock`; gives a descriptor that no child inherits.

    Closing it releases the lock, as does the holder's death. Raises `LockedError`, `UnusableError`, `NotWrittenError`.
    """
    sidecar = path + ".lock"
    deadline = time.monotonic() + timeout
    delay = 0.0002
    while True:
        try:
            descriptor = os.open(sidecar, _FLAGS | os.O_CREAT, 0o600)
        except OSError as error:
            kind = UnusableError if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP) else NotWrittenError
            raise kind(f"cannot open the lock {sidecar}: {error.strerror}") from error
        try:
            if _try_lock(descriptor):
                status = os.fstat(descriptor)
                if status.st_nlink > 1 or not stat.S_ISREG(status.st_mode):
                    raise UnusableError(f"{sidecar} is no file of its own, and the holder's name goes there: delete it")
                if status.st_nlink:
                    # No link: somebody deleted the sidecar, and its next name would let a second holder in.
                    _note_holder(descriptor)
                    return descriptor
            if time.monotonic() >= deadline:
                raise LockedError(f"{path} is locked by {_holder(descriptor)} since over {timeout:g} s; try again")
        except OSError as error:
            _release(descriptor)
            raise NotWrittenError(f"cannot lock {sidecar}: {error.strerror}") from error
        except BaseException:
            _release(descriptor)
            raise
        _release(descriptor)
        time.sleep(delay * (0.5 + os.urandom(1)[0] / 255))  # uneven, so that no writer is always late
        delay = min(delay * 1.5, 0.005)


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _LOCK_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # SMB says EACCES for a held lock.
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK, errno.EDEADLK):
            return False
        raise NotWrittenError(f"this file system cannot lock files: {error.strerror}") from error
    return True


def _note_holder(descriptor: int) -> None:
    note = _note(os.getpid())
    try:
        if os.read(descriptor, len(note)) != note:  # reading what stands there costs a third of writing it again
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, note)
    except OSError:
        return  # a full disk; the lock holds without the note


@lru_cache(maxsize=1)
def _note(process: int) -> bytes:
    return f"{f'process {process} ({os.path.basename(sys.argv[0])[:40]})':<62.62}\n".encode("ascii", "replace")


def _holder(descriptor: int) -> str:
    """The holder as `_note_holder` notes it; whatever else anybody wrote there is not repeated."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    match = re.match(rb"process \d{1,10} \([ -~]{0,40}\)(?=\s|$)", os.read(descriptor, 64))
    return match[0].decode("ascii") if match else "another writer"


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
