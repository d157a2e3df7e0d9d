"""How fast a run was, from its own record."""

from __future__ import annotations

import heapq
from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.run_graph import graph_of
from collab_tui.model.run_timing import timing, wall_time, work_time
from collab_tui.model.runs import Run
from tests.events import START, Object, at, board_of, has_tasks, says, starts_run, task_is

MS = 1e-3


class Job(NamedTuple):
    seconds: float
    needs: frozenset[int]


@st.composite
def _jobs(draw: st.DrawFn) -> list[Job]:
    """Tasks with durations, each of which needs some of those before it."""
    jobs: list[Job] = []
    for number in range(draw(st.integers(1, 9))):
        needs = draw(st.frozensets(st.integers(0, number - 1), max_size=3)) if number else frozenset()
        jobs.append(Job(draw(st.integers(1, 40)) / 8, needs))
    return jobs


def run_of(*events: Object) -> Run:
    (run,) = board_of(*events).runs
    return run


def pools(seats: int) -> list[Object]:
    return [{"role": "worker", "agent": "python", "seats": [f"w-{n}" for n in range(seats)]}]


def scheduled(jobs: list[Job], seats: int) -> list[Object]:
    """The lines of a run that starts each task as soon as what it needs is done and a seat is free."""
    told: list[tuple[float, int, Object]] = []
    free, working, done = list(range(seats)), [], set()
    left, now, number = set(range(len(jobs))), 0.0, 0
    while left or working:
        for job in sorted(job for job in left if jobs[job].needs <= done):
            if free:
                seat = free.pop()
                left.discard(job)
                heapq.heappush(working, (now + jobs[job].seconds, job, seat))
                told.append((now, number := number + 1, task_is(f"t{job}", "running", by=f"w-{seat}")))
        now, job, seat = heapq.heappop(working)
        done.add(job)
        free.append(seat)
        ended = task_is(f"t{job}", "done", by=f"w-{seat}", revision=1, took_ms=round(jobs[job].seconds * 1000))
        told.append((now, number := number + 1, ended))
    tasks = [
        {"key": f"t{n}", "role": "worker", "needs": [f"t{need}" for need in job.needs]} for n, job in enumerate(jobs)
    ]
    return [
        starts_run(pools=pools(seats), timestamp=at(0)),
        has_tasks(*tasks, timestamp=at(0)),
        *({**line, "timestamp": at(when)} for when, _, line in sorted(told, key=lambda each: each[:2])),
        says("lead", "run_ended", run="a", state="done", timestamp=at(now)),
    ]


@given(_jobs(), st.integers(1, 4))
def test_no_run_is_faster_than_its_seats_or_its_longest_chain_allow(jobs, seats):
    found = timing(run_of(*scheduled(jobs, seats)))
    work = sum(job.seconds for job in jobs)
    assert found.work == pytest.approx(work)
    assert found.speed_up is not None
    assert found.efficiency is not None
    assert found.speed_up <= seats * (1 + MS)
    assert found.efficiency <= 1 + MS
    assert found.critical_time <= found.wall + MS
    assert found.speed_up <= work / found.critical_time * (1 + MS)
    assert found.overhead_per_task == pytest.approx(0, abs=MS)
    if seats == 1:
        assert found.wall == pytest.approx(work)
        assert found.speed_up == pytest.approx(1)
    if seats >= len(jobs):
        assert found.wall == pytest.approx(found.critical_time), "with seats for all nothing but the chain takes time"


@given(_jobs(), st.integers(1, 3), st.integers(0, 40), st.data())
def test_a_run_that_goes_on_is_measured_until_now(jobs, seats, now, data):
    story = scheduled(jobs, seats)[:-1]
    seen = story[: 2 + data.draw(st.integers(0, len(story) - 2))]
    last = max(line["timestamp"] for line in seen)
    found = timing(run_of(*seen), START + timedelta(seconds=now))
    assert found.wall == now
    if at(now) >= last:
        assert found.work <= seats * now + MS
        assert found.critical_time <= now + MS


def test_four_seats_on_four_equal_tasks_are_four_times_as_fast():
    found = timing(run_of(*scheduled([Job(2.0, frozenset())] * 4, 4)))
    assert (found.wall, found.work, found.speed_up, found.efficiency, found.seats) == (2.0, 8.0, 4.0, 1.0, 4)
    assert (len(found.critical_path), found.critical_time) == (1, 2.0)


def test_the_critical_path_goes_through_needs_in_order():
    jobs = [Job(1, frozenset()), Job(5, frozenset({0})), Job(2, frozenset({0})), Job(1, frozenset({1, 2}))]
    found = timing(run_of(*scheduled(jobs, 2)))
    assert (found.critical_path, found.critical_time) == (("t0", "t1", "t3"), 7.0)


def test_what_never_comes_is_not_on_the_critical_path_of_a_run_that_goes_on():
    def needs(key: str, *needed: str) -> Object:
        return {"key": key, "role": "worker", "needs": list(needed)}

    chain = [needs("bad", "a"), needs("s0", "bad"), needs("s1", "s0"), needs("s2", "s1")]
    story = [
        starts_run(pools=pools(2), timestamp=at(0)),
        has_tasks(needs("a"), *chain, needs("real", "a"), needs("last", "real")),
        task_is("a", "running", by="w-0", timestamp=at(1)),
        task_is("a", "done", by="w-0", timestamp=at(11), revision=1, took_ms=10_000),
        task_is("bad", "running", by="w-0", timestamp=at(11)),
        task_is("bad", "failed", by="w-0", timestamp=at(12), took_ms=1000),
        *(task_is(f"s{n}", "skipped", by="lead", why="bad failed", timestamp=at(12)) for n in range(3)),
        task_is("real", "running", by="w-1", timestamp=at(12)),
    ]
    found = timing(run_of(*story), START + timedelta(seconds=20))
    assert (found.critical_path, found.critical_time) == (("a", "real", "last"), 18.0), "what it took so far"


def test_a_run_whose_process_is_gone_is_measured_until_it_was_told_of_last():
    story = [starts_run(timestamp=at(0)), has_tasks({"key": "a"}), task_is("a", "running", timestamp=at(7))]
    run = run_of(*story)
    assert timing(run).wall == 7
    assert wall_time(run, run.told_at) == (7, 0)


def test_a_run_that_was_gone_on_with_and_died_at_once_did_not_take_nothing():
    story = [
        starts_run(timestamp=at(0)),
        has_tasks({"key": "a"}),
        task_is("a", "running", timestamp=at(7)),
        says("lead", "run_resumed", run="a", timestamp=at(1000)),
    ]
    assert timing(run_of(*story)).wall == 7


@pytest.mark.parametrize(("told", "end"), [(at(10), 10), (at(10**6), 90_000), (at(-5), 4), ("soon", 90_000)])
def test_what_is_given_up_later_ended_with_its_last_sign_of_life(told: str, end: float) -> None:
    story = [
        starts_run(pools=pools(1), timestamp=at(4)),
        has_tasks({"key": "a", "role": "worker"}, {"key": "gate"}, timestamp=at(4)),
        task_is("gate", "asked", by="lead", timestamp=at(4)),
        task_is("a", "running", by="w-0", timestamp=at(4)),
        task_is("a", "cancelled", by="lead", timestamp=at(90_000), ended_at=told),
        task_is("gate", "cancelled", by="lead", timestamp=at(90_000), ended_at=told),
        says("lead", "run_ended", run="a", state="cancelled", timestamp=at(90_000), ended_at=told),
    ]
    run = run_of(*story)
    found = timing(run)
    assert {task.ended_at for task in run.tasks} == {run.ended_at} == {START + timedelta(seconds=end)}
    assert (found.wall, found.waited, found.work, found.overhead_per_task) == (end - 4, 0, end - 4, 0)


def test_a_task_that_was_added_comes_after_the_one_that_added_it():
    story = [
        starts_run(pools=pools(2), timestamp=at(0)),
        has_tasks({"key": "plan", "role": "worker"}),
        task_is("plan", "running", by="w-0", timestamp=at(0)),
        has_tasks({"key": "plan/a", "role": "worker"}, by="lead", timestamp=at(2)),
        {**has_tasks({"key": "plan/b", "role": "worker"}, timestamp=at(2)), "by": "plan"},
        {**has_tasks({"key": "odd", "role": "worker"}, timestamp=at(2)), "by": "nothing"},
        task_is("plan", "done", by="w-0", timestamp=at(2)),
        task_is("plan/b", "running", by="w-0", timestamp=at(2)),
        task_is("plan/b", "done", by="w-0", timestamp=at(3)),
    ]
    run = run_of(*story)
    assert timing(run).critical_path == ("plan", "plan/b")
    assert graph_of(run).layers == {"plan": 0, "plan/a": 0, "odd": 0, "plan/b": 1}


def test_time_for_which_no_process_had_the_run_is_not_counted():
    story = [
        starts_run(pools=pools(1), timestamp=at(0)),
        has_tasks({"key": "t", "role": "worker"}, timestamp=at(0)),
        says("lead", "run_ended", run="a", state="cancelled", timestamp=at(2)),
        says("lead", "run_resumed", run="a", timestamp=at(1000)),
        task_is("t", "running", by="w-0", timestamp=at(1000)),
        task_is("t", "done", by="w-0", revision=1, took_ms=2000, timestamp=at(1002)),
        says("lead", "run_ended", run="a", state="done", timestamp=at(1002)),
    ]
    assert timing(run_of(*story)).wall == 4.0


def test_what_a_seat_was_held_for_beyond_the_agent_is_overhead_of_its_task():
    story = [
        starts_run(pools=pools(1), timestamp=at(0)),
        has_tasks({"key": "t", "role": "worker"}, {"key": "u", "role": "worker"}, {"key": "v", "role": "worker"}),
        task_is("t", "running", by="w-0", timestamp=at(1)),
        task_is("t", "retrying", by="w-0", took_ms=900, timestamp=at(2)),
        task_is("t", "running", by="w-0", timestamp=at(3)),
        task_is("t", "done", by="w-0", took_ms=700, timestamp=at(4)),
        task_is("u", "running", by="w-0", timestamp=at(5)),
        task_is("u", "done", by="w-0", took_ms=1000, timestamp=at(6)),
    ]
    assert timing(run_of(*story)).overhead_per_task == pytest.approx(0.2), "0.4 s of two that were worked on"


def test_of_a_run_that_did_nothing_yet_nothing_is_claimed():
    found = timing(run_of(starts_run(timestamp=at(0))), START)
    assert (found.wall, found.work, found.speed_up, found.efficiency, found.critical_path) == (0, 0, None, None, ())
    assert found.overhead_per_task is None
    untimed = run_of(starts_run(), has_tasks({"key": "t"}), task_is("t", "running"))
    assert timing(untimed).wall == 0
    assert work_time(untimed.tasks[0], None) == 0


def test_what_a_run_waits_for_the_person_alone_makes_it_no_slower():
    story = [
        starts_run(pools=pools(2), timestamp=at(0)),
        has_tasks({"key": "one", "role": "worker"}, {"key": "two", "role": "worker"}, {"key": "gate"}),
        task_is("gate", "asked", by="lead", timestamp=at(0)),
        task_is("one", "running", by="w-0", timestamp=at(0)),
        task_is("two", "running", by="w-1", timestamp=at(0)),
        task_is("one", "done", by="w-0", timestamp=at(2), took_ms=2000),
        task_is("two", "done", by="w-1", timestamp=at(4), took_ms=4000),
    ]
    waiting = run_of(*story)
    assert waiting.waits_since == START + timedelta(seconds=4), "as long as somebody works it is not the person alone"
    found = timing(waiting, START + timedelta(seconds=100))
    assert (found.wall, found.waited, found.speed_up) == (4.0, 96.0, 1.5)
    answered = [task_is("gate", "done", by="lead", timestamp=at(60)), says("lead", "run_ended", run="a", state="done")]
    found = timing(run_of(*story, *({"timestamp": at(60), **line} for line in answered)))
    assert (found.wall, found.waited, found.speed_up) == (4.0, 56.0, 1.5)


def test_what_a_run_waits_while_its_process_is_gone_is_counted_once():
    story = [
        starts_run(pools=pools(1), timestamp=at(0)),
        has_tasks({"key": "gate"}, timestamp=at(0)),
        task_is("gate", "asked", by="lead", timestamp=at(1)),
        says("lead", "status_update", run="a", timestamp=at(3)),
        says("lead", "run_resumed", run="a", timestamp=at(10)),
        task_is("gate", "done", by="lead", timestamp=at(12)),
        says("lead", "run_ended", run="a", state="done", timestamp=at(13)),
    ]
    run = run_of(*story)
    assert (run.away_ms, run.waited_ms) == (9000, 2000), "its last line of its own was that of the gate"
    assert timing(run).wall == 2.0
