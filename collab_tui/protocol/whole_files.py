"""Files that others wrote and we change: read and written whole, so that whoever reads them meanwhile sees the old one
or the new one, and never over what somebody else wrote since.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collab_tui.registry.append import NotWrittenError, RefusedError, UnusableError

_BINARY: Final = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was when we looked."""

    path: Path
    """As it is called."""
    target: Path
    """Where it really lies: it may be a link into a folder of such files."""
    data: bytes | None
    """None: it is not there."""

    @property
    def text(self) -> str | None:
        """Its text; None where it is not there. Raises `UnusableError` where it is none."""
        if self.data is None:
            return None
        try:
            return self.data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            raise UnusableError(f"{self.path}:{line}: it is not UTF-8; save it as that, then again") from error


def look(path: Path) -> Found:
    """Read a file. Raises `UnusableError` where that cannot be done."""
    target = Path(os.path.realpath(path))
    try:
        if stat.S_ISREG(os.stat(target).st_mode):
            return Found(path, target, target.read_bytes())
    except FileNotFoundError:
        return Found(path, target, None)
    except OSError as error:
        raise UnusableError(f"cannot read {path}: {error.strerror}") from error
    raise UnusableError(f"cannot use {path}: it is no file")


def put(found: Found, text: str | None) -> None:
    """Write the file anew, or remove it, and with it a folder that held nothing else; whoever reads it meanwhile sees
    the old one or the new one.

    Raises `RefusedError` where it is no longer what was found, `NotWrittenError` where it cannot be written.
    """
    refuse_changed(found)
    if text is None:
        try:
            found.target.unlink()
        except OSError as error:
            raise NotWrittenError(f"cannot remove {found.path}: {error.strerror}") from error
        with suppress(OSError):  # it holds something else
            found.target.parent.rmdir()
        return
    fresh = found.target.with_name(f".{found.target.name}.{os.getpid()}")
    try:
        found.target.parent.mkdir(parents=True, exist_ok=True)
        write(fresh, text.encode("utf-8"), found.target, f"cannot write {found.path}")
        refuse_changed(found)
        os.replace(fresh, found.target)
    except OSError as error:
        raise NotWrittenError(f"cannot write {found.path}: {error.strerror}") from error
    finally:
        with suppress(OSError):  # it is the file now, or was never there
            fresh.unlink()


def refuse_changed(found: Found) -> None:
    """Raises `RefusedError` where the file is no longer what was found."""
    if look(found.path) != found:
        raise RefusedError(f"{found.path} was changed meanwhile, so nothing was written; look again")


def write(place: Path, data: bytes, like: Path | None, failure: str, *, mode: int = 0o666) -> None:
    """Make a file with the mode and the owner of another one, if that is there; else with this mode.

    Raises `NotWrittenError` with `failure` and why, also where the file is there already.
    """
    try:
        about = os.stat(like) if like is not None else None
    except FileNotFoundError:
        about = None
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
    try:
        with os.fdopen(os.open(place, flags, mode if about is None else 0o600), "wb") as file:
            try:
                _make_like(file.fileno(), about)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                place.unlink()
                raise
    except OSError as error:
        raise NotWrittenError(f"{failure}: {error.strerror}") from error


def _make_like(descriptor: int, about: os.stat_result | None) -> None:
    """Give a file the owner and the mode of another one, as far as the system knows them."""
    if about is None or os.name != "posix":
        return
    mine = os.fstat(descriptor)
    if (mine.st_uid, mine.st_gid) != (about.st_uid, about.st_gid):
        os.fchown(descriptor, about.st_uid, about.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(about.st_mode))
