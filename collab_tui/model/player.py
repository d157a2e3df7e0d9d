"""Playing a registry: a position that moves with the viewer's time, and the clock that goes with it.

Nothing here looks at a real clock: whoever plays says how many seconds went by.
"""

from __future__ import annotations

from datetime import datetime
from math import inf
from typing import Final

from collab_tui.model.time_axis import TimeAxis

SPEEDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 300.0, 1000.0, inf)
"""How many times faster than it was; the last one waits for nothing."""
USUAL_SPEED: Final = 30.0
LONGEST_WAIT: Final = 2.0
"""Seconds of the viewer's time that a gap takes at most."""


class Player:
    """A position on a time axis, at rest or moving."""

    def __init__(self, axis: TimeAxis, speed: float = USUAL_SPEED) -> None:
        self.axis = axis
        self.position = 0
        self.is_playing = False
        self.speed = speed
        self._waited = 0.0
        """Seconds of the viewer's time since the last line came."""

    def seek(self, position: int) -> None:
        """Go to a position."""
        self.position = position
        self._waited = 0.0

    def advance(self, seconds: float) -> None:
        """Let so much of the viewer's time pass. At full speed each call takes one line, however little passed."""
        if not self.is_playing or self.position >= len(self.axis):
            return
        if self.speed == inf:
            self.seek(self.position + 1)
            return
        self._waited += seconds
        while self.position < len(self.axis) and self._waited >= (wait := self._wait):
            self._waited -= wait
            self.position += 1
        if self.position >= len(self.axis):
            self._waited = 0.0

    def change_speed(self, step: int) -> None:
        """Take the next faster (1) or slower (-1) of the speeds."""
        faster = [speed for speed in SPEEDS if speed > self.speed]
        slower = [speed for speed in SPEEDS if speed < self.speed]
        before = self._wait
        if choices := faster[:1] if step > 0 else slower[-1:]:
            (self.speed,) = choices
        if before:
            self._waited *= self._wait / before  # the clock goes on from where it is

    @property
    def _wait(self) -> float:
        """Seconds of the viewer's time from the line that came last to the next."""
        return min(self.axis.delay_before(self.position) / self.speed, LONGEST_WAIT)

    @property
    def left(self) -> float:
        """Seconds of the viewer's time until the next line comes; 0 at full speed."""
        return max(0.0, self._wait - self._waited)

    @property
    def gap(self) -> float | None:
        """Seconds of the gap that is being shortened now; None when none is."""
        delay = self.axis.delay_before(self.position)
        return delay if self.is_playing and delay / self.speed > LONGEST_WAIT else None

    @property
    def shortens(self) -> bool:
        """Some gap is shortened at this speed."""
        return self.axis.longest_delay / self.speed > LONGEST_WAIT

    @property
    def now(self) -> datetime | None:
        """The time of the line that came last, going on towards the next one; None before the first readable time."""
        time, then = self.axis.time_at(self.position), self.axis.time_at(self.position + 1)
        if time is None or then is None or not self._waited or not (wait := self._wait):
            return time
        return time + (then - time) * min(1.0, self._waited / wait)
