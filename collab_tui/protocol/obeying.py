"""The person's signed commands to one process, of one concern: each taken once, and answered.

    obeying = Obeying(registry, monitor, Concern.WORKERS, trust, used, notice)
    await obeying.listen(heed)

What is not the person's is not answered: whoever writes such lines could fill the registry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from collab_tui.model.event import Event, Item
from collab_tui.model.sessions import CommandState
from collab_tui.model.signature import registry_id
from collab_tui.protocol.commands import (
    Concern,
    NotTakenError,
    NotThePersonsError,
    Taken,
    TakenBeforeError,
    concern_of,
    is_for,
    result,
    subject_of,
    taken,
)
from collab_tui.protocol.kept_results import KeptResults
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.tail import tail
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RegistryError
from collab_tui.registry.jsonl import JsonlRegistry

_AGAIN: Final = 1.0
"""Seconds until what went wrong is begun anew."""
_REST: Final = 0.1
"""Seconds between two looks: most lines are no commands, and those who write them are not to be held up."""
_LONGEST_REASON: Final = 4000
"""Characters that are told of why something was not done."""

Heed = Callable[[Taken], Awaitable[None]]
"""Carries a command out, and tells of it by `Obeying.tell`; or begins to. The next command is read once it returns."""


async def _leave(event: Event) -> None:
    """Say nothing of a command that was taken before."""


class Obeying:
    """Hears the commands of a registry to the monitor, or the process, of that id."""

    def __init__(
        self,
        registry: Path,
        monitor: str,
        concern: Concern,
        trust: Trust,
        used: UsedDecisions,
        notice: Callable[[str], None],
    ) -> None:
        self._registry = JsonlRegistry(registry)
        self._monitor = monitor
        self._concern = concern
        self.trust = trust
        """Who signs; it may be replaced."""
        self._used = used
        self._notice = notice
        self._kept = KeptResults(registry)
        self._registry_id: str | None = None

    async def listen(
        self, heed: Heed, poll: float | None = None, *, taken_before: Callable[[Event], Awaitable[None]] = _leave
    ) -> None:
        """Have what comes carried out, for as long as it is awaited.

        `taken_before` gets what the person signed and a process of this id took before, perhaps an earlier one.
        """
        while True:
            try:
                async with aclosing(tail(self._registry, poll, _REST)) as looks:
                    async for news in looks:
                        for item in news.items:
                            await self._see(item, heed, taken_before)
            except Exception as error:  # nothing that a line says may end this for good
                self._notice(f"{self._concern.value}: commands could not be read: {type(error).__name__}: {error}")
            await asyncio.sleep(_AGAIN)

    async def _see(self, item: Item, heed: Heed, taken_before: Callable[[Event], Awaitable[None]]) -> None:
        if item.position == 0:
            self._registry_id = registry_id(item)
        if isinstance(item, Event) and is_for(item, self._monitor, datetime.now(UTC)):
            await self._judge(item, heed, taken_before)

    async def _judge(self, item: Event, heed: Heed, taken_before: Callable[[Event], Awaitable[None]]) -> None:
        try:
            command = await asyncio.to_thread(self._taken, item)
        except TakenBeforeError:
            await taken_before(item)
        except NotThePersonsError:
            return
        except NotTakenError as error:
            await self.tell(item, CommandState.FAILED, str(error))
        except RegistryError as error:
            self._notice(f"{self._concern.value}: a command cannot be taken: {error}")
        else:
            if command is not None:
                await self._have_heeded(command, heed)

    async def _have_heeded(self, command: Taken, heed: Heed) -> None:
        try:
            await heed(command)
        except Exception as error:  # each command fails alone
            await self.tell(command, CommandState.FAILED, f"{type(error).__name__}: {error}")

    def _taken(self, item: Event) -> Taken | None:
        if concern_of(item) is not self._concern:
            return None
        self.trust.keyring.refresh()
        return taken(
            item,
            registry_id=self._registry_id,
            trust=self.trust,
            used=self._used,
            monitor=self._monitor,
            now=datetime.now(UTC),
            concern=self._concern,
        )

    async def tell(
        self,
        command: Event | Taken,
        state: CommandState,
        reason: str | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        """Say how far a command is, here and in the registry; where that cannot be written, a notice says so."""
        event = result(command.id, self._monitor, state, reason and reason[:_LONGEST_REASON], told)

        def write() -> None:
            whole = event | subject_of(command)
            try:
                self._kept.keep(whole)
            except OSError as error:
                self._notice(f"{self._concern.value}: what became of a command cannot be kept: {error}")
            self._registry.append(whole)
            announce(self._registry.path)

        try:
            await asyncio.to_thread(write)
        except RegistryError as error:
            self._notice(f"{self._concern.value}: what became of a command cannot be written: {error}")

    def is_answered(self, command_id: str) -> bool:
        """It is kept here that nothing more comes of a command. Takes its time."""
        found = self._kept.load(command_id)
        return found is not None and found.state.is_over
