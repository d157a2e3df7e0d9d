"""Reading what a program prints, in pieces or by lines: bounded, and without loss where a reader is cancelled."""

from __future__ import annotations

import asyncio
import time
from typing import Final, cast

_MOST_AHEAD: Final = 1 << 16
"""Bytes that are read before anybody wants them."""


class LineTooLongError(Exception):
    """A line was longer than its limit. It is dropped; the next read gives the line after it."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a line of {size:,} bytes")
        self.size = size


class OutputPipe(asyncio.Protocol):
    """The end of a pipe that one task at a time reads from. What it does not take stays in the pipe."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._searched = 0
        self._dropped = 0
        """Bytes of the line that is too long, so far."""
        self._transport: asyncio.ReadTransport | None = None
        self._is_paused = False
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Nothing more comes: what came before may still be to be read."""
        self._waiting: asyncio.Future[None] | None = None
        self.heard_at = time.monotonic()
        """When something came last, or it began, by the monotonic clock."""

    @property
    def is_held_up(self) -> bool:
        """There may be more in the pipe, and it waits for somebody to read."""
        return self._is_paused

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102  # of the protocol
        self._transport = cast("asyncio.ReadTransport", transport)

    def data_received(self, data: bytes) -> None:  # noqa: D102
        self._data += data
        self.heard_at = time.monotonic()
        if self._waiting is None and len(self._data) > _MOST_AHEAD and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        self._end()

    def close(self) -> None:
        """Take no more: what was read before is still given."""
        if self._transport is not None:
            self._transport.close()
        self._end()

    async def read(self) -> bytes:
        """What there is, once there is something; empty at the end."""
        while not self._data and not self.over.done():
            await self._more()
        return self._take(len(self._data))

    async def read_line(self, limit: int) -> bytes | None:
        """The next line without its end, a last one that has none too; None at the end. Raises `LineTooLongError`.

        Of a line longer than the limit (bytes) no more than that is ever held.
        """
        while True:
            at = self._data.find(b"\n", self._searched)
            if at >= 0 or self.over.done():
                break
            self._searched = len(self._data)
            if self._searched > limit:
                self._dropped += len(self._take(self._searched))
            await self._more()
        if at < 0 and not self._data and not self._dropped:
            return None
        line = self._take(at + 1 if at >= 0 else len(self._data))
        line = line[:-1] if at >= 0 else line
        size, self._dropped = self._dropped + len(line), 0
        if size > limit:
            raise LineTooLongError(size)
        return line

    def _take(self, size: int) -> bytes:
        taken = bytes(self._data[:size])
        del self._data[:size]
        self._searched = 0
        return taken

    async def _more(self) -> None:
        """Wait for the next piece, or the end."""
        if self._waiting is not None:
            raise RuntimeError("two tasks read from one pipe")
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            if self._is_paused and self._transport is not None:
                self._is_paused = False
                self._transport.resume_reading()
            await self._waiting
        finally:
            self._waiting = None

    def _end(self) -> None:
        self._is_paused = False
        if not self.over.done():
            self.over.set_result(None)
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
