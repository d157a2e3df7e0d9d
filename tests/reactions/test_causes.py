"""The loop guard: what rules cause does not set them off again and again, whoever answers whom."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collab_tui.config.rules import Rule
from collab_tui.model.event import Event, decode
from collab_tui.reactions.causes import LASTS
from collab_tui.reactions.limits import Activations, HeldBack
from collab_tui.reactions.occurrences import Occurrence, Watcher
from tests.events import Object, asks, at, decides, line, says, updates
from tests.reactions.watching import minutes, read, rule, tells, watcher
from tests.signing import signed

PING = tells("lubit", {"event": "x", "from": "sena"}, "ping", cool_down="0s", per_hour=1000)
PONG = tells("sena", {"event": "x", "from": "lubit"}, "pong", cool_down="0s", per_hour=1000)


class Registry:
    """Lines that are watched as they are appended; what comes about and may be done is done, as the monitor does it."""

    def __init__(self, *rules: Rule) -> None:
        self.watcher: Watcher = watcher(*rules)
        self.activations = Activations()
        self.lines = b""
        self.done: list[Occurrence] = []
        self.held_back: list[HeldBack] = []

    def append(self, event: Object, second: float = 0) -> list[Occurrence]:
        """Append a line, and what rules do because of it; gives that."""
        occurrences = self._read({"timestamp": at(second), **event})
        return [occurrence for occurrence in occurrences if self._do(occurrence, second)]

    def _read(self, event: Object) -> list[Occurrence]:
        (item,) = decode(line(event), self.watcher.position)
        assert isinstance(item, Event)
        self.lines += line(event)
        self.activations.see(item)
        return self.watcher.see(item)

    def _do(self, occurrence: Occurrence, second: float) -> bool:
        held_back = self.activations.holds_back(occurrence, minutes(second / 60))
        if held_back is not None:
            self.held_back.append(held_back)
            return False
        common = {"agent": "monitor", "timestamp": at(second), **occurrence.fields()}
        if occurrence.target is not None:
            self._read({**common, "event": "message", "message": occurrence.text})
        self._read({**common, "event": "activation", "id": f"a{len(self.done)}", "outcome": "done"})
        self.done.append(occurrence)
        return True


def test_two_rules_that_answer_each_other_end() -> None:
    registry = Registry(PING, PONG)
    assert registry.append(says("sena", "x"))
    assert registry.append(says("lubit", "x"))
    assert not registry.append(says("sena", "x"))
    assert registry.held_back == [HeldBack.LOOP]


def test_so_often_as_a_rule_says_it_goes_round() -> None:
    registry = Registry(tells("sena", {"event": "x"}, depth=3, cool_down="0s"))
    assert [len(registry.append(says("sena", "x"), second)) for second in range(6)] == [1, 1, 1, 0, 0, 0]


def test_whom_a_woken_agent_asks_or_tells_works_because_of_the_rule_too() -> None:
    registry = Registry(PING)
    registry.append(says("sena", "x"))
    registry.append(says("lubit", "message", target="gitcode", message="?"))
    registry.append(asks("gitcode", "r1", target=["sena"], request="?"))
    assert not registry.append(says("sena", "x"))


def test_whoever_goes_on_with_an_answer_to_its_own_question_comes_from_outside() -> None:
    """Else a team in which one is woken to decide would work once."""
    asked = tells("lubit", {"request_to": "lubit"}, cool_down="0s")
    registry = Registry(asked)
    for number in range(5):
        assert registry.append(asks("sena", f"r{number}", target="lubit", request="?"), number * 60)
        registry.append(decides("lubit", f"r{number}", verdict="rejected"), number * 60 + 30)


@pytest.mark.parametrize(("after", "held"), [(LASTS.total_seconds(), True), (LASTS.total_seconds() + 1, False)])
def test_what_an_agent_does_much_later_comes_from_outside(after: float, held: bool) -> None:
    registry = Registry(tells("sena", {"event": "x"}, cool_down="0s"))
    registry.append(says("sena", "x"))
    assert bool(registry.append(says("sena", "x"), after)) is not held


def test_a_session_that_begins_anew_comes_from_outside_unless_a_rule_began_it() -> None:
    registry = Registry(tells("sena", {"event": "x"}, cool_down="0s"))
    registry.append(says("sena", "x"))
    registry.append(says("sena", "session_start", caused_by="a0"))
    assert not registry.append(says("sena", "x"))
    registry.append(says("sena", "session_start"))
    assert registry.append(says("sena", "x"))


def test_the_person_s_answer_sets_an_agent_free_and_one_in_their_name_does_not() -> None:
    registry = Registry(tells("sena", {"event": "x"}, cool_down="0s"))
    registry.append(says("sena", "x"))
    registry.append(asks("sena", "r1", request="?", target="human"))
    registry.append(decides("human", "r1", verdict="approved"))
    assert not registry.append(says("sena", "x"))
    registry.append(signed(decides("human", "r1", verdict="approved", timestamp=at(0)), registry.lines))
    assert registry.append(says("sena", "x"))


def test_the_person_s_word_to_an_agent_sets_it_free_unless_a_rule_wrote_it() -> None:
    registry = Registry(tells("sena", {"event": "x"}, cool_down="0s"))
    registry.append(says("sena", "x"))
    registry.append(says("human", "message", target="lubit", message="go on"))
    registry.append(says("human", "message", target="sena", message="go on", caused_by="a0"))
    assert not registry.append(says("sena", "x"))
    for target in ("sena", "all"):
        registry.append(says("human", "message", target=target, message="go on"))
        assert registry.append(says("sena", "x"))
        assert not registry.append(says("sena", "x"))


@pytest.mark.parametrize("tasks", [("metrics", "parser", "fuzzing"), (None, None, None)])
def test_who_is_done_and_begins_anew_comes_from_outside(tasks: tuple[str | None, ...]) -> None:
    """The call at 80 % comes with each task, though Lubit answers with a message each time."""
    crosses = {"event": "status_update", "from": "sena", "progress_crosses": 80}
    registry = Registry(tells("lubit", crosses, "call", cool_down="0s", per_hour=1000))
    for number, task in enumerate(tasks):
        registry.append(updates("sena", **({"current_task": task} if task else {}), progress=0), 60 * number)
        assert len(registry.append(updates("sena", progress=85), 60 * number + 1)) == 1
        registry.append(says("lubit", "message", target="sena", message="one bit off"), 60 * number + 2)
        registry.append(updates("sena", progress=100), 60 * number + 3)


def test_who_is_woken_does_not_get_free_by_naming_its_task() -> None:
    registry = Registry(PING, PONG)
    for number in range(6):
        for name in ("sena", "lubit"):
            registry.append({**updates(name, current_task=f"answer {number}", status="in_progress")}, 10 * number)
            registry.append({**says(name, "x")}, 10 * number + 1)
            registry.append({**updates(name, status="completed")}, 10 * number + 2)
    assert registry.held_back


def test_talk_does_not_make_a_cause_last_longer() -> None:
    registry = Registry(PING)
    registry.append(says("sena", "x"))
    for minute in range(0, 370, 5):
        for name, other in (("lubit", "sena"), ("sena", "lubit")):
            registry.append(says(name, "message", target=other, message="?"), minute * 60 + 1)
    assert registry.append(says("sena", "x"), 370 * 60)


def test_a_daily_rhythm_goes_on() -> None:
    registry = Registry(PING, PONG)
    for day in range(10):
        for hour, name in ((9, "sena"), (10, "lubit")):
            assert registry.append(says(name, "x"), (day * 24 + hour) * 3600)


def test_what_a_program_that_a_rule_ran_writes_is_caused_by_the_rule() -> None:
    registry = Registry(rule({"event": "x"}, then={"run": ["program"]}, cool_down="0s"))
    assert registry.append(says("sena", "x"))
    assert not registry.append(says("lubit", "x", caused_by="a0"))
    assert registry.append(says("gitcode", "x"))


def test_what_says_that_something_unknown_caused_it_sets_off_nothing() -> None:
    registry = Registry(rule({"event": "x"}, depth=7))
    assert not registry.append(says("sena", "x", caused_by="long ago"))
    assert registry.held_back == [HeldBack.LOOP]


def test_a_message_to_all_addresses_everybody() -> None:
    registry = Registry(tells("all", {"event": "x"}, cool_down="0s"))
    assert registry.append(says("sena", "x"))
    assert not registry.append(says("somebody new", "x"))


def test_who_was_asked_in_vain_is_not_asked_again_and_again() -> None:
    """A rule that wakes the silent: a sign of life because of it is not the end of a silence from outside."""
    registry = Registry(tells("{from}", {"silent_for": 5}, cool_down="0s"))
    registry.append(updates("sena", status="in_progress"))
    told = []
    for minute in range(1, 800):
        for occurrence in registry.watcher.tick(minutes(minute)):
            told += [minute] if registry._do(occurrence, minute * 60) else []
            registry.append(updates("sena", status="in_progress"), minute * 60 + 1)
    assert told == [6, 372, 738]


def test_activations_of_others_and_odd_ones_harm_nothing() -> None:
    odd: list[Any] = [None, 3, "x", [], {}, {"ping": -1}, {"ping": "x"}, {"other": 10**30}, {"PING": 10**30}]
    for chain in odd:
        watching = watcher(PING)
        story = read(
            says("monitor", "activation", rule="ping", target=["sena", 3, {}], chain=chain, id=[]), says("sena", "x")
        )
        for item in story:
            for occurrence in watching.see(item):
                assert occurrence.depth in (0, 1, 10**30)


# Whatever the rules, and however eagerly agents answer

NAMES = ("sena", "lubit", "gitcode")
EVENTS = ("x", "y", "message", "decision_request")
WHEN = st.one_of(
    st.fixed_dictionaries({"event": st.sampled_from(EVENTS)}, optional={"from": st.sampled_from(NAMES)}),
    st.fixed_dictionaries({"request_to": st.sampled_from(NAMES)}),
    st.fixed_dictionaries({"status": st.sampled_from(("waiting", "blocked", "in_progress"))}),
    st.fixed_dictionaries({"progress_crosses": st.sampled_from((20, 80))}),
    st.fixed_dictionaries({"deadlock": st.just(True)}),
)
RULES = st.lists(st.tuples(WHEN, st.sampled_from((*NAMES, "{from}", "all")), st.integers(1, 3)), min_size=1, max_size=3)
ANSWER = st.one_of(
    st.builds(lambda kind, **fields: {"event": kind, **fields}, st.sampled_from(("x", "y"))),
    st.builds(
        lambda target, kind: {"event": kind, "target": target, "message": "?", "request": "?"},
        st.sampled_from((*NAMES, "all")),
        st.sampled_from(("message", "decision_request")),
    ),
    st.builds(
        lambda status, progress: {"event": "status_update", "status": status, "progress": progress},
        st.sampled_from(("waiting_for_sena", "waiting_for_lubit", "blocked", "in_progress")),
        st.sampled_from((10, 50, 90)),
    ),
)
ANSWERS = st.fixed_dictionaries({name: st.lists(ANSWER, min_size=1, max_size=2) for name in NAMES})


@settings(max_examples=150, deadline=None)
@given(RULES, ANSWERS, st.sampled_from(NAMES))
def test_from_one_outside_cause_come_finitely_many_activations(
    given_rules: list[tuple[Object, str, int]], answers: dict[str, list[Object]], first: str
) -> None:
    """Every agent answers whatever a rule tells it, at once and always; their answers address others, who do too.

    Who tells others something by itself for ever does not need rules to: agents answer each other once each.
    """
    rules = [
        tells(whom, when, f"r{number}", depth=depth, cool_down="0s", per_hour=1000)
        for number, (when, whom, depth) in enumerate(given_rules)
    ]
    registry = Registry(*rules)
    waiting: deque[str] = deque([first])
    spoken_to = set()
    turns = 0
    while waiting:
        turns += 1
        name = waiting.popleft()
        for answer in answers[name]:
            for occurrence in registry.append({"agent": name, **answer}):
                waiting.extend(NAMES if occurrence.target == "all" else [occurrence.target or name])
            others = NAMES if answer.get("target") == "all" else [str(answer.get("target"))]
            waiting.extend(other for other in others if other in NAMES and (name, other) not in spoken_to)
            spoken_to |= {(name, other) for other in others}
        assert len(registry.done) <= _most(rules)
    assert turns < 20_000


def _most(rules: list[Rule]) -> int:
    """No chain is longer than all depths together; each link of it sets three agents to work, who write two lines each,
    each of which every rule may match; and outside causes there are as many as agents speak by themselves.
    """
    longest = sum(rule.depth for rule in rules)
    return 2 * len(NAMES) ** 2 * (1 + sum((len(NAMES) * 2 * len(rules)) ** link for link in range(1, longest + 1)))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 600), st.booleans())
def test_a_slow_circle_goes_round_a_few_times_a_day(size: int, depth: int, turn: int, is_talkative: bool) -> None:
    """Each wakes the next, who is done after a turn of so many minutes, for days."""
    ring = NAMES[:size]
    registry = Registry(
        *(
            tells(whom, {"event": "x", "from": name}, f"from {name}", depth=depth, cool_down="0s", per_hour=1000)
            for name, whom in zip(ring, (*ring[1:], ring[0]), strict=True)
        )
    )
    turns, done = deque([(0, ring[0])]), []
    while turns and turns[0][0] < 3 * 24 * 60:
        minute, name = turns.popleft()
        if is_talkative:
            registry.append(says(name, "message", target="all", message="?"), minute * 60)
        for occurrence in registry.append(says(name, "x"), minute * 60):
            done.append(minute)
            turns.append((minute + turn, str(occurrence.target)))
    few = max(size * depth, 4)
    assert all(sum(first <= minute < first + 24 * 60 for minute in done) <= few for first in done)


def test_everything_is_known_again_from_the_lines_alone() -> None:
    registry = Registry(PING, PONG)
    for _ in range(3):
        for name in ("sena", "lubit"):
            registry.append(says(name, "x"))
    again = watcher(PING, PONG)
    chains = [occurrence.chain for item in decode(registry.lines, 0) for occurrence in again.see(item)]
    assert [set(chain) for chain in chains] == [set(), {"ping"}, {"ping", "pong"}, {"ping"}, {"ping", "pong"}, {"ping"}]
