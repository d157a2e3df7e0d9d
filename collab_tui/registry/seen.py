"""What the board had read of a registry when it looked last, so that it can be told when that was changed since.

Nobody may rewrite a registry, and anybody can. The board keeps, in the user's state folder, how far it had read and a
digest of every block. It is a reader's convenience: without it nothing else works differently. What was kept is only
ever added to: once the beginning is not what it was, it stays as the evidence until the person deletes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import platformdirs

from collab_tui.model.event import MAX_LINE
from collab_tui.model.lines import NO_LINES, Lines

_SMALL: Final = 1 << 12
_SMALL_BLOCKS: Final = 1 << 8
_LARGE: Final = 1 << 16
_MAX_BLOCKS: Final = (1 << 14) + _SMALL_BLOCKS
"""Blocks that are kept: the first mebibyte in blocks of 4 KiB, so that few lines are named, a gibibyte of 64 KiB."""
_MAX_REGISTRIES: Final = 200
_DIGEST: Final = 32
_LATEST: Final = 1e11
"""Seconds since the epoch; a time that every system can show."""
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a registry was read, and what stood there."""

    at: float
    """When, in seconds since the epoch."""
    lines: int
    size: int
    """Bytes that were read."""
    first_line: bytes
    """Digest of the first line: by it another registry is told from a changed one."""
    blocks: tuple[bytes, ...]
    """Digest of every whole block, within bounds."""
    rest: bytes
    """Digest of what was read behind the whole blocks, or of nothing where the bounds were reached."""


@dataclass(frozen=True, slots=True)
class Change:
    """How what was read differs from what stands there now, at the first place where it does."""

    seen: Seen
    is_another: bool
    """The first line is another: so is the registry."""
    lines: Lines
    """Lines of which at least one is not what was read; none where the end is gone."""
    first: int
    """The first byte that may differ."""
    end: int
    """The byte behind the last one that may differ."""


def memory_file(registry: Path) -> Path:
    """Where it is kept what was read of a registry, whether or not anything was."""
    name = hashlib.sha256(os.path.realpath(registry).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return Path(platformdirs.user_state_dir("collab-tui", appauthor=False)) / "seen" / f"{name}.json"


def remember(registry: Path, size: int, lines: int) -> None:
    """Keep what stands in the first `size` bytes, which hold so many lines, in addition to what is kept already.

    Nothing is kept when that is not there any more. No error of this is one of the board.
    """
    known = recall(registry)
    if size <= 0 or (known is not None and known.size >= size):
        return
    try:
        with _opened(registry) as file:
            if known is None or _goes_on(file, known):
                _keep(registry, _look(file, size, lines, known.blocks if known is not None else ()))
    except OSError:
        return  # it cannot be read, or there is no place to keep it: then there is nothing to compare with later


def forget(registry: Path) -> None:
    """Keep nothing of a registry that goes away itself."""
    with suppress(OSError):  # what stays is a small file that nobody looks into any more
        memory_file(registry).unlink(missing_ok=True)


def recall(registry: Path) -> Seen | None:
    """What was read of a registry; None when that is not known."""
    try:
        kept = json.loads(memory_file(registry).read_bytes())
        digests = b64decode(kept["blocks"], validate=True)
        seen = Seen(
            at=float(kept["at"]),
            lines=int(kept["lines"]),
            size=int(kept["size"]),
            first_line=bytes.fromhex(kept["first_line"]),
            blocks=tuple(digests[start : start + _DIGEST] for start in range(0, len(digests), _DIGEST)),
            rest=bytes.fromhex(kept["rest"]),
        )
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None  # never kept, or broken: a memory that cannot be read is none
    is_whole = seen.size > 0 and len(seen.rest) == _DIGEST and len(seen.blocks) <= _MAX_BLOCKS
    return seen if is_whole and 0 <= seen.at < _LATEST else None


def change_since(registry: Path) -> Change | None:
    """The first place at which the registry differs from what was read; None when it does not, or nothing was kept.

    Raises `OSError` when the registry cannot be read.
    """
    seen = recall(registry)
    if seen is None:
        return None
    with _opened(registry) as file:
        if _first_line(file) != seen.first_line:
            return Change(seen, True, NO_LINES, 0, 0)
        return _first_difference(file, seen)


def _first_difference(file: BinaryIO, seen: Seen) -> Change | None:
    size = os.fstat(file.fileno()).st_size
    line = 1
    for start, end, digest in _kept(seen):
        block = _read(file, start, end)
        ends = block.count(b"\n")
        if len(block) < end - start:  # the end is gone, and what is left of this block cannot be told
            break
        if _digest(block) != digest:
            last = line + ends - block.endswith(b"\n")
            return Change(seen, False, Lines(((line, last),), last - line + 1), start, end)
        line += ends
    return Change(seen, False, NO_LINES, size, seen.size) if size < seen.size else None


def _goes_on(file: BinaryIO, known: Seen) -> bool:
    """What was read first and last stands there still; what is in between is compared when somebody asks."""
    *_, (start, end, digest) = _kept(known)
    return _first_line(file) == known.first_line and _digest(_read(file, start, end)) == digest


def _look(file: BinaryIO, size: int, lines: int, known: tuple[bytes, ...]) -> Seen:
    """What stands in the first `size` bytes; blocks that are known are not read again."""
    digests = list(known)
    for number in range(len(known), _MAX_BLOCKS):
        start, end = _block(number)
        if end > size:
            break
        digests.append(_digest(_read(file, start, end)))
    rest = _read(file, _block(len(digests))[0], size) if len(digests) < _MAX_BLOCKS else b""
    return Seen(time.time(), lines, size, _first_line(file), tuple(digests), _digest(rest))


def _kept(seen: Seen) -> Iterator[tuple[int, int, bytes]]:
    """First byte, end byte and digest of everything that was kept."""
    for number, digest in enumerate(seen.blocks):
        yield *_block(number), digest
    if len(seen.blocks) < _MAX_BLOCKS:
        yield _block(len(seen.blocks))[0], seen.size, seen.rest


def _block(number: int) -> tuple[int, int]:
    """First and end byte of a block."""
    if number < _SMALL_BLOCKS:
        return number * _SMALL, (number + 1) * _SMALL
    start = _SMALL * _SMALL_BLOCKS + (number - _SMALL_BLOCKS) * _LARGE
    return start, start + _LARGE


def _opened(registry: Path) -> BinaryIO:
    return os.fdopen(os.open(registry, _FLAGS), "rb")


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _first_line(file: BinaryIO) -> bytes:
    file.seek(0)
    return _digest(file.readline(MAX_LINE))


def _keep(registry: Path, seen: Seen) -> None:
    """Replace what was kept, whole or not at all, for the user's eyes only; raises `OSError`."""
    place = memory_file(registry)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {
        "registry": os.path.realpath(registry),
        "at": seen.at,
        "lines": seen.lines,
        "size": seen.size,
        "first_line": seen.first_line.hex(),
        "blocks": b64encode(b"".join(seen.blocks)).decode(),
        "rest": seen.rest.hex(),
    }
    fresh = place.with_name(f"{place.stem}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(kept, file)
        fresh.replace(place)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    _forget_old(place.parent)


def _forget_old(folder: Path) -> None:
    """Keep the latest registries only: demos and tests come and go."""
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[_MAX_REGISTRIES:]:
        file.unlink(missing_ok=True)
