"""Who holds the lock of a registry, without taking it from anybody: see `append` for how it is held."""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

from collab_tui.model.text import clean, one_line

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_TRIES: Final = 25
_PAUSE: Final = 0.02
"""Seconds; a writer holds the lock for a moment, and half a second is more than that."""
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)
)
_LOCK_BYTE: Final = 1 << 30
_PROCESS: Final = re.compile(r"process (\d+)\b")


class LockState(Enum):
    """What can be said of a lock."""

    FREE = "free"
    """Nobody holds it, or it was never made."""
    HELD = "held"
    STOPPED = "stopped"
    """Its holder was stopped and will not let go by itself."""
    UNUSABLE = "unusable"
    """No writer of this user can take it."""


class Lock(NamedTuple):
    """The state of a lock."""

    state: LockState
    holder: str = ""
    """Who holds it as it noted itself, or why it cannot be used."""
    seconds: float = 0.0
    """Since when, by the time at which the holder noted itself."""


def lock_state(sidecar: str, tries: int = _TRIES) -> Lock:
    """Who holds the lock; waits half a second at most for writers that are just at it.

    Of one that is held for long, fewer `tries` tell as much.
    """
    try:
        descriptor = os.open(sidecar, _FLAGS)
    except FileNotFoundError:
        return Lock(LockState.FREE)
    except OSError as error:
        return Lock(LockState.UNUSABLE, error.strerror or str(error))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Lock(LockState.UNUSABLE, "it is no regular file")
        if not os.access(sidecar, os.W_OK):
            return Lock(LockState.UNUSABLE, "you may not write it")
        for left in reversed(range(tries)):
            if _is_free(descriptor):
                return Lock(LockState.FREE)
            if left:
                time.sleep(_PAUSE)
        return _held(descriptor)
    except OSError as error:
        return Lock(LockState.UNUSABLE, error.strerror or str(error))
    finally:
        os.close(descriptor)


def _is_free(descriptor: int) -> bool:
    """Try a shared lock, which any number of lookers may hold, and let go of it at once."""
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _LOCK_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _held(descriptor: int) -> Lock:
    os.lseek(descriptor, 0, os.SEEK_SET)
    note = one_line(clean(os.read(descriptor, 64).decode("ascii", "replace")))
    seconds = max(0.0, time.time() - os.fstat(descriptor).st_mtime)
    match = _PROCESS.match(note)
    state = LockState.STOPPED if match and _is_stopped(int(match[1])) else LockState.HELD
    return Lock(state, note or "another program", seconds)


def _is_stopped(process: int) -> bool:
    """The process stands still; where the system does not tell, it is taken to run."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] in ("T", "t")
