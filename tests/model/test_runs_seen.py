"""Runs as a person sees them: who is silent, what waits for them, what is wrong, in which words."""

from __future__ import annotations

from dataclasses import astuple
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.board import Board
from collab_tui.model.event import Event, decode
from collab_tui.model.explain import changes, explain_run, explain_task, explain_value
from collab_tui.model.fold import Fold
from collab_tui.model.glyphs import ASCII
from collab_tui.model.meaning import findings_of
from collab_tui.model.moment import Moment
from collab_tui.model.run_graph import unmet_of
from collab_tui.model.run_timing import timing
from collab_tui.model.signature import Judgement, Standing
from collab_tui.model.summary import summarize
from tests.events import (
    POOLS,
    RUN_KINDS,
    START,
    TEAM,
    Object,
    agent_of,
    asks,
    at,
    board_of,
    decides,
    event,
    has_tasks,
    json_values,
    line,
    lines,
    request_of,
    run_stories,
    says,
    starts_run,
    task_is,
    updates,
)

TASKS = {"key": "plan", "role": "worker"}, {"key": "docs", "role": "worker", "needs": ["plan"]}
BEGUN = (
    starts_run(timestamp=at(0)),
    has_tasks(*TASKS, timestamp=at(0)),
    task_is("plan", "running", status="in_progress", timestamp=at(0)),
    updates("w-2", status="waiting", timestamp=at(0)),
)
ASKED = (
    asks("lead", "r1", target="human", request="Publish?", status="in_progress", timestamp=at(1)),
    task_is("plan", "asked", by="lead", request="r1", timestamp=at(1)),
)


def moment(*events: Object, after: float = 0, **options: Any) -> Moment:
    return Moment(board_of(*events), START + timedelta(seconds=after), **options)


# Silence


def test_who_leads_a_run_and_its_idle_seats_owe_no_sign_of_life_but_who_works_does():
    assert [agent.name for agent in moment(*BEGUN, updates("lead", timestamp=at(900)), after=901).silent] == ["w-1"]
    unrelated = updates("lead", status="in_progress", timestamp=at(0))
    assert [agent.name for agent in moment(unrelated, after=10**4).silent] == ["lead"]


def test_a_run_is_silent_once_none_of_its_agents_wrote_for_long():
    when = moment(*BEGUN, after=301)
    (run,) = when.board.runs
    assert when.run_silence(run) == 301
    heard = moment(*BEGUN, updates("w-1", progress=5, timestamp=at(10)), after=301)
    assert heard.run_silence(heard.board.runs[0]) is None


def test_a_run_that_waits_for_the_person_or_is_over_is_not_silent():
    by_seat = asks("w-1", "r2", target="human", timestamp=at(1))
    for more in (ASKED, (by_seat,), (says("lead", "run_ended", run="a", state="done", timestamp=at(1)),)):
        when = moment(*BEGUN, *more, after=10**4)
        assert when.run_silence(when.board.runs[0]) is None


@pytest.mark.parametrize("closed", [False, True])
def test_what_it_asks_hides_no_silence_while_something_is_at_work_and_none_once_it_is_answered(closed):
    """Its process was killed: nobody goes on, whatever the person says."""
    begun = (*BEGUN, ASKED[0], task_is("docs", "asked", by="lead", request="r1", timestamp=at(1)))
    if closed:
        begun = (*BEGUN, *ASKED, decides("human", "r1", verdict="approved", timestamp=at(2)))
    when = moment(*begun, after=600)
    (run,) = when.board.runs
    assert (when.run_silence(run) is not None, len(when.needs)) == (True, not closed)
    assert when.silence(agent_of(when.board, "lead")) == when.run_silence(run)
    (finding,) = (found for found in findings_of(when) if found.kind.startswith("silent") and "run" in found.text)
    assert "collab-tui run --resume a" in finding.mend


STRANGER = (
    starts_run("zz", by="mallory", pools=[{"role": "w", "agent": "x", "seats": ["sena"]}], timestamp=at(1)),
    has_tasks({"key": "t", "role": "w", "needs": ["u"]}, {"key": "u", "role": "w"}, run="zz", by="mallory"),
    task_is("u", "running", by="mallory", run="zz", timestamp=at(1)),
)
END = says("mallory", "run_ended", run="zz", state="done", timestamp=at(2))


@pytest.mark.parametrize("more", [STRANGER, (*STRANGER, END)])
def test_a_run_that_names_an_agent_that_was_there_before_changes_nothing_for_it(more):
    sena = updates("sena", status="in_progress", current_task="t", timestamp=at(0))
    when = moment(sena, *more, after=10**4)
    assert "sena" in [agent.name for agent in when.silent]
    gone = moment(sena, *more, says("sena", "session_end"), after=10**4)
    assert "sena" in [agent.name for agent in gone.agents]
    idle = board_of(updates("sena", status="idle"), *more)
    assert [wait for wait in idle.waits if wait.waiter == "sena"] == []
    wrote = board_of(sena, *more, task_is("t", "running", by="sena", run="zz"))
    assert list(wrote.runs[0].agents()) == ["mallory", "sena"], "one that writes for it is of it"


def test_a_silent_run_is_found_once_with_how_to_go_on_and_not_seat_by_seat():
    (finding,) = findings_of(moment(*BEGUN, after=600))
    assert (finding.kind, finding.text) == ("silent_run", "the run login has been silent for 10 min, with 2 tasks left")
    assert "`collab-tui run --resume a`" in finding.mend


# What waits for the person


def test_what_a_run_asks_stays_with_the_person_while_the_run_goes_on():
    on = updates("lead", status="in_progress", progress=50, timestamp=at(9))
    when = moment(*BEGUN, *ASKED, on, after=20)
    (need,) = when.needs
    assert need.id == "r1"
    assert set(when.held_up(need)) == {"lead", "w-2"}, "w-2 would go on with what needs the plan"


def test_a_decision_that_names_no_request_closes_none_of_a_run_that_goes_on():
    waits = {**ASKED[0], "status": "waiting"}
    guess = decides("human", decision_for="lead", verdict="approved", timestamp=at(2))
    when = moment(*BEGUN, waits, ASKED[1], guess, updates("lead", status="in_progress", timestamp=at(3)), after=5)
    assert [need.id for need in when.needs] == ["r1"]


def test_a_forged_answer_hides_no_request_that_a_task_still_waits_for():
    def judge(decision: Event, request: Event | None, registry: str | None) -> Judgement | None:
        return Judgement(Standing.CLAIMED, "no signature") if decision.agent == "human" else None

    forged = decides("human", "r1", verdict="approved", timestamp=at(2))
    on = updates("lead", status="in_progress", progress=50, timestamp=at(3))
    when = moment(*BEGUN, *ASKED, forged, on, after=5, judge=judge)
    assert when.is_only_claimed(request_of(when.board, "r1"))
    assert [need.id for need in when.needs] == ["r1"]
    taken = moment(*BEGUN, *ASKED, forged, on, task_is("plan", "running"), after=5, judge=judge)
    assert taken.needs == ()


def test_who_led_a_run_that_is_over_and_the_seats_that_left_it_are_not_listed_any_more():
    ended = [says("lead", "run_ended", run="a", state="done"), says("w-1", "session_end"), says("w-2", "session_end")]
    assert [agent.name for agent in moment(*BEGUN, *ended).agents] == []
    assert "w-1" in [agent.name for agent in moment(*BEGUN, ended[1]).agents]


# Words


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (starts_run(), ["run “login”", "a login page", "worker x2, validator"]),
        (has_tasks(*TASKS, by="lead"), ["2 tasks", "plan, docs"]),
        (says("lead", "run_tasks", run="a", tasks=[TASKS[0]], by="plan"), ["1 task", "added by plan", "plan"]),
        (task_is("plan", "running", attempt=2, round=3), ["plan", "running, round 3, attempt 2"]),
        (task_is("plan", "timed_out", error="after 5 s", took_ms=5000), ["plan", "timed out", "in 5.0 s", "after 5 s"]),
        (task_is("plan", "rejected", comment="no tests", round=1), ["plan", "sent back", "no tests"]),
        (
            task_is("plan", "retrying", error="no network", took_ms=8000, retry_in=2.0),
            ["plan", "again soon", "after 8.0 s", "again in 2.0 s", "no network"],
        ),
        (task_is("plan", "skipped", why="build failed"), ["plan", "skipped", "build failed"]),
        (task_is("plan", "done", revision=1, value={"a": 1}), ["plan", "done", '{"a": 1}']),
        (says("w-1", "run_value", run="a", key="style", revision=2, value="bold"), ["style, revision 2", "bold"]),
        (says("w-1", "run_value", run="a", key="log", revision=1, file="runs/a/f"), ["log", "runs/a/f"]),
        (says("lead", "run_resumed", run="a", again=["docs"], host="nas"), ["goes on", "again: docs", "on nas"]),
        (says("lead", "run_ended", run="a", state="failed", reason="plan failed"), ["run failed", "plan failed"]),
    ],
)
def test_the_log_tells_of_a_run_without_ids(told, said):
    assert [span.text for span in summarize(event(**told), ASCII)] == said


def test_what_a_run_needs_to_know_its_own_lines_again_is_not_told():
    progress = updates("lead", progress=36, run="a", number=26, proof="9f98")
    assert [span.text for span in summarize(event(**progress), ASCII)] == ["36 %"]
    other = says("x", "ran", run="a", number=26)
    assert [span.text for span in summarize(event(**other), ASCII)] == ["run: a", "number: 26"]


def test_where_the_values_of_a_run_come_from_is_told_with_their_lines():
    board = board_of(*BEGUN, task_is("plan", "done", revision=1, value="x"))
    (run,) = board.runs
    found = {told.name: (told.value, told.position) for told in explain_run(run)}
    assert found["state"] == ("running", 0)
    assert found["tasks"] == ("1 done, 1 pending", 4)
    assert [(told.name, told.value) for told in explain_task(run.tasks[1])] == [("task", "pending"), ("needs", "plan")]
    (value,) = explain_value(run.values[0])
    assert (value.name, value.value, value.position) == ("plan, revision 1", "x", 4)
    assert value.rule == "written by w-1 for the task plan"


def test_what_a_line_changed_in_a_run_is_told():
    before, done = board_of(*BEGUN), task_is("plan", "done", revision=1, value="x")
    told = [astuple(change) for change in changes(before, board_of(*BEGUN, done))]
    assert ("lead", "task 'plan'", "running", "done") in told
    assert ("lead", "value 'plan'", "", "revision 1: x") in told
    assert ("w-2", "waits for", "w-1", "") in told
    assert changes(before, board_of(*BEGUN)) == []


# The wild

_entries = st.lists(
    st.dictionaries(
        st.sampled_from(("key", "role", "needs", "gives", "review", "rounds", "priority", "title", "seats", "agent")),
        json_values | st.sampled_from(("plan", "docs", "worker", ["plan/*", "docs"], ["w-1"])),
        max_size=6,
    ),
    max_size=3,
)
_RUN_FIELDS = (
    "task", "state", "tasks", "pools", "key", "revision", "value", "file", "size", "attempt", "round", "took_ms",
    "again", "by", "comment", "error", "why", "name", "goal", "host", "pid", "timestamp", "status", "progress",
)  # fmt: skip
_odd_lines = st.builds(
    lambda agent, kind, fields, entries: {"agent": agent, "event": kind, "run": "a", **entries, **fields},
    st.sampled_from(TEAM),
    st.sampled_from(RUN_KINDS),
    st.dictionaries(
        st.sampled_from(_RUN_FIELDS),
        json_values | st.sampled_from(("plan", "docs", "running", "done", "asked", "reviewing")),
        max_size=6,
    ),
    st.fixed_dictionaries({}, optional={"tasks": _entries, "pools": _entries}),
)


def use(board: Board) -> None:
    """All that is asked of a board with runs."""
    when = Moment(board, START + timedelta(hours=1))
    findings_of(when)
    changes(Board(0), board)
    assert all(agent.name for agent in when.agents)
    for run in board.runs:
        assert timing(run, when.now).work >= 0
        assert unmet_of(run).keys() <= {task.key for task in run.tasks}
        explain_run(run)
        assert [len(explain_task(task)) for task in run.tasks] == [1 + bool(task.needs) for task in run.tasks]
        assert all(explain_value(value) for value in run.values)


@given(st.booleans(), st.lists(_odd_lines, max_size=10))
def test_no_line_about_a_run_stops_the_board(has_begun, odd):
    fold = Fold()
    fold.extend(decode(b"".join(map(line, (*(BEGUN if has_begun else ()), *odd))), 0))
    use(fold.board())


@given(run_stories)
def test_a_run_of_any_story_can_be_shown(story):
    use(board_of(*story))


@pytest.mark.parametrize("depth", [100, 900, 1020])
@pytest.mark.parametrize("field", ["value", "tasks", "pools", "again", "task", "state", "run", "needs"])
def test_values_nested_as_deeply_as_can_be_read_do_not_stop_a_run(field, depth):
    deep = b"[" * depth + b"]" * depth
    told = [
        b'{"agent":"lead","event":"%s","run":"a","key":"k","revision":1,"%s":%s}\n'
        % (kind.encode(), field.encode(), deep)
        for kind in RUN_KINDS
    ]
    nested = b'{"agent":"lead","event":"run_tasks","run":"a","tasks":[{"key":"t","needs":%s}]}\n' % deep[2:-2]
    fold = Fold()
    fold.extend(decode(lines(*BEGUN) + b"".join(told) + nested, 0))
    use(fold.board())
    assert agent_of(fold.board(), "lead").name == "lead"
    assert fold.board().runs[0].pools[0].seats == tuple(POOLS[0]["seats"])
