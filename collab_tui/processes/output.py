"""What a program prints, kept in a file for the user's eyes that never grows beyond its bounds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST: Final = 4 << 20
"""Bytes of one file of output."""
_FLAGS: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_APPEND
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, slots=True)
class OutputLog:
    """The latest output: a full file becomes `NAME.1`, in place of the one before, and a new one is begun.

    It holds no descriptor, so several may write to one path.
    """

    path: Path
    most: int = MOST
    """Bytes of the file; there may be twice as many with the one before."""

    @property
    def before(self) -> Path:
        """What was written before the file was full the last time, if it ever was."""
        return self.path.with_name(f"{self.path.name}.1")

    def append(self, data: bytes) -> bool:
        """Add it, of what is longer than a file the end. Never raises; whether the disk took it whole."""
        data = data[-self.most :]
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._size() + len(data) > self.most:
                os.replace(self.path, self.before)
            file = os.open(self.path, _FLAGS, 0o600)
            try:
                return os.write(file, data) == len(data)
            finally:
                os.close(file)
        except OSError:
            return False

    def _size(self) -> int:
        try:
            return os.stat(self.path, follow_symlinks=False).st_size
        except FileNotFoundError:
            return 0
