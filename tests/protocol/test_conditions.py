"""Words become a condition, and the condition says when it came true."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.board import Board
from collab_tui.model.words import name_key
from collab_tui.protocol.conditions import (
    FORMS,
    Condition,
    ConditionError,
    Decided,
    Happens,
    HasStatus,
    IsMet,
    IsResolved,
    doubt_about,
    held_blockers,
    only_blocker,
    parse_condition,
    unknown_names,
    words_of,
)
from tests.events import event, fold_of, says, updates


def board(*objects: dict[str, Any]) -> Board:
    return fold_of(*objects).board()


@pytest.mark.parametrize(
    ("words", "condition"),
    [
        ("decision 3f2a", Decided("3f2a")),
        ("agent lubit status completed", HasStatus("lubit", "completed")),
        ("Agent lubit STATUS done", HasStatus("lubit", "completed")),
        ("agent lubit status in_progress", HasStatus("lubit", "in_progress")),
        ("agent lubit status waiting_for_sena", HasStatus("lubit", "waiting_for_sena")),
        ("agent lubit status lunch", HasStatus("lubit", "lunch")),
        ("blocker no disk resolved", IsResolved("no disk")),
        ("event decision from lubit", Happens("decision", "lubit")),
        ("event node_error", Happens("node_error", None)),
        ("dependency gitcode_ready", IsMet("gitcode_ready")),
    ],
    ids=str,
)
def test_words(words: str, condition: Condition) -> None:
    assert parse_condition(words.split()) == condition


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", f"there is {'; '.join(FORMS.values())}"),
        ("agnet lubit status idle", "did you mean agent NAME status STATUS?"),
        ("weather sunny", "'weather' is nothing that can be waited for"),
        ("decision", "decision ID"),
        ("decision a b", "decision ID"),
        ("agent lubit", "agent NAME status STATUS"),
        ("agent lubit progress 50", "agent NAME status STATUS"),
        ("agent lubit status complted", "did you mean completed?"),
        ("blocker no disk", "blocker TEXT resolved"),
        ("blocker resolved", "blocker TEXT resolved"),
        ("event", "event NAME [from AGENT]"),
        ("event decision lubit", "event NAME [from AGENT]"),
        ("dependency gitcode", "_completed or _done or _ready"),
        ("dependency ready", "dependency AGENT_ready"),
    ],
    ids=str,
)
def test_what_is_no_condition_is_told_with_what_there_is(words: str, told: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(words.split())
    assert told in str(caught.value)
    assert caught.value.exit_code == 2


WORD = st.text(st.characters(whitelist_categories=("L", "N")), min_size=1, max_size=8)
CONDITIONS = st.one_of(
    st.builds(Decided, WORD),
    st.builds(HasStatus, WORD, st.sampled_from(["waiting", "in_progress", "completed", "waiting_for_x"])),
    st.builds(IsResolved, st.lists(WORD, min_size=1, max_size=3).map(" ".join)),
    st.builds(Happens, WORD, st.none() | WORD),
    st.builds(lambda name: IsMet(f"{name}_ready"), WORD),
)


@given(CONDITIONS)
def test_a_condition_in_words_is_that_condition(condition: Condition) -> None:
    assert parse_condition(words_of(condition).split(" ")) == condition


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_words_are_a_condition_or_an_error_of_one_line(words: list[str]) -> None:
    try:
        condition = parse_condition(words)
    except ConditionError as error:
        lines = str(error).count("\n")
    else:
        lines = 0
        assert parse_condition(words_of(condition).split(" ")) == condition
    assert lines == 0


@given(status=st.sampled_from(["waiting", "done", "blocked", "waiting_for_x", "lunch"]), name=st.sampled_from("ab"))
def test_a_status_holds_exactly_while_it_is_declared(status: str, name: str) -> None:
    now = board(updates("A", status=status), updates("c", status="failed"))
    condition = parse_condition(["agent", name, "status", status])
    assert isinstance(condition, HasStatus)
    proof = condition.proof(now)
    assert (proof is not None) == (name_key(name) == "a")
    if proof is not None:
        assert (proof["agent"], proof["raw_status"], proof["line"]) == ("A", status, 1)


def test_other_words_for_a_status_mean_it_too() -> None:
    condition = HasStatus("lubit", "completed")
    assert condition.proof(board(says("lubit", "completion")))
    assert condition.proof(board(updates("lubit", status="finished")))
    assert not condition.proof(board(updates("lubit", status="Ready for Production")))
    assert not condition.proof(board(says("lubit", "session_start")))


def test_a_dependency_is_met_as_the_board_sees_it() -> None:
    condition = IsMet("git_code_ready")
    assert not condition.proof(board(updates("git_code", status="in_progress")))
    assert condition.proof(board(updates("git_code", status="ready"))) == {
        "dependency": "git_code_ready",
        "agent": "git_code",
        "status": "idle",
        "raw_status": "ready",
        "progress": None,
        "line": 1,
    }


def test_a_blocker_is_resolved_when_nobody_has_it() -> None:
    raised = [says("sena", "blocker", blocker="no disk"), says("lubit", "blocker", blocker="no disk")]
    condition = IsResolved("no disk")
    assert not condition.proof(board(*raised))
    assert not condition.proof(board(*raised, says("sena", "blocker_resolved", blocker="no disk", target="sena")))
    assert condition.proof(board(*raised, says("sena", "blocker_resolved", blocker="no disk")))


def test_a_blocker_is_named_by_its_beginning() -> None:
    now = board(updates("sena", blockers=["no disk", "no disk at all", "no key"]))
    held = held_blockers(now)
    ever = held | {"slow network"}
    assert only_blocker("no k", held, ever) == IsResolved("no key")
    assert only_blocker("NO DISK", held, ever) == IsResolved("no disk")
    assert only_blocker("slow", held, ever) == IsResolved("slow network")
    with pytest.raises(ConditionError, match="'no' begins 3 blockers: no disk, no disk at all, no key"):
        only_blocker("no", held, ever)
    with pytest.raises(ConditionError, match="there is no blocker 'fast'; there are no disk, no disk at all, no key"):
        only_blocker("fast", held, ever)
    with pytest.raises(ConditionError, match="nobody has one"):
        only_blocker("fast", (), ())


def test_an_event_by_its_name_and_writer() -> None:
    condition = Happens("decision", "lubit")
    assert condition.is_shown_by(event(agent="Lubit", event="decision"))
    assert not condition.is_shown_by(event(agent="sena", event="decision"))
    assert not condition.is_shown_by(event(agent="lubit", event="message"))
    assert Happens("decision", None).is_shown_by(event(event="decision"))


def test_an_unknown_name_is_told_with_those_that_there_are_near_ones_first() -> None:
    known = ["gitcode", "Lubit", "sena"]
    (doubt,) = unknown_names(HasStatus("lubitt", "idle"), known)
    assert doubt == "nobody has written as 'lubitt' yet; did you mean Lubit? there are Lubit, gitcode, sena"
    assert unknown_names(HasStatus("LUBIT", "idle"), known) == []
    assert unknown_names(Happens("message", None), known) == []
    assert unknown_names(IsMet("sena_ready"), known) == []
    assert len(unknown_names(IsMet("sema_ready"), known)) == 1
    assert "and 4 more" in doubt_about("x", [f"agent{number}" for number in range(12)])
    assert doubt_about("x", []) == "nobody has written as 'x' yet, nor as anybody else"
    assert doubt_about("x", ["sena"]) == "nobody has written as 'x' yet; there is sena"


def test_a_name_is_told_once_however_it_is_spelled() -> None:
    known = ["system", "sena", "human", "Lubit", "HUMAN", "lubit"]
    assert doubt_about("x", known) == "nobody has written as 'x' yet; there are system, sena, human, Lubit"
    assert doubt_about("lubitt", known).endswith("did you mean Lubit? there are Lubit, system, sena, human")
