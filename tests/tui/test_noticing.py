"""What a person is told of: what needs them, and what merely happened, in words of its own, each thing once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from collab_tui.model.moment import Moment
from collab_tui.tui.noticing import Kind, in_words, things_of
from tests.events import START, asks, at, board_of, says, updates

WORKING = {"status": "in_progress", "timestamp": at(0)}


def told(*events: dict[str, Any], minute: float = 0) -> str:
    """What is told of the board of these events, so many minutes after the beginning."""
    moment = Moment(board_of(*events), START + timedelta(minutes=minute))
    return in_words([thing for thing in things_of(moment) if not thing.is_part])


WORDS: dict[str, tuple[list[dict[str, Any]], float]] = {
    "": ([updates("sena", **WORKING)], 1),
    "1 question for you": ([asks("sena", "r1")], 0),
    "2 questions for you": ([asks("sena", "r1"), asks("lubit", "r2", target="user")], 0),
    "deadlock of 2": ([updates("a", status="waiting_for_b"), updates("b", status="waiting_for_a")], 0),
    "gitcode blocked": ([says("gitcode", "blocker", blocker="no credentials")], 0),
    "2 agents blocked": ([updates("a", status="blocked"), updates("b", blockers=["x"])], 0),
    "sena silent for 6 min": ([updates("sena", **WORKING)], 6),
    "2 agents silent": ([updates("sena", **WORKING), updates("lubit", **WORKING)], 6),
    "1 question for you, gitcode blocked, sena silent for 6 min": (
        [
            updates("sena", **WORKING),
            says("gitcode", "blocker", blocker="x", timestamp=at(300)),
            asks("lubit", "r1", timestamp=at(300)),
        ],
        6,
    ),
}


@pytest.mark.parametrize("words", WORDS)
def test_each_kind_has_words_of_its_own(words: str) -> None:
    events, minute = WORDS[words]
    assert told(*events, minute=minute) == words


def test_who_is_in_a_deadlock_is_not_blocked_and_silent_besides() -> None:
    story = [
        updates("a", status="waiting_for_b", blockers=["b_answer"], timestamp=at(0)),
        updates("b", status="waiting_for_a", timestamp=at(0)),
    ]
    assert told(*story, minute=60) == "deadlock of 2"


def test_who_asks_the_person_is_not_blocked_and_silent_besides() -> None:
    story = [asks("sena", "r1", blockers=["waits for a yes"], status="blocked", timestamp=at(0))]
    assert told(*story, minute=60) == "1 question for you"


def test_nobody_is_silent_in_a_registry_at_rest() -> None:
    assert told(updates("sena", **WORKING), minute=60 * 25) == ""


@pytest.mark.parametrize("name", ["Approve now at evil", "x" * 25, "a;b", "-x", "x\x1b[2J", "9;4;1;99"])
def test_a_name_that_may_be_something_else_is_not_told(name: str) -> None:
    assert told(says(name, "blocker", blocker="x")) == "an agent blocked"


def test_names_of_any_script_are_told_where_they_can_be_shown() -> None:
    moment = Moment(board_of(says("세나", "blocker", blocker="x")), START)
    assert in_words(list(things_of(moment))) == "세나 blocked"
    assert in_words(list(things_of(moment)), ascii_only=True) == "an agent blocked"


def test_the_same_thing_has_the_same_key_on_the_next_board() -> None:
    story = [
        updates("a", status="waiting_for_b"),
        updates("b", status="waiting_for_a"),
        says("c", "blocker", blocker="x"),
    ]
    more = [updates("c", message="still", blockers=["x, still"]), asks("a", "r9", target="b")]
    before, after = (Moment(board_of(*events), START) for events in (story, [*story, *more]))
    assert {thing.key for thing in things_of(before)} == {thing.key for thing in things_of(after)}
    assert {thing.kind for thing in things_of(after) if not thing.is_part} == {Kind.DEADLOCK, Kind.BLOCKED}
