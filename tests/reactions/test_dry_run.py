"""What rules would have done on a saved registry: nothing is done, and the clock is that of the events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.config.rules import Rule
from collab_tui.model.event import decode
from collab_tui.model.moment import Limits
from collab_tui.model.text import clean
from collab_tui.reactions.dry_run import WouldBe, dry_run, lines_of
from tests.events import at, says, stories, updates, wild_objects
from tests.reactions.watching import read, rule, tells, trust

SAMPLES = Path(__file__).parents[2] / "sample_state"
WAKE = tells("lubit", {"from": "sena", "progress_crosses": 80}, "wake lubit", cool_down="1m")
SILENT = rule({"silent_for": 5}, "silent", then={"notify": "{from} is silent for {minutes} min"}, on=False)
NEVER = rule({"event": "never"}, "never")


def dry(items: Sequence[Any], *rules: Rule) -> list[WouldBe]:
    return list(dry_run(items, rules, "human", Limits(), trust()))


STORY = [
    updates("sena", status="in_progress", progress=79, timestamp=at(0)),
    updates("sena", progress=80, task="train", timestamp=at(10)),
    updates("sena", progress=10, timestamp=at(20)),
    updates("sena", progress=90, timestamp=at(30)),
    updates("lubit", status="idle", timestamp=at(400)),
]


def test_each_occurrence_is_told_with_its_time_line_rule_and_action_and_each_rule_with_what_it_came_to() -> None:
    rules = (WAKE, SILENT, NEVER)
    assert list(lines_of(dry(read(*STORY), *rules), rules, UTC)) == [
        "2025-10-20 09:00:10  line 2  wake lubit",
        "    tell lubit: sena",
        "2025-10-20 09:00:30  line 4  wake lubit",
        "    held back, cool-down: tell lubit: sena",
        "2025-10-20 09:05:30  line 4  silent",
        "    notify you: sena is silent for 5 min",
        "",
        "wake lubit: would be done once, held back once by the cool-down",
        "silent (off): would be done once",
        "never: never",
    ]


def test_one_that_is_off_is_looked_at_beside_those_that_are_on_and_changes_nothing_of_them() -> None:
    """It would tell sena something, and what she does because of that is held back; but it does not tell her."""
    on = tells("lubit", {"event": "x", "from": "sena"}, "on")
    off = tells("sena", {"event": "y"}, "off", on=False)
    other = tells("sena", {"event": "y"}, "other", on=False)
    story = [says("lubit", "y", timestamp=at(0)), says("sena", "x", timestamp=at(5)), says("lubit", "y")]
    found = [(one.occurrence.rule.name, one.held_back) for one in dry(read(*story), off, on, other)]
    assert found == [
        ("off", None),
        ("other", None),
        ("on", None),
        ("off", "loop guard"),
        ("other", "loop guard"),
    ]


@pytest.mark.parametrize("then", [{"run": ["ring"]}, {"prompt": "lubit", "text": "go on"}], ids=["run", "prompt"])
def test_what_a_dry_run_of_what_takes_time_does_not_know_is_said(then: dict[str, Any]) -> None:
    wake = rule({"event": "x"}, then=then)
    *_, last = lines_of(dry(read(says("sena", "x")), wake), [wake])
    assert last.startswith("How long programs would have run and sessions been busy is not known, nor which decisions")


def test_as_documents() -> None:
    first, second, third = (would_be.document() for would_be in dry(read(*STORY), WAKE, SILENT))
    assert first == {
        "at": "2025-10-20T09:00:10.000+00:00",
        "line": 2,
        "rule": "wake lubit",
        "on": True,
        "about": "sena",
        "cause": read(*STORY)[1].id,
        "action": "tell lubit: sena",
        "held_back": None,
        "key": first["key"],
    }
    assert (second["held_back"], third["cause"], third["on"]) == ("cool-down", None, False)
    assert json.dumps([first, second, third])


def test_a_program_is_told_as_a_shell_would_have_it() -> None:
    ring = rule({"event": "x"}, then={"run": ["ring", "two words", "$HOME"]})
    (would_be,) = dry(read(says("sena", "x")), ring)
    assert would_be.action == "run ring 'two words' '$HOME'"


def test_what_would_have_been_done_sets_the_loop_guard() -> None:
    ping = tells("sena", {"event": "x"}, cool_down="0s")
    story = [says("sena", "x", timestamp=at(second)) for second in (0, 10, 7 * 3600)]
    assert [would_be.held_back for would_be in dry(read(*story), ping)] == [None, "loop guard", None]


def test_what_rules_did_back_then_does_not_count_twice() -> None:
    record = {"rule": "wake lubit", "about": "sena", "key": "k", "chain": {"wake lubit": 1}, "target": "lubit"}
    story = [*STORY[:1], says("monitor", "activation", timestamp=at(5), **record), *STORY[1:]]
    assert [would_be.held_back for would_be in dry(read(*story), WAKE)] == [None, "cool-down"]


def test_a_clock_that_ran_far_ahead_does_not_stop_the_clock() -> None:
    story = [
        updates("sena", status="in_progress", timestamp=at(0)),
        updates("lubit", status="idle", timestamp="2099-01-01T00:00:00Z"),
        *(updates("lubit", timestamp=at(second)) for second in (10, 20, 400)),
    ]
    (would_be,) = dry(read(*story), SILENT)
    assert would_be.occurrence.position == 0
    assert f"{would_be.occurrence.at:%H:%M}" == "09:05"


def test_lines_without_any_time_are_looked_at_too() -> None:
    story = [updates("sena", progress=value) for value in (79, 80, 10, 90)]
    assert [would_be.held_back for would_be in dry(read(*story), WAKE)] == [None, "cool-down"]
    assert next(lines_of(dry(read(*story), WAKE), [WAKE])) == "no time  line 2  wake lubit"


@given(st.lists(wild_objects, max_size=15) | stories)
def test_any_registry_can_be_gone_through_and_gives_lines_of_text(story: list[dict[str, Any]]) -> None:
    rules = (WAKE, SILENT, rule({"status": "blocked"}, "blocked", then={"notify": "{from} {blocker} {task} {next}"}))
    for line in lines_of(dry(read(*story), *rules), rules):
        assert clean(line) == line
        assert len(line.splitlines()) <= 1


@pytest.mark.parametrize("name", ["good_day", "deadlock", "wild", "hostile", "many_agents"])
def test_the_samples(name: str) -> None:
    """Each says what it says on every machine, and nothing is found twice."""
    rules = (
        WAKE,
        SILENT,
        rule({"deadlock": True}, "deadlock"),
        rule({"request_to": "lubit"}, "asked"),
        rule({"event": "blocker"}, "blocker"),
    )
    found = dry(list(decode((SAMPLES / f"{name}.jsonl").read_bytes(), 0)), *rules)
    keys = [would_be.occurrence.key for would_be in found]
    assert keys
    assert len(keys) == len(set(keys))
    assert ("deadlock" in {would_be.occurrence.rule.name for would_be in found}) is (name == "deadlock")
