"""What a program prints, kept in a file for the user's eyes that never grows beyond its bounds."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
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
    | getattr(os, "O_NONBLOCK", 0)  # of what is no file, but waits for a reader
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_PATIENCE: Final = 1.0
"""Seconds for which a disk is waited for."""
_appending: Final = threading.Lock()
"""Held by one at a time: of two that find a file full, the second would put a new one in place of the one before."""


@dataclass(frozen=True, slots=True)
class OutputLog:
    """The latest output: a full file becomes `NAME.1`, in place of the one before, and a new one is begun.

    It holds no descriptor, so several of this process may write to one path.
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
            with _appending:
                file = self._opened(len(data))
                try:
                    return os.write(file, data) == len(data)
                finally:
                    os.close(file)
        except OSError:
            return False

    def _opened(self, more: int) -> int:
        """The file with room for so many bytes. Raises `OSError`, also where it is something else."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self.path, _FLAGS, 0o600)
        status = os.fstat(file)
        if stat.S_ISREG(status.st_mode) and status.st_size + more <= self.most:
            return file
        os.close(file)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{self.path} is no file")
        os.replace(self.path, self.before)
        return os.open(self.path, _FLAGS, 0o600)


class OutputWriter:
    """Adds to a log from a loop, which never waits for the disk: what comes while that is busy is written together."""

    def __init__(self, path: Path) -> None:
        self._log = OutputLog(path)
        self._waiting = bytearray()
        self._writing: asyncio.Task[None] | None = None

    def append(self, data: bytes) -> None:
        """Add it soon."""
        self._waiting += data
        del self._waiting[: -self._log.most]  # more than a file is not kept either
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._waiting:
            data = bytes(self._waiting)
            self._waiting.clear()
            await asyncio.to_thread(self._log.append, data)

    async def written(self) -> None:
        """Wait until all is in the file; not for long where the disk hangs."""
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=_PATIENCE)
