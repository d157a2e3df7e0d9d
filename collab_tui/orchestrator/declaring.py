"""What agents of a run say of themselves in passing: the latest of each counts, told at most once a second."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from collab_tui.orchestrator.journal import Journal
from collab_tui.registry.append import RegistryError

AT_MOST_EVERY: Final = 1.0
"""Seconds."""


class Declaring:
    """The `status_update` of a run's agents. It belongs to one event loop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._due: dict[str, asyncio.TimerHandle] = {}
        self._told: dict[str, dict[str, Any]] = {}
        """Agent -> what is to be told of it once it is time."""

    def tell(self, agent: str, **fields: Any) -> None:
        """Declare some of progress, message, ...; at once, if nothing was for a while."""
        told = self._told.setdefault(agent, {})
        told.update((name, value) for name, value in fields.items() if value is not None)
        if agent not in self._due:
            self._flush(agent)

    def forget(self, agent: str) -> None:
        """What was not told yet is not true any more."""
        self._told.pop(agent, None)

    def close(self) -> None:
        """Nothing more is told."""
        for due in self._due.values():
            due.cancel()
        self._due.clear()
        self._told.clear()

    def _flush(self, agent: str) -> None:
        self._due.pop(agent, None)
        if not self._told.get(agent):
            return
        self._due[agent] = asyncio.get_running_loop().call_later(AT_MOST_EVERY, self._flush, agent)
        if self._journal.is_in_trouble:
            return  # it would be old by the time that it can be written: what is true then is told then
        try:
            self._journal.send(agent, "status_update", self._told.pop(agent)).add_done_callback(_is_heard)
        except RegistryError:
            return  # what cannot be written is nothing that anybody waits for


def _is_heard(written: asyncio.Future[dict[str, Any]]) -> None:
    """That a passing word was not written in the end has no consequence."""
    if not written.cancelled():
        written.exception()
