"""How long it takes from something that concerns an agent to the agent's next event.

Nothing is said of why an agent wrote: its next event after a cause counts as its reaction, also when it would have
written anyway. What concerns nobody in particular (`all`) asks for no reaction. Of several causes of one kind that
come before it reacted, the first counts. A decision in the name of somebody who signs, and not signed by them, answers
nothing: how fast it came is told by itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final, TypeVar

from collab_tui.model.event import Event, as_id
from collab_tui.model.moment import Judge
from collab_tui.model.requests import closes, is_person, is_to_person
from collab_tui.model.signature import Standing
from collab_tui.model.time_axis import TimeAxis
from collab_tui.model.words import name_key


class Reaction(StrEnum):
    """From what to what."""

    FIRED = "event_to_rule"
    """An event, and the first line that a rule wrote because of it: its message, or that its program was started."""
    WOKEN = "rule_to_agent"
    """That line, and the next event of the agent to whom it speaks."""
    REACHED = "event_to_woken_agent"
    """Both together."""
    TOLD = "message_to_agent"
    ASKED = "request_to_agent"
    UNBLOCKED = "unblocked_to_agent"
    DECIDED_BY_AGENT = "request_to_decision_by_agent"
    DECIDED_BY_PERSON = "request_to_decision_by_person"
    DECIDED_UNVERIFIED = "request_to_unverified_decision"
    """The first decision in the name of somebody who signs, and did not sign it: any writer may have made it."""
    WENT_ON = "decision_to_asker"
    """A decision, and the next event of the one who had asked for it."""


_T = TypeVar("_T")
_CAUSES: Final = {
    "message": Reaction.TOLD,
    "decision_request": Reaction.ASKED,
    "blocker_resolved": Reaction.UNBLOCKED,
}
_MOST_REMEMBERED: Final = 10_000
"""Open requests, names that were addressed and never wrote, and lines that a rule may still name as its cause."""
_NOTHING_DONE: Final = ("held back", "refused", "failed")
"""Outcomes of rules that did nothing begin so."""
_EXACT: Final = 0.001
"""Seconds by which a line's own time may be off where it stands, for a reaction to be told from it."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Some durations, in seconds."""

    count: int
    median: float
    p95: float
    """So long or shorter were 95 of 100."""
    longest: float


@dataclass(slots=True)
class _Asked:
    """A request that nobody answered yet whose answer counts."""

    event: Event
    asker: str
    to_person: bool
    is_claimed: bool = False
    """Somebody answered it in the name of one who did not sign that."""


class ReactionTimes:
    """Takes the events in file order; remembers where reactions begin and end, and of the lines the open requests."""

    def __init__(self, person: str, judge: Judge | None = None) -> None:
        """`judge` checks who wrote a decision, as of `Moment`; None: each is taken for what it says."""
        self._person = person
        self._judge = judge
        self._found: dict[Reaction, array[int]] = {reaction: array("Q") for reaction in Reaction}
        """Positions of cause and reaction, by turns."""
        self._pending: dict[str, dict[Reaction, int]] = {}
        """Agent -> the first causes to which it did not react yet."""
        self._open: dict[str, _Asked] = {}
        self._lines: dict[str, int] = {}
        """Id -> position of the latest lines."""
        self._deeds: dict[str, None] = {}
        """What rules did."""

    def see(self, event: Event, registry_id: str | None = None) -> None:
        """Take the next event that counts and has a writer; `registry_id` is that of its registry."""
        writer = name_key(event.agent or "")
        for reaction, begun in self._pending.pop(writer, {}).items():
            self._add(reaction, begun, event.position)
        kind = event.kind
        _remember(self._lines, event.id, event.position)
        if kind == "decision_request":
            to_person = is_to_person(event.texts("target"), self._person)
            _remember(self._open, event.id, _Asked(event, event.agent or "", to_person))
        elif kind in ("decision", "request_withdrawn"):
            self._decide(event, writer, registry_id)
        if kind in ("message", "activation") and (rule := event.text("rule")) is not None:
            self._see_rule(rule, event, writer)
        elif (reaction_to := _CAUSES.get(kind)) is not None:
            for target in event.texts("target"):
                self._await(target, writer, reaction_to, event.position)

    def _see_rule(self, rule: str, event: Event, writer: str) -> None:
        """A rule writes two lines of all that it does, with one key: the first counts."""
        deed = f"{rule}\n{as_id(event.data.get('key')) or event.id}"
        if deed in self._deeds or _was_held_back(event):
            return
        _remember(self._deeds, deed, None)
        cause = self._lines.get(as_id(event.data.get("cause")))
        if cause is not None:
            self._add(Reaction.FIRED, cause, event.position)
        for target in event.texts("target"):
            self._await(target, writer, Reaction.WOKEN, event.position)
            if cause is not None:
                self._await(target, writer, Reaction.REACHED, cause)

    def _decide(self, event: Event, writer: str, registry_id: str | None) -> None:
        request_id = as_id(event.data.get("request_id"))
        asked = self._open.get(request_id)
        if asked is None:
            if event.kind == "decision" and not request_id and not self._is_claimed(event, None, registry_id):
                for target in event.texts("target"):
                    self._await(target, writer, Reaction.WENT_ON, event.position)
            return
        if not closes(event, request_id, asked.asker, asked.to_person, self._person):
            return
        if self._is_claimed(event, asked.event, registry_id):
            if not asked.is_claimed:
                asked.is_claimed = True
                self._add(Reaction.DECIDED_UNVERIFIED, asked.event.position, event.position)
            return
        del self._open[request_id]
        if event.kind == "decision":
            by = Reaction.DECIDED_BY_PERSON if asked.to_person else Reaction.DECIDED_BY_AGENT
            self._add(by, asked.event.position, event.position)
            self._await(asked.asker, writer, Reaction.WENT_ON, event.position)

    def _is_claimed(self, event: Event, request: Event | None, registry_id: str | None) -> bool:
        """It is a decision in the name of somebody who signs, and did not sign it."""
        judgement = self._judge(event, request, registry_id) if self._judge and event.kind == "decision" else None
        return judgement is not None and judgement.standing is not Standing.SIGNED

    def _await(self, name: str, writer: str, reaction: Reaction, position: int) -> None:
        key = name_key(name)
        if key not in (writer, "all") and not is_person(name, self._person):
            if key not in self._pending:
                _remember(self._pending, key, {})
            self._pending[key].setdefault(reaction, position)

    def _add(self, reaction: Reaction, cause: int, position: int) -> None:
        self._found[reaction].extend((cause, position))

    def timings(self, axis: TimeAxis) -> Mapping[Reaction, Timing]:
        """Of each kind that there is. Lines whose own time is not where they stand tell nothing."""
        found = {}
        for reaction, positions in self._found.items():
            seconds = sorted(
                axis.stands_at(end) - axis.stands_at(begin)
                for begin, end in zip(positions[::2], positions[1::2], strict=True)
                if _is_exact(axis, begin) and _is_exact(axis, end)
            )
            if seconds:
                found[reaction] = timing_of(seconds)
        return found


def _was_held_back(event: Event) -> bool:
    outcome = event.text("outcome") or ""
    return outcome.startswith(_NOTHING_DONE) or outcome.endswith("too old")


def _is_exact(axis: TimeAxis, line: int) -> bool:
    deviation = axis.deviation(line)
    return deviation is not None and deviation <= _EXACT


def timing_of(seconds: list[float]) -> Timing:
    """Count, median, 95th percentile (both the nearest that occurred) and longest of durations in ascending order."""
    count = len(seconds)
    return Timing(count, seconds[(count - 1) // 2], seconds[ceil(0.95 * count) - 1], seconds[-1])


def _remember(book: dict[str, _T], key: str, value: _T) -> None:
    """Keep the latest only."""
    book.pop(key, None)
    book[key] = value
    if len(book) > _MOST_REMEMBERED:
        del book[next(iter(book))]
