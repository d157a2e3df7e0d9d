"""What is ready, who sits where, and what follows from each outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from collab_tui.model.runs import TaskState
from collab_tui.orchestrator.jobs import Ask, Question, Start, Take
from collab_tui.orchestrator.plan import OnError, Policy, Task
from collab_tui.orchestrator.schedule import Schedule

SEATS = {"worker": ("worker-1", "worker-2"), "judge": ("judge-1",)}
GO_ON = Policy(on_error=OnError.GO_ON)


def schedule_of(
    *tasks: Task, seats: Mapping[str, Sequence[str]] = SEATS, policy: Policy = GO_ON, keeping: Sequence[str] = ()
) -> Schedule:
    schedule = Schedule(seats, policy, keeping=keeping, values=("goal",))
    schedule.add(tasks)
    return schedule


def begun(schedule: Schedule) -> list[str]:
    """What begins now, and where."""
    found = []
    while (step := schedule.begin()) is not None:
        match step:
            case Start(job, seat):
                found.append(f"{job.key} at {seat}")
            case Ask(job, question):
                found.append(f"{job.key}: {question}?")
            case Take(job):
                found.append(f"{job.key} is taken")
    return found


def test_seats_are_filled_in_the_order_of_priorities_and_then_of_tasks() -> None:
    schedule = schedule_of(Task("a", "worker"), Task("b", "worker", priority=2), Task("c", "worker"))
    assert begun(schedule) == ["b at worker-1", "a at worker-2"]
    schedule.done(schedule.jobs["b"])
    assert begun(schedule) == ["c at worker-1"]


def test_a_need_of_a_value_is_met_by_whoever_puts_it() -> None:
    schedule = schedule_of(Task("a", "worker", gives="spec"), Task("b", "worker", needs=("spec", "goal")))
    assert begun(schedule) == ["a at worker-1"]
    schedule.given("spec")
    assert begun(schedule) == ["b at worker-2"]


def test_all_below_a_task_is_waited_for_also_what_comes_later() -> None:
    schedule = schedule_of(Task("plan", "worker"), Task("all", "worker", needs=("plan/*",)))
    begun(schedule)
    schedule.add([Task("plan/a", "worker")], "plan")
    schedule.done(schedule.jobs["plan"])
    begun(schedule)
    schedule.add([Task("plan/a/b", "worker")], "plan/a")
    schedule.done(schedule.jobs["plan/a"])
    assert begun(schedule) == ["plan/a/b at worker-1"]
    schedule.done(schedule.jobs["plan/a/b"])
    assert begun(schedule) == ["all at worker-1"]


def test_a_kept_seat_stays_with_its_task_through_retries_and_reviews() -> None:
    tasks = [Task("a", "worker", review="judge", retries=1), Task("b", "worker")]
    schedule = schedule_of(*tasks, seats={"worker": ("w",), "judge": ("j",)}, keeping=("worker",))
    job = schedule.jobs["a"]
    assert begun(schedule) == ["a at w"]
    schedule.retry(job, "no")
    assert begun(schedule) == []
    schedule.again(job)
    assert begun(schedule) == ["a at w"]
    assert job.error == "no"
    schedule.worked(job)
    assert job.error is None
    assert begun(schedule) == ["a at j"]
    schedule.rejected(job, "no")
    assert begun(schedule) == ["a at w"]
    assert (job.round, job.comments) == (2, ["no"])
    schedule.worked(job)
    begun(schedule)
    schedule.done(job)
    assert begun(schedule) == ["b at w"]


def test_who_waits_for_the_person_holds_no_seat() -> None:
    tasks = [Task("a", "worker", review="judge", rounds=0), Task("b", "worker")]
    schedule = schedule_of(*tasks, seats={"worker": ("w",), "judge": ("j",)}, keeping=("worker",))
    job = schedule.jobs["a"]
    begun(schedule)
    schedule.worked(job)
    begun(schedule)
    assert not schedule.rejected(job, "no")
    assert begun(schedule) == [f"a: {Question.RESULT}?", "b at w"]
    schedule.approved(job, "question")
    assert begun(schedule) == ["a is taken"]


@pytest.mark.parametrize(
    ("backoff", "all_of_them"), [(3, [3, 6, 12, 24, 48, 60, 60, 60, 60]), (120, [120] * 9), (0, [0] * 9)]
)
def test_pauses_grow_up_to_a_minute_where_the_first_is_not_longer(backoff: float, all_of_them: list[float]) -> None:
    schedule = schedule_of(Task("a", "worker", retries=9, backoff=backoff))
    job, pauses = schedule.jobs["a"], []
    begun(schedule)
    while (pause := schedule.pause_after(job)) is not None:
        pauses.append(pause)
        schedule.retry(job, "no")
        schedule.again(job)
        begun(schedule)
    assert pauses == all_of_them


def test_what_needs_a_failed_task_is_skipped_and_says_why() -> None:
    tasks = [Task("a", "worker", gives="spec"), Task("b", "worker", needs=("spec",)), Task("c", "judge", needs=("b",))]
    schedule = schedule_of(*tasks)
    begun(schedule)
    schedule.failed(schedule.jobs["a"], TaskState.TIMED_OUT, "slow")
    assert [(job.key, job.why) for job in schedule.ended_by_others()] == [
        ("b", "it needs a, which took too long"),
        ("c", "it needs b, which was skipped"),
    ]
    assert schedule.is_over


def test_a_run_that_nothing_can_come_of_says_so() -> None:
    schedule = schedule_of(Task("a", "worker"), Task("b", "worker", needs=("nothing",)))
    begun(schedule)
    assert schedule.stuck() is None
    schedule.done(schedule.jobs["a"])
    assert schedule.stuck() == "nothing can go on: b needs nothing, of which nothing comes"


def test_one_that_betters_a_value_is_skipped_when_nobody_gives_it_first() -> None:
    tasks = [Task("draft", "judge", gives="spec"), Task("better", "worker", gives="spec", needs=("spec",))]
    tasks += [Task("use", "worker", needs=("spec",)), Task("other", "worker")]
    schedule = schedule_of(*tasks)
    begun(schedule)
    schedule.failed(schedule.jobs["draft"], TaskState.FAILED, "no")
    assert [(job.key, job.why) for job in schedule.ended_by_others()] == [
        ("better", "it needs spec, of which nothing comes: draft failed"),
        ("use", "it needs spec, of which nothing comes: draft failed"),
    ]
    schedule.done(schedule.jobs["other"])
    assert schedule.is_over
    assert schedule.stopped is None


def test_a_value_that_was_given_before_its_giver_failed_is_bettered_all_the_same() -> None:
    tasks = [Task("draft", "judge", gives="spec"), Task("better", "worker", gives="spec", needs=("spec",))]
    schedule = schedule_of(*tasks)
    begun(schedule)
    schedule.given("spec")
    schedule.failed(schedule.jobs["draft"], TaskState.FAILED, "no")
    assert begun(schedule) == ["better at worker-1"]
