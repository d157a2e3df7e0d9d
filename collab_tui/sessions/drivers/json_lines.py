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
    """The two pipes of a program. What it prints beside messages goes to `noise`, and disturbs nothing.

    `missed` is told why a message was not read: it may be the one that somebody waits for.
    """

    def __init__(self, child: Child, noise: Callable[[str], None], missed: Callable[[str], None]) -> None:
        self._child = child
        self.noise = noise
        self.missed = missed
        self.is_over = False
        """Nobody reads what it writes any more."""
        self._writing = asyncio.Lock()

    async def send(self, message: Mapping[str, Any]) -> None:
        """Write it whole. Raises `GoneError`."""
        if self.is_over:
            raise GoneError("nobody hears what it would answer")
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            async with self._writing:
                await self._child.write(line)
        except OSError as error:
            raise GoneError("it does not read any more") from error

    async def receive(self, mended: Callable[[Any], Any] | None = None) -> dict[str, Any] | None:
        """The next message; None when there will be no more.

        Programs write half a character where they cut a text. Such a message is given as `mended` gives it, by default
        without the halves.
        """
        while (line := await self._line()) is not None:
            try:
                message = _read(line, mended or whole)
            except RecursionError:
                self.missed("it wrote a message that is too deep to be read")
                continue
            except ValueError:
                message = None
            if isinstance(message, dict):
                return message
            if line.strip():
                self.noise(line[: 4 * _SHOWN].decode("utf-8", "replace")[:_SHOWN])
        return None

    async def _line(self) -> bytes | None:
        while True:
            try:
                return await self._child.read_line(LONGEST)
            except LineTooLongError as error:
                self.missed(f"it wrote {error}, which is too long to be read")

    async def hand_on(self, told: Callable[[dict[str, Any]], None], closed: Callable[[], None]) -> None:
        """Tell of each message until there is none any more, or one cannot be dealt with; and then of that."""
        try:
            while (message := await self.receive()) is not None:
                told(message)
        except Exception as error:  # whoever waits for a message has to hear that none comes
            self.noise(f"[what it wrote cannot be dealt with: {type(error).__name__}: {error}]")
        finally:
            self.is_over = True
            closed()


def _read(line: bytes, mended: Callable[[Any], Any]) -> Any:
    """Raises `ValueError` for what is no JSON, `RecursionError` for what is too deep."""
    try:
        return orjson.loads(line)
    except ValueError:
        return mended(json.loads(line.decode("utf-8", "replace")))


def whole(value: Any) -> Any:
    """JSON with a mark in the place of every half of a character; two that belong together become one."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


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
