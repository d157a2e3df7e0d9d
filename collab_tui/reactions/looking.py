"""Looking at a registry for rules: what came about that was not dealt with, as far as the cursor tells.

What stood there before rules began to look at it is old, and no rule acts on it: at the very first start, when a rule
is switched on, and when the registry became another. What came while nobody looked is acted on when it is recent; the
rest is told of in one line. How long nobody looked bounds how old a line can be, whatever its writer's clock says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from collab_tui.config.rules import Rule
from collab_tui.model.event import Event, Item
from collab_tui.model.moment import SKEW, Limits
from collab_tui.model.signature import registry_id
from collab_tui.protocol.commands import is_for
from collab_tui.protocol.trust import Trust
from collab_tui.reactions.cursor import Cursor, digest
from collab_tui.reactions.ledger import Ledger
from collab_tui.reactions.occurrences import Occurrence, Watcher
from collab_tui.registry.base import Registry, State

TOO_OLD: Final = timedelta(minutes=10)
"""After which nobody wants to be told any more."""
_CLOCK_STEP: Final = timedelta(seconds=SKEW)
"""By which the clock may be put back without making it unknown how long nobody looked."""
_PIECE: Final = 5000
"""Lines that are looked up at once."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the settings say that matters to rules."""

    rules: Sequence[Rule]
    """Also those that are off."""
    person: str
    limits: Limits
    approvers: Mapping[str, str] = field(default_factory=dict)
    notify_command: Sequence[str] | None = None

    @property
    def on(self) -> tuple[Rule, ...]:
        """The rules that are on."""
        return tuple(rule for rule in self.rules if rule.is_on)

    def marks(self) -> dict[str, str]:
        """What each rule that is on waits for, as a digest, by its name."""
        return {rule.name: hashlib.sha256(repr(rule.when).encode()).hexdigest()[:16] for rule in self.on}


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the registry gave."""

    state: State
    detail: str
    """Why it cannot be read."""
    became: str | None
    """`replaced`, `truncated` or `rewritten`: it is another since the last look, or since nobody looked."""
    is_news: bool
    """There were lines that were not there before."""
    recent: Sequence[Occurrence]
    """Each with a time: when it came about, not before the last look and not after this one, whatever its line says."""
    too_old: Sequence[Occurrence]
    done: Sequence[Event]
    """What other processes wrote since the last look of what rules did; at the first look nothing."""
    has_command: bool = False
    """There is perhaps a command for this monitor's sessions or workers among what came."""

    @property
    def is_ready(self) -> bool:
        """It could be read."""
        return self.state is State.READY


class Looker:
    """Reads on in a registry. One thread at a time may call it."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        setup: Setup,
        trust: Callable[[Setup], Trust],
        cursor: Cursor | None,
        now: datetime,
    ) -> None:
        """`cursor` is where it was left; None: rules look at this registry for the first time, now."""
        self._registry = registry
        self._ledger = ledger
        self._trust_of = trust
        self._cursor = cursor
        self._began = now
        self._looked_at = datetime.fromtimestamp(cursor.at, UTC) if cursor is not None else now
        """When it was looked last: what comes is not older than that."""
        self._known = dict(cursor.rules) if cursor is not None else {}
        """The rules for which that holds, with what they waited for; others look for the first time."""
        self._is_first = True
        self._was_missing = False
        self.registry_id = ""
        self._use(setup)

    def _use(self, setup: Setup) -> None:
        self.setup = setup
        self._trust = self._trust_of(setup)
        self._start_over()

    def _start_over(self) -> None:
        self._watcher = Watcher(self.setup.on, self.setup.person, self.setup.limits, self._trust)
        self._at_cursor = ""

    def use(self, setup: Setup) -> None:
        """Go on by other settings: rules that were not on are on from now, and not for what was before."""
        self._known = self.setup.marks()
        self._use(setup)
        for first in range(0, self._ledger.position, _PIECE):
            for item in self._registry.items(first, min(first + _PIECE, self._ledger.position)):
                self._watcher.skim(item)
        self._watcher.tick(self._looked_at)

    def look(self, now: datetime) -> Look:
        """Read what is there, and look at the clock."""
        found: list[Occurrence] = []
        done: list[Event] = []
        before, became, has_command = self._ledger.position, None, False
        self._trust.keyring.refresh()
        while True:
            news = self._registry.read_next()
            if news.restarted is not None:
                became, before, found, done = news.restarted, 0, [], []
                self._ledger.forget()
                self._start_over()
            for item in news.items:
                if self._ledger.see(item, now) and isinstance(item, Event) and became is None and not self._is_first:
                    done.append(item)
                has_command = has_command or is_for(item, self._ledger.monitor, now)
                found += self._see(item, now)
            if not news.remaining:
                break
        self._ledger.settle()
        if news.state is not State.READY:
            self._was_missing = self._was_missing or news.state is State.MISSING
            return Look(news.state, news.detail, became, False, (), (), done)
        if self._is_first:
            became = became or self._changed()
        found = self._new(found, became) + self._ticked(now, became)
        is_old = [self._is_too_old(occurrence, now) for occurrence in found]
        since, self._looked_at, self._is_first = self._looked_at, now, False
        self._known = self.setup.marks()
        return Look(
            news.state,
            "",
            became,
            self._ledger.position != before,
            [_timed(occurrence, since, now) for occurrence, old in zip(found, is_old, strict=True) if not old],
            [occurrence for occurrence, old in zip(found, is_old, strict=True) if old],
            done,
            has_command,
        )

    def _see(self, item: Item, now: datetime) -> list[Occurrence]:
        if item.position == 0:
            self.registry_id = registry_id(item)
        if self._cursor is not None and item.position == self._cursor.position - 1:
            self._at_cursor = digest(item)
        if self._is_first and self._is_old(item):
            self._watcher.skim(item, now)
            return []
        return self._watcher.see(item, now)

    def _is_old(self, item: Item) -> bool:
        """At the first look: it was dealt with, or stood there before rules began to look."""
        return not self._was_missing if self._cursor is None else item.position < self._cursor.position

    def _changed(self) -> str | None:
        """How the registry is another than the one in which the cursor stands."""
        if self._cursor is None:
            return None
        return self._cursor.why_not_of(self.registry_id, self._ledger.position, self._at_cursor)

    def _new(self, found: Iterable[Occurrence], became: str | None) -> list[Occurrence]:
        """Of what lines brought about, what came after rules began to look."""
        if became is not None:
            return []
        if not self._is_first:
            return list(found)
        if self._cursor is not None:
            return [o for o in found if o.position >= self._cursor.position and self._was_on(o.rule)]
        if self._was_missing:  # it came while it was waited for, perhaps with all that it held elsewhere before
            return [o for o in found if o.cause is not None and (o.cause.time or self._began) > self._began]
        return []

    def _ticked(self, now: datetime, became: str | None) -> list[Occurrence]:
        """What the clock brought about since it was looked at."""
        found = self._watcher.tick(now)
        if not self._is_first and became is None:
            return found
        if became is not None or self._cursor is None:
            return []
        return [o for o in found if o.at is not None and o.at > self._looked_at and self._was_on(o.rule)]

    def _was_on(self, rule: Rule) -> bool:
        return self._known.get(rule.name) == self.setup.marks().get(rule.name)

    def _is_too_old(self, occurrence: Occurrence, now: datetime) -> bool:
        """It is not recent for sure."""
        if -_CLOCK_STEP <= now - self._looked_at <= TOO_OLD:
            return False
        at = _time_of(occurrence)
        return at is None or now - at > TOO_OLD


def _time_of(occurrence: Occurrence) -> datetime | None:
    return occurrence.at if occurrence.cause is None else occurrence.cause.time


def _timed(occurrence: Occurrence, since: datetime, now: datetime) -> Occurrence:
    """It came about between two looks: so its limits are the same when it is found once more after a restart."""
    return replace(occurrence, at=min(max(_time_of(occurrence) or now, since), now))
