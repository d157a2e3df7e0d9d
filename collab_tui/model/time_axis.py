"""Where each line stands in time, for whoever plays a registry.

Time never runs backwards on the axis: a line whose clock was behind, or that has no readable time, stands where the
line before it stands. Lines that ran ahead stand there as well, once more lines that are behind them follow.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from datetime import UTC, datetime
from typing import Final

from collab_tui.model.event import Event, Item

_SKEW: Final = 120.0
"""Seconds by which clocks may differ before a line counts as ahead."""
_UNTIMED: Final = 1.0
"""Seconds that a line without a readable time takes when it is played."""
_LONGEST_PLAYED: Final = 60.0
"""Seconds of a gap that take room on the bar: days of silence must not squeeze the rest."""
_LEAST_PLAYED: Final = 0.01
"""Seconds that every line takes on the bar."""


class TimeAxis:
    """Grows line by line. A position is a count of lines; the line that was read last stands before it."""

    def __init__(self) -> None:
        self._stamps: array[float] = array("d")
        """When each line says that it was written, in seconds since the epoch; 0 where it says nothing readable."""
        self._times: array[float] = array("d")
        """Where each line stands, ascending; 0 before the first readable time."""
        self._delays: array[float] = array("f")
        self._played: array[float] = array("d")
        """Where each line stands on the bar, in seconds from its beginning, ascending."""
        self._last = 0.0
        """The last readable stamp."""
        self._turn = 0
        """The first of the last lines that are behind those before them; how many lines there are when none is."""
        self._longest = (0, 0.0)

    def append(self, item: Item) -> None:
        """Take the next line."""
        stamp, place = _stamp(item), len(self._times)
        self._stamps.append(stamp)
        if stamp and place and stamp < self._times[-1] - _SKEW:
            self._take_back(stamp)
        elif stamp or self._turn == place:
            self._turn = place + 1
        time, delay, played = self._follow(place)
        self._times.append(time)
        self._delays.append(delay)
        self._played.append(played)

    def _follow(self, place: int) -> tuple[float, float, float]:
        """Where a line stands after the one before it, how many seconds after that it comes, its place on the bar."""
        stamp, before = self._stamps[place], self._times[place - 1] if place else 0.0
        if not stamp:
            delay = _UNTIMED
        elif stamp > before:
            delay = stamp - before if before else 0.0
        else:
            delay = max(0.0, stamp - self._last)
        self._last = stamp or self._last
        played = self._played[place - 1] if place else 0.0
        return max(before, stamp), delay, played + min(delay, _LONGEST_PLAYED) + _LEAST_PLAYED

    def _take_back(self, stamp: float) -> None:
        """Let the lines that are ahead of this one stand where the line before them stands, if they are fewer than
        those that are behind them: the line before them and all from the turn on.
        """
        turn, place = self._turn, len(self._times)
        first = bisect_right(self._times, stamp, 0, turn)
        before = self._times[first - 1] if first else 0.0
        if place + 1 - turn + bool(before) <= turn - first:
            return
        self._last = before = before or self._stamps[turn]
        for ahead in range(first, turn):
            self._times[ahead], self._delays[ahead] = before, 0.0
            self._played[ahead] = (self._played[ahead - 1] if ahead else 0.0) + _LEAST_PLAYED
        for behind in range(turn, place):
            self._times[behind], self._delays[behind], self._played[behind] = self._follow(behind)
        self._turn = place + 1

    def __len__(self) -> int:
        """How many lines it holds."""
        return len(self._played)

    def time_at(self, position: int) -> datetime | None:
        """When the line before a position stands; None before the first readable time."""
        position = min(position, len(self._times))
        stamp = self._times[position - 1] if position > 0 else 0.0
        return datetime.fromtimestamp(stamp, UTC) if stamp else None

    def stands_at(self, line: int) -> float:
        """When a line stands, in seconds since the epoch; 0 before the first readable time."""
        return self._times[line]

    @property
    def bounds(self) -> tuple[float, float]:
        """Where the first line with a readable time stands, and the last line; both 0 when there is none."""
        first = bisect_right(self._times, 0.0)
        return (self._times[first], self._times[-1]) if first < len(self._times) else (0.0, 0.0)

    def deviation(self, line: int) -> float | None:
        """Seconds by which a line's own time is off where it stands; None when it has none that can be read."""
        stamp = self._stamps[line]
        return abs(stamp - self._times[line]) if stamp else None

    @property
    def first_time(self) -> datetime | None:
        """The first readable time; None when there is none."""
        first = bisect_right(self._times, 0.0)
        return self.time_at(first + 1) if first < len(self._times) else None

    def position_at(self, time: datetime) -> int:
        """The position after the last line that stands at or before a time."""
        return bisect_right(self._times, time.timestamp())

    def delay_before(self, position: int) -> float:
        """Seconds that pass at a position until its line comes; 0 at the end."""
        return self._delays[position] if 0 < position < len(self._delays) else 0.0

    @property
    def longest_delay(self) -> float:
        """The most seconds between two lines."""
        if self._longest[0] != len(self._delays):
            self._longest = (len(self._delays), max(self._delays, default=0.0))
        return self._longest[1]

    # The bar

    def edges(self, width: int) -> list[int]:
        """The positions between which the lines of each column of a bar stand: one more than there are columns."""
        if not self._played:
            return [0] * (width + 1)
        whole, tolerance = self._played[-1], _LEAST_PLAYED / 2
        inner = [bisect_right(self._played, whole * column / width + tolerance) for column in range(1, width)]
        return [0, *inner, len(self._played)]


def _stamp(item: Item) -> float:
    """When a line says that it was written, in seconds since the epoch; 0 when it says nothing readable."""
    time = item.time if isinstance(item, Event) else None
    return time.timestamp() if time is not None else 0.0
