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
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from collab_tui.config import load_config
from collab_tui.model.board import Board, Request, RequestState
from collab_tui.model.event import Event
from collab_tui.model.fold import Fold
from collab_tui.model.requests import answer_of
from collab_tui.model.signature import Standing
from collab_tui.model.words import name_key
from collab_tui.protocol.answers import answer
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RefusedError
from collab_tui.registry.base import read_to_end
from collab_tui.registry.follow import Watch
from collab_tui.registry.jsonl import JsonlRegistry


class Participant:
    """An agent that writes its events and follows those of the others. Entering starts its session, leaving ends it.

    Everything here may be awaited by several tasks at once. `person` is who answers for the person. What waits for the
    person or for an approver ends with a decision that they signed, as `trust` sees it, and that nobody acted on
    before, as `used` knows; what waits for an agent, with any other agent's word too. Without `person`, `trust` and
    `used`, it is as the settings and the state of the user say in whose name this process runs.
    """

    board: Board
    """The board as last read."""

    def __init__(
        self,
        name: str,
        registry: Path,
        *,
        person: str | None = None,
        trust: Trust | None = None,
        used: UsedDecisions | None = None,
        **session: Any,
    ) -> None:
        self.name = name
        self.person = person or (trust.person if trust else load_config(registry).person)
        self._trust = trust or Trust.of_user(self.person, registry)
        self._used = used or UsedDecisions()
        self._registry = JsonlRegistry(registry)
        self._session = session
        self._fold = Fold(self.person)
        self._reading = Lock()
        self._writing = asyncio.Lock()
        self._using = asyncio.Lock()
        self._taken: list[Event] = []
        """Decisions that this participant acts on; several of its tasks may wait for the same."""
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
        """Wait until a request is closed or has expired; one that expired comes back as it stands, open.

        Nobody who signs is taken at their word without a signature: whatever was written in the name of the person or
        of an approver, it comes back without an answer when it was withdrawn or expired. Raises `RefusedError` when
        that very decision was acted on before.
        """
        request = await self._found(request_id, lambda request: True)
        left = None if request.expires is None else (request.expires - datetime.now(UTC)).total_seconds()
        try:
            async with asyncio.timeout(left) as limit:
                request = await self._found(request_id, self._is_settled)
        except TimeoutError:
            if not limit.expired():
                raise
            request = await self._found(request_id, lambda request: True)
        return await self._with_what_counts(request)

    def _is_settled(self, request: Request) -> bool:
        """Nothing is to be waited for any more."""
        return not request.is_open if request.state is not RequestState.ANSWERED else bool(self._settling(request))

    def _settling(self, request: Request) -> Event | None:
        """The first decision on it that may be acted on; none on what was withdrawn."""
        if request.state is not RequestState.ANSWERED:
            return None
        registry_id = self.board.registry_id
        return next((d for d in request.decisions if self._trust.may_be_acted_on(d, request, registry_id)), None)

    async def _with_what_counts(self, request: Request) -> Request:
        """The request with the answer that counts, or with none; one that was signed is used up by this."""
        decision = self._settling(request)
        if decision is None:
            state = RequestState.OPEN if request.state is RequestState.ANSWERED else request.state
            return replace(request, state=state, answer=None)
        if self._trust.concerns(decision) and not await self._use(decision):
            raise RefusedError(f"the decision on {request.id} was acted on before: ask again")
        return replace(request, answer=answer_of(decision))

    async def _use(self, decision: Event) -> bool:
        """Take a decision to act on it; False when another process of this agent, or an earlier one, did."""
        async with self._using:
            if decision not in self._taken:
                if not await asyncio.to_thread(self._used.use_once, decision, self.name):
                    return False
                self._taken.append(decision)
            return True

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
        """From now on, what others address to this agent or to all: messages, unasked decisions, unblocking.

        A decision in the person's name comes only if the person signed it, and once.
        """
        position, names = self.board.position, {name_key(self.name), "all"}
        while True:
            seen = position
            position = (await self.until(lambda board, seen=seen: board.position != seen)).position  # type: ignore[misc]
            for item in await asyncio.to_thread(self._registry.items, seen, position):
                if not isinstance(item, Event) or name_key(item.agent or "") == name_key(self.name):
                    continue
                if not any(name_key(target) in names for target in item.texts("target")):
                    continue
                if not self._trust.concerns(item) or await self._is_unasked_word(item):
                    yield item

    async def _is_unasked_word(self, decision: Event) -> bool:
        """The person signed it, it answers no request, and nobody acted on it."""
        is_theirs = self._trust.standing(decision, None, self.board.registry_id) is Standing.SIGNED
        return is_theirs and await self._use(decision)

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
            self._trust.keyring.refresh()  # afterwards: the first key is made before the first signed line
            if self._fold.position != self.board.position:
                self.board = self._fold.board()
