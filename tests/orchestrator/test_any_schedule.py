"""The schedule beside a naive one that has no queues and no counts: it works out everything anew at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from collab_tui.model.runs import TaskState, Work
from collab_tui.orchestrator.jobs import Ask, Job, Question, Start, Take
from collab_tui.orchestrator.plan import OnError, Policy, Task
from collab_tui.orchestrator.schedule import Schedule
from tests.orchestrator.any_story import SHARED, Story, stories
from tests.orchestrator.test_any_run import TIMES

VALUES = ("value/0", "value/1", SHARED)
LOST = (TaskState.FAILED, TaskState.TIMED_OUT, TaskState.CANCELLED, TaskState.SKIPPED)


@dataclass(eq=False)
class Naive:
    """One task as it has to be."""

    task: Task
    order: int
    is_idle: bool = True
    """Nobody has it, and it does not pause."""
    is_asked: bool = False
    end: TaskState | None = None
    work: Work = Work.WORK
    seat: str | None = None
    kept: str | None = None
    last_seat: dict[Work, str] = field(default_factory=dict)
    failures: int = 0
    round: int = 1
    attempts: int = 0
    is_approved: bool = False
    is_taken: bool = False
    question: Question | None = None

    @property
    def role(self) -> str | None:
        return self.task.review if self.work is Work.REVIEW else self.task.role


class Naively:
    """A run as it has to be."""

    def __init__(self, seats: Mapping[str, Sequence[str]], policy: Policy, keeping: Sequence[str]) -> None:
        self.seats, self.policy, self.keeping = seats, policy, keeping
        self.all: dict[str, Naive] = {}
        self.values = {"goal"}
        self.is_stopped = False
        self.skipped: set[str] = set()
        """Not told of yet."""

    def add(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            self.all[task.key] = Naive(task, len(self.all))
        self.skip()

    def below(self, key: str) -> list[Naive]:
        return [one for other, one in self.all.items() if other == key or other.startswith(f"{key}/")]

    def is_met(self, need: str) -> bool:
        if need.endswith("/*"):
            return all(one.end is TaskState.DONE for one in self.below(need[:-2]))
        return self.all[need].end is TaskState.DONE if need in self.all else need in self.values

    def is_lost(self, need: str) -> bool:
        if need.endswith("/*"):
            return any(one.end in LOST for one in self.below(need[:-2]))
        if need in self.all:
            return self.all[need].end in LOST
        givers = [one for one in self.all.values() if one.task.gives == need]
        return bool(givers) and need not in self.values and all(one.end in LOST for one in givers)

    def skip(self) -> None:
        """Whatever never can begin."""
        while not self.is_stopped:
            lost = [one for one in self.all.values() if not one.end and any(map(self.is_lost, one.task.needs))]
            if not lost:
                return
            for one in lost:
                self.over(one, TaskState.SKIPPED)
                self.skipped.add(one.task.key)

    def leave(self, one: Naive) -> None:
        one.seat, one.is_idle, one.is_asked = None, True, False

    def over(self, one: Naive, end: TaskState) -> None:
        self.leave(one)
        one.end, one.kept = end, None

    def lose(self, one: Naive, end: TaskState) -> None:
        self.over(one, end)
        on_error = one.task.on_error or self.policy.on_error
        self.is_stopped |= on_error is OnError.STOP and end is not TaskState.CANCELLED
        self.skip()

    def free(self, role: str) -> list[str]:
        taken = {seat for one in self.all.values() for seat in (one.seat, one.kept)}
        return [seat for seat in self.seats[role] if seat not in taken]

    def next(self) -> tuple[str, set[tuple[str, str | None]]] | None:
        """What may begin now: of what kind, and of that each task with its seat or question."""
        idle = [one for one in self.all.values() if one.is_idle and not one.end]
        ready = [one for one in idle if all(map(self.is_met, one.task.needs)) and not self.is_stopped]
        if takes := {(one.task.key, None) for one in ready if one.is_taken}:
            return "take", takes
        if asks := {(one.task.key, str(question)) for one in ready if (question := self.asks(one))}:
            return "ask", asks
        kept = {(one.task.key, one.kept) for one in ready if one.kept and one.work is Work.WORK}
        if kept:
            return "start", kept
        for role in self.seats:
            waiting = [one for one in ready if one.role == role]
            if waiting and (free := self.free(role)):
                first = min(waiting, key=lambda one: (-one.task.priority, one.order))
                last = first.last_seat.get(first.work)
                return "start", {(first.task.key, last if last in free else free[0])}
        return None

    def asks(self, one: Naive) -> Question | None:
        is_to_ask = one.task.role is None or (one.task.needs_approval and not one.is_approved)
        return one.question or (Question.START if is_to_ask else None)


class AnySchedule(RuleBasedStateMachine):
    """Both are told the same."""

    @initialize(story=stories())
    def begin_run(self, story: Story) -> None:
        seats = {role: tuple(f"{role}-{number}" for number in range(size)) for role, size in story.sizes.items()}
        keeping = ("worker",) if story.keeps_seat else ()
        self.real = Schedule(seats, story.policy, keeping=keeping, values=("goal",))
        self.naive = Naively(seats, story.policy, keeping)
        self.real.add(story.tasks)
        self.naive.add(story.tasks)

    def chosen(self, data: st.DataObject, of: Sequence[Naive]) -> tuple[Job, Naive]:
        one = data.draw(st.sampled_from(of))
        return self.real.jobs[one.task.key], one

    def at_work(self, *works: Work) -> list[Naive]:
        return [one for one in self.naive.all.values() if one.seat and one.work in (works or Work)]

    @property
    def pausing(self) -> list[Naive]:
        ones = self.naive.all.values()
        return [one for one in ones if not (one.end or one.is_idle or one.seat or one.is_asked or one.is_taken)]

    @property
    def asked(self) -> list[Naive]:
        return [one for one in self.naive.all.values() if one.is_asked]

    @property
    def taken(self) -> list[Naive]:
        return [one for one in self.naive.all.values() if one.is_taken and not one.is_idle and not one.end]

    @rule(times=st.integers(1, 5))
    def begin(self, times: int) -> None:
        for _ in range(times):
            step, may = self.real.begin(), self.naive.next()
            if may is None:
                assert step is None
                return
            assert step is not None
            one = self.naive.all[step.job.key]
            match step:
                case Start(job, seat):
                    told = ("start", (job.key, seat))
                    one.seat = one.last_seat[one.work] = seat
                    one.attempts += 1
                    assert (job.attempts, job.round, job.work) == (one.attempts, one.round, one.work)
                    if one.work is Work.WORK and one.task.role in self.naive.keeping:
                        one.kept = seat
                case Ask(job, question):
                    told = ("ask", (job.key, str(question)))
                    one.is_asked, one.question, one.kept = True, question, None
                case Take(job):
                    told = ("take", (job.key, None))
            one.is_idle = False
            assert told[0] == may[0]
            assert told[1] in may[1]

    @precondition(lambda self: self.at_work())
    @rule(data=st.data(), more=st.booleans())
    def gives(self, data: st.DataObject, more: bool) -> None:
        job, one = self.chosen(data, self.at_work())
        if one.work is Work.WORK and one.task.review is not None:
            self.real.worked(job)
            self.naive.leave(one)
            one.work, one.failures = Work.REVIEW, 0
            return
        self.done(job, one, more)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def is_taken(self, data: st.DataObject) -> None:
        self.done(*self.chosen(data, self.taken), more=False)

    def done(self, job: Job, one: Naive, more: bool) -> None:
        key = one.task.key
        if more and one.task.role == "planner" and job.depth < 2:
            tasks = (
                Task(f"{key}/a", "worker", gives="value/added", retries=1, backoff=0),
                Task(f"{key}/b", "worker", needs=(f"{key}/a", "value/1"), review="judge", priority=1),
                Task(f"{key}/c", "planner"),
            )
            if not any(other.task.gives == "value/added" for other in self.naive.all.values()) and any(
                other.task.gives == "value/1" for other in self.naive.all.values()
            ):
                self.real.add(tasks, key)
                self.naive.add(tasks)
        self.real.done(job)
        self.naive.over(one, TaskState.DONE)
        self.naive.values.add(one.task.result_key)

    @precondition(lambda self: self.at_work(Work.REVIEW))
    @rule(data=st.data())
    def rejects(self, data: st.DataObject) -> None:
        job, one = self.chosen(data, self.at_work(Work.REVIEW))
        rounds = self.naive.policy.rounds if one.task.rounds is None else one.task.rounds
        goes_on = self.real.rejected(job, "no")
        assert goes_on is (one.round <= rounds)
        self.naive.leave(one)
        one.failures = 0
        if goes_on:
            one.round, one.work = one.round + 1, Work.WORK
        else:
            one.question, one.kept = Question.RESULT, None

    @precondition(lambda self: self.at_work())
    @rule(data=st.data(), state=st.sampled_from((TaskState.FAILED, TaskState.TIMED_OUT)))
    def fails(self, data: st.DataObject, state: TaskState) -> None:
        job, one = self.chosen(data, self.at_work())
        retries = self.naive.policy.retries if one.task.retries is None else one.task.retries
        pause = self.real.pause_after(job)
        assert (pause is not None) is (one.failures < retries and not self.naive.is_stopped)
        if pause is None:
            self.real.failed(job, state, "it does not work")
            self.naive.lose(one, state)
        else:
            assert pause == one.task.backoff * 2**one.failures
            self.real.retry(job, "it does not work")
            self.naive.leave(one)
            one.failures, one.is_idle = one.failures + 1, False

    @precondition(lambda self: self.pausing)
    @rule(data=st.data())
    def pause_is_over(self, data: st.DataObject) -> None:
        job, one = self.chosen(data, self.pausing)
        self.real.again(job)
        one.is_idle = True

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), is_yes=st.sampled_from((True, True, False)))
    def answers(self, data: st.DataObject, is_yes: bool) -> None:
        job, one = self.chosen(data, self.asked)
        if is_yes:
            self.real.approved(job, "this")
            self.naive.leave(one)
            one.is_taken = one.question is Question.RESULT or one.task.role is None
            one.is_approved, one.question = True, None
        else:
            self.real.failed(job, TaskState.FAILED, "the person said no")
            self.naive.lose(one, TaskState.FAILED)

    @rule(key=st.sampled_from(VALUES))
    def puts(self, key: str) -> None:
        self.real.given(key)
        self.naive.values.add(key)

    @precondition(lambda self: self.naive.is_stopped and not self.real.is_over)
    @rule(data=st.data())
    def cancels(self, data: st.DataObject) -> None:
        job, one = self.chosen(data, [one for one in self.naive.all.values() if not one.end])
        self.real.cancelled(job, "it is to end")
        self.naive.over(one, TaskState.CANCELLED)

    @precondition(lambda self: len(self.naive.all) > 2)
    @rule(is_meant=st.sampled_from((False, False, False, True)))
    def stop(self, is_meant: bool) -> None:
        if is_meant:
            self.real.stop("the person has enough")
            self.naive.is_stopped = True

    @invariant()
    def are_alike(self) -> None:
        if not hasattr(self, "real"):
            return
        naive, real = self.naive, self.real
        assert {job.key for job in real.ended_by_others()} == naive.skipped
        naive.skipped.clear()
        assert {key: job.state for key, job in real.jobs.items() if job.state.is_over} == {
            key: one.end for key, one in naive.all.items() if one.end
        }
        going_on = {key: one for key, one in naive.all.items() if not one.end}
        assert {
            key: (job.work, job.round, job.failures, job.kept) for key, job in real.jobs.items() if key in going_on
        } == {key: (one.work, one.round, one.failures, one.kept) for key, one in going_on.items()}
        assert (real.stopped is not None) is naive.is_stopped
        assert real.is_over is all(one.end for one in naive.all.values())
        assert real.done_count == sum(one.end is TaskState.DONE for one in naive.all.values())
        busy = [one for one in naive.all.values() if not one.is_idle and not one.end]
        assert real.is_for_the_person_only is (bool(busy) and all(one.is_asked for one in busy))
        is_stuck = not (busy or naive.is_stopped or real.is_over or naive.next())
        assert (real.stuck() is not None) is is_stuck
        assert not is_stuck or any(not naive.is_met(need) for one in naive.all.values() for need in one.task.needs)


TestAnySchedule = AnySchedule.TestCase
TestAnySchedule.settings = settings(
    deadline=None, max_examples=120 * TIMES, stateful_step_count=40, report_multiple_bugs=False
)
