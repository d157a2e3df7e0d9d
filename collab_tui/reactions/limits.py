"""What holds a rule back: its loop guard, its cool-down, its limit per hour. Pure: time is an argument.

`Activations` gathers what was done so far, from the registry's own `activation` lines or, in a dry run, from what would
have been done; `holds_back` says of an occurrence whether it may be done now.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from collab_tui.model.event import Event
from collab_tui.model.moment import SKEW
from collab_tui.model.words import MONITOR, name_key
from collab_tui.reactions.occurrences import Occurrence

_HOUR: Final = timedelta(hours=1)
_SKEW: Final = timedelta(seconds=SKEW)
_REMEMBERED: Final = 2000
"""Of what one rule did, the latest: more than any limit per hour allows."""


class HeldBack(StrEnum):
    """Why a rule is not done although it matched."""

    LOOP = "loop guard"
    COOL_DOWN = "cool-down"
    PER_HOUR = "limit per hour"


class Done(NamedTuple):
    """Something that a rule did."""

    at: datetime
    by: str
    """The id of the monitor that did it; empty in a dry run."""


@dataclass(slots=True)
class _OfRule:
    """What one rule did."""

    keys: OrderedDict[str, None] = field(default_factory=OrderedDict)
    lately: deque[Done] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """In the order of time."""
    last: dict[str, Done] = field(default_factory=dict)
    """The agent that it was about -> when it was done last."""


class Activations:
    """What rules did, and when. What an `owner` has is that monitor's alone; the rest is of all monitors together."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, str], _OfRule] = {}
        """By name and owner."""
        self._time: datetime | None = None
        """Of the last line that counted."""

    def see(self, event: Event, now: datetime | None = None) -> None:
        """Take the next line of the registry. One from after `now` counts as from when the one before it came.

        An activation counts once, with its first line, also if it failed or was never ended. One without `chain` says
        only that something was not done, and one that lacks what a monitor writes is none.
        """
        is_one = event.kind == "activation" and name_key(event.agent or "") == MONITOR
        if not is_one or not isinstance(event.data.get("chain"), dict) or event.text("outcome") is None:
            return
        rule, key, by, at = event.text("rule"), event.text("key"), event.text("monitor"), event.time
        if rule is None or key is None or by is None or at is None:
            return
        if now is not None and at > now:
            at = now if at - now <= _SKEW else min(self._time or now, now)
        self._time = at
        self.add(rule, event.text("about"), key, at, by, by if event.data.get("own") is True else "")

    def add(self, rule: str, about: str | None, key: str, at: datetime, by: str = "", owner: str = "") -> None:
        """This was done then."""
        of_rule = self._rules.setdefault((name_key(rule), owner), _OfRule())
        if key in of_rule.keys:
            return
        of_rule.keys[key] = None
        if len(of_rule.keys) > _REMEMBERED:
            of_rule.keys.popitem(last=False)
        later = 0
        while of_rule.lately and of_rule.lately[-1].at > at:  # a clock was set back: none of these came after this one
            of_rule.lately.pop()
            later += 1
        of_rule.lately.extend([Done(at, by)] * (later + 1))
        of_rule.last[name_key(about or "")] = Done(at, by)

    def holds_back(self, occurrence: Occurrence, now: datetime, owner: str = "") -> HeldBack | None:
        """Why this must not be done now; None when it may be.

        A clock that was set back counts as the same distance ahead: nothing is held back for ever.
        """
        if occurrence.depth >= occurrence.rule.depth:
            return HeldBack.LOOP
        if self._cools(occurrence, now, owner) is not None:
            return HeldBack.COOL_DOWN
        return HeldBack.PER_HOUR if len(self._lately(occurrence, now, owner)) >= occurrence.rule.per_hour else None

    def others(self, occurrence: Occurrence, now: datetime, own: str, owner: str = "") -> list[str]:
        """The ids of other monitors than `own` because of whose lines this is held back."""
        cools = self._cools(occurrence, now, owner)
        because = [cools] if cools is not None else self._lately(occurrence, now, owner)
        return sorted({done.by for done in because} - {own})

    def _cools(self, occurrence: Occurrence, now: datetime, owner: str) -> Done | None:
        of_rule = self._rules.get((name_key(occurrence.rule.name), owner))
        last = of_rule.last.get(name_key(occurrence.agent or "")) if of_rule is not None else None
        is_cooling = last is not None and abs(now - last.at) < timedelta(seconds=occurrence.rule.cool_down)
        return last if is_cooling else None

    def _lately(self, occurrence: Occurrence, now: datetime, owner: str) -> deque[Done]:
        of_rule = self._rules.get((name_key(occurrence.rule.name), owner))
        if of_rule is None:
            return deque()
        lately = of_rule.lately
        while lately and abs(now - lately[0].at) >= _HOUR:
            lately.popleft()
        while lately and lately[-1].at - now >= _HOUR:  # the clock was set back
            lately.pop()
        return lately
