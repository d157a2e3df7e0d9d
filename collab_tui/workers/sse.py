"""Server-sent events: bytes as they come in, events as they are meant.

After the WHATWG's HTML standard, section 9.2.6 (Interpreting an event stream), and nothing of the network. Of the
libraries that do this, those we measured lose the first event behind a byte order mark and give out empty ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_EVENT: Final = 16 << 20
"""Bytes of one event that are taken; a longer one is dropped whole, and counted."""
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_MAX_DIGITS: Final = 9
"""Of a `retry`: 30 years in milliseconds have twelve."""


class ServerEvent(NamedTuple):
    """One event of a stream."""

    type: str
    """`message` where the stream gives none."""
    data: str
    id: str
    """The last id that the stream gave until then; empty where it gives none."""


class Parser:
    """Reads one connection of a stream; another connection takes another parser, with the last id of this one."""

    def __init__(self, last_event_id: str = "") -> None:
        self.last_event_id = last_event_id
        """What a reconnection tells the server that it had."""
        self.retry: int | None = None
        """Milliseconds until a reconnection, if the server says."""
        self.dropped = 0
        """Events that were too long."""
        self._id = last_event_id
        self._type = ""
        self._data: list[str] = []
        self._line = bytearray()
        self._is_blank = True
        """Nothing of this line came yet."""
        self._size = 0
        """Bytes of this event so far."""
        self._is_after_return = False
        self._is_first = True

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Take the next bytes, however they are cut; gives the events that end in them."""
        if self._is_after_return and chunk:  # a line feed now is the other half of that line end
            chunk, self._is_after_return = chunk.removeprefix(b"\n"), False
        if not chunk:
            return
        self._is_after_return = chunk.endswith(b"\r")
        *ends, rest = _LINE_END.split(chunk)
        for end in ends:
            self._extend(end)
            if self._is_blank:
                yield from self._dispatch()
            elif not self._is_too_long:
                self._interpret(self._line.decode("utf-8", "replace"))
                if self._line.startswith(b":"):  # heartbeats may come for weeks without an event
                    self._size -= len(self._line)
            self._line.clear()
            self._is_blank = True
        self._extend(rest)

    @property
    def _is_too_long(self) -> bool:
        return self._size > MAX_EVENT

    def _extend(self, piece: bytes) -> None:
        """Add to the line, of which no more is kept than an event may have."""
        if not piece:
            return
        self._is_blank = False
        self._size += len(piece)
        if self._is_too_long:
            self._line.clear()
            self._data.clear()
        else:
            self._line += piece

    def _interpret(self, line: str) -> None:
        if self._is_first:
            line, self._is_first = line.removeprefix("\ufeff"), False
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value[:_MAX_DIGITS])

    def _dispatch(self) -> Iterator[ServerEvent]:
        """A blank line ends an event; one without data is none."""
        self._is_first = False
        self.last_event_id = self._id
        if self._is_too_long:
            self.dropped += 1
        elif self._data:
            yield ServerEvent(self._type or "message", "\n".join(self._data), self._id)
        self._type, self._size = "", 0
        self._data.clear()
