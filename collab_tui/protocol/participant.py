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
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from collab_tui.model.board import Board, Request
from collab_tui.model.fold import Fold
from collab_tui.registry.base import read_to_end
from collab_tui.registry.follow import Watch
from collab_tui.registry.jsonl import JsonlRegistry


class Participant:
    """An agent that writes its events and follows those of the others. Entering starts its session, leaving ends it."""

    def __init__(self, name: str, registry: Path, **session: Any) -> None:
        self.name = name
        self._registry = JsonlRegistry(registry)
        self._session = session
        self._fold = Fold()

    async def __aenter__(self) -> Self:
        await self.emit("session_start", pid=os.getpid(), host=socket.gethostname(), **self._session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        reason = {"reason": f"{kind.__name__}"} if kind is not None else {}
        await self.emit("session_end", **reason)

    async def emit(self, event: str, **fields: Any) -> dict[str, Any]:
        """Append one event of this agent; gives it back as written. Raises what `append` raises."""
        return await asyncio.to_thread(self._registry.append, {"agent": self.name, "event": event, **fields})

    async def update(self, **fields: Any) -> None:
        """Declare any of status, current_task, progress, blockers, dependencies, next_action, message."""
        await self.emit("status_update", **fields)

    async def ask(self, request: str, **fields: Any) -> Request:
        """Open a request and wait until it is closed; gives it as it then stands, with its answer.

        `fields` are those of a `decision_request`: target, options, details, evidence, urgency, kind, ...
        """
        asked = await self.emit("decision_request", request=request, **fields)
        return await self.closed(asked["id"])

    async def closed(self, request_id: str) -> Request:
        """Wait until a request is closed."""

        def is_closed(board: Board) -> bool:
            request = board.request(request_id)
            return request is not None and not request.is_open

        board = await self.until(is_closed)
        return next(request for request in board.requests if request.id == request_id)

    async def until(self, condition: Callable[[Board], bool]) -> Board:
        """Wait for a board on which the condition holds; at once if it does already."""
        async with aclosing(Watch(self._registry.path).wakeups()) as wakeups:
            async for _ in wakeups:
                await asyncio.to_thread(read_to_end, self._registry, self._fold)
                board = self._fold.board()
                if condition(board):
                    return board
        raise AssertionError("wake-ups never end")
