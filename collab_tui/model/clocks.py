"""Clocks that are wrong, as the times of the lines tell: times in our future, and agents that are always off.

The order of the lines is true, times are claims. When agents take turns, whose clock is ahead writes times that lie
after those of the next writer, again and again by about as much.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from collab_tui.model.ages import age
from collab_tui.model.event import Event
from collab_tui.model.findings import Finding, Severity, Subject, at_most, said
from collab_tui.model.lines import LineTally
from collab_tui.model.moment import SKEW
from collab_tui.model.words import name_key

_MIN_TURNS: Final = 4
"""Turns between an agent and others from which its clock is judged."""
_MAX_TURNS: Final = 200
_MAX_AGENTS: Final = 1000
_MOSTLY: Final = 0.75

_SET_CLOCK: Final = (
    "Set the clocks of all machines (NTP), and let agents append with `collab-tui emit`, which writes the time itself: "
    "language models make times up."
)


class _Turns:
    """One agent's clock against those that wrote just before and just after it."""

    __slots__ = ("after", "before", "name", "tally")

    def __init__(self, name: str) -> None:
        self.name = name
        self.before: deque[tuple[str, float]] = deque(maxlen=_MAX_TURNS)
        """Who wrote before it, and seconds from that line's time to its own."""
        self.after: deque[tuple[str, float]] = deque(maxlen=_MAX_TURNS)
        """Who wrote after it, and seconds from its own line's time to that one's."""
        self.tally = LineTally()
        """Its lines that do not fit to their neighbours."""


class Clocks:
    """Takes every event in file order; tells whose clock is wrong. `now` is this machine's time."""

    def __init__(self, now: datetime) -> None:
        self._latest = now + timedelta(seconds=SKEW)
        self._now = now
        self._future = LineTally()
        self._furthest = now
        self._agents: dict[str, _Turns] = {}
        self._last: tuple[str, datetime, int] | None = None
        self.largest_step_back = 0.0
        """Seconds."""

    def add(self, event: Event, time: datetime) -> None:
        """Take the next event that has a time."""
        if time > self._latest:
            self._future.add(event.position)
            self._furthest = max(self._furthest, time)
        name = event.data.get("agent")
        key = name_key(name) if isinstance(name, str) else ""
        if self._last is not None:
            last_key, last_time, last_position = self._last
            seconds = (time - last_time).total_seconds()
            self.largest_step_back = max(self.largest_step_back, -seconds)
            if key and last_key and key != last_key:
                self._turn(last_key, key, seconds, last_position, event.position)
        if key and key not in self._agents and len(self._agents) < _MAX_AGENTS:
            self._agents[key] = _Turns(event.agent or "")
        self._last = (key, time, event.position)

    def _turn(self, last_key: str, key: str, seconds: float, last_position: int, position: int) -> None:
        if (writer := self._agents.get(last_key)) is not None:
            writer.after.append((key, seconds))
            if seconds < -SKEW:
                writer.tally.add(last_position)
        if (writer := self._agents.get(key)) is not None:
            writer.before.append((last_key, seconds))
            if seconds < -SKEW:
                writer.tally.add(position)

    def findings(self) -> list[Finding]:
        """What is wrong with clocks."""
        return [*self._in_future(), *at_most(self._always_off(), "agents whose clocks are always off")]

    def _in_future(self) -> list[Finding]:
        if not self._future.count:
            return []
        ahead = age((self._furthest - self._now).total_seconds())
        told = "line has a time" if self._future.count == 1 else "lines have times"
        text = f"{self._future.count} {told} in the future, up to {ahead} ahead of this machine's clock"
        return [Finding(Severity.WARNING, Subject.LINES, "future_time", text, _SET_CLOCK, self._future.lines)]

    def _always_off(self) -> list[Finding]:
        """Those ahead first; whom they make look late is not told as well."""
        found, wrong = [], set[str]()
        for is_ahead in (True, False):
            for key, turns in self._agents.items():
                if key in wrong:
                    continue
                before = [step for other, step in turns.before if other not in wrong]
                after = [step for other, step in turns.after if other not in wrong]
                seconds = _constantly(after, before) if is_ahead else _constantly(before, after)
                if seconds is not None:
                    wrong.add(key)
                    which = "ahead of" if is_ahead else "behind"
                    text = f"the clock of {said(turns.name)} is always about {age(seconds)} {which} the others'"
                    found.append(
                        Finding(Severity.WARNING, Subject.LINES, "clock_off", text, _SET_CLOCK, turns.tally.lines)
                    )
        return found


def _constantly(back: list[float], forth: list[float]) -> float | None:
    """By how many seconds time goes back at most of some steps, if it is about as much each time, and if it goes forth
    by at least about as much at most of the others: else it is the clock of a neighbour that is off.
    """
    if min(len(back), len(forth)) < _MIN_TURNS - 1 or (seconds := -min(back)) <= SKEW:
        return None
    alike = sum(1 for step in back if step <= -seconds / 2)
    against = sum(1 for step in forth if step >= seconds / 2)
    return seconds if alike >= _MOSTLY * len(back) and against >= _MOSTLY * len(forth) else None
