"""Looking into a session from any process of the same user on the same machine, without touching it.

What is seen is drawn through the terminal model, never as the program wrote it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from collab_tui.processes.output import OutputLog
from collab_tui.sessions.definitions import DriverKind
from collab_tui.sessions.driver import DriverError, UnreachableError
from collab_tui.sessions.drivers import tmux
from collab_tui.sessions.drivers.pane import COLUMNS, ROWS
from collab_tui.sessions.records import Record
from collab_tui.sessions.terminal_model import MAX_SIDE, Picture, TerminalModel

_HISTORY: Final = 500
"""Lines of a log that are kept beside those of the screen."""
_MOST: Final = 1 << 15
"""Bytes of a log that are drawn at once, the last ones."""
_MOST_OF_TERMINAL: Final = 1 << 17
"""The same of what a terminal was given: what is seen of it may have been drawn long before."""
_PATIENCE: Final = 2.0
"""Seconds for one look."""


class PeekError(DriverError):
    """There is nothing to be seen; the text says why."""


def attach_command(record: Record) -> list[str]:
    """The words by which a person attaches to its terminal. Raises `PeekError` where it has none."""
    if record.handle is None or not isinstance(record.handle.get("socket"), str):
        raise PeekError(f"{record.name} runs in no terminal that one could attach to: it is talked to by its pipes")
    return tmux.attach_command(record.handle)


async def peek(record: Record, width: int, height: int) -> Picture:
    """What is seen of it now, as much as fits: of its terminal, or of what it printed last. Raises `PeekError`."""
    return (await Peeker(record, width).look()).cut(width, height)


class Peeker:
    """Looks into one session again and again: only what is new is drawn."""

    def __init__(self, record: Record, width: int) -> None:
        """Lines of what it prints through pipes are broken at the width, in cells."""
        self.record = record
        self.width = width
        self._pulse: str | None = None
        """What its terminal told with the picture, where that tells whether the picture still holds."""
        self._picture: Picture | None = None
        self._printed: _Printed | None = None

    async def look(self) -> Picture:
        """All that can be seen of it; the same picture while nothing is new. Raises `PeekError`."""
        if self.record.handle is not None and self.record.ended is None:
            try:
                async with asyncio.timeout(_PATIENCE):
                    return await self._in_terminal(self.record.handle)
            except (TimeoutError, UnreachableError):
                raise PeekError("its terminal does not answer") from None
            except DriverError:
                pass  # it is gone: its log is what can be seen of it
        if self._printed is None:
            self._printed = _Printed(self.record, self.width)
        return self._printed.picture()

    async def _in_terminal(self, handle: Mapping[str, Any]) -> Picture:
        pulse, is_over = await tmux.pulse(handle)
        if self._picture is None or pulse != self._pulse:
            self._picture = _used((await tmux.look(handle)).picture)
        self._pulse = pulse if is_over else None
        return self._picture


class _Printed:
    """A log as it looks: its model is fed what was added since it was read."""

    def __init__(self, record: Record, width: int) -> None:
        self._is_terminal = record.driver == DriverKind.TERMINAL and record.handle is None
        self._log = OutputLog(Path(record.log))
        self._width = width
        self._model: TerminalModel | None = None
        self._read: tuple[int, int] | None = None
        """Which file was read, and how far."""
        self._picture: Picture | None = None

    def picture(self) -> Picture:
        """What it looks like now. Raises `PeekError` where nothing was ever written."""
        if (data := self._added()) or self._picture is None:
            if self._model is None:
                raise PeekError(f"nothing was printed yet: {self._log.path}")
            if not self._is_terminal:  # of a terminal it is byte for byte what that was given
                data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            self._model.feed(data)
            now = self._model.picture()
            self._picture = _used(Picture((*self._model.scrolled, *now.rows), now.columns))
        return self._picture

    def _added(self) -> bytes:
        """What the model has to be fed: of a file that is another, or grew by a lot, it is made anew for the end."""
        most = _MOST_OF_TERMINAL if self._is_terminal else _MOST
        data, place, number = b"", 0, 0
        try:
            with self._log.path.open("rb") as file:
                number, size = os.fstat(file.fileno()).st_ino, file.seek(0, os.SEEK_END)
                if self._read is not None and self._read[0] == number and 0 <= size - self._read[1] <= most:
                    file.seek(self._read[1])
                    data = file.read(size - self._read[1])
                    self._read = number, file.tell()
                    return data
                file.seek(max(0, size - most))
                data = file.read(most)
                place = file.tell()
        except OSError:
            pass  # it was never written, or is being begun anew
        if len(data) < most:
            data = _end_of(self._log.before, most - len(data)) + data
        if data:
            self._model, self._read = self._new_model(), (number, place)
        return data if len(data) < most else data[data.find(b"\n") + 1 :]

    def _new_model(self) -> TerminalModel:
        if self._is_terminal:
            return TerminalModel(COLUMNS, ROWS, history=_HISTORY)
        return TerminalModel(max(1, min(self._width, MAX_SIDE)), ROWS, history=_HISTORY)


def _used(picture: Picture) -> Picture:
    """Without the rows below the last one in which something stands."""
    used = max((number for number, row in enumerate(picture.rows, 1) if row), default=0)
    return Picture(picture.rows[:used], picture.columns, picture.cursor)


def _end_of(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            return file.read(most)
    except OSError:
        return b""
