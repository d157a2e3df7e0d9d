"""Telling the person: the activation itself says what, the board shows it, and the user's own program may tell it too.

That program is only run for what is told now: where it fails or is missed, the board has it all the same.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from collab_tui.model.text import one_line
from collab_tui.processes.programs import Program, allowed_environment, run
from collab_tui.reactions.happening import Notice
from collab_tui.reactions.occurrences import Occurrence

NOTIFIED: Final = "notified"
_TIME_LIMIT: Final = 30.0
_MAX_AT_ONCE: Final = 4
"""More notifications at a time are on the board only."""


class Notifying:
    """Runs the user's own program for notifications."""

    def __init__(self, registry: Path, folder: Path, environment: Mapping[str, str], notice: Notice) -> None:
        self._registry = registry.absolute()
        self._folder = folder
        self._environment = allowed_environment(environment)
        self._notice = notice
        self._stop = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    def offer(self, occurrence: Occurrence, command: Sequence[str]) -> None:
        """Run it with the text, one line, on its standard input, unless too many run already."""
        if len(self._running) < _MAX_AT_ONCE:
            task = asyncio.create_task(self._run(occurrence, command))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def end(self) -> None:
        """End those that run."""
        self._stop.set()
        await asyncio.gather(*self._running)

    async def _run(self, occurrence: Occurrence, command: Sequence[str]) -> None:
        program = Program(
            command,
            one_line(occurrence.text).encode() + b"\n",
            {**self._environment, "COLLAB_REGISTRY": str(self._registry)},
            self._registry.parent,
            _TIME_LIMIT,
            self._folder / f"notify-{os.urandom(4).hex()}.log",
        )
        ended = await run(program, self._stop)
        if ended.outcome != "exit 0":
            self._notice(f"notify_command: {ended.outcome}" + (f", see {ended.log}" if ended.log is not None else ""))
