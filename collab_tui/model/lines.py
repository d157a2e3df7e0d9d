"""Many line numbers in little space: runs of neighbours, the first ones kept, all of them counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_RUNS: Final = 1000
_SHOWN_RUNS: Final = 5


@dataclass(frozen=True, slots=True)
class Lines:
    """Line numbers, counted from 1."""

    runs: tuple[tuple[int, int], ...] = ()
    """First and last line of each run of neighbours; the first thousand runs."""
    count: int = 0
    """How many lines there are in all."""

    @property
    def text(self) -> str:
        """As people read it: `lines 3, 7-12 and 40 more`; empty when there is no line.

        >>> lines_at([2, 6, 7, 8]).text
        'lines 3, 7-9'
        """
        if not self.count:
            return ""
        shown = self.runs[:_SHOWN_RUNS]
        listed = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in shown)
        more = self.count - _size(shown)
        return f"line{'' if self.count == 1 else 's'} {listed}" + (f" and {more} more" if more else "")

    def numbers(self, limit: int) -> list[int]:
        """The first line numbers, at most so many."""
        found: list[int] = []
        for first, last in self.runs:
            found += range(first, min(last, first + limit - len(found) - 1) + 1)
            if len(found) >= limit:
                break
        return found


NO_LINES: Final = Lines()


def together(several: Iterable[Lines]) -> Lines:
    """All these lines as one; those beyond the kept runs are counted as if no two were the same."""
    lines = list(several)
    runs: list[tuple[int, int]] = []
    for first, last in sorted(run for some in lines for run in some.runs):
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]))
        else:
            runs.append((first, last))
    beyond = sum(some.count - _size(some.runs) for some in lines)
    return Lines(tuple(runs[:MAX_RUNS]), _size(runs) + beyond)


def _size(runs: Iterable[tuple[int, int]]) -> int:
    return sum(last - first + 1 for first, last in runs)


class LineTally:
    """Collects line numbers; grows by runs, within bounds."""

    __slots__ = ("_runs", "count")

    def __init__(self) -> None:
        self.count = 0
        self._runs: list[tuple[int, int]] = []

    def add(self, position: int) -> None:
        """Count the line at a position; positions come in order, and one that came already is counted once."""
        number = position + 1
        if self._runs and self._runs[-1][1] == number:
            return
        self.count += 1
        if self._runs and self._runs[-1][1] == number - 1:
            self._runs[-1] = (self._runs[-1][0], number)
        elif len(self._runs) < MAX_RUNS:
            self._runs.append((number, number))

    @property
    def lines(self) -> Lines:
        """What was collected so far."""
        return Lines(tuple(self._runs), self.count)

    def copy(self) -> LineTally:
        """An independent copy."""
        twin = LineTally()
        twin.count, twin._runs = self.count, self._runs.copy()
        return twin


def lines_at(positions: Iterable[int]) -> Lines:
    """The lines at some positions, in any order."""
    tally = LineTally()
    for position in sorted(positions):
        tally.add(position)
    return tally.lines
