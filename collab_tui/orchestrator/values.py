"""What may be a value of a run, and where a large one stands: in a file beside the registry, for the user's eyes only.

A value is JSON as every reader of it reads it the same. What is not, is refused with the place where it is not:
infinite numbers and NaN, whole numbers beyond 64 bits, names that are no texts, objects of Python. A tuple becomes a
list, and half an emoji, as programs write that cut texts, the sign for what cannot be read: it could not be handed on.

The file is there, whole, before a line names it by its digest. One that no line names is left over from a crash in
between, and goes with its run.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any, Final

import orjson

from collab_tui.registry.append import NotWrittenError
from collab_tui.registry.kept import keep_bytes, make_own

RUNS: Final = "runs"
"""The folder, beside the registry; in it is one for each run."""
IN_LINE: Final = 1 << 16
"""Bytes of a value that stands in its line; a larger one stands in a file."""
LARGEST: Final = 32 << 20
"""Bytes of one value."""
MOST_BYTES: Final = 1 << 30
"""Of all files of a run together."""
_DEEPEST: Final = 200
_BEGINS: Final = 400
"""Characters."""
_SHOWN: Final = 60
_HALF: Final = re.compile("[\ud800-\udfff]")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_OURS: Final = re.compile(r"[0-9a-f]{64}\.json(?:\.\d+)?")
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
_LOOK: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


class ValueRefusedError(ValueError):
    """It cannot be a value of a run; the text says where in it, and why."""


class ValueLostError(Exception):
    """A value that a line names is not there any more, or is another; the text says which and why."""


@dataclass(frozen=True)
class Json:
    """One value, whole."""

    text: bytes
    """As JSON, in UTF-8."""

    @property
    def value(self) -> Any:
        """A copy for whoever asks: who changes it changes nobody else's."""
        return orjson.loads(self.text)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.text)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex."""
        return hashlib.sha256(self.text).hexdigest()


def checked(value: Any) -> Json:
    """The value as all read it. Raises `ValueRefusedError`."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME)
        is_same = orjson.loads(text) == value
    except (TypeError, ValueError, RecursionError):
        is_same = False
    if not is_same:  # why, and whether it can be made so, tells a look at every part of it
        text = orjson.dumps(_plain(value, "", 0))
    if len(text) > LARGEST:
        told = f"it has {len(text):,} bytes as JSON, and a value may have {LARGEST:,}"
        raise ValueRefusedError(f"{told}: keep it in a file, and give the name of that")
    return Json(text)


def _plain(value: Any, place: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise _refusal(place, f"it is nested deeper than {_DEEPEST}")
    match value:
        case None | bool():
            return value
        case str():
            return _HALF.sub("\ufffd", value)
        case int():
            if not -(1 << 63) <= value < 1 << 64:
                raise _refusal(place, "a whole number beyond 64 bits: give it as a text")
            return int(value)
        case float():
            if not isfinite(value):
                raise _refusal(place, f"{value} is no number of JSON")
            return float(value)
        case list() | tuple():
            return [_plain(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(value)]
        case dict():
            plain = {_name(name, place): _plain(item, f"{place}.{name}", depth + 1) for name, item in value.items()}
            if len(plain) != len(value):
                raise _refusal(place, "two names in it are the same but for half an emoji")
            return plain
    raise _refusal(place, f"a value is JSON, and {type(value).__name__} is none of it")


def _name(name: Any, place: str) -> str:
    if not isinstance(name, str):
        raise _refusal(place, f"the names of an object are texts, not {name!r:.60}")
    return _HALF.sub("\ufffd", name)


def _refusal(place: str, why: str) -> ValueRefusedError:
    where = place if len(place) <= _SHOWN else f"{place[:_SHOWN]}..."
    return ValueRefusedError(f"{where}: {why}" if where else why)


class ValueFiles:
    """The large values of one run."""

    def __init__(self, registry: Path, run: str) -> None:
        self._registry = registry
        self.folder = registry.parent / RUNS / run
        self._size: int | None = None
        """Bytes of all of them."""

    def fields_of(self, given: Json) -> dict[str, Any]:
        """What a line has of a value: all of it, or in which file it stands and how it begins: see `save`.

        Raises `ValueRefusedError` for one that is too much for the run.
        """
        if given.size <= IN_LINE:
            return {"value": given.value}
        if self._size is None:
            self._size = _size_of(self.folder)
        if self._size + given.size > MOST_BYTES:
            raise ValueRefusedError(f"with it the large values of the run would have over {MOST_BYTES:,} bytes")
        self._size += given.size
        is_text = given.text.startswith(b'"')
        begins = given.value if is_text else given.text[: 4 * _BEGINS].decode("utf-8", "ignore")
        name = (Path(RUNS) / self.folder.name / f"{given.digest}.json").as_posix()
        return {"file": name, "digest": given.digest, "size": given.size, "begins": begins[:_BEGINS]}

    def save(self, given: Json) -> None:
        """Have a large value in its file, on the disk. Raises `NotWrittenError`."""
        path = self.folder / f"{given.digest}.json"
        if not self._registry.exists():  # else its folder would be in the way when it is brought back
            raise NotWrittenError(f"cannot keep a value in {path}: {self._registry} is gone")
        try:
            self._make()
            if _read(path, given.size, given.digest) is None:
                keep_bytes(path, given.text)
                _sync(self.folder)
        except OSError as error:
            raise NotWrittenError(f"cannot keep a value in {path}: {error.strerror}") from error

    def value_of(self, fields: Mapping[str, Any]) -> Json:
        """The whole value of a line that is known to be ours. Raises `ValueLostError`."""
        if "file" not in fields:
            if "value" not in fields:
                raise ValueLostError("its line has none")
            try:
                return checked(fields["value"])
            except ValueRefusedError as error:
                raise ValueLostError(f"its line has none that can be used: {error}") from error
        digest, size = fields.get("digest"), fields.get("size")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or not isinstance(size, int):
            raise ValueLostError("its line does not say in which file it stands")
        path = self.folder / f"{digest}.json"
        try:
            text = _read(path, size, digest)
        except OSError as error:
            raise ValueLostError(f"{path} cannot be read: {error.strerror}") from error
        if text is None:
            raise ValueLostError(f"{path} is gone, or was changed")
        try:
            orjson.dumps(orjson.loads(text))  # whoever wrote the line may have written the file
        except (ValueError, TypeError) as error:
            raise ValueLostError(f"{path} is no value of a run: {error}") from error
        return Json(text)

    def forget(self) -> None:
        """Remove them, and the folder of the run if nothing else is in it."""
        with suppress(OSError):  # it is not there, or no folder of ours
            self._refuse_link()
            for file in self.folder.iterdir():
                if _OURS.fullmatch(file.name):
                    file.unlink(missing_ok=True)
            self.folder.rmdir()

    def _make(self) -> None:
        self._refuse_link()
        make_own(self.folder)
        with (
            suppress(FileExistsError),
            os.fdopen(os.open(self.folder.parent / ".gitignore", _NEW, 0o600), "wb") as file,
        ):
            file.write(b"*\n")

    def _refuse_link(self) -> None:
        """A project may hold a link that leads elsewhere."""
        runs = self.folder.parent
        if self.folder.resolve() != runs.parent.resolve() / RUNS / self.folder.name:
            raise OSError(errno.ELOOP, "a symbolic link leads elsewhere, and nothing is written through one", runs)


def _read(path: Path, size: int, digest: str) -> bytes | None:
    """What a file holds; None where it is not there, or holds anything else. Raises `OSError`."""
    try:
        descriptor = os.open(path, _LOOK)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None
        raise
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_size != size or size > LARGEST:
            return None
        text = file.read(size)
    return text if hashlib.sha256(text).hexdigest() == digest else None


def _size_of(folder: Path) -> int:
    try:
        return sum(file.lstat().st_size for file in folder.iterdir())
    except OSError:
        return 0


def _sync(folder: Path) -> None:
    """Have the name of a new file on the disk."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
