"""Whose turn it is to act: of the monitors of one registry on one machine, the first.

The lock is held by the living process, and the system releases it with the process, however that ends. Programs that
are run do not inherit it.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from collab_tui.model.ages import age
from collab_tui.registry.append import LockedError, NotWrittenError, hold
from collab_tui.registry.kept import make_own
from collab_tui.registry.lock_state import Lock, LockState, lock_state

_NAME: Final = "turn"
_PATIENCE: Final = 0.2
"""Seconds to take it: whoever looks whether it is held may be in the way for a moment."""
_LOOKS: Final = 2
"""Whoever has it has it for as long as it lives; the second is for Windows, where another looker is in the way."""


class Turn:
    """The right to act on a registry, to be had by one process at a time."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where it is kept how far the rules came."""
        self._path = folder / _NAME
        self._sidecar = folder / f"{_NAME}.lock"
        self._held: int | None = None

    def take(self) -> bool:
        """Take the turn if nobody has it. Raises `RegistryError` where that cannot be told."""
        try:
            make_own(self._path.parent)
        except OSError as error:
            raise NotWrittenError(f"cannot make {self._path.parent}: {error.strerror}") from error
        try:
            self._held = hold(str(self._path), _PATIENCE)
        except LockedError:
            return False
        os.utime(self._sidecar)  # since when, for whoever asks
        return True

    def holder(self) -> str | None:
        """Who has it, in words; None where nobody has."""
        lock = lock_state(str(self._sidecar), _LOOKS)
        return _told(lock) if lock.state in (LockState.HELD, LockState.STOPPED) else None

    def whose(self) -> str:
        """Who has it, and for how long, in words."""
        return _told(lock_state(str(self._sidecar), _LOOKS))

    def end(self) -> None:
        """Let the next one have it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _told(lock: Lock) -> str:
    began = datetime.now(UTC).timestamp() - lock.seconds
    since = datetime.fromtimestamp(began, UTC).astimezone()
    return f"{lock.holder or 'another process'}, since {since:%Y-%m-%d %H:%M:%S} ({age(lock.seconds)})"
