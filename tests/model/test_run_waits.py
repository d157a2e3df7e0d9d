"""For whom the idle seats of a run wait."""

from __future__ import annotations

from collab_tui.model.board import Because, Board
from tests.events import (
    board_of,
    fold_of,
    has_tasks,
    items,
    says,
    starts_run,
    task_is,
    updates,
)
from tests.model.test_runs import BUILD, DOCS, PLAN


def waits_of(board: Board) -> dict[tuple[str, str], list[str]]:
    return {
        (wait.waiter, wait.awaited): [reason.text for reason in wait.reasons if reason.because is Because.TASK]
        for wait in board.waits
        if any(reason.because is Because.TASK for reason in wait.reasons)
    }


def team(*events: object) -> Board:
    seats = [updates(name, status="idle") for name in ("w-1", "w-2", "v-1")]
    return board_of(starts_run(), *seats, has_tasks(PLAN, BUILD, DOCS), *events)


def test_idle_seats_wait_for_who_has_what_their_next_tasks_need():
    board = team(task_is("plan", "running", status="in_progress"))
    assert waits_of(board) == {("w-2", "w-1"): ["plan"], ("v-1", "w-1"): ["plan"]}
    later = team(
        task_is("plan", "running"),
        task_is("plan", "done", revision=1, value="x", status="idle"),
        task_is("build", "running", by="w-2", status="in_progress"),
    )
    assert waits_of(later) == {("w-1", "w-2"): ["build"], ("v-1", "w-2"): ["build"]}


def test_whoever_is_waited_for_changes_with_the_next_line():
    after = {"key": "docs", "role": "worker", "needs": ["plan"]}
    story = [starts_run(), *(updates(seat, status="idle") for seat in ("w-1", "w-2")), has_tasks(PLAN, after)]
    fold = fold_of(*story, task_is("plan", "running"))
    assert waits_of(fold.board()) == {("w-2", "w-1"): ["plan"]}
    fold.extend(items(task_is("plan", "cancelled", by="lead"), task_is("plan", "running", by="w-2"), first=5))
    assert waits_of(fold.board()) == {("w-1", "w-2"): ["plan"]}


def test_a_seat_whose_next_task_is_ready_or_who_works_or_is_gone_waits_for_nobody():
    assert waits_of(team()) == {}
    working = team(
        task_is("plan", "running", status="in_progress"), says("w-2", "session_end"), says("v-1", "session_end")
    )
    assert waits_of(working) == {}


def test_seats_whose_role_has_anything_ready_wait_for_nobody_whatever_else_is_not():
    also_ready = has_tasks(
        {"key": "style", "role": "worker"}, {"key": "check", "role": "worker", "review": "validator"}
    )
    busy = task_is("plan", "running", status="in_progress")
    assert waits_of(team(busy, also_ready)) == {("v-1", "w-1"): ["plan"]}
    worked = task_is("check", "worked", by="w-2", status="idle")
    assert ("v-1", "w-1") not in waits_of(team(busy, also_ready, worked)), "it has a review to do"


def test_who_depends_on_what_the_person_is_asked_waits_for_the_person():
    asked = [
        says("lead", "decision_request", id="r1", request="start the plan?", status="in_progress"),
        task_is("plan", "asked", by="lead", request="r1"),
    ]
    board = team(*asked)
    assert set(waits_of(board)) == {("w-1", "human"), ("w-2", "human"), ("v-1", "human")}
    (wait,) = [wait for wait in board.waits if wait.waiter == "w-1"]
    assert wait.reasons[0].request_id == "r1"


def test_a_seat_waits_for_the_person_where_one_of_its_own_tasks_is_asked_before_it_starts():
    gate = has_tasks({"key": "gate", "role": "worker", "approval": True})
    asked = [says("lead", "decision_request", id="r1", status="in_progress"), task_is("gate", "asked", by="lead")]
    begun = [task_is("plan", "running", status="in_progress")]
    assert ("w-2", "human") in waits_of(team(gate, *begun, *asked))


def test_what_was_sent_back_too_often_keeps_no_reviewer_waiting():
    x = {"key": "x", "role": "worker", "review": "validator", "rounds": 1}
    seats = [updates(name, status="idle") for name in ("w-1", "v-1")]
    told = [
        task_is("x", "running"),
        task_is("x", "worked", status="idle"),
        task_is("x", "reviewing", by="v-1"),
        task_is("x", "rejected", by="v-1", comment="no", status="idle"),
        task_is("x", "asked", by="lead", request="r1"),
    ]
    assert waits_of(board_of(starts_run(), *seats, has_tasks(x), *told)) == {}


def test_a_run_that_is_over_lets_nobody_wait_and_seats_close_no_deadlock():
    busy = task_is("plan", "running", status="waiting_for_v-1")
    assert waits_of(team(busy, says("lead", "run_ended", run="a", state="failed"))) == {}
    held = team(busy, updates("v-1", status="waiting"))
    assert ("v-1", "w-1") in waits_of(held)
    assert held.deadlocks == ()
