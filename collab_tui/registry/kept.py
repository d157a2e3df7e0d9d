"""Where a monitor keeps, in the user's state folder, what it has to know of a registry; and what it is called there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import platformdirs

from collab_tui.registry.append import LOCK_TIMEOUT, NotWrittenError, hold
from collab_tui.registry.machine import this_machine

_FOLDER: Final = "monitor"
_KEY_BYTES: Final = 32
_FRESH: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def kept_for(registry: Path) -> Path:
    """The folder for one registry, whether or not it is there. The name follows from where the registry is."""
    name = hashlib.sha256(os.path.realpath(registry).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return Path(platformdirs.user_state_dir("collab-tui", appauthor=False)) / _FOLDER / name


def monitor_of(folder: Path) -> str:
    """The id of the monitors that keep there what they know, one after the other: 12 hex digits, others elsewhere."""
    return hashlib.sha256(f"{this_machine()} {folder}".encode("utf-8", "replace")).hexdigest()[:12]


def own_key(path: Path) -> bytes:
    """A key that only this user has, made where there is none: the same in all their processes.

    Raises `NotWrittenError` where it can neither be read nor made, `LockedError` while another makes it.
    """
    try:
        if not path.exists():
            make_own(path.parent)
            lock = hold(str(path), LOCK_TIMEOUT)
            try:
                if not path.exists():
                    keep(path, os.urandom(_KEY_BYTES).hex())
            finally:
                os.close(lock)
        key = bytes.fromhex(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise NotWrittenError(f"{path}: it cannot be read ({error}): remove it") from error
    if len(key) != _KEY_BYTES:
        raise NotWrittenError(f"{path}: it is no key of ours: remove it")
    return key


def make_own(folder: Path) -> None:
    """Have a folder that only this user sees into, and so what is made of those above it. Raises `OSError`."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def keep(path: Path, value: Any) -> None:
    """Replace a file of JSON, whole or not at all, for the user's eyes only. Raises `OSError`."""
    keep_bytes(path, json.dumps(value).encode("ascii"))


def keep_bytes(path: Path, data: bytes) -> None:
    """The same for a file of any kind."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    make_own(path.parent)
    try:
        with os.fdopen(os.open(fresh, _FRESH, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError:
        with suppress(OSError):  # what is left of it is overwritten by the next
            fresh.unlink(missing_ok=True)
        raise
