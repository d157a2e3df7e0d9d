"""Which worker starts next: priority, caps, a rate, a cool-down for each task; what finds no room is told."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collab_tui.config.workers import Priority, WorkerSettings
from collab_tui.model.workers import WorkerKind
from collab_tui.workers.job import Job, Step, job_of
from collab_tui.workers.queue import MOST_ASKED, Queue, Start


def job(
    number: int, priority: str = "normal", *, kind: str = "decision", task: str = "", step: Step = Step.WAITING
) -> Job:
    return Job(
        f"{number:016x}", WorkerKind(kind), task or f"t{number}", step, float(number), priority=priority, cause="e"
    )


def queue(*jobs: Job, **settings) -> Queue:
    made = Queue(WorkerSettings(**settings))
    for one in jobs:
        assert made.put(one) is None
    return made


def test_the_most_urgent_comes_first_then_whoever_came_first() -> None:
    waiting = queue(job(1, "low"), job(2), job(3, "urgent"), job(4, "high"), job(5))
    order = []
    while (one := waiting.next(100.0, [], [])) is not None:
        order.append(one.queued_at)
    assert order == [3, 4, 2, 5, 1]


def test_decisions_and_executions_have_caps_of_their_own() -> None:
    waiting = queue(job(1), job(2, kind="execution"), max_decisions=1, max_executions=1)
    running = [job(8), job(9, kind="execution")]
    assert waiting.next(100.0, running, []) is None
    assert waiting.next_time(100.0, running, []) is None
    assert waiting.next(100.0, running[:1], []).kind is WorkerKind.EXECUTION
    assert waiting.next(100.0, [], []).kind is WorkerKind.DECISION


def test_no_more_start_within_an_hour_than_the_settings_say() -> None:
    waiting = queue(job(1), per_hour=2)
    starts = [Start(1000.0, "a", "w"), Start(2000.0, "b", "w")]
    assert waiting.next(3000.0, [], starts) is None
    assert waiting.next_time(3000.0, [], starts) == 4600.0
    assert waiting.next(4600.0, [], starts) is not None


def test_a_task_is_decided_on_again_only_after_its_cool_down_and_others_do_not_wait_for_it() -> None:
    waiting = queue(job(1, "urgent", task="hot"), job(2, task="other"), cool_down=300.0)
    starts = [Start(1000.0, "hot", "w")]
    assert waiting.next(1100.0, [], starts).task == "other"
    assert waiting.next(1100.0, [], starts) is None
    assert waiting.next_time(1100.0, [], starts) == 1300.0
    assert waiting.next(1300.0, [], starts).task == "hot"


def test_what_the_person_wants_waits_for_no_clock() -> None:
    waiting = queue(replace(job(1, task="hot"), cause=None), per_hour=1, cool_down=300.0)
    assert waiting.next(1001.0, [], [Start(1000.0, "hot", "w")]).task == "hot"


def test_one_task_has_one_worker_of_a_kind_at_a_time() -> None:
    waiting = queue(job(1, kind="execution", task="same"))
    assert waiting.next(100.0, [job(7, kind="execution", task="same")], []) is None
    assert waiting.next(100.0, [job(7, task="same")], []) is not None


def test_what_waits_for_the_person_does_not_start() -> None:
    waiting = queue(job(1, "urgent", kind="execution", step=Step.ASKING))
    assert waiting.next(100.0, [], []) is None
    assert waiting.next_time(100.0, [], []) is None


def test_a_full_queue_lets_go_of_what_is_least_urgent_and_came_last() -> None:
    waiting = queue(job(1, "low"), job(2, "low"), job(3), queue=3)
    assert waiting.why_no_room(job(4, "low")) == "3 wait already"
    assert waiting.why_no_room(job(4, "urgent")) is None
    assert waiting.put(job(4, "urgent")).queued_at == 2
    assert waiting.put(job(5, "low")).queued_at == 5


def test_what_the_person_wants_is_asked_or_said_yes_to_takes_no_room_and_is_never_let_go_of() -> None:
    approved, asked = job(1, "low", kind="execution"), job(2, "low", kind="execution", step=Step.ASKING)
    by_hand = replace(job(3, "low"), cause=None)
    waiting = queue(approved, asked, by_hand, job(4), queue=1)
    assert waiting.put(job(5, "urgent")).queued_at == 4
    assert [one.queued_at for one in waiting.jobs()] == [5, 1, 3, 2]


def test_while_many_questions_wait_for_the_person_no_event_is_decided_on() -> None:
    asked = [job(n, kind="execution", step=Step.ASKING) for n in range(MOST_ASKED)]
    waiting = queue(*asked, job(50, "urgent"), replace(job(60), cause=None))
    assert waiting.is_held
    assert waiting.next(100.0, [], []).queued_at == 60
    assert waiting.next(100.0, [], []) is None
    assert waiting.next_time(100.0, [], []) is None
    waiting.take(asked[0].id)
    assert waiting.next(100.0, [], []).queued_at == 50


JOBS = st.lists(
    st.builds(
        lambda number, priority, kind, task: job(number, priority, kind=kind, task=task),
        st.integers(0, 99),
        st.sampled_from([p.value for p in Priority]),
        st.sampled_from([k.value for k in WorkerKind]),
        st.sampled_from("abc"),
    ),
    max_size=30,
    unique_by=lambda one: one.id,
)


@given(jobs=JOBS, room=st.integers(1, 8), per_hour=st.integers(1, 4), cool_down=st.sampled_from([0.0, 300.0, 9000.0]))
def test_whatever_comes_everything_starts_or_is_told_as_dropped_and_no_limit_is_passed(
    jobs, room, per_hour, cool_down
) -> None:
    settings = WorkerSettings(queue=room, per_hour=per_hour, cool_down=cool_down, max_decisions=2, max_executions=1)
    waiting, dropped = Queue(settings), []
    for one in jobs:
        dropped += [gone] if (gone := waiting.put(one)) else []
        assert sum(one.is_on_event for one in waiting.jobs()) <= room
        assert all(one.is_on_event for one in dropped)
    now, starts, done = 100.0, [], []
    while len(waiting):
        running = []
        while (one := waiting.next(now, running, starts)) is not None:
            running.append(one)
            if one.kind is WorkerKind.DECISION:
                assert all(now - start.at >= cool_down for start in starts if start.task == one.task)
                starts.append(Start(now, one.task, one.id))
            assert sum(other.kind is one.kind for other in running) <= (2 if one.kind is WorkerKind.DECISION else 1)
        assert sum(start.at > now - 3600 for start in starts) <= per_hour
        done += running
        now = waiting.next_time(now, [], starts) or now
    assert sorted(one.id for one in (*done, *dropped)) == sorted(one.id for one in jobs)


@given(jobs=JOBS)
def test_a_job_that_is_kept_comes_back_as_it_was(jobs) -> None:
    assert [job_of(one.document()) for one in jobs] == jobs


def test_what_is_no_job_is_none() -> None:
    good = job(1).document()
    for broken in (None, [], {}, good | {"kind": "x"}, good | {"priority": "x"}, {"id": "1", "task": "x"}):
        assert job_of(broken) is None
