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
_BOM: Final = b"\xef\xbb\xbf"
_MAX_DIGITS: Final = 9
"""Of a `retry`, in milliseconds: more of them are more than anybody waits."""


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
        self._data = bytearray()
        """Its lines, each with a line feed."""
        self._line = bytearray()
        self._is_blank = True
        """Nothing of this line came yet."""
        self._is_comment = False
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
            elif not self._is_comment and not self._is_too_long:
                self._interpret(bytes(self._line))
            self._line.clear()
            self._is_blank, self._is_first = True, False
        self._extend(rest)

    @property
    def _is_too_long(self) -> bool:
        return self._size > MAX_EVENT

    def _extend(self, piece: bytes) -> None:
        """Add to the line, of which no more is kept than an event may have, and nothing of a comment."""
        if not piece:
            return
        if self._is_blank:
            self._is_blank, self._is_comment = False, piece.startswith(b":")
        if self._is_comment:  # heartbeats may come for weeks without an event
            return
        self._size += len(piece)
        if self._is_too_long:
            self._line.clear()
            self._data.clear()
        else:
            self._line += piece

    def _interpret(self, line: bytes) -> None:
        name, _, value = (line.removeprefix(_BOM) if self._is_first else line).partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data += value
            self._data += b"\n"
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self.retry = int(value.lstrip(b"0")[:_MAX_DIGITS] or b"0")

    def _dispatch(self) -> Iterator[ServerEvent]:
        """A blank line ends an event; one without data is none."""
        self.last_event_id = self._id
        if self._is_too_long:
            self.dropped += 1
        elif self._data:
            yield ServerEvent(self._type or "message", self._data[:-1].decode("utf-8", "replace"), self._id)
        self._type, self._size = "", 0
        self._data.clear()
