"""What is addressed to the agent: taken from its inbox, handed to the model, acknowledged when the model asks again."""

from __future__ import annotations

import asyncio
from collections import deque
from threading import Lock
from typing import Any, Final, NamedTuple

from collab_tui.mcp.seat import Seat
from collab_tui.model.board import Board
from collab_tui.model.event import as_id
from collab_tui.protocol.addressed import Concern
from collab_tui.protocol.inbox import Delivery, Inbox, has_words_beside
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import LockedError

MOST: Final = 30
"""Entries that are handed out at once."""
_PATIENCE: Final = 0.1
"""Seconds for which nothing else is done; who only looks holds the inbox for less, and who listens for longer."""
_TOLD: Final = (
    "message", "request", "kind", "options", "details", "default", "evidence", "urgency", "deadline", "expires",
    "request_id", "decision_for", "verdict", "answer", "comment", "blocker", "blockers", "resolved_blockers", "reason",
)  # fmt: skip
"""Fields of an event that are handed on."""


class Batch(NamedTuple):
    """What is handed out at once."""

    entries: list[dict[str, Any]]
    more: int
    """How many wait behind these."""
    comes_by_itself: bool = False
    """Another process of the agent listens, and brings it what comes: its hooks do."""


class Mail:
    """The agent's inbox for a model. Several calls may come at once; each entry goes to one of them."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._using = asyncio.Lock()
        self._taking = Lock()
        self._inbox: Inbox | None = None
        self._waiting: deque[Delivery] = deque()
        self._handed_out: list[Delivery] = []

    async def next_batch(self) -> Batch:
        """Acknowledge what was handed out before, and hand out what waits."""
        async with self._using:
            inbox = await self._look()
            try:
                with inbox.held(_PATIENCE):
                    for delivery in self._handed_out:
                        await asyncio.to_thread(inbox.acknowledge, delivery.event)
                    await asyncio.to_thread(self._forget_taken, inbox)
                    self._handed_out = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            except LockedError:
                return Batch([], 0, comes_by_itself=True)
            return Batch([_entry(delivery) for delivery in self._handed_out], len(self._waiting))

    async def count(self) -> int:
        """How many entries were never handed out; 0 while another process of the agent brings them."""
        async with self._using:
            inbox = await self._look()
            try:
                with inbox.held():
                    await asyncio.to_thread(self._forget_taken, inbox)
            except LockedError:
                return 0
            return len(self._waiting)

    async def _look(self) -> Inbox:
        board = await self._seat.board()
        if self._inbox is None:
            me = await self._seat.me()
            self._inbox = Inbox(self._seat.registry, me.name, me.person, self._seat.trust, UsedDecisions())
        await asyncio.to_thread(self._take, self._inbox, board)
        return self._inbox

    def _take(self, inbox: Inbox, board: Board) -> None:
        """In a thread, and whole even when the call that wanted it was cancelled: what was taken comes only once."""
        with self._taking:
            self._waiting.extend(inbox.take(board))

    def _forget_taken(self, inbox: Inbox) -> None:
        """What another process of the agent took meanwhile does not come again. In a thread."""
        with self._taking:
            self._waiting = deque(inbox.still_waiting(self._waiting))


def _entry(delivery: Delivery) -> dict[str, Any]:
    """One event as a model gets it: who wrote it stands beside its words."""
    event, concern = delivery.event, delivery.concern
    entry: dict[str, Any] = {"kind": concern.value, "from": event.agent, "line": event.position + 1}
    if concern is Concern.DECISION and (request_id := as_id(event.data.get("request_id"))):
        if has_words_beside(event, delivery.request):
            return entry | _told(delivery)
        # An answer is taken in one place, which uses it up.
        return entry | {"request_id": request_id, "next": "call wait_decision with this id: it gives the answer"}
    if concern is Concern.OTHER:
        entry["event"] = event.kind
    if concern is Concern.REQUEST:
        entry |= {"id": event.id, "still_open": delivery.still_open}
    return entry | _told(delivery)


def _told(delivery: Delivery) -> dict[str, Any]:
    signature = {"signature": delivery.standing.value} if delivery.standing is not None else {}
    return signature | {name: value for name in _TOLD if (value := delivery.event.field(name)) not in (None, "", [])}
