"""Where each line stands in time, for whoever plays a registry.

Time never runs backwards on the axis: a line whose clock was behind, or that has no readable time, stands where the
line before it stands. A few lines that ran ahead of all that follows stand there as well, once that shows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from datetime import UTC, datetime
from typing import Final

from collab_tui.model.event import Event, Item

_SKEW: Final = 120.0
"""Seconds by which clocks may differ before a line counts as ahead."""
_MOST_AHEAD: Final = 3
"""Lines in a row that count as ahead; when more are, it is the one after them that is behind."""
_UNTIMED: Final = 1.0
"""Seconds that a line without a readable time takes when it is played."""
_LONGEST_PLAYED: Final = 60.0
"""Seconds of a gap that take room on the bar: days of silence must not squeeze the rest."""
_LEAST_PLAYED: Final = 0.01
"""Seconds that every line takes on the bar."""


class TimeAxis:
    """Grows line by line. A position is a count of lines; the line that was read last stands before it."""

    def __init__(self) -> None:
        self._times: array[float] = array("d")
        """Seconds since the epoch, ascending; 0 before the first readable time."""
        self._delays: array[float] = array("f")
        self._played: array[float] = array("d")
        """Where each line stands on the bar, in seconds from its beginning, ascending."""
        self._longest = (0, 0.0)

    def append(self, item: Item) -> None:
        """Take the next line."""
        stamp = _stamp(item)
        before = self._times[-1] if self._times else 0.0
        if stamp is not None and stamp < before - _SKEW:
            before = self._take_back(stamp, before)
        delay = _UNTIMED if stamp is None else max(0.0, stamp - before) if before else 0.0
        self._times.append(before if stamp is None else max(before, stamp))
        self._delays.append(delay)
        played = self._played[-1] if self._played else 0.0
        self._played.append(played + min(delay, _LONGEST_PLAYED) + _LEAST_PLAYED)

    def _take_back(self, stamp: float, before: float) -> float:
        """Let the few lines that are ahead of this one stand where the line before them stands; gives that time."""
        first = bisect_right(self._times, stamp)
        if len(self._times) - first > _MOST_AHEAD or not first or not self._times[first - 1]:
            return before
        before = self._times[first - 1]
        for place in range(first, len(self._times)):
            self._times[place] = before
            self._delays[place] = 0.0
            self._played[place] = self._played[place - 1] + _LEAST_PLAYED
        return before

    def __len__(self) -> int:
        """How many lines it holds."""
        return len(self._played)

    def time_at(self, position: int) -> datetime | None:
        """When the line before a position stands; None before the first readable time."""
        position = min(position, len(self._times))
        stamp = self._times[position - 1] if position > 0 else 0.0
        return datetime.fromtimestamp(stamp, UTC) if stamp else None

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


def _stamp(item: Item) -> float | None:
    """When a line says that it was written, in seconds since the epoch."""
    time = item.time if isinstance(item, Event) else None
    return time.timestamp() or None if time is not None else None
