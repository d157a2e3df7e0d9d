"""How a team spent its time, as its registry tells: who was busy when, how much went on at once, who reacted how fast.

Time. A line stands where `TimeAxis` puts it: time never runs backwards, a line without a readable time stands where the
line before it stands. The whole time is that from the first to the last line. Where more than one line in ten has a
time that does not fit to the order of the lines, or every second one has none, nothing is told of time: see `doubt`.

What an agent did. From one of its own lines to its next it did what it had declared last, as long as it gave signs of
life: in progress for `stale_after_working` after the line, waiting or blocked for `stale_after`; after that it was
silent. Failed counts as blocked, completed as idle. Before its first line and after the end of its session it was
absent; a session without an end goes on to the last line, most of it in silence. The times of an agent add up to the
whole time. An agent that declared neither a status nor a task in the whole registry is not measured: most often the
person, or the monitor.

One after the other. The busy times of all agents, added up: so long would the same work take if only one worked at a
time and nobody lost a moment between two. What a person needs to carry messages is not in it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from operator import itemgetter
from types import MappingProxyType
from typing import Final

from collab_tui.model.event import Event, Item
from collab_tui.model.fold import Fold
from collab_tui.model.moment import SKEW, Judge, Limits
from collab_tui.model.reaction_times import Reaction, ReactionTimes, Timing
from collab_tui.model.time_axis import TimeAxis
from collab_tui.model.words import Status


class Doing(StrEnum):
    """What an agent did for some time."""

    BUSY = "busy"
    WAITING = "waiting"
    BLOCKED = "blocked"
    IDLE = "idle"
    SILENT = "silent"
    """It declared to be busy, waiting or blocked, and gave no sign of life."""
    UNTOLD = "untold"
    """It declared no status, or one that we do not know."""
    ABSENT = "absent"


_DOING: Final[Mapping[Status | None, Doing]] = {
    Status.IN_PROGRESS: Doing.BUSY,
    Status.WAITING: Doing.WAITING,
    Status.BLOCKED: Doing.BLOCKED,
    Status.FAILED: Doing.BLOCKED,
    Status.COMPLETED: Doing.IDLE,
    Status.IDLE: Doing.IDLE,
    Status.UNKNOWN: Doing.UNTOLD,
    None: Doing.UNTOLD,
}
_ALL: Final = tuple(Doing)
_CODES: Final = {doing: code for code, doing in enumerate(_ALL)}
_MOST_OUT_OF_PLACE: Final = 0.1
_MOST_UNTIMED: Final = 0.5
_FOREVER: Final = timedelta.max.total_seconds()


@dataclass(frozen=True, slots=True)
class AgentTime:
    """How one agent spent the whole time."""

    name: str
    seconds: Mapping[Doing, float]

    @property
    def present(self) -> float:
        """Seconds between the beginning and the end of its sessions."""
        return sum(spent for doing, spent in self.seconds.items() if doing is not Doing.ABSENT)

    def share(self, doing: Doing) -> float | None:
        """Of the time that it was present, 0 to 1; None when that was no time at all."""
        return self.seconds[doing] / self.present if self.present > 0 and doing is not Doing.ABSENT else None


@dataclass(frozen=True, slots=True)
class Teamwork:
    """The account of a registry. Durations are seconds."""

    lines: int
    events: int
    first_time: datetime | None
    last_time: datetime | None
    out_of_place: int
    """Lines whose time does not fit to the order of the lines."""
    untimed: int
    """Lines without a readable time."""
    total: float
    agents: tuple[AgentTime, ...]
    """Those that declared what they do, in the order of their first lines."""
    others: tuple[str, ...]
    """Writers that declared nothing."""
    at_work: float
    """For so long at least one agent was busy."""
    at_once: float
    """For so long at least two were."""
    one_after_the_other: float
    reactions: Mapping[Reaction, Timing]

    @property
    def doubt(self) -> str | None:
        """Why nothing can be told of time; the numbers mean nothing then."""
        timed = self.lines - self.untimed
        if self.lines and self.untimed > self.lines * _MOST_UNTIMED:
            return f"{self.untimed} of {self.lines} lines have no time that can be read"
        if self.out_of_place > timed * _MOST_OUT_OF_PLACE:
            return f"{self.out_of_place} of {timed} times do not fit to the order of the lines"
        return None if self.total > 0 else "no time passes in it"

    @property
    def gain(self) -> float | None:
        """How many times as long it would have taken one after the other; below 1, hands were idle most of the time."""
        return self.one_after_the_other / self.total if self.total > 0 else None


class _Track:
    """One agent's own lines, and what it did from each on."""

    __slots__ = ("doings", "has_declared", "name", "positions")

    def __init__(self, name: str) -> None:
        self.name = name
        self.positions = array("Q")
        self.doings = array("B")
        self.has_declared = False

    def add(self, position: int, doing: Doing) -> None:
        self.positions.append(position)
        self.doings.append(_CODES[doing])

    def spans(self, axis: TimeAxis, limits: Mapping[Doing, float]) -> Iterator[tuple[Doing, float, float]]:
        """What it did from when to when, from the first to the last time of the registry."""
        first, last = axis.bounds
        before = first
        doing, alive = Doing.ABSENT, _FOREVER
        for position, code in zip(self.positions, self.doings, strict=True):
            yield from _span(doing, alive, before, before := max(first, axis.stands_at(position)))
            doing = _ALL[code]
            alive = limits.get(doing, _FOREVER)
        yield from _span(doing, alive, before, last)


def _span(doing: Doing, alive: float, start: float, end: float) -> Iterator[tuple[Doing, float, float]]:
    silent_from = min(end, start + alive)
    if start < silent_from:
        yield doing, start, silent_from
    if silent_from < end:
        yield Doing.SILENT, silent_from, end


class TeamworkRecorder:
    """Takes the lines of a registry, in file order, and makes the account.

    Of each line some 40 bytes are kept: where it stands in time, and what its writer did from it on.
    """

    def __init__(self, person: str = "human", limits: Limits | None = None, judge: Judge | None = None) -> None:
        """`judge` checks who wrote a decision, as of `Moment`; None: each is taken for what it says."""
        limits = limits or Limits()
        self._limits = {
            Doing.BUSY: limits.stale_after_working.total_seconds(),
            Doing.WAITING: limits.stale_after.total_seconds(),
            Doing.BLOCKED: limits.stale_after.total_seconds(),
        }
        self._fold = Fold(person)
        self._axis = TimeAxis()
        self._tracks: dict[str, _Track] = {}
        self._reactions = ReactionTimes(person, judge)
        self._events = 0

    def extend(self, items: Iterable[Item]) -> None:
        """Take the next lines."""
        for item in items:
            self._axis.append(item)
            self._fold.extend((item,))
            if isinstance(item, Event):
                self._take(item)

    def _take(self, event: Event) -> None:
        self._events += 1
        writer = self._fold.writer(event)
        if writer is None:
            return
        track = self._tracks.get(writer.key)
        if track is None:
            track = self._tracks[writer.key] = _Track(writer.name)
        track.has_declared = track.has_declared or writer.status is not None or writer.task is not None
        track.add(event.position, Doing.ABSENT if writer.gone else _DOING[writer.status])
        self._reactions.see(event, self._fold.registry_id)

    def account(self) -> Teamwork:
        """How the time was spent up to the last line."""
        axis, limits = self._axis, self._limits
        first, last = axis.bounds
        deviations = [axis.deviation(line) for line in range(len(axis))]
        busy: list[tuple[float, int]] = []
        agents = []
        for track in self._tracks.values():
            if not track.has_declared:
                continue
            seconds = dict.fromkeys(Doing, 0.0)
            for doing, start, end in track.spans(axis, limits):
                seconds[doing] += end - start
                if doing is Doing.BUSY:
                    busy += ((start, 1), (end, -1))
            agents.append(AgentTime(track.name, MappingProxyType(seconds)))
        at_work, at_once = _at_the_same_time(busy)
        return Teamwork(
            lines=len(axis),
            events=self._events,
            first_time=axis.first_time,
            last_time=axis.time_at(len(axis)),
            out_of_place=sum(1 for off in deviations if off is not None and off > SKEW),
            untimed=sum(1 for off in deviations if off is None),
            total=last - first,
            agents=tuple(agents),
            others=tuple(track.name for track in self._tracks.values() if not track.has_declared),
            at_work=at_work,
            at_once=at_once,
            one_after_the_other=sum((agent.seconds[Doing.BUSY] for agent in agents), 0.0),
            reactions=self._reactions.timings(axis),
        )


def _at_the_same_time(turns: list[tuple[float, int]]) -> tuple[float, float]:
    """Seconds for which at least one was busy, and at least two. A turn: from this time on, 1 more or less is."""
    turns.sort(key=itemgetter(0))
    one = two = 0.0
    busy = 0
    for (start, more), (end, _) in pairwise(turns):
        busy += more
        one += (end - start) * (busy >= 1)
        two += (end - start) * (busy >= 2)
    return one, two
