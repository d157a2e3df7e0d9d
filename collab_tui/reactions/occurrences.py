"""What rules look for, found: `Watcher` folds a registry line by line and says what came about with each.

It is pure: the same lines give the same occurrences with the same keys, in one go, in pieces or after any restart. Time
is an argument; what comes about by the clock alone, silence, comes from `tick`.

Nothing here asks whether a rule is on, or what its limits hold back: see `limits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from collab_tui.config.rules import WHOEVER, Kind, Rule, When
from collab_tui.model.agent_state import AgentState
from collab_tui.model.ages import seconds_between
from collab_tui.model.board import Agent, Board, Deadlock, Request
from collab_tui.model.deadlock_search import Suspicion
from collab_tui.model.event import Event, Item, as_id
from collab_tui.model.fold import Fold
from collab_tui.model.moment import Limits, Moment
from collab_tui.model.requests import is_person_writing, is_to_person, verdict_of
from collab_tui.model.signature import Standing
from collab_tui.model.silence import AT_REST_AFTER, Owing
from collab_tui.model.words import Status, name_key
from collab_tui.protocol.trust import Trust
from collab_tui.reactions.causes import Causes, Chain
from collab_tui.reactions.wording import fill, named, quoted

_LONGEST_KEY: Final = 120
_MEANS_STATUS: Final = frozenset({"decision_request", "blocker", "completion"})
"""Events that mean a status, or a progress, without saying it."""
_ENDS_WAITS: Final = frozenset({"decision", "request_withdrawn"})


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What a rule looks for came about once."""

    rule: Rule
    cause: Event | None
    """The line that brought it about; None for a silence."""
    position: int
    """Where that line stands; of a silence the last sign of life."""
    key: str
    """The same for the same occurrence, whenever and wherever it is found: nothing is done twice under one key."""
    agent: str | None
    """The writer; who is silent; who closed the deadlock."""
    at: datetime | None
    """When it came about, as far as is known."""
    chain: Chain
    """The rules that led to it."""
    values: Mapping[str, str] = field(repr=False)
    """What the texts of the rule may name."""

    @property
    def depth(self) -> int:
        """How often the rule itself stands among the causes: with its own `depth` or more it must not be done."""
        return self.chain.get(name_key(self.rule.name), 0)

    @property
    def led_to(self) -> Chain:
        """The chain once it is done."""
        return {**self.chain, name_key(self.rule.name): self.depth + 1}

    @property
    def target(self) -> str | None:
        """The agent that gets a message, or whose session a prompt; None where the rule does something else."""
        whom = self.rule.then.message or self.rule.then.prompt
        return self.agent if whom == WHOEVER else whom

    @property
    def text(self) -> str:
        """What the person, the agent or its session is told, all filled in; empty for a program to be run."""
        return fill(self.rule.then.notify or self.rule.then.text or "", self.values)

    def fields(self) -> dict[str, Any]:
        """What its `activation` says of it, beside what became of it; the loop guard and the limits read it there."""
        found = {
            "rule": self.rule.name,
            "cause": self.cause.id if self.cause is not None else None,
            "about": self.agent,
            "target": self.target,
            "notify": self.text if self.rule.then.notify is not None else None,
            "key": self.key,
            "depth": self.depth + 1,
            "chain": self.led_to,
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Told:
    """A line, and what is known with it."""

    event: Event
    state: AgentState
    at: datetime | None
    chain: Chain

    def occurrence(self, rule: Rule, what: str, values: Mapping[str, str]) -> Occurrence:
        position, key = self.event.position, _key(rule, what)
        return Occurrence(rule, self.event, position, key, self.state.name, self.at, self.chain, values)


@dataclass(frozen=True, slots=True)
class _Said:
    """What an agent said of itself."""

    status: Status | None
    raw_status: str | None
    progress: float | None
    """The last that was a number."""

    @classmethod
    def of(cls, agent: Agent, before: _Said | None) -> _Said:
        known = before.progress if before is not None else None
        return cls(agent.status, agent.raw_status, known if agent.progress is None else agent.progress)


class Watcher:
    """Takes the lines of one registry, from its first; another registry needs another watcher."""

    def __init__(self, rules: Iterable[Rule], person: str, limits: Limits, trust: Trust) -> None:
        """`limits` are those of the board; `trust` tells which decisions count: those that may be acted on."""
        rules = tuple(rules)
        by_kind = {kind: tuple(rule for rule in rules if rule.when.kind is kind) for kind in Kind}
        self._of_lines, self._of_silence, self._of_deadlocks = (by_kind[kind] for kind in Kind)
        self._person = person
        self._limits = limits
        self._trust = trust
        self._fold = Fold(person)
        self._causes = Causes(rules, person)
        self._said: dict[str, _Said] = {}
        """By key: each agent after the last line that said something of its status or progress, if any rule asks."""
        self._suspicion = Suspicion()
        self._reads_said = any(rule.when.status or rule.when.progress_crosses for rule in self._of_lines)
        self._may_be_locked = False
        """There was a deadlock when that was looked for, or it was not looked for since."""
        self._silences: dict[tuple[str, str], int] = {}
        """Rule and agent -> the last sign of life before the silence that was found."""
        self._next_silence: datetime | None = None
        """Nobody can become silent before; None: somebody may be by now."""
        self._last_time: datetime | None = None

    @property
    def position(self) -> int:
        """How many lines it took."""
        return self._fold.position

    def see(self, item: Item, now: datetime | None = None) -> list[Occurrence]:
        """Take the next line; gives what came about with it. A line from after `now` counts as from then."""
        if not isinstance(item, Event):
            self._fold.extend((item,))
            return []
        may_close = bool(self._of_deadlocks) and self._suspicion.may_close(item)
        cycles = self._deadlocks(now) if may_close and self._may_be_locked else {}
        before = self._said.get(name_key(item.agent or ""))
        told = self._take(item, now)
        if told is None or item.kind == "activation":
            return []
        answered = self._answered(item)
        found = self._matches(told, before, answered) if answered is not None or self._counts(item) else []
        return found + self._closed(told, cycles) if may_close else found

    def skim(self, item: Item, now: datetime | None = None) -> None:
        """Take the next line, of which nothing is wanted: it was looked at before. Cheaper than `see`."""
        if not isinstance(item, Event):
            self._fold.extend((item,))
            return
        if self._of_deadlocks:
            self._suspicion.may_close(item)
            self._may_be_locked = True
        self._take(item, now)

    def _take(self, event: Event, now: datetime | None) -> _Told | None:
        """Fold a line; None when nobody wrote it, or it was there before."""
        self._fold.extend((event,))
        state = self._fold.writer(event)
        if state is None:
            return None
        at = self._time_of(event, now)
        self._note_due(event, at)
        if self._causes and is_person_writing(state.name, self._person) and (answered := self._answered(event)):
            self._causes.free(answered.asker)
        data = event.data
        if self._reads_said and (data.get("status") is not None or "progress" in data or event.kind in _MEANS_STATUS):
            self._said[state.key] = _Said.of(state.freeze(), self._said.get(state.key))
        return _Told(event, state, at, self._causes.see(event, at))

    def tick(self, now: datetime) -> list[Occurrence]:
        """What came about by the clock alone: silences, each once.

        An agent that waits for the person's answer is silent with reason, and in a registry at rest nobody is silent.
        """
        if not self._of_silence or (self._next_silence is not None and now < self._next_silence):
            return []
        moment = self._moment_of(self._fold.board(), now)
        owing = Owing(moment)
        afters = {rule: timedelta(minutes=rule.when.silent_for or 0) for rule in self._of_silence}
        coming = (time for after in afters.values() for time in owing.all_at(after) if time >= now)
        self._next_silence = min(coming, default=now + min(afters.values()))
        if (seconds_between(moment.board.last_time, now) or 0) > AT_REST_AFTER:
            return []
        found = []
        for rule, after in afters.items():
            for agent in Moment(moment.board, now, Limits(after, after), self._person).silent:
                at = owing.silent_at(agent, after)
                is_known = self._silences.get((rule.name, agent.key)) == agent.last_position
                if at is not None and at <= now and not is_known and _is_of(rule.when, agent, self._person):
                    self._silences[rule.name, agent.key] = agent.last_position
                    found.append(self._silence(rule, agent, after, at))
        return sorted(found, key=lambda occurrence: occurrence.at or now)

    def assume(self, occurrence: Occurrence, at: datetime | None) -> None:
        """Go on as if it had been done then: whom it would have addressed works because of it."""
        self._causes.note(occurrence.key, occurrence.led_to, occurrence.target, at)

    # Lines

    def _time_of(self, event: Event, now: datetime | None) -> datetime | None:
        time = event.time or self._last_time
        self._last_time = now if now is not None and (time is None or time > now) else time
        return self._last_time

    def _answered(self, event: Event) -> Request | None:
        """The request that a decision answers: the first one on it that may be acted on."""
        if event.kind != "decision":
            return None
        request = self._fold.request(as_id(event.data.get("request_id")))
        if request is None:
            return None
        settling = self._trust.settling(request, self._fold.registry_id)
        return request if settling is not None and settling.position == event.position else None

    def _counts(self, event: Event) -> bool:
        """Rules may go by what answers nothing: any line, but of decisions only those that nobody asked for, and in
        the name of somebody who signs only if they did.
        """
        if event.kind != "decision":
            return True
        if as_id(event.data.get("request_id")):
            return False
        is_signed = self._trust.standing(event, None, self._fold.registry_id) is Standing.SIGNED
        return is_signed or not self._trust.concerns(event)

    def _matches(self, told: _Told, before: _Said | None, answered: Request | None) -> list[Occurrence]:
        after = self._said.get(told.state.key)
        rules = [rule for rule in self._of_lines if self._fits(rule.when, told.event, before, after)]
        if not rules:
            return []
        values = _values_of_line(told.event, told.state.freeze(), answered)
        found = [told.occurrence(rule, told.event.id, values) for rule in rules]
        return [occurrence for occurrence in found if not _is_given_anyway(told.event, occurrence)]

    def _fits(self, when: When, event: Event, before: _Said | None, after: _Said | None) -> bool:
        return (
            (when.event is None or event.kind == when.event)
            and (when.source is None or _is_same(when.source, event.agent or "", self._person))
            and (when.verdict is None or _verdict(event) == when.verdict)
            and (when.request_to is None or self._asks(event, when.request_to))
            and (when.status is None or (_has_status(after, when.status) and not _has_status(before, when.status)))
            and (when.progress_crosses is None or _crosses(before, after, when.progress_crosses))
        )

    def _asks(self, event: Event, whom: str) -> bool:
        if event.kind != "decision_request":
            return False
        targets = event.texts("target")
        if is_person_writing(whom, self._person):
            return is_to_person(targets, self._person)
        return name_key(whom) in map(name_key, targets)

    # Deadlocks

    def _moment_of(self, board: Board, now: datetime) -> Moment:
        return Moment(board, now, self._limits, self._person, self._trust.judge_shown)

    def _deadlocks(self, now: datetime | None) -> dict[str, Deadlock]:
        board, time = self._fold.board(), now or self._last_time
        found = board.deadlocks
        if found and time is not None:  # what only an expired request closed is none
            found = self._moment_of(board, time).deadlocks
        return {deadlock.id: deadlock for deadlock in found}

    def _closed(self, told: _Told, before: Mapping[str, Deadlock]) -> list[Occurrence]:
        """The cycles that a line closed, for each rule."""
        deadlocks = self._deadlocks(told.at)
        self._may_be_locked = bool(deadlocks)
        found = []
        for deadlock in (deadlock for cycle, deadlock in deadlocks.items() if cycle not in before):
            values = {
                "from": named(told.state.name),
                "agents": ", ".join(named(name) for name in deadlock.agents),
                "line": str(told.event.position + 1),
            }
            for rule in self._of_deadlocks:
                source = rule.when.source
                if source is None or any(_is_same(source, name, self._person) for name in deadlock.agents):
                    found.append(told.occurrence(rule, f"{deadlock.id}@{told.event.position}", values))
        return found

    # Silence

    def _note_due(self, event: Event, at: datetime | None) -> None:
        """When to look for silences again; what answers or withdraws a request may leave its asker without a reason."""
        if self._next_silence is None or at is None or event.kind in _ENDS_WAITS:
            self._next_silence = None
        else:
            least = min((rule.when.silent_for or 0 for rule in self._of_silence), default=0)
            self._next_silence = min(self._next_silence, at + timedelta(minutes=least))

    def _silence(self, rule: Rule, agent: Agent, after: timedelta, at: datetime) -> Occurrence:
        values = _values_of_agent(agent) | {
            "minutes": f"{after.total_seconds() / 60:g}",
            "line": str(agent.last_position + 1),
        }
        key = _key(rule, f"{agent.key}@{agent.last_position}")
        chain = self._causes.of_agent(agent.name, at)
        return Occurrence(rule, None, agent.last_position, key, agent.name, at, chain, values)


def _is_same(name: str, other: str, person: str) -> bool:
    both = is_person_writing(name, person) and is_person_writing(other, person)
    return both or name_key(name) == name_key(other)


def _is_of(when: When, agent: Agent, person: str) -> bool:
    is_source = when.source is None or _is_same(when.source, agent.name, person)
    return is_source and (when.status is None or _has_status(agent, when.status))


def _has_status(agent: Agent | _Said | None, word: str) -> bool:
    """One of our words means every word that agents have for it; any other means itself."""
    if agent is None or agent.raw_status is None:
        return False
    if word in set(Status):
        return agent.status == word
    return name_key(agent.raw_status) == name_key(word)


def _crosses(before: _Said | None, after: _Said | None, least: float) -> bool:
    was = before.progress if before is not None else None
    return after is not None and after.progress is not None and after.progress >= least and (was is None or was < least)


def _verdict(event: Event) -> str | None:
    return verdict_of(event.text("verdict")) if event.kind == "decision" else None


def _key(rule: Rule, what: str) -> str:
    key = f"{rule.name}: {what}"
    return key if len(key) <= _LONGEST_KEY else f"{key[: _LONGEST_KEY - 40]}...{sha256(key.encode()).hexdigest()[:32]}"


# What texts may name

_Telling = Callable[[Event], Sequence[str]]
_FIELDS: Final[Mapping[str, _Telling]] = {
    "request": lambda event: event.texts("request"),
    "verdict": lambda event: event.texts("verdict") or event.texts("answer"),
    "comment": lambda event: event.texts("comment"),
    "message": lambda event: event.texts("message"),
    "blocker": lambda event: event.texts("blocker") or event.texts("blockers"),
}


def _values_of_agent(agent: Agent) -> dict[str, str]:
    return {
        "from": named(agent.name),
        "status": named(agent.raw_status),
        "progress": f"{agent.progress:.0f}" if agent.progress is not None else named(None),
        "task": quoted(agent.current_task),
        "next": quoted(agent.next_action),
    }


def _is_given_anyway(event: Event, occurrence: Occurrence) -> bool:
    """The session that the rule prompts gets this message without it."""
    if event.kind != "message" or occurrence.rule.then.prompt is None:
        return False
    return any(name_key(target) in (name_key(occurrence.target or ""), "all") for target in event.texts("target"))


def _values_of_line(event: Event, agent: Agent, answered: Request | None) -> dict[str, str]:
    found = _values_of_agent(agent) | {"event": named(event.kind), "line": str(event.position + 1)}
    found["target"] = ", ".join(named(name) for name in event.texts("target")) or named(None)
    found |= {name: quoted(", ".join(telling(event))) for name, telling in _FIELDS.items()}
    return found if answered is None else found | {"request": quoted(answered.request)}
