"""Runs of the orchestrator as the registry tells of them."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model import timeline
from collab_tui.model.fold import Fold
from collab_tui.model.run_book import LONGEST_PREVIEW, MAX_RUNS, MAX_VALUES
from collab_tui.model.run_lines import MAX_ATTEMPTS, MAX_TASKS
from collab_tui.model.runs import Run, RunState, RunTask, TaskState, Work
from collab_tui.model.summary import summarize
from collab_tui.model.timeline import Timeline
from tests.events import (
    START,
    agent_of,
    at,
    board_of,
    fold_of,
    has_tasks,
    items,
    run_stories,
    says,
    starts_run,
    task_is,
    updates,
)

PLAN = {"key": "plan", "role": "worker", "gives": "spec"}
BUILD = {"key": "build", "role": "worker", "needs": ["spec"], "review": "validator", "rounds": 2}
DOCS = {"key": "docs", "role": "worker", "needs": ["build"]}


def run_of(*events: object) -> Run:
    (run,) = board_of(starts_run(timestamp=at(0)), has_tasks(PLAN, BUILD, DOCS), *events).runs
    return run


def task_of(run: Run, key: str) -> RunTask:
    task = run.task(key)
    assert task is not None
    return task


def writes(key: str, by: str = "w-1", run: str = "a", revision: Any = 1, **fields: Any) -> dict[str, Any]:
    return says(by, "run_value", run=run, key=key, revision=revision, **fields)


# What lines mean


def test_a_run_begins_with_its_pools_and_tasks():
    run = run_of()
    assert (run.id, run.name, run.agent, run.goal, run.state) == (
        "a",
        "login",
        "lead",
        "a login page",
        RunState.RUNNING,
    )
    assert [(pool.role, pool.seats) for pool in run.pools] == [("worker", ("w-1", "w-2")), ("validator", ("v-1",))]
    assert [(task.key, task.gives, task.state) for task in run.tasks] == [
        ("plan", "spec", TaskState.PENDING),
        ("build", "build", TaskState.PENDING),
        ("docs", "docs", TaskState.PENDING),
    ]
    assert (run.task("build").needs, run.task("build").review, run.task("build").rounds) == (("spec",), "validator", 2)
    assert run.set_at["goal"] == 0
    assert run.position == 1


def test_a_result_ends_its_task_and_stands_on_the_blackboard_with_who_worked_for_it():
    run = run_of(
        task_is("build", "running", attempt=1, timestamp=at(1)),
        task_is("build", "worked", value="draft", took_ms=900, timestamp=at(2)),
        task_is("build", "reviewing", by="v-1", attempt=2, timestamp=at(3)),
        task_is("build", "done", by="v-1", key="build", revision=1, value={"files": 3}, took_ms=500, timestamp=at(4)),
    )
    task = task_of(run, "build")
    assert (task.state, task.work_ms, task.started_at, task.ended_at) == (
        TaskState.DONE,
        1400,
        START.replace(second=1),
        START.replace(second=4),
    )
    assert [(a.number, a.work, a.seat, a.outcome, a.took_ms) for a in task.attempts] == [
        (1, Work.WORK, "w-1", TaskState.WORKED, 900),
        (2, Work.REVIEW, "v-1", TaskState.DONE, 500),
    ]
    (value,) = run.values
    assert (value.key, value.revision, value.by, value.task, value.text) == ("build", 1, "w-1", "build", '{"files": 3}')
    assert value.size == len('{"files": 3}')


def test_rejected_work_goes_back_with_the_comment_and_the_round():
    run = run_of(
        task_is("build", "running"),
        task_is("build", "worked"),
        task_is("build", "reviewing", by="v-1"),
        task_is("build", "rejected", by="v-1", comment="no tests"),
        task_is("build", "running", by="w-2", round=2),
    )
    task = task_of(run, "build")
    assert (task.state, task.round, task.comment, task.seat, task.error) == (
        TaskState.RUNNING,
        2,
        "no tests",
        "w-2",
        None,
    )
    assert [(attempt.round, attempt.error) for attempt in task.attempts] == [(1, None), (1, "no tests"), (2, None)]


def test_a_failure_keeps_its_error_until_another_attempt_begins():
    failed = [task_is("plan", "running"), task_is("plan", "retrying", error="WorkError: no network", retry_in=2)]
    assert task_of(run_of(*failed), "plan").error == "WorkError: no network"
    again = task_of(run_of(*failed, task_is("plan", "running")), "plan")
    assert (again.error, again.attempts[0].error) == (None, "WorkError: no network")
    assert task_of(run_of(task_is("docs", "skipped", by="lead", why="build failed")), "docs").error == "build failed"


def test_a_line_told_once_more_of_an_attempt_begins_no_further_one():
    told = task_is("plan", "running", attempt=1)
    task = task_of(run_of(told, {**told, "branch": "collab/x", "log": "logs/a.log"}), "plan")
    assert (len(task.attempts), task.branch, task.log) == (1, "collab/x", "logs/a.log")


def test_time_that_no_line_measured_is_that_between_the_lines():
    run = run_of(task_is("plan", "running", timestamp=at(1)), task_is("plan", "failed", timestamp=at(3.5)))
    assert task_of(run, "plan").work_ms == 2500


def test_revisions_follow_each_other_and_an_older_one_changes_nothing():
    run = run_of(writes("style", value="plain"), writes("style", by="w-2", revision=2, value="bold"))
    assert [(value.revision, value.by, value.text) for value in run.values] == [(2, "w-2", "bold")]
    late = run_of(writes("style", revision=2, value="bold"), writes("style", revision=1, value="plain"))
    assert [value.text for value in late.values] == ["bold"]
    for nonsense in (0, -1, None, True, "2", 10**30):
        assert run_of(writes("style", revision=nonsense, value="x")).values == ()


def test_a_value_in_a_file_is_told_by_its_beginning_and_its_digest():
    (value,) = run_of(writes("log", file="runs/a/f.json", digest="ab", size=10**6, begins="line 1")).values
    assert (value.file, value.digest, value.size, value.text) == ("runs/a/f.json", "ab", 10**6, "line 1")
    (nothing,) = run_of(task_is("plan", "done", by="lead", revision=1)).values
    assert (nothing.key, nothing.text) == ("spec", "null")


def test_a_candidate_is_not_on_the_blackboard():
    assert run_of(task_is("plan", "running"), task_is("plan", "worked", key="spec", value="x")).values == ()


def test_a_run_that_ended_may_go_on_and_the_time_between_is_told():
    begun = [
        task_is("plan", "running", timestamp=at(1)),
        task_is("build", "reviewing", by="v-1", timestamp=at(2)),
        task_is("docs", "failed", by="lead", error="no", timestamp=at(3)),
    ]
    ended = says("lead", "run_ended", run="a", state="cancelled", reason="you", status="failed", timestamp=at(10))
    resumed = says("lead", "run_resumed", run="a", host="nas", pid=7, again=["docs"], timestamp=at(70))
    over = run_of(*begun, ended)
    assert (over.state, over.reason, over.ended_at) == (RunState.CANCELLED, "you", START.replace(second=10))
    run = run_of(*begun, ended, resumed)
    assert (run.state, run.reason, run.ended_at, run.resumed, run.away_ms, run.host, run.pid) == (
        RunState.RUNNING,
        None,
        None,
        1,
        60_000,
        "nas",
        7,
    )
    states = {task.key: (task.state, task.error) for task in run.tasks}
    assert states == {
        "plan": (TaskState.PENDING, None),
        "build": (TaskState.WORKED, None),
        "docs": (TaskState.PENDING, None),
    }
    cut_off = task_of(run, "plan").attempts[-1]
    assert (cut_off.outcome, cut_off.took_ms, cut_off.error) == (TaskState.CANCELLED, 9000, "its process was gone")


@pytest.mark.parametrize(
    ("last", "then"),
    [
        ("running", "pending"),
        ("retrying", "pending"),
        ("worked", "worked"),
        ("asked", "asked"),
        ("rejected", "rejected"),
    ],
)
def test_after_a_resumption_only_what_a_process_had_in_hand_begins_anew(last, then):
    told = [task_is("build", "running"), task_is("build", last), says("lead", "run_resumed", run="a")]
    assert task_of(run_of(*told), "build").state.value == then


@pytest.mark.parametrize("last", ["reviewing", "retrying"])
def test_a_result_whose_review_was_cut_off_is_reviewed_and_not_worked_again(last):
    review = [task_is("build", "reviewing", by="v-1"), task_is("build", last, by="v-1")]
    told = [task_is("build", "running"), task_is("build", "worked"), *review, says("lead", "run_resumed", run="a")]
    assert task_of(run_of(*told), "build").state is TaskState.WORKED


def test_of_a_run_whose_process_was_killed_the_time_since_its_last_line_is_away():
    killed = task_is("plan", "running", timestamp=at(5))
    run = run_of(killed, says("lead", "run_resumed", run="a", timestamp=at(65)))
    assert (run.away_ms, task_of(run, "plan").work_ms) == (60_000, 0)


def test_what_ended_the_run_ends_its_leader_and_what_comes_after_brings_it_back():
    told = [starts_run(), says("lead", "run_ended", run="a", state="done", status="completed", progress=100)]
    lead = agent_of(board_of(*told), "lead")
    assert (lead.gone, lead.progress) == (True, 100)
    assert not agent_of(board_of(*told, says("lead", "run_resumed", run="a")), "lead").gone


def test_lines_about_a_run_declare_only_what_their_writer_says_of_itself():
    board = board_of(
        starts_run(role="orchestrator", current_task="a login page"),
        has_tasks(PLAN),
        task_is("plan", "running", current_task="Plan it", status="in_progress", error="odd", comment="c"),
        task_is("plan", "done", status="idle"),
    )
    seat, lead = agent_of(board, "w-1"), agent_of(board, "lead")
    assert (seat.current_task, seat.raw_status, seat.message) == ("Plan it", "idle", None)
    assert (lead.role, lead.current_task) == ("orchestrator", "a login page")


# Who may tell of it, and how much


@pytest.mark.parametrize(
    "line",
    [
        task_is("plan", "done", by="sena"),
        has_tasks({"key": "evil"}, by="w-1"),
        has_tasks({"key": "evil"}, by="sena"),
        writes("style", by="sena", value="x"),
        says("w-1", "run_ended", run="a", state="done"),
        says("sena", "run_resumed", run="a"),
        starts_run(by="sena", goal="mine"),
        task_is("plan", "done", run="b"),
        task_is("unknown", "done"),
        task_is("plan", "dreaming"),
        says("lead", "run_ended", run="a", state="running"),
    ],
)
def test_others_and_odd_words_change_nothing(line):
    assert run_of(line) == run_of()


def test_names_count_in_any_spelling():
    assert task_of(run_of(task_is("plan", "running", by="W-1 ")), "plan").state is TaskState.RUNNING


def test_of_more_of_anything_than_is_remembered_the_rest_is_forgotten():
    ended = says("lead", "run_ended", run="r3", state="done")
    many = [starts_run(f"r{n}") for n in range(MAX_RUNS)]
    board = board_of(*many, ended, starts_run("new"))
    assert board.run("r3") is None
    assert (len(board.runs), board.run("new") is not None, board.run("r0") is not None) == (MAX_RUNS, True, True)
    lots = board_of(starts_run(), has_tasks(*({"key": f"t{n}"} for n in range(MAX_TASKS + 1)))).runs[0]
    assert (len(lots.tasks), lots.tasks[-1].key) == (MAX_TASKS, f"t{MAX_TASKS - 1}")
    values = board_of(starts_run(), *(writes(f"k{n}", value=n) for n in range(MAX_VALUES + 1))).runs[0].values
    assert (len(values), values[0].key) == (MAX_VALUES, "k1")
    tries = [
        line for n in range(MAX_ATTEMPTS + 1) for line in (task_is("plan", "running"), task_is("plan", "retrying"))
    ]
    attempts = task_of(run_of(*tries), "plan").attempts
    assert [attempt.number for attempt in attempts] == list(range(2, MAX_ATTEMPTS + 2))
    (long,) = run_of(writes("k", value="x" * 10**5)).values
    assert (len(long.text), long.size) == (LONGEST_PREVIEW, 10**5)


@given(run_stories, run_stories)
def test_a_copy_and_its_original_go_on_without_each_other(story, on):
    original = fold_of(*story)
    copy = original.checkpoint()
    original.extend(items(*on, first=len(story)))
    assert copy.board() == board_of(*story)
    copy.extend(items(*on, first=len(story)))
    assert copy.board() == original.board() == board_of(*story, *on)


@given(run_stories, st.lists(st.integers(0, 30), max_size=8), st.integers(1, 5))
def test_every_board_of_a_run_is_that_of_a_fresh_fold_in_any_order_of_seeks(story, seeks, step):
    read = items(*story)
    with patch.object(timeline, "_STEP", step), patch.object(timeline, "_MOST_KEPT", 3):
        made = Timeline(lambda first, last: read[first:last])
        made.extend(read)
        for position in seeks:
            fresh = Fold()
            fresh.extend(read[:position])
            assert made.board_at(position) == fresh.board()


@given(run_stories)
def test_boards_in_between_change_nothing(story):
    fold = Fold()
    for item in items(*story):
        fold.extend((item,))
        fold.board()
    assert fold.board() == board_of(*story)


@given(run_stories)
def test_whatever_is_written_of_runs_is_folded_and_told(story):
    board = board_of(*story)
    for run in board.runs:
        assert len({task.key for task in run.tasks}) == len(run.tasks)
        for task in run.tasks:
            assert [attempt.outcome is None for attempt in task.attempts[:-1]] == [False] * (len(task.attempts) - 1)
            assert not task.state.is_at_work or task.attempts[-1].outcome is None
    assert not any(char in span.text for item in items(*story) for span in summarize(item) for char in "\n\r\x1b")


def test_a_run_of_which_nothing_new_was_told_is_the_same_value_on_the_next_board():
    fold = fold_of(starts_run(), has_tasks(PLAN), starts_run("b", by="lead2"), has_tasks(PLAN, run="b", by="lead2"))
    first = fold.board()
    fold.extend(items(task_is("plan", "running"), updates("sena"), first=4))
    second = fold.checkpoint().board()
    assert second.run("b") is first.run("b")
    assert second.run("a") is not first.run("a")
