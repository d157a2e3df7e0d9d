"""Running programs. One ends with its monitor, and the next one of its rule begins when it ended.

What it started and left behind when it ended by itself goes on, and is not waited for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from collab_tui.processes.programs import Ended, Program, allowed_environment, run
from collab_tui.reactions.ledger import WRITER
from collab_tui.reactions.occurrences import Occurrence


class Programs:
    """The programs of all rules of one registry."""

    def __init__(self, registry: Path, folder: Path, environment: Mapping[str, str]) -> None:
        """`folder` is what is kept for the registry; `environment` that of the monitor."""
        self._registry = registry.absolute()
        self._folder = folder
        self._environment = allowed_environment(environment)

    async def run(self, occurrence: Occurrence, activation: str, alone: int, stop: asyncio.Event) -> Ended:
        """See `Do`."""
        return await run(self._program(occurrence, activation), stop, held=alone)

    def _program(self, occurrence: Occurrence, activation: str) -> Program:
        folder = self._registry.parent
        return Program(
            occurrence.rule.then.run or (),
            event_line(occurrence),
            {
                **self._environment,
                "COLLAB_REGISTRY": str(self._registry),
                "COLLAB_AGENT": WRITER,  # which also keeps it from deciding as the person
                "COLLAB_CAUSE": activation,
                "COLLAB_RULE": occurrence.rule.name,
            },
            folder.parent if folder.name == ".collab" else folder,
            occurrence.rule.then.time_limit,
            self._folder / f"{activation}.log",
        )


def event_line(occurrence: Occurrence) -> bytes:
    """What a program gets on its standard input: the line that brought it about, cleaned; of a silence, whose it is."""
    cause = occurrence.cause
    about = {"event": "silence", "agent": occurrence.agent, "line": occurrence.position + 1}
    return json.dumps(cause.data if cause is not None else about).encode() + b"\n"
