"""What a detached monitor says."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from collab_tui.processes.output import OutputLog

LOG: Final = "monitor.log"
"""What a detached monitor says, beside what it keeps; `monitor.log.1` is what it said before."""
_MOST_SAID: Final = 1 << 20
"""Bytes of it."""


class SaidInLog(io.TextIOBase):
    """Takes the place of standard output and error of a detached monitor: what is said goes to its log, in bounds."""

    encoding = "utf-8"

    def __init__(self, path: Path) -> None:
        self._log = OutputLog(path, _MOST_SAID)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """A full disk says nothing here: the monitor goes on, and tells of it where it can."""
        self._log.append(text.encode("utf-8", "backslashreplace"))
        return len(text)
