"""A registry on which a run asks, for the tests of what it asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collab_tui.model.board import Request
from collab_tui.model.fold import Fold
from collab_tui.orchestrator.approvals import Approval, Approvals
from collab_tui.protocol.answers import answer
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import append
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.ground import AGENT, PATIENCE, RUN


@dataclass
class Stage:
    """A registry on which a run asks, and the person who answers."""

    path: Path
    trust: Trust
    used: UsedDecisions
    notices: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Approvals]:
        me = Participant(AGENT, self.path, announces=False, person="human", trust=self.trust, used=self.used)
        async with me:
            yield Approvals(RUN, me, self.trust, self.notices.append)

    def requests(self) -> list[Request]:
        fold = Fold("human")
        read_to_end(JsonlRegistry(self.path), fold)
        return list(fold.board().requests)

    def tell(self, agent: str, **event: Any) -> None:
        append(str(self.path), {"agent": agent, **event})
        announce(self.path)

    def decide(self, given: str = "approved", comment: str | None = None, request: Request | None = None) -> None:
        """As the board signs it."""
        registry = JsonlRegistry(self.path)
        read_to_end(registry, Fold("human"))
        request = request or self.requests()[-1]
        known, clock = request.position + 1, lambda: datetime.now(UTC)
        answer(registry, request, "human", given, comment, known=known, person="human", clock=clock, trust=self.trust)
        announce(self.path)

    def decision(self, **fields: Any) -> dict[str, Any]:
        """What says yes to the last request, unsigned."""
        told = {"agent": "human", "event": "decision", "request_id": self.requests()[-1].id, "verdict": "approved"}
        return told | {"id": "d" * 16, "timestamp": "2026-01-31T08:00:00.000Z"} | fields

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110  # lines of others
                await asyncio.sleep(0.01)

    async def asked(self, count: int = 1) -> None:
        await self.until(lambda: len(self.requests()) == count)

    async def never(self, asking: asyncio.Task[Approval], why: str) -> None:
        """It goes on waiting, with a reason that is told; a yes that counts is what ends it."""
        await self.until(lambda: any(why in notice for notice in self.notices))
        assert not asking.done()
        self.decide("rejected", "the true word", next(each for each in reversed(self.requests())))
        assert (await asking).comment == "the true word"
