"""Since when agents owe a sign of life: since their last one, or an answer that they got after it.

Whoever waits for the person's answer owes none: it is silent with reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from collab_tui.model.board import Agent, Request, RequestState
from collab_tui.model.moment import Moment
from collab_tui.model.words import name_key

AT_REST_AFTER: Final = 86_400.0
"""Seconds without any line after which a registry counts as at rest: then nobody in particular is silent."""


class Owing:
    """The agents of a moment, and since when each owes a sign of life."""

    def __init__(self, moment: Moment) -> None:
        waiting = {name_key(need.asker) for need in moment.needs if isinstance(need, Request)}
        agents = (agent for agent in moment.board.agents if agent.key not in waiting)
        self._since = {agent.key: agent.last_event_at for agent in agents if agent.last_event_at is not None}
        for request in moment.board.requests:
            key = name_key(request.asker)
            if key in self._since and request.state is RequestState.ANSWERED and request.answer is not None:
                self._since[key] = max(self._since[key], request.answer.time or self._since[key])

    def silent_at(self, agent: Agent, after: timedelta) -> datetime | None:
        """When it is silent for so long; None when it owes nothing."""
        since = self._since.get(agent.key)
        return since + after if since is not None else None

    def all_at(self, after: timedelta) -> Iterator[datetime]:
        """When each agent is."""
        return (since + after for since in self._since.values())
