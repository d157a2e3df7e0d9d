"""The person, as one run asks them. The registry is followed for their answer from the first question on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from collab_tui.orchestrator.approvals import Approvals
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions


class Person:
    """Whoever answers for the person, as `trust` sees it."""

    def __init__(
        self,
        run: str,
        agent: str,
        registry: Path,
        trust: Trust,
        used: UsedDecisions,
        poll: float | None,
        notice: Callable[[str], None],
    ) -> None:
        """`agent` is as whom the run asks."""
        self._run = run
        self._me = Participant(agent, registry, announces=False, person=trust.person, trust=trust, used=used, poll=poll)
        self._trust = trust
        self._notice = notice
        self._held = AsyncExitStack()
        self._making = asyncio.Lock()
        self._approvals: Approvals | None = None

    async def approvals(self) -> Approvals:
        """What asks them."""
        async with self._making:
            if self._approvals is None:
                me = await self._held.enter_async_context(self._me)
                self._approvals = Approvals(self._run, me, self._trust, self._notice)
            return self._approvals

    async def end(self, reason: str, patience: float) -> None:
        """Ask nothing any more, and have nobody answer for nothing; within so many seconds."""
        try:
            async with asyncio.timeout(patience):
                if self._approvals is not None:
                    await self._approvals.withdraw_all(reason)
        except TimeoutError:
            self._notice("the registry cannot be written: a request of the run may still stand there")
        await self._held.aclose()
