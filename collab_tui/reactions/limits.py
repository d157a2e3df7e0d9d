"""What holds a rule back: its loop guard, its cool-down, its limit per hour. Pure: time is an argument.

`Activations` gathers what was done so far, from the registry's own `activation` lines or, in a dry run, from what would
have been done; `holds_back` says of an occurrence whether it may be done now.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from collab_tui.model.event import Event
from collab_tui.model.words import name_key
from collab_tui.reactions.occurrences import Occurrence

_HOUR: Final = timedelta(hours=1)
_REMEMBERED: Final = 2000
"""Of what one rule did, the latest: more than any limit per hour allows."""


class HeldBack(StrEnum):
    """Why a rule is not done although it matched."""

    LOOP = "loop guard"
    COOL_DOWN = "cool-down"
    PER_HOUR = "limit per hour"


class Activations:
    """What rules did, and when."""

    def __init__(self) -> None:
        self._done: defaultdict[str, OrderedDict[str, datetime]] = defaultdict(OrderedDict)
        """Rule -> key of what it did -> when it began."""
        self._last: dict[tuple[str, str], datetime] = {}
        """Rule and the agent that it was about -> when it was done last."""

    def see(self, event: Event, at: datetime | None = None) -> None:
        """Take the next line of the registry; `at` is when it counts, if that is not its own time.

        An activation counts once, with its first line, also if it failed or was never ended. One without `chain` says
        only that something was not done.
        """
        at = at or event.time
        if event.kind != "activation" or at is None or not isinstance(event.data.get("chain"), dict):
            return
        rule, key = event.text("rule"), event.text("key")
        if rule is not None and key is not None:
            self.add(rule, event.text("about"), key, at)

    def add(self, rule: str, about: str | None, key: str, at: datetime) -> None:
        """This was done then."""
        done = self._done[name_key(rule)]
        if key in done:
            return
        done[key] = at
        if len(done) > _REMEMBERED:
            done.popitem(last=False)
        self._last[name_key(rule), name_key(about or "")] = at

    def holds_back(self, occurrence: Occurrence, now: datetime) -> HeldBack | None:
        """Why this must not be done now; None when it may be.

        A clock that was set back counts as the same distance ahead: nothing is held back for ever.
        """
        rule = occurrence.rule
        name = name_key(rule.name)
        if occurrence.depth >= rule.depth:
            return HeldBack.LOOP
        last = self._last.get((name, name_key(occurrence.agent or "")))
        if last is not None and abs(now - last) < timedelta(seconds=rule.cool_down):
            return HeldBack.COOL_DOWN
        lately = sum(abs(now - time) < _HOUR for time in self._done[name].values())
        return HeldBack.PER_HOUR if lately >= rule.per_hour else None
