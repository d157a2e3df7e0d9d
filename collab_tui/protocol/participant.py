"""Taking part: one agent's side of a registry, as a small async library.

async with Participant("sena", registry, role="implement") as me:
    await me.update(current_task="metrics", progress=40)
    answer = await me.ask("Which tagger first?", options=["rules", "model"])
    board = await me.until(lambda board: board.agent("lubit") is not None)
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from collab_tui.model.board import Board, Request
from collab_tui.model.event import Event
from collab_tui.model.fold import Fold
from collab_tui.model.words import name_key
from collab_tui.protocol.answers import answer
from collab_tui.registry.base import read_to_end
from collab_tui.registry.follow import Watch
from collab_tui.registry.jsonl import JsonlRegistry


class Participant:
    """An agent that writes its events and follows those of the others. Entering starts its session, leaving ends it.

    Everything here may be awaited by several tasks at once. `person` is who answers for the person.
    """

    board: Board
    """The board as last read."""

    def __init__(self, name: str, registry: Path, *, person: str = "human", **session: Any) -> None:
        self.name = name
        self.person = person
        self._registry = JsonlRegistry(registry)
        self._session = session
        self._fold = Fold(person)
        self._reading = Lock()
        self._writing = asyncio.Lock()
        self._news = asyncio.Condition()
        self.board = self._told = Board(0)

    async def __aenter__(self) -> Self:
        await self.emit("session_start", pid=os.getpid(), host=socket.gethostname(), **self._session)
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._following.cancel()
        with suppress(asyncio.CancelledError):
            await self._following
        reason = "stopped" if isinstance(error, asyncio.CancelledError) else type(error).__name__ if error else None
        await self.emit("session_end", **({"reason": reason} if reason else {}))

    async def emit(self, event: str, **fields: Any) -> dict[str, Any]:
        """Append one event of this agent; gives it back as written. Raises what `append` raises."""
        async with self._writing:  # its own events stand in the order in which it meant them
            return await asyncio.to_thread(self._registry.append, {"agent": self.name, "event": event, **fields})

    async def update(self, **fields: Any) -> None:
        """Declare any of status, current_task, progress, blockers, dependencies, next_action, message."""
        await self.emit("status_update", **fields)

    async def ask(self, request: str, **fields: Any) -> Request:
        """Open a request and wait until it is closed; gives it as it then stands, with its answer.

        `fields` are those of a `decision_request`: target, options, details, evidence, urgency, kind, ... With
        `expires` the wait ends then at the latest, and the request comes back open (`is_open`), without an answer
        that counts.
        """
        asked = await self.emit("decision_request", request=request, **fields)
        return await self.closed(asked["id"])

    async def closed(self, request_id: str) -> Request:
        """Wait until a request is closed or has expired; one that expired comes back as it stands, open."""
        request = await self._found(request_id, lambda request: True)
        left = None if request.expires is None else (request.expires - datetime.now(UTC)).total_seconds()
        try:
            async with asyncio.timeout(left) as limit:
                return await self._found(request_id, lambda request: not request.is_open)
        except TimeoutError:
            if not limit.expired():
                raise
        return await self._found(request_id, lambda request: True)

    async def _found(self, request_id: str, condition: Callable[[Request], bool]) -> Request:
        """Wait for a request and for what is to hold of it."""

        def holds(board: Board) -> bool:
            request = board.request(request_id)
            return request is not None and condition(request)

        board = await self.until(holds)
        return next(request for request in board.requests if request.id == request_id)

    async def decide(self, request: Request, given: str, comment: str | None = None) -> None:
        """Answer a request as this agent, once: raises `RefusedError` if it was closed meanwhile."""
        await asyncio.to_thread(
            answer,
            self._registry,
            request,
            self.name,
            given,
            comment,
            known=request.position + 1,
            person=self.person,
            clock=lambda: datetime.now(UTC),
        )

    async def until(self, condition: Callable[[Board], bool]) -> Board:
        """Wait for a board on which the condition holds; at once if it does already, own events included."""
        await self._look()
        async with self._news:
            await self._news.wait_for(lambda: self._following.done() or condition(self.board))
            if self._following.done():
                self._following.result()  # why nothing is followed any more
            return self.board

    async def heard(self) -> AsyncGenerator[Event, None]:
        """From now on, what others address to this agent or to all: messages, unasked decisions, unblocking."""
        position, names = self.board.position, {name_key(self.name), "all"}
        while True:
            seen = position
            position = (await self.until(lambda board, seen=seen: board.position != seen)).position  # type: ignore[misc]
            for item in await asyncio.to_thread(self._registry.items, seen, position):
                if not isinstance(item, Event) or name_key(item.agent or "") == name_key(self.name):
                    continue
                if any(name_key(target) in names for target in item.texts("target")):
                    yield item

    async def _follow(self) -> None:
        try:
            async with aclosing(Watch(self._registry.path).wakeups()) as wakeups:
                async for _ in wakeups:
                    await self._look()
        finally:
            async with self._news:
                self._news.notify_all()

    async def _look(self) -> None:
        await asyncio.to_thread(self._read)
        if self.board is not self._told:  # perhaps read by a look that was cancelled before it could tell
            async with self._news:
                self._told = self.board
                self._news.notify_all()

    def _read(self) -> None:
        """In a thread, and whole even when the task that wanted it was cancelled."""
        with self._reading:
            read_to_end(self._registry, self._fold)
            if self._fold.position != self.board.position:
                self.board = self._fold.board()
