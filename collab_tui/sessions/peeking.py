"""Looking into a session from any process of the same user on the same machine, without touching it.

What is seen is drawn through the terminal model, never as the program wrote it.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

from collab_tui.processes.output import OutputLog
from collab_tui.sessions.definitions import DriverKind
from collab_tui.sessions.driver import DriverError, LostError
from collab_tui.sessions.drivers import tmux
from collab_tui.sessions.drivers.pane import COLUMNS, ROWS
from collab_tui.sessions.records import Record
from collab_tui.sessions.terminal_model import MAX_SIDE, Picture, TerminalModel

_MOST: Final = 1 << 17
"""Bytes of a log that are drawn, the last ones."""


class PeekError(DriverError):
    """There is nothing to be seen; the text says why."""


def attach_command(record: Record) -> list[str]:
    """The words by which a person attaches to its terminal. Raises `PeekError` where it has none."""
    if record.handle is None or not isinstance(record.handle.get("socket"), str):
        raise PeekError(f"{record.name} runs in no terminal that one could attach to: it is talked to by its pipes")
    return tmux.attach_command(record.handle)


async def peek(record: Record, width: int, height: int) -> Picture:
    """What is seen of it now, as much as fits: of its terminal, or of what it printed last. Raises `PeekError`."""
    if record.handle is not None and record.ended is None:
        try:
            return (await tmux.look(record.handle)).picture.cut(width, height)
        except LostError:
            pass  # then its log is what is left of it
    return await asyncio.to_thread(_printed, record, width, height)


def _printed(record: Record, width: int, height: int) -> Picture:
    is_terminal = record.driver == DriverKind.TERMINAL and record.handle is None
    data = _tail(OutputLog(Path(record.log)))
    if is_terminal:  # byte for byte what a terminal of that size was given
        model = TerminalModel(COLUMNS, ROWS, history=0)
    else:
        model = TerminalModel(max(1, min(width, MAX_SIDE)), max(1, min(height, MAX_SIDE)), history=0)
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    model.feed(data)
    return model.picture().cut(width, height)


def _tail(log: OutputLog) -> bytes:
    """The end of what was written, from the beginning of a line on. Raises `PeekError` where nothing ever was."""
    found = b""
    for path in (log.path, log.before):
        if len(found) < _MOST:
            found = _end_of(path, _MOST - len(found)) + found
    if not found:
        raise PeekError(f"nothing was printed yet: {log.path}")
    if len(found) < _MOST:
        return found
    return found[found.find(b"\n") + 1 :]


def _end_of(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            return file.read(most)
    except OSError:
        return b""
