"""The status of an agent whose program has no hooks of ours: what its driver sees, told in its own name as a hook does.

So it is in progress from the beginning of a turn on, also after an answer, and idle when the turn is over. What the
agent itself declared in that turn stays: it knows better that it is blocked, or done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collab_tui.model.sessions import Observed
from collab_tui.model.words import Status
from collab_tui.protocol import Participant


class Declaring:
    """The status of one agent."""

    def __init__(self, me: Participant, declare: Callable[[Mapping[str, Any]], None]) -> None:
        self._me = me
        self._declare = declare
        self.status = Status.IDLE.value
        """What it is now."""
        self._is_asking = False

    def heed(self, observed: Observed) -> None:
        """So it is seen now."""
        if observed is Observed.WORKING and (self.status != Status.IN_PROGRESS or self._is_asking):
            self._tell(Status.IN_PROGRESS)
        elif observed is Observed.IDLE and self.status != Status.IDLE:
            agent = self._me.board.agent(self._me.name)
            own = agent.status if agent is not None else None
            if own in (None, Status.IN_PROGRESS, Status.IDLE) or self._is_asking or self._waited_for_answer():
                self._tell(Status.IDLE)
            else:
                self.status = Status.IDLE.value
        self._is_asking = observed in (Observed.APPROVAL, Observed.INPUT)

    def _waited_for_answer(self) -> bool:
        """It is said to wait only because it asked something, and that is closed."""
        board = self._me.board
        agent = board.agent(self._me.name)
        if agent is None or agent.status is not Status.WAITING:
            return False
        said_at = agent.set_at.get("status")
        return any(request.position == said_at and not request.is_open for request in board.requests)

    def _tell(self, status: Status) -> None:
        self.status = status.value
        self._declare({"status": status.value})
