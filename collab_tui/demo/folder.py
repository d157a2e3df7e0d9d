"""The folder that a demo lives in: made for it, held by it, gone with it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PREFIX: Final = "collab-tui-demo-"
_MARK: Final = "in-use"
"""Locked as long as the demo's main process lives: the system lets go of it however that ends."""
_YOUNG: Final = 60.0
"""Seconds for which a folder may be without its lock because it is just being made."""


@contextmanager
def demo_folder() -> Iterator[Path]:
    """A fresh folder, held until the block ends, then removed."""
    # Resolved, because watchers report real paths and on macOS the temporary folder is behind a link.
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    try:
        mark = os.open(folder / _MARK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(mark)
            yield folder
        finally:
            os.close(mark)
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a demo's folder; anything else stays, whatever name is given. Others may be removing it as well."""
    if folder.name.startswith(PREFIX) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def remove_stale() -> None:
    """Remove the folders of demos that ended without a chance to do it: the power failed, everything was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # gone meanwhile, or not ours
            if _is_mine(folder) and time.time() - folder.stat().st_mtime > _YOUNG and not _is_held(folder / _MARK):
                remove(folder)


def _is_mine(folder: Path) -> bool:
    status = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and (sys.platform == "win32" or status.st_uid == os.getuid())


def _is_held(mark: Path) -> bool:
    try:
        descriptor = os.open(mark, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock a file as a whole, without waiting; whether that went well."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
