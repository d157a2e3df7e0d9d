"""What rules would have done on a saved registry, and what would have held them back. Nothing is done.

The clock is that of the events. The rules that are on are looked at together. Each that is off is, too, as if it alone
were switched on beside them: this is how to see it before, and it changes nothing of what is said of the others. What
rules did back then is in the registry as well, and says nothing here of their limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from heapq import merge
from operator import itemgetter
from shlex import join
from typing import Any, Final

from collab_tui.config.rules import Rule
from collab_tui.model.event import Item
from collab_tui.model.moment import Limits
from collab_tui.model.text import clean, one_line
from collab_tui.model.time_axis import TimeAxis
from collab_tui.protocol.trust import Trust
from collab_tui.reactions.actions.turns import MAX_WAITING
from collab_tui.reactions.limits import Activations, HeldBack
from collab_tui.reactions.occurrences import Occurrence, Watcher

_NO_TIME: Final = datetime.fromtimestamp(0, UTC)
"""When lines count as written before the first that says when."""


@dataclass(frozen=True, slots=True)
class WouldBe:
    """One occurrence, and what would have become of it."""

    occurrence: Occurrence
    held_back: HeldBack | None
    """None: it would have been done."""

    @property
    def action(self) -> str:
        """What would be done, in words."""
        then = self.occurrence.rule.then
        if then.run is not None:
            return f"run {join(then.run)}"
        if then.notify is not None:
            return f"notify you: {self.occurrence.text}"
        return f"{'tell' if then.prompt is None else 'prompt'} {self.occurrence.target}: {self.occurrence.text}"

    def document(self) -> Mapping[str, Any]:
        """As one JSON object."""
        occurrence = self.occurrence
        at = occurrence.at.isoformat(timespec="milliseconds") if occurrence.at is not None else None
        return {
            "at": at,
            "line": occurrence.position + 1,
            "rule": occurrence.rule.name,
            "on": occurrence.rule.is_on,
            "about": occurrence.agent,
            "cause": occurrence.cause.id if occurrence.cause is not None else None,
            "action": self.action,
            "held_back": self.held_back.value if self.held_back is not None else None,
            "key": occurrence.key,
        }


def dry_run(
    items: Sequence[Item], rules: Sequence[Rule], person: str, limits: Limits, trust: Trust
) -> Iterator[WouldBe]:
    """Every occurrence in all the lines of a registry, in their order."""
    axis = TimeAxis()
    for item in items:
        axis.append(item)
    on = [rule for rule in rules if rule.is_on]
    runs = [list(_run(items, axis, Watcher(on, person, limits, trust)))]
    for off in (rule for rule in rules if not rule.is_on):
        beside = _run(items, axis, Watcher([*on, off], person, limits, trust))
        runs.append([found for found in beside if found[1].occurrence.rule is off])
    return (would_be for _, would_be in merge(*runs, key=itemgetter(0)))


def _run(items: Sequence[Item], axis: TimeAxis, watcher: Watcher) -> Iterator[tuple[int, WouldBe]]:
    """Each with the number of the line at which it is found."""
    activations = Activations()
    for number, item in enumerate(items, 1):
        now = axis.time_at(number)
        if now is not None:
            for would_be in _weighed(watcher, activations, watcher.tick(now), now):
                yield number, would_be
        for would_be in _weighed(watcher, activations, watcher.see(item, now), now):
            yield number, would_be


def _weighed(
    watcher: Watcher, activations: Activations, found: Iterable[Occurrence], now: datetime | None
) -> Iterator[WouldBe]:
    """What came about at a time, each done before the next is looked at."""
    for occurrence in found:
        at = (occurrence.at if occurrence.cause is None else now) or _NO_TIME
        held_back = activations.holds_back(occurrence, at)
        if held_back is None:
            watcher.assume(occurrence, at)
            activations.add(occurrence.rule.name, occurrence.agent, occurrence.key, at)
        yield WouldBe(occurrence, held_back)


def lines_of(found: Iterable[WouldBe], rules: Sequence[Rule], zone: tzinfo | None = None) -> Iterator[str]:
    """The run as text: two lines for each occurrence, then what each rule came to.

    Times are in the zone, or in the machine's own.
    """
    done: Counter[str] = Counter()
    held: dict[str, Counter[HeldBack]] = {rule.name: Counter() for rule in rules}
    for would_be in found:
        occurrence = would_be.occurrence
        at = f"{occurrence.at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if occurrence.at is not None else "no time"
        yield f"{at}  line {occurrence.position + 1}  {occurrence.rule.name}"
        prefix = f"held back, {would_be.held_back}: " if would_be.held_back is not None else ""
        yield f"    {prefix}{one_line(clean(would_be.action))}"
        if would_be.held_back is None:
            done[occurrence.rule.name] += 1
        else:
            held[occurrence.rule.name][would_be.held_back] += 1
    if done or any(held.values()):
        yield ""
    for rule in rules:
        yield f"{rule.name}{'' if rule.is_on else ' (off)'}: {_told(done[rule.name], held[rule.name])}"
    if any(done[rule.name] for rule in rules if rule.then.takes_time):
        yield (
            "How long programs would have run and sessions been busy is not known, nor which decisions were used up: "
            f"what waits too long, or with {MAX_WAITING} others for the one before, and decisions that come again are "
            "refused."
        )


def _told(done: int, held: Counter[HeldBack]) -> str:
    """What a rule came to."""
    if not done and not held:
        return "never"
    if not held:
        return f"would be done {_times(done)}"
    why = " and ".join(f"{_times(count)} by the {reason}" for reason, count in held.items())
    return f"would be done {_times(done)}, held back {why}"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
