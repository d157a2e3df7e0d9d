"""What waits for an agent to be told, in one piece, by whoever brings it what others address to it.

At least once: what was given is acknowledged afterwards. Whoever gives holds the `inbox` meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collab_tui.config import load_config
from collab_tui.model.board import Board
from collab_tui.protocol.addressed import Concern
from collab_tui.protocol.inbox import Delivery, Inbox, has_words_beside
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions


class Mailbox:
    """What waits for one agent. One thread at a time."""

    def __init__(self, registry: Path, name: str, trust: Trust | None = None) -> None:
        """Without `trust`, who signs is as the user's settings say. Raises `ConfigError`."""
        self.name, self.registry = name, registry
        if trust is None:
            config = load_config(registry)
            trust = Trust(config.person, config.approvers)
        self.trust, self._used = trust, UsedDecisions()
        self.inbox = Inbox(registry, name, trust.person, trust, self._used)
        self._held: list[Delivery] = []

    def take(self, board: Board, since: float = 0.0) -> bool:
        """Take what came; True when some of it is worth telling and came after `since`, in epoch seconds."""
        fresh = self.inbox.take(board)
        for one in fresh:
            if self._is_void(one, board):
                self.inbox.acknowledge(one.event)
            else:
                self._held.append(one)
        return any(_is_worth(one) and _came_after(one, since) for one in fresh if one in self._held)

    def now(self, board: Board) -> list[Delivery]:
        """What is to be told now: without what was done meanwhile; nothing where none of it is worth it."""
        decisions = [one.event for one in self._held if one.concern is Concern.DECISION]
        unused = {decision.id for decision in self._used.unused(decisions, self.name)}
        self._held = [
            one
            for one in self._held
            if not self._is_void(one, board)
            and (one.concern is not Concern.DECISION or one.event.id in unused or self._has_words(one))
        ]
        return list(self._held) if any(map(_is_worth, self._held)) else []

    def acknowledge(self, given: Sequence[Delivery]) -> None:
        """These were told."""
        for one in given:
            self.inbox.acknowledge(one.event)
        self._held = [one for one in self._held if one not in given]

    def refresh(self) -> None:
        """Forget what another process of the agent took meanwhile; the inbox is held."""
        self._held = self.inbox.still_waiting(self._held)

    @staticmethod
    def _has_words(one: Delivery) -> bool:
        return has_words_beside(one.event, one.request)

    def _is_void(self, one: Delivery, board: Board) -> bool:
        """What it was asked is closed; or it is the bare answer to a permission, which a hook waits for."""
        if one.concern is Concern.REQUEST:
            request = board.request(one.event.id)
            return one.still_open is False or (request is not None and not request.is_open)
        is_a_hooks = one.request is not None and one.request.text("driver") is not None
        return one.concern is Concern.DECISION and is_a_hooks and not self._has_words(one)


def _is_worth(one: Delivery) -> bool:
    return one.concern is not Concern.WITHDRAWN


def _came_after(one: Delivery, since: float) -> bool:
    return one.event.time is None or one.event.time.timestamp() >= since
