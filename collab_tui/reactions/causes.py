"""The loop guard: which rules led to a line, as far as the registry tells.

An `activation` says which rules led to it, and how often each: its `chain`. Whoever it addresses works because of it
for hours, or until it is done and has another task, the person answers it or tells it something, or its own session
begins anew. What it writes meanwhile is caused by those rules, and whom it asks or tells something in turn works
because of them, too, for what is left of those hours. A line with `caused_by`, the id of an activation, says it
itself. Everything else comes from outside: what the person does, and what an agent does that got an answer to what it
asked by itself.

A rule is not done again where it stands in the chain as often as its `depth` allows. So from one outside cause no chain
gets longer than all depths together, however slowly agents answer; what is slower than those hours comes a few times a
day. The guard is against accidents: a message in the person's name is taken as theirs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar

from collab_tui.config.rules import Rule
from collab_tui.model.agent_state import progress_of
from collab_tui.model.event import Event, as_id
from collab_tui.model.requests import is_person
from collab_tui.model.words import Status, name_key, status_of

LASTS: Final = timedelta(hours=6)
"""For which whoever was addressed works because of it: longer than a turn of an agent takes, and shorter than a day."""
_REMEMBERED: Final = 10_000
"""Activations, and agents, that are remembered, the latest."""
_EVERYBODY: Final = "all"
_ALL_OF_IT: Final = 100
_SETS_TO_WORK: Final = frozenset({"message", "decision_request"})

Chain = Mapping[str, int]
"""Name of a rule, as compared -> how often it stands among the causes."""
_Because = Mapping[str, tuple[int, datetime | None]]
"""The same, with the time since when that is so."""
_Value = TypeVar("_Value")


class Causes:
    """Grows with the lines of a registry."""

    def __init__(self, rules: Iterable[Rule], person: str) -> None:
        self._depths = {name_key(rule.name): rule.depth for rule in rules}
        self._person = person
        self._because: OrderedDict[str, _Because] = OrderedDict()
        """Agent -> because of which rules it works."""
        self._done: set[str] = set()
        """Those of them that were done with something since they were last addressed."""
        self._tasks: dict[str, str] = {}
        """Of those of them that told one, what it is."""
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
        if event.kind == "session_start" or self._has_another_task(event, name_key(writer)):
            self._forget(name_key(writer))
        if caused_by:
            self._address((writer,), _since(self._of(caused_by), at), at)
        because = self._of_writer(writer, at)
        if event.kind in _SETS_TO_WORK:
            if because:
                self._address(event.texts("target"), because, at)
            elif not caused_by and is_person(writer, self._person):
                for name in event.texts("target"):
                    self.free(name)
        return _depths(because)

    def _has_another_task(self, event: Event, writer: str) -> bool:
        """What the writer was addressed for is done, and this begins something else."""
        if writer not in self._because:
            return False
        task, progress = event.text("current_task"), progress_of(event.field("progress"))
        begins = task != self._tasks.get(writer) if task is not None else progress is not None and progress < _ALL_OF_IT
        is_another = begins and writer in self._done
        if task is not None:
            self._tasks[writer] = task
        if _is_done(event):
            self._done.add(writer)
        return is_another

    def note(self, activation: str, chain: Chain, target: str | None, at: datetime | None) -> None:
        """An activation of that id and chain addressed somebody, or nobody."""
        _remember(self._activations, activation, chain)
        self._address((target,) if target is not None else (), _since(chain, at), at)

    def of_agent(self, name: str, at: datetime | None) -> Chain:
        """What led to what an agent does at a time; nothing did to what the person does."""
        return _depths(self._of_writer(name, at))

    def free(self, name: str) -> None:
        """The person turned to this agent, or to all: what it does now comes from outside."""
        for key in list(self._because) if name_key(name) == _EVERYBODY else [name_key(name)]:
            self._forget(key)

    def _forget(self, key: str) -> None:
        self._because.pop(key, None)
        self._done.discard(key)
        self._tasks.pop(key, None)

    def _of_writer(self, name: str, at: datetime | None) -> _Because:
        if not self._because or is_person(name, self._person):
            return {}
        return _merged(self._of_key(name_key(name), at), self._of_key(_EVERYBODY, at))

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

    def _of_key(self, key: str, at: datetime | None) -> _Because:
        because = self._because.get(key, {}).items()
        return {
            rule: (depth, since)
            for rule, (depth, since) in because
            if at is None or since is None or at - since <= LASTS
        }

    def _address(self, names: Iterable[str], because: _Because, at: datetime | None) -> None:
        for name in names:
            if not is_person(name, self._person):
                key = name_key(name)
                _remember(self._because, key, _merged(self._of_key(key, at), because))
                self._done.discard(key)


def _is_done(event: Event) -> bool:
    """Its writer says that it is through with something."""
    status, progress = event.text("status"), progress_of(event.field("progress"))
    rests = status is not None and status_of(status) in (Status.COMPLETED, Status.IDLE)
    return rests or event.kind == "completion" or progress == _ALL_OF_IT


def _since(chain: Chain, at: datetime | None) -> _Because:
    return {rule: (depth, at) for rule, depth in chain.items()}


def _depths(because: _Because) -> dict[str, int]:
    return {rule: depth for rule, (depth, _) in because.items()}


def _merged(one: _Because, other: _Because) -> _Because:
    """Both in one: each rule as deep as in either, and for as long."""
    both = dict(one)
    for rule, (depth, since) in other.items():
        known, known_since = both.get(rule, (0, since))
        both[rule] = max(depth, known), None if since is None or known_since is None else max(since, known_since)
    return both


def _remember(memory: OrderedDict[str, _Value], key: str, value: _Value) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
