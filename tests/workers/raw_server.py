"""A server on loopback that answers each connection with the bytes it is told to, and remembers what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """Gives its answers in order, one a connection; the last one again and again."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = list(answers)
        self.requests: list[dict[str, str]] = []
        """The headers of each request, by name in small letters; `path` too."""
        self.url = ""
        self.asked = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):  # the client went away
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        number = len(self.requests)
        self.requests.append({name.lower(): value for name, value in headers.items()} | {"path": head[0].split()[1]})
        self.asked.set()
        await self._answers[min(number, len(self._answers) - 1)](writer)
        await writer.drain()


@asynccontextmanager
async def raw_server(*answers: Answer) -> AsyncIterator[RawServer]:
    """Serve on a free port of loopback."""
    given = RawServer(answers)
    tasks: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(given.serve(reader, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    given.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/events"
    try:
        yield given
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def status(line: str, *headers: str, body: bytes = b"") -> Answer:
    """An answer that is over at once."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(
            "\r\n".join([f"HTTP/1.1 {line}", *headers, f"Content-Length: {len(body)}", "", ""]).encode() + body
        )

    return answer


def stream(*chunks: bytes, then: Callable[[], Awaitable[object]] | None = None) -> Answer:
    """A stream of events in these pieces; then the connection ends, unless there is something to wait for."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n")
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)
        if then is not None:
            await then()

    return answer


async def for_ever() -> None:
    """The connection stays, and nothing comes."""
    await asyncio.Event().wait()
