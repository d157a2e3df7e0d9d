"""What holds a rule back. The same code in a dry run and live."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.config.rules import Rule
from collab_tui.reactions.limits import Activations, HeldBack
from collab_tui.reactions.occurrences import Occurrence
from tests.events import START, at, event, says
from tests.reactions.watching import found, rule


def occurrence(of: Rule, agent: str = "sena", key: str = "k") -> Occurrence:
    (it,) = found(of, says(agent, "x", id=key))
    return it


def test_a_rule_is_not_done_again_for_an_agent_while_it_cools_down() -> None:
    cools = rule({"event": "x"}, cool_down="1m")
    activations = Activations()
    activations.add("R", "Sena", "1", START)
    after = [activations.holds_back(occurrence(cools), START + timedelta(seconds=second)) for second in (0, 59, 60)]
    assert after == [HeldBack.COOL_DOWN, HeldBack.COOL_DOWN, None]
    assert activations.holds_back(occurrence(cools, "lubit"), START) is None
    assert activations.holds_back(occurrence(rule({"event": "x"}, "other")), START) is None


def test_a_rule_is_not_done_more_often_in_any_hour_than_it_says() -> None:
    limited = rule({"event": "x"}, cool_down="0s", per_hour=2)
    activations = Activations()
    activations.add("r", "a", "1", START)
    activations.add("r", "b", "2", START + timedelta(minutes=30))
    when = [START + timedelta(minutes=minute) for minute in (31, 59, 60, 61)]
    assert [activations.holds_back(occurrence(limited), time) for time in when] == [
        HeldBack.PER_HOUR,
        HeldBack.PER_HOUR,
        None,
        None,
    ]


def test_a_clock_that_was_set_back_holds_nothing_back_for_ever() -> None:
    activations = Activations()
    activations.add("r", "sena", "1", START)
    activations.add("r", "lubit", "2", START - timedelta(hours=2))
    assert activations.holds_back(occurrence(rule({"event": "x"})), START - timedelta(days=1)) is None


ACTIVATION = {"rule": "r", "about": "sena", "key": "1", "chain": {"r": 1}, "monitor": "m", "timestamp": at(0)}


@pytest.mark.parametrize(
    ("lines", "counts"),
    [
        ([{"outcome": "sent"}], True),
        ([{"outcome": "started"}], True),
        ([{"outcome": "failed: no such program"}], True),
        ([{"outcome": "held back: loop guard", "chain": None}], False),
        ([{"key": None}], False),
        ([{"rule": 3}], False),
        ([{"timestamp": "soon"}], False),
        ([{"agent": "evil", "outcome": "sent"}], False),
        ([{"monitor": None, "outcome": "sent"}], False),
        ([{"monitor": "m"}], False),
    ],
)
def test_which_lines_of_the_registry_count_as_done(lines: list[dict[str, object]], counts: bool) -> None:
    activations = Activations()
    for line in lines:
        activations.see(event(**{"agent": "monitor", "event": "activation", **ACTIVATION, **line}))
    assert (activations.holds_back(occurrence(rule({"event": "x"})), START) is not None) is counts


def test_a_line_from_ahead_of_the_clock_counts_as_from_when_the_one_before_it_came() -> None:
    cools = rule({"event": "x"}, cool_down="1m")
    activations = Activations()
    told = {"agent": "monitor", "event": "activation", "outcome": "sent", **ACTIVATION}
    activations.see(event(**{**told, "about": "lubit"}), START)
    activations.see(event(**{**told, "key": "2", "timestamp": "2099-01-01T00:00:00Z"}), START + timedelta(hours=2))
    assert activations.holds_back(occurrence(cools), START + timedelta(seconds=59)) is HeldBack.COOL_DOWN
    assert activations.holds_back(occurrence(cools), START + timedelta(hours=2)) is None


def test_what_a_monitor_did_for_its_own_user_limits_no_other() -> None:
    once = rule({"event": "x"}, per_hour=1)
    activations = Activations()
    activations.see(
        event(**{"agent": "monitor", "event": "activation", "outcome": "notified", "own": True, **ACTIVATION})
    )
    held = [activations.holds_back(occurrence(once), START, owner) for owner in ("m", "another", "")]
    assert held == [HeldBack.COOL_DOWN, None, None]


def test_whose_lines_hold_a_rule_back_is_known() -> None:
    limited = rule({"event": "x"}, cool_down="0s", per_hour=2)
    activations = Activations()
    activations.add("r", "a", "1", START, "own")
    activations.add("r", "b", "2", START, "another")
    assert activations.others(occurrence(limited), START, "own") == ["another"]
    cools = rule({"event": "x"}, cool_down="1m")
    activations.add("r", "sena", "3", START, "own")
    assert activations.others(occurrence(cools), START, "own") == []


def test_a_program_s_beginning_and_end_count_once() -> None:
    activations = Activations()
    for outcome, second in (("started", 0), ("exit 0", 50)):
        told = {**ACTIVATION, "outcome": outcome, "timestamp": at(second)}
        activations.see(event(agent="monitor", event="activation", **told))
    twice_an_hour = rule({"event": "x"}, per_hour=2)
    assert activations.holds_back(occurrence(twice_an_hour), START + timedelta(seconds=61)) is None


@given(st.lists(st.tuples(st.integers(0, 7200), st.sampled_from("ab")), max_size=40), st.integers(1, 5))
def test_whatever_comes_when_no_hour_has_more_and_no_agent_is_met_too_soon(
    comes: list[tuple[int, str]], per_hour: int
) -> None:
    limited = rule({"event": "x"}, cool_down="90s", per_hour=per_hour)
    activations, done = Activations(), []
    for number, (second, agent) in enumerate(sorted(comes)):
        now = START + timedelta(seconds=second)
        if activations.holds_back(occurrence(limited, agent), now) is None:
            activations.add("r", agent, str(number), now)
            done.append((second, agent))
    assert all(sum(0 <= second - first < 3600 for second, _ in done) <= per_hour for first, _ in done)
    for agent in "ab":
        times = [second for second, whose in done if whose == agent]
        assert all(later - earlier >= 90 for earlier, later in pairwise(times))
