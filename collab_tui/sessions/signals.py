"""Reading what the hooks of a session's program told it: see `model.signals`."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collab_tui.model.signals import BEGAN

_MOST: Final = 1 << 20
"""Bytes that are read at once, and that a line may have."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that the program told."""

    kind: str
    text: str = ""
    digest: str = ""
    """Of the prompt that it took."""
    turn: str = ""
    """The program's own name for this turn; empty where it has none."""
    session: str = ""
    process: int = 0
    """The program; 0 where its hooks do not know."""


class Signals:
    """The signals of one session's program, in order.

    A program that it starts itself, such as another agent, runs the same hooks with the same variable: only whose
    session began first is listened to, and whatever session follows that in the same process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: tuple[int, int] | None = None
        """Which file was read."""
        self._place = 0
        self._partial = b""
        self._session = ""
        self._process = 0

    @property
    def paths(self) -> tuple[Path, Path]:
        """The file, and the one before it that was full."""
        return self.path, self.path.with_name(f"{self.path.name}.1")

    def take(self) -> list[Signal]:
        """What came since the last time. Never raises: a file that cannot be read tells nothing."""
        try:
            return [signal for line in self._lines() if (signal := _signal(line)) is not None and self._is_its(signal)]
        except OSError:
            return []

    def has_more(self) -> bool:
        """Something came since the last time, for all that the file's size tells."""
        try:
            status = os.stat(self.path)
        except OSError:
            return False
        return ((status.st_dev, status.st_ino), status.st_size) != (self._file, self._place)

    def _lines(self) -> list[bytes]:
        """Whole lines that were not read yet, those first of a file that was full and is another's now."""
        found: list[bytes] = []
        for path in reversed(self.paths):
            with suppress(FileNotFoundError), path.open("rb") as file:
                status = os.fstat(file.fileno())
                which = (status.st_dev, status.st_ino)
                if which != self._file:
                    if path != self.path:
                        continue  # it was read to its end, or is of a time before us
                    self._file, self._place, self._partial = which, 0, b""
                file.seek(self._place)
                while data := file.read(_MOST):
                    self._place += len(data)
                    *whole, self._partial = (self._partial + data).split(b"\n")
                    self._partial = self._partial[-_MOST:]
                    found += whole
        return found

    def _is_its(self, signal: Signal) -> bool:
        if not self._session or (signal.kind == BEGAN and signal.process == self._process != 0):
            self._session, self._process = signal.session, signal.process
        return signal.session == self._session


def _signal(line: bytes) -> Signal | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    texts = {name: told.get(name, "") for name in ("kind", "text", "digest", "turn", "session")}
    process = told.get("process", 0)
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(process, int):
        return None
    return Signal(**texts, process=process)
