"""Where a monitor keeps, in the user's state folder, what it has to know of a registry; and what it is called there."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import platformdirs

from collab_tui.registry.machine import this_machine

_FOLDER: Final = "monitor"


def kept_for(registry: Path) -> Path:
    """The folder for one registry, whether or not it is there. The name follows from where the registry is."""
    name = hashlib.sha256(os.path.realpath(registry).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return Path(platformdirs.user_state_dir("collab-tui", appauthor=False)) / _FOLDER / name


def monitor_of(folder: Path) -> str:
    """The id of the monitors that keep there what they know, one after the other: 12 hex digits, others elsewhere."""
    return hashlib.sha256(f"{this_machine()} {folder}".encode("utf-8", "replace")).hexdigest()[:12]


def keep(path: Path, value: Any) -> None:
    """Replace a file of JSON, whole or not at all, for the user's eyes only. Raises `OSError`."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(descriptor)
        os.replace(fresh, path)
    except OSError:
        with suppress(OSError):  # what is left of it is overwritten by the next
            fresh.unlink(missing_ok=True)
        raise
