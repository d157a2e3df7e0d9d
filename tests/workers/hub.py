"""A task hub on loopback, as teams have one: sse-starlette under uvicorn, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from sse_starlette.sse import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from tests.program import PATIENCE, eventually


class Hub:
    """Tells everybody who listens what becomes of its tasks, from where they were when they left."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._told: list[dict[str, Any]] = []
        self._news = asyncio.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.app = Starlette(routes=[Route("/events", self._listen)])

    def publish(self, task: str, status: str, **fields: Any) -> None:
        """Something became of a task."""
        eventually(lambda: self._loop is not None)
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._add({"task_id": task, "status": status, **fields}), self._loop).result(
            PATIENCE
        )

    async def _add(self, told: dict[str, Any]) -> None:
        async with self._news:
            self._told.append(told)
            self._news.notify_all()

    async def _listen(self, request: Request) -> EventSourceResponse:
        self._loop = asyncio.get_running_loop()
        return EventSourceResponse(self._from(int(request.headers.get("last-event-id") or 0)), ping=1)

    async def _from(self, known: int) -> AsyncIterator[ServerSentEvent]:
        while True:
            for told in self._told[known:]:
                known += 1
                yield ServerSentEvent(json.dumps(told), event="task_updated", id=str(known))
            async with self._news:
                while len(self._told) == known:
                    await self._news.wait()


@contextmanager
def hub() -> Iterator[Hub]:
    """A hub for as long as this lasts."""
    listening = socket.create_server(("127.0.0.1", 0))
    given = Hub(f"http://127.0.0.1:{listening.getsockname()[1]}/events")
    config = uvicorn.Config(given.app, log_level="critical", lifespan="off", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    serving.start()
    try:
        yield given
    finally:
        server.should_exit = True
        serving.join(PATIENCE)
        listening.close()
