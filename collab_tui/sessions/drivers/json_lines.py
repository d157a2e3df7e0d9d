"""Objects of JSON, one on each line, to and from a program that we started."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from collab_tui.processes.child import Child
from collab_tui.processes.pipe import LineTooLongError

LONGEST: Final = 16 << 20
"""Bytes of one line: a message may hold a whole file."""
_SHOWN: Final = 2000
"""Characters of a line that is no message, of which it is told."""


class GoneError(Exception):
    """Nothing more can be said to the program, or comes from it."""


class JsonLines:
    """The two pipes of a program. What it prints beside messages goes to `noise`, and disturbs nothing."""

    def __init__(self, child: Child, noise: Callable[[str], None]) -> None:
        self._child = child
        self._noise = noise
        self._writing = asyncio.Lock()

    async def send(self, message: Mapping[str, Any]) -> None:
        """Write it whole. Raises `GoneError`."""
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            async with self._writing:
                await self._child.write(line)
        except OSError as error:
            raise GoneError("it does not read any more") from error

    async def receive(self) -> dict[str, Any] | None:
        """The next message; None when there will be no more."""
        while True:
            try:
                line = await self._child.read_line(LONGEST)
            except LineTooLongError as error:
                self._noise(f"[{error}, not read]")
                continue
            if line is None:
                return None
            try:
                message = orjson.loads(line)
            except ValueError:
                message = None
            if isinstance(message, dict):
                return message
            if line.strip():
                self._noise(line[: 4 * _SHOWN].decode("utf-8", "replace")[:_SHOWN])

    async def close(self) -> None:
        """Nothing: whoever started the program ends it, and with it both pipes."""


def object_of(value: object) -> Mapping[str, Any]:
    """An object where one is expected; an empty one instead of anything else."""
    return value if isinstance(value, dict) else {}


def objects_of(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; none instead of anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text_of(found: Mapping[str, Any], name: str) -> str:
    """A field that is text; empty instead of anything else."""
    value = found.get(name)
    return value if isinstance(value, str) else ""
