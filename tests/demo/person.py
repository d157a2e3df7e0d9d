"""The person of the demo, played by a test: reads the registry as a board does and writes what its keys write."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime

from collab_tui.demo.performance import Performance
from collab_tui.demo.script import find_request
from collab_tui.model.board import Board, Request
from collab_tui.model.event import Event
from collab_tui.model.fold import Fold
from collab_tui.protocol.answers import answer, message, resolution, seal_of, unasked_decision
from collab_tui.registry.base import read_to_end
from collab_tui.registry.follow import Watch
from collab_tui.registry.jsonl import JsonlRegistry

TIMEOUT = 40.0


class Person:
    def __init__(self, show: Performance) -> None:
        self.trust = show.trust
        self.name = show.trust.person
        self.registry = JsonlRegistry(show.registry)
        self.fold = Fold(self.name)

    async def until(self, condition: Callable[[Board], object]) -> Board:
        async with asyncio.timeout(TIMEOUT):
            async with aclosing(Watch(self.registry.path).wakeups()) as wakeups:
                async for _ in wakeups:
                    read_to_end(self.registry, self.fold)
                    board = self.fold.board()
                    if condition(board):
                        return board
        raise AssertionError

    async def asked(self, asker: str, text: str) -> Request:
        board = await self.until(lambda board: find_request(board, asker, text))
        found = find_request(board, asker, text)
        assert found is not None
        return found

    async def said(self, agent: str, *texts: str) -> str:
        """Wait until an agent's message has all these texts in it."""

        def find(_: Board) -> str | None:
            words = (event.text("message") or "" for event in self.events(agent, "message"))
            return next((said for said in words if all(text in said for text in texts)), None)

        await self.until(find)
        return find(self.fold.board()) or ""

    def events(self, agent: str, kind: str | None = None) -> list[Event]:
        items = self.registry.items(0, self.fold.position)
        return [i for i in items if isinstance(i, Event) and i.agent == agent and kind in (None, i.kind)]

    def answer(self, request: Request, given: str, comment: str | None = None) -> None:
        answer(
            self.registry,
            request,
            self.name,
            given,
            comment,
            known=self.fold.position,
            person=self.name,
            clock=lambda: datetime.now(UTC),
            trust=self.trust,
        )

    def decide(self, target: str, about: str, given: str) -> None:
        """Decide what nobody asked for."""
        event = unasked_decision(self.name, target, about, given)
        self.registry.append(event, seal=seal_of(self.registry, self.trust, None))

    def unblock(self, agent: str, blocker: str) -> None:
        self.registry.append(resolution(self.name, agent, blocker))

    def say(self, target: str, text: str) -> None:
        self.registry.append(message(self.name, target, text))
