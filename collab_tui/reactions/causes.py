"""The loop guard: which rules led to a line, as far as the registry tells.

An `activation` says which rules led to it, and how often each: its `chain`. Whoever it addresses works because of it
for a while, or until the person answers it or its own session begins anew. What it writes meanwhile is caused by those
rules, and whom it asks or tells something in turn works because of them, too. A line with `caused_by`, the id of an
activation, says it itself. Everything else comes from outside: what the person does, and what an agent does that got an
answer to what it asked by itself.

A rule is not done again where it stands in the chain as often as its `depth` allows. So from one outside cause no chain
gets longer than all depths together, as long as agents answer within the while. A slower circle is a new one each time;
what holds that is the limit per hour.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar

from collab_tui.config.rules import Rule
from collab_tui.model.event import Event, as_id
from collab_tui.model.requests import is_person
from collab_tui.model.words import name_key

LASTS: Final = timedelta(minutes=10)
"""For which whoever was addressed works because of it. Circles are fast; a team that hands work to and fro is not."""
_REMEMBERED: Final = 10_000
"""Activations, and agents, that are remembered, the latest."""
_EVERYBODY: Final = "all"
_SETS_TO_WORK: Final = frozenset({"message", "decision_request"})

Chain = Mapping[str, int]
"""Name of a rule, as compared -> how often it stands among the causes."""
_Value = TypeVar("_Value")


class Causes:
    """Grows with the lines of a registry."""

    def __init__(self, rules: Iterable[Rule], person: str) -> None:
        self._depths = {name_key(rule.name): rule.depth for rule in rules}
        self._person = person
        self._because: OrderedDict[str, dict[str, tuple[int, datetime | None]]] = OrderedDict()
        """Agent -> rule -> how deep it works because of it, and since when."""
        self._activations: OrderedDict[str, Chain] = OrderedDict()

    def __bool__(self) -> bool:
        """Somebody works, or worked, because of a rule."""
        return bool(self._because)

    def see(self, event: Event, at: datetime | None) -> Chain:
        """Take the next line and the time at which it counts; gives what led to it."""
        if isinstance(told := event.data.get("chain"), dict) and (rule := event.text("rule")) is not None:
            chain = self._known(told, rule)  # an activation, or the message that it is about
            self.note(event.id, chain, event.text("target"), at)
            return chain
        writer = event.agent or ""
        caused_by = as_id(event.data.get("caused_by"))
        if event.kind == "session_start":
            self._because.pop(name_key(writer), None)
        if caused_by:
            self._address((writer,), self._of(caused_by), at)
        chain = self.of_agent(writer, at)
        if chain and event.kind in _SETS_TO_WORK:
            self._address(event.texts("target"), chain, at)
        return chain

    def note(self, activation: str, chain: Chain, target: str | None, at: datetime | None) -> None:
        """An activation of that id and chain addressed somebody, or nobody."""
        _remember(self._activations, activation, chain)
        self._address((target,) if target is not None else (), chain, at)

    def of_agent(self, name: str, at: datetime | None) -> Chain:
        """What led to what an agent does at a time; nothing did to what the person does."""
        if not self._because or is_person(name, self._person):
            return {}
        return deeper(self._of_key(name_key(name), at), self._of_key(_EVERYBODY, at))

    def free(self, name: str) -> None:
        """The person answered this agent: what it does now comes from outside."""
        self._because.pop(name_key(name), None)

    def _known(self, told: Mapping[str, object], rule: str) -> Chain:
        """What an activation says of itself: of the rules there are, its own at least once."""
        chain = {
            key: count
            for name, count in told.items()
            if (key := name_key(name)) in self._depths and isinstance(count, int) and count > 0
        }
        own = name_key(rule)
        return chain | {own: max(1, chain.get(own, 0))} if own in self._depths else chain

    def _of(self, activation: str) -> Chain:
        """What an activation led to. Of one that is not known every rule is held to be a cause: it may be a loop."""
        return self._activations.get(activation, self._depths)

    def _of_key(self, key: str, at: datetime | None) -> dict[str, int]:
        because = self._because.get(key, {}).items()
        return {rule: depth for rule, (depth, since) in because if at is None or since is None or at - since <= LASTS}

    def _address(self, names: Iterable[str], chain: Chain, at: datetime | None) -> None:
        for name in names:
            if not is_person(name, self._person):
                key = name_key(name)
                known = self._because.get(key, {})
                because = deeper(self._of_key(key, at), chain)
                since = {rule: at if rule in chain else known[rule][1] for rule in because}
                _remember(self._because, key, {rule: (depth, since[rule]) for rule, depth in because.items()})


def deeper(one: Chain, other: Chain) -> dict[str, int]:
    """Both chains in one."""
    return {rule: max(one.get(rule, 0), other.get(rule, 0)) for rule in (*one, *other)}


def _remember(memory: OrderedDict[str, _Value], key: str, value: _Value) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
