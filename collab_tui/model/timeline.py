"""The timeline: the board at any position of a registry, and where the positions worth seeing are.

A fold is kept every few thousand lines; a board elsewhere is folded on from the nearest one before it. Stepping forward
goes on from the last board that was asked for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from collab_tui.model.board import Board
from collab_tui.model.deadlock_search import DeadlockSearch
from collab_tui.model.event import Event, Item
from collab_tui.model.fold import Fold
from collab_tui.model.time_axis import TimeAxis

_STEP: Final = 2000
"""Lines between two kept folds."""
_MOST_KEPT: Final = 128
"""Kept folds; when there are more, every second is dropped and the step doubles."""


class Mark(StrEnum):
    """What a jump goes to."""

    DEADLOCK = "deadlock"
    REQUEST = "request"
    BLOCKER = "blocker"
    DECISION = "decision"


_MARKED: Final = {
    "decision_request": Mark.REQUEST,
    "decision": Mark.DECISION,
    "blocker": Mark.BLOCKER,
}


class ChangedError(Exception):
    """The lines that were read are not there any more: the registry is another."""


class Column(NamedTuple):
    """One column of the bar."""

    lines: int
    """How many lines stand in it."""
    mark: Mark | None
    """Of its marks, the one that is rarest in the registry; none of which there are more than columns."""


class Timeline:
    """Grows with the lines of a registry; `items` looks them up by position."""

    def __init__(self, items: Callable[[int, int], Sequence[Item]], person: str = "human") -> None:
        self._items = items
        self._head = Fold(person)
        self._step = _STEP
        self._kept = [self._head.checkpoint()]
        self._cursor = self._head.checkpoint()
        self._search = DeadlockSearch(self._head.checkpoint())
        self._marks: dict[Mark, array[int]] = {mark: array("Q") for mark in Mark}
        self._is_unterminated = False
        self.axis = TimeAxis()
        """Where each line stands in time."""

    def __len__(self) -> int:
        """How many lines there are."""
        return self._head.position

    # Growing

    def extend(self, items: Iterable[Item]) -> None:
        """Take the next lines."""
        pending: list[Item] = []
        for item in items:
            self.axis.append(item)
            if item.__class__ is Event and (mark := _MARKED.get(item.kind)) is not None:
                self._marks[mark].append(item.position)
            pending.append(item)
            if (item.position + 1) % self._step == 0:
                self._head.extend(pending)
                pending.clear()
                self._keep()
        self._head.extend(pending)

    def note_unterminated(self) -> None:
        """The last line has no newline; there is none after it."""
        self._is_unterminated = True

    def _keep(self) -> None:
        self._head.board()  # what it made of agents and requests goes with the copy
        self._kept.append(self._head.checkpoint())
        if len(self._kept) > _MOST_KEPT:
            self._kept = self._kept[::2]
            self._step *= 2

    # Boards

    def _kept_before(self, position: int) -> Fold:
        kept = self._kept
        return kept[bisect_right(kept, position, key=lambda fold: fold.position) - 1]

    def fold_before(self, position: int) -> Fold:
        """A fold of the caller's own, at a position or some thousand lines before it. Any thread may ask for one."""
        return self._kept_before(position).checkpoint()

    def board_at(self, position: int) -> Board:
        """The board after the first `position` lines; clipped to those there are.

        Raises `ChangedError` when lines that were read cannot be looked up any more.
        """
        position = min(max(position, 0), len(self))
        kept = self._kept_before(position)
        if not kept.position <= self._cursor.position <= position:
            self._cursor = kept.checkpoint()
        if self._cursor.position < position:
            self._cursor.extend(self._items(self._cursor.position, position))
        if self._cursor.position != position:
            raise ChangedError
        if self._is_unterminated and position == len(self):
            last = self._cursor.checkpoint()
            last.note_unterminated()
            return last.board()
        return self._cursor.board()

    # Marks

    def count(self, mark: Mark) -> int:
        """How many lines are marked so, as far as is known."""
        return len(self._marks[mark])

    def next_mark(self, mark: Mark, position: int) -> int | None:
        """The position after the next marked line; None when none is known."""
        marks = self._marks[mark]
        place = bisect_left(marks, position)
        return marks[place] + 1 if place < len(marks) else None

    def previous_mark(self, mark: Mark, position: int) -> int | None:
        """The position after the last marked line before the one that was read last; None when none is known."""
        marks = self._marks[mark]
        place = bisect_left(marks, max(0, position - 1)) - 1
        return marks[place] + 1 if place >= 0 else None

    @property
    def searched(self) -> int:
        """How many lines were searched for deadlocks."""
        return self._search.position

    def search_deadlocks(self, count: int) -> None:
        """Search the next lines for those that close a deadlock. Raises `ChangedError` as `board_at` does."""
        first, last = self.searched, min(self.searched + count, len(self))
        self._marks[Mark.DEADLOCK].extend(self._search.search(self._items(first, last)))
        if self.searched != last:
            raise ChangedError

    # The bar

    def columns(self, width: int) -> list[Column]:
        """What stands in each column of a bar."""
        edges = self.axis.edges(width)
        by_rarity = sorted((mark for mark in Mark if self.count(mark) <= width), key=self.count)
        return [
            Column(last - first, next((mark for mark in by_rarity if self._is_marked(mark, first, last)), None))
            for first, last in pairwise(edges)
        ]

    def _is_marked(self, mark: Mark, first: int, last: int) -> bool:
        marks = self._marks[mark]
        place = bisect_left(marks, first)
        return place < len(marks) and marks[place] < last

    def column_of(self, position: int, width: int) -> int:
        """The column of the bar in which the line that was read last stands."""
        return bisect_right(self.axis.edges(width)[1:-1], max(0, position - 1)) if len(self) else 0

    def position_of_column(self, column: int, width: int) -> int:
        """The position after the last line that stands in a column of the bar or before it, the first line at least."""
        edges = self.axis.edges(width)
        return min(max(1, edges[min(max(column, 0), width - 1) + 1]), len(self))
