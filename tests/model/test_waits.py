from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.board import Because, Reason, Wait
from collab_tui.model.waits import find_deadlocks, find_waiters, held_up_by
from tests.events import agent_of, asks, board_of, decides, says, stories, updates


def edges(board):
    return {(wait.waiter, wait.awaited): {reason.because for reason in wait.reasons} for wait in board.waits}


def waiting(name, awaited):
    return updates(name, status=f"waiting_for_{awaited}")


# Edges.


def test_an_open_request_is_a_wait_for_its_target_and_for_the_person_when_it_has_none():
    board = board_of(updates("Lubit"), asks("sena", "r1", target="lubit"), asks("gitcode", "r2"))
    assert edges(board) == {("sena", "Lubit"): {Because.REQUEST}, ("gitcode", "human"): {Because.REQUEST}}
    assert board.waits[0].reasons[0].request_id == "r1"


def test_a_request_to_somebody_who_never_wrote_is_a_wait_too():
    assert edges(board_of(asks("sena", "r1", target="ada"))) == {("sena", "ada"): {Because.REQUEST}}


def test_a_closed_request_is_no_wait():
    assert board_of(asks("sena", "r1"), decides("human", "r1", verdict="approved")).waits == ()


def test_one_edge_per_pair_with_all_its_reasons():
    board = board_of(
        updates("lubit"),
        asks("sena", "r1", target="LUBIT", status="waiting_for_lubit", request="go?"),
        updates("sena", blockers=["lubit_decision"], dependencies=["lubit_ready"]),
    )
    (wait,) = board.waits
    assert [reason.because for reason in wait.reasons] == [each for each in Because if each is not Because.TASK]
    assert [reason.position for reason in wait.reasons] == [1, 1, 2, 2]
    assert wait.since == 1


def test_the_person_is_one_awaited_name_however_it_is_spelled():
    board = board_of(says("Human", "message"), asks("sena", "r1", status="waiting_for_human"))
    assert edges(board) == {("sena", "Human"): {Because.REQUEST, Because.STATUS}}


@given(stories)
def test_there_is_never_more_than_one_edge_per_pair(story):
    pairs = [(wait.waiter.casefold(), wait.awaited.strip().casefold()) for wait in board_of(*story).waits]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize(
    ("status", "awaited"),
    [
        ("waiting_for_lubit", "lubit"),
        ("awaiting_lubit_decision", "lubit"),
        ("waiting_for_Lubit", "lubit"),
        ("waiting_for_lubit_two_review", "lubit_two"),
        ("waiting_for_human_approval", "human"),
        ("awaiting_user", "human"),
        ("waiting_for_decision", None),
        ("waiting", None),
        ("waiting_for_lubitx", None),
        ("waiting_for_sena", None),
        ("in_progress_for_lubit", None),
    ],
)
def test_a_waiting_status_names_whom_it_waits_for_by_its_longest_prefix(status, awaited):
    board = board_of(updates("lubit"), updates("lubit_two"), updates("sena", status=status))
    assert edges(board) == ({("sena", awaited): {Because.STATUS}} if awaited else {})


def test_an_agent_named_before_its_first_line_counts():
    assert board_of(waiting("sena", "lubit")).waits == ()
    assert edges(board_of(waiting("sena", "lubit"), updates("lubit"))) == {("sena", "lubit"): {Because.STATUS}}


def test_a_later_status_of_the_writer_ends_its_wait():
    assert board_of(updates("lubit"), waiting("sena", "lubit"), updates("sena", status="active")).waits == ()


def test_a_later_decision_of_the_awaited_agent_marks_the_wait_as_answered_and_an_earlier_one_does_not():
    def answered(*objects):
        (wait,) = board_of(*objects).waits
        return [reason.answered for reason in wait.reasons]

    assert answered(updates("lubit"), waiting("sena", "lubit"), decides("lubit", verdict="approved")) == [True]
    assert answered(decides("lubit", verdict="approved"), waiting("sena", "lubit")) == [False]
    assert answered(updates("lubit"), decides("ada"), waiting("sena", "lubit"), decides("ada")) == [False]


@pytest.mark.parametrize("field", ["blockers", "dependencies"])
@pytest.mark.parametrize(
    ("token", "awaited"),
    [
        ("lubit_decision", "lubit"),
        ("Lubit", "lubit"),
        ("lubit must decide", None),
        ("needs_lubit", None),
        ("ada_ready", None),
    ],
)
def test_blockers_and_dependencies_name_an_agent_only_as_leading_token(field, token, awaited):
    board = board_of(updates("lubit"), updates("sena", **{field: [token]}))
    assert [wait.awaited for wait in board.waits] == ([awaited] if awaited else [])


@pytest.mark.parametrize("suffix", ["ready", "done", "completed"])
def test_x_ready_is_met_when_x_is_idle_or_completed_or_says_so(suffix):
    def waits(status):
        return board_of(updates("lubit", status=status), updates("sena", dependencies=[f"lubit_{suffix}"])).waits != ()

    assert [waits(status) for status in ("idle", "completed", suffix, "active", "failed", None)] == [False] * 3 + [
        True
    ] * 3


def test_a_dependency_that_is_no_readiness_stays():
    board = board_of(updates("lubit", status="completed"), updates("sena", dependencies=["lubit_decision"]))
    assert edges(board) == {("sena", "lubit"): {Because.DEPENDENCY}}


# Deadlocks.


def test_agents_that_politely_wait_for_each_other_are_a_deadlock():
    board = board_of(waiting("sena", "lubit"), asks("lubit", "r1", target="gitcode"), waiting("gitcode", "sena"))
    (deadlock,) = board.deadlocks
    assert sorted(deadlock.agents) == ["gitcode", "lubit", "sena"]
    assert [wait.waiter for wait in deadlock.waits] == list(deadlock.agents)
    assert (deadlock.since, deadlock.request_id) == (2, "r1")
    assert deadlock.id == "deadlock:gitcode,lubit,sena"


def test_whoever_works_goes_on_and_breaks_the_cycle():
    cycle = (waiting("sena", "lubit"), asks("lubit", "r1", target="sena"))
    assert len(board_of(*cycle).deadlocks) == 1
    assert board_of(*cycle, updates("lubit", status="in_progress")).deadlocks == ()


def test_agents_blocked_by_each_other_are_a_deadlock_until_one_is_unblocked():
    cycle = (
        updates("sena"),
        says("lubit", "blocker", blocker="sena_metrics"),
        says("sena", "blocker", blocker="lubit"),
    )
    assert len(board_of(*cycle).deadlocks) == 1
    assert board_of(*cycle, says("human", "blocker_resolved", blocker="lubit")).deadlocks == ()


def test_a_wait_that_was_perhaps_answered_closes_no_cycle():
    cycle = (waiting("sena", "lubit"), waiting("lubit", "sena"))
    assert len(board_of(*cycle).deadlocks) == 1
    assert board_of(*cycle, decides("lubit", verdict="approved")).deadlocks == ()


def test_an_agent_that_asks_itself_does_not_hide_the_cycle_it_is_in():
    board = board_of(asks("a", "r0", target="a"), asks("a", "r1", target="b"), asks("b", "r2", target="a"))
    assert [deadlock.agents for deadlock in board.deadlocks] == [("a", "b")]
    assert board_of(asks("a", "r0", target="a")).deadlocks == ()


NAMES = "abcde"
graphs = st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=12)


@given(graphs, st.sets(st.sampled_from(NAMES)), st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES))))
def test_deadlocks_are_those_that_trying_every_cycle_finds(pairs, working, answered):
    board = board_of(*(updates(n, status="in_progress" if n in working else "waiting") for n in NAMES))
    waits = [
        Wait(a, b, (Reason(Because.REQUEST, "?", n, answered=(a, b) in answered),))
        for n, (a, b) in enumerate(sorted(pairs))
    ]
    live = {pair for pair in pairs - answered if not working & set(pair)}
    cycles = [
        cycle
        for length in range(2, len(NAMES) + 1)
        for cycle in permutations(NAMES, length)
        if all(pair in live for pair in zip(cycle, cycle[1:] + cycle[:1], strict=True))
    ]
    found = find_deadlocks(board.agents, waits)
    assert all(deadlock.agents in cycles for deadlock in found)
    assert all([(w.waiter, w.awaited) for w in d.waits] == _edges_of(d.agents) for d in found)
    # One for every group whose members all reach each other, and it is a shortest one through its first member.
    groups = {frozenset(_group(name, cycles)) for cycle in cycles for name in cycle}
    assert sorted(sorted(_group(d.agents[0], cycles)) for d in found) == sorted(map(sorted, groups))
    for deadlock in found:
        assert len(deadlock.agents) == min(len(cycle) for cycle in cycles if cycle[0] == deadlock.agents[0])
    assert [d.since for d in found] == sorted(d.since for d in found)


def _edges_of(cycle):
    return list(zip(cycle, cycle[1:] + cycle[:1], strict=True))


def _group(name, cycles):
    group, grown = {name}, set()
    while group != grown:
        grown = set(group)
        for cycle in cycles:
            if group & set(cycle):
                group |= set(cycle)
    return group


# Who is held up.


@given(graphs, st.sampled_from(NAMES))
def test_held_up_are_all_who_wait_directly_or_through_others(pairs, name):
    waits = [Wait(a, b, ()) for a, b in sorted(pairs)]
    expected, grown = {name}, set()
    while expected != grown:
        grown = set(expected)
        expected |= {a for a, b in pairs if b in expected}
    found = held_up_by([name], find_waiters(waits))
    assert found[0] == name
    assert sorted(found) == sorted(expected)


def test_the_blocker_that_holds_up_most_agents_comes_first_then_the_oldest():
    board = board_of(
        updates("gitcode", blockers=["net"]),
        updates("ada", blockers=["disk"]),
        updates("lubit", blockers=["db"]),
        updates("bob", blockers=["db"]),
        waiting("sena", "lubit"),
    )
    assert [(o.text, o.holders, o.since) for o in board.blockers] == [
        ("db", ("lubit", "bob"), 2),
        ("net", ("gitcode",), 0),
        ("disk", ("ada",), 1),
    ]
    assert set(board.blockers[0].holds_up) == {"lubit", "bob", "sena"}
    assert agent_of(board, "lubit").blockers[0].text == "db"


@pytest.mark.parametrize("name", ["codex-08", "세나", "gpt4"])
def test_a_status_may_name_whom_it_waits_for_in_any_script(name):
    assert ("lubit", name) in edges(board_of(updates(name), waiting("lubit", name)))


def test_an_agent_that_is_gone_is_in_no_deadlock():
    both = (updates("sena"), updates("lubit"), waiting("sena", "lubit"), waiting("lubit", "sena"))
    assert board_of(*both).deadlocks
    assert not board_of(*both, says("sena", "session_end")).deadlocks


def test_a_wait_is_perhaps_answered_when_somebody_answered_a_request_of_the_waiter():
    asked = (updates("sena"), asks("lubit", "r1", target="sena", status="waiting_for_sena"))
    answered = board_of(*asked, decides("human", "r1", verdict="approved"))
    assert [reason.answered for wait in answered.waits for reason in wait.reasons] == [True]
