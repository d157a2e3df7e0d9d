"""Noticing ids that were used before, with bounded memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from typing import Final

from collab_tui.model.event import Event

MAX_RECENT_IDS: Final = 100_000
"""How far back a repeated id is noticed, in events that have an id."""


class RecentIds:
    """The ids of the last events; notes where one came again."""

    __slots__ = ("_ids", "_order", "repeats")

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._order: deque[str] = deque()
        self.repeats: array[int] = array("Q")
        """Positions of the lines whose id was used before, in ascending order."""

    def is_repeated(self, event: Event) -> bool:
        """The id of the next event, which has one, was used before."""
        own = event[1]["id"]
        if not isinstance(own, str) or not own:
            return False  # numbers are counters of their writers: two agents that count from 1 repeat nothing
        if own in self._ids:
            self.repeats.append(event[0])
            return True
        self._ids.add(own)
        self._order.append(own)
        if len(self._order) > MAX_RECENT_IDS:
            self._ids.discard(self._order.popleft())
        return False


class KnownRepeats:
    """Which lines repeat an id, as another fold noted it that took them before."""

    __slots__ = ("repeats",)

    def __init__(self, repeats: array[int]) -> None:
        self.repeats = repeats
        """Grows with the other fold's."""

    def is_repeated(self, event: Event) -> bool:
        """The other fold found the id of this line used before."""
        place = bisect_left(self.repeats, event[0])
        return place < len(self.repeats) and self.repeats[place] == event[0]
