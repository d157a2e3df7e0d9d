"""The state of a run while it goes: what is ready, who sits where, and what follows from each outcome.

Values and rules only: nothing here reads, writes, waits or knows the time. Whoever drives it takes what may begin with
`begin`, and tells how each thing came out; `ended_by_others` then gives what ended with it.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from collab_tui.model.runs import RunTask, TaskState, Work
from collab_tui.orchestrator.jobs import ENDED, Ask, Job, Question, Seats, Start, Take
from collab_tui.orchestrator.needs import Needs
from collab_tui.orchestrator.plan import OnError, Policy, Task
from collab_tui.orchestrator.restoring import take_up

LONGEST_PAUSE: Final = 60.0
"""Seconds to which the pauses between attempts grow, where the first is not longer."""
_FAILED: Final = (TaskState.FAILED, TaskState.TIMED_OUT)


class Schedule:
    """What a run still has to do.

    `seats`: role -> the names of its seats. `keeping`: the roles whose seat stays with a task between its attempts.
    `values`: the keys that stand on the blackboard already.
    """

    def __init__(
        self,
        seats: Mapping[str, Sequence[str]],
        policy: Policy,
        *,
        keeping: Collection[str] = (),
        values: Iterable[str] = (),
    ) -> None:
        self.jobs: dict[str, Job] = {}
        self.is_meant: Callable[[Job], bool] = lambda job: True
        """Whether the person would be asked the same now that they said yes to: what it is about may be another."""
        self.stopped: str | None = None
        """Why nothing begins any more."""
        self._policy = policy
        self._keeping = keeping
        self._seats = {role: Seats(names) for role, names in seats.items()}
        self._role_of = {name: role for role, names in seats.items() for name in names}
        self._queues: dict[str, list[tuple[int, int, Job]]] = {role: [] for role in seats}
        self._seated: deque[tuple[Job, str]] = deque()
        """Ready, and their seat was kept for them."""
        self._to_ask: deque[tuple[Job, Question]] = deque()
        self._to_take: deque[Job] = deque()
        self.needs = Needs(values)
        self.open_count = 0
        """How many tasks did not end."""
        self.expected: set[str] = set()
        """Those at work, in a pause, or with the person: of each of them something will be heard."""
        self.asked: set[str] = set()
        """Those that wait for the person, or whose agent does."""
        self.done_count = 0
        """How many tasks are done."""
        self._ended: list[Job] = []

    # What there is to do

    def add(self, tasks: Sequence[Task], by: str | None = None) -> None:
        """More tasks, checked and with whole keys; `by` is the task that adds them."""
        for job in [self._register(task, by) for task in tasks]:
            self._count_needs(job)

    def restore(
        self,
        tasks: Sequence[tuple[Task, str | None]],
        known: Mapping[str, RunTask],
        *,
        approved: Mapping[str, str],
        anew: bool,
    ) -> Sequence[Job]:
        """The tasks of a run that goes on, each with the one that added it, and how far it was; gives those that had
        ended and begin once more. `approved`: those of which the person said yes, and to which question.

        With `anew`, which is for a run that had ended, that is whatever did not get done. Else what ended stays as it
        ended, but for what was cancelled though nothing failed: then the run was on its way out.
        """
        jobs = [self._register(task, by) for task, by in tasks]
        is_failing = not anew and any(
            told.state in _FAILED and self._stops(self.jobs[key]) for key, told in known.items() if key in self.jobs
        )
        over, again = [], []
        for job in jobs:
            if (told := known.get(job.key)) is None:
                continue
            if told.state is TaskState.DONE or (
                told.state.is_over and not anew and (is_failing or told.state is not TaskState.CANCELLED)
            ):
                over.append((job, told))
                continue
            take_up(job, told, approved.get(job.key), rounds=self._rounds(job))
            if told.state.is_over:
                again.append(job)
        for job, told in over:
            job.why = None if told.state is TaskState.DONE else told.error or str(told.state)
            self._over(job, told.state)
        for job, told in over:
            if told.state is not TaskState.DONE:
                self._follow(job)
        for job in jobs:
            if not job.state.is_over:
                self._count_needs(job)
        return again

    def begin(self) -> Start | Ask | Take | None:
        """What may begin now, which then counts as begun; None: nothing before something else came out."""
        if self.stopped is not None:
            return None
        self._ask_again()
        if self._to_take:
            job = self._to_take.popleft()
            self.expected.add(job.key)
            return Take(job)
        if self._to_ask:
            job, question = self._to_ask.popleft()
            job.state = TaskState.ASKED
            self.expected.add(job.key)
            self.asked.add(job.key)
            return Ask(job, question)
        if self._seated:
            job, seat = self._seated.popleft()
            return self._start(job, seat)
        for role, queue in self._queues.items():
            if queue and (seats := self._seats[role]):
                job = heapq.heappop(queue)[2]
                seat = seats.take(job.last_seat.get(job.work))
                if job.work is Work.WORK and role in self._keeping:
                    job.kept = seat
                return self._start(job, seat)
        return None

    @property
    def is_over(self) -> bool:
        """Every task ended."""
        return not self.open_count

    @property
    def is_for_the_person_only(self) -> bool:
        """All that something is heard of waits for the person."""
        return bool(self.asked) and len(self.asked) == len(self.expected)

    @property
    def progress(self) -> int:
        """Tasks that are done, of all, in per cent."""
        return 100 * self.done_count // max(1, len(self.jobs))

    @property
    def may_begin(self) -> bool:
        """There is something to begin with."""
        if self._to_take or self._to_ask or self._seated:
            return True
        return any(queue and self._seats[role] for role, queue in self._queues.items())

    def unfinished(self) -> Iterator[Job]:
        """Those that did not end."""
        return (job for job in self.jobs.values() if not job.state.is_over)

    def stuck(self) -> str | None:
        """Why nothing will ever come of the rest, if so: nobody works, pauses or is asked, and nothing may begin.

        The check of the graph keeps that from coming about.
        """
        if self.expected or self.may_begin or not self.open_count or self.stopped is not None:
            return None
        job = next(self.unfinished())
        missing = self.needs.missing(job)
        waits = f"needs {missing[0]}, of which nothing comes" if missing else f"waits for a seat of {job.role}"
        return f"nothing can go on: {job.key} {waits}"

    # What came about

    def done(self, job: Job) -> None:
        """Its result stands."""
        self._leave(job)
        self._over(job, TaskState.DONE)

    def given(self, key: str) -> None:
        """There is a value on the blackboard under that key."""
        for job in self.needs.given(key):
            self._queue(job)

    def worked(self, job: Job) -> None:
        """There is a result that has to be reviewed."""
        self._leave(job)
        job.failures, job.error = 0, None
        job.state, job.work = TaskState.WORKED, Work.REVIEW
        self._queue(job)

    def rejected(self, job: Job, comment: str) -> bool:
        """A reviewer sent it back; False: once too often, the person is asked."""
        self._leave(job)
        job.failures, job.error = 0, None
        job.comments.append(comment)
        if job.round > self._rounds(job):
            self._wait_for_the_person(job, Question.RESULT)
            return False
        job.state, job.work = TaskState.REJECTED, Work.WORK
        job.round += 1
        self._queue(job)
        return True

    def pause_after(self, job: Job) -> float | None:
        """Seconds until another attempt, when the present one came to nothing; None: there is none."""
        retries = self._policy.retries if job.task.retries is None else job.task.retries
        if self.stopped is not None or job.failures >= retries:
            return None
        first = job.task.backoff
        return max(first, min(LONGEST_PAUSE, first * 2.0 ** min(job.failures, 32)))

    def retry(self, job: Job, why: str) -> None:
        """An attempt came to nothing; there is another one, once `again` is told."""
        self._leave(job)
        job.failures += 1
        job.error = why
        job.state = TaskState.RETRYING
        self.expected.add(job.key)

    def failed(self, job: Job, state: TaskState, why: str) -> None:
        """It came to nothing for good."""
        self._leave(job)
        self._end(job, state, why)

    def again(self, job: Job) -> None:
        """The pause before its next attempt is over."""
        self.expected.discard(job.key)
        self._queue(job)

    def approved(self, job: Job, question: str) -> None:
        """The person said yes to that: it may begin, or what there is of it counts as its result."""
        job.approved = question
        job.is_taken = job.question is Question.RESULT or job.task.role is None
        job.state, job.question = TaskState.PENDING, None
        self._leave(job)
        self._queue(job)

    def waits_for_the_person(self, job: Job, *, is_waiting: bool) -> None:
        """Whether the agent at work on it asks the person something itself."""
        if is_waiting:
            self.asked.add(job.key)
        else:
            self.asked.discard(job.key)

    def cancelled(self, job: Job, why: str) -> None:
        """It ends here, whatever it was at."""
        self._leave(job)
        job.why = why
        self._over(job, TaskState.CANCELLED)

    def stop(self, why: str) -> None:
        """Nothing begins any more."""
        if self.stopped is None:
            self.stopped = why

    def ended_by_others(self) -> list[Job]:
        """What was skipped since it was asked last, in the order in which that follows."""
        ended, self._ended = self._ended, []
        return ended

    # How it is kept

    def _register(self, task: Task, by: str | None) -> Job:
        job = Job(task, len(self.jobs), self.jobs[by].depth + 1 if by is not None else 0, by)
        self.jobs[task.key] = job
        self.open_count += 1
        self.needs.register(job)
        return job

    def _count_needs(self, job: Job) -> None:
        why = self.needs.count(job)
        if why is not None:
            self._skip(job, why)
        elif not job.unmet:
            self._queue(job)

    def _queue(self, job: Job) -> None:
        """It can go on."""
        role = job.role
        if job.is_taken:
            self._to_take.append(job)
        elif job.question is not None:
            self._wait_for_the_person(job, job.question)
        elif role is None or (job.task.needs_approval and job.approved is None):
            self._wait_for_the_person(job, Question.START)
        elif job.kept is not None and job.work is Work.WORK:
            self._seated.append((job, job.kept))
        else:
            heapq.heappush(self._queues[role], (-job.task.priority, job.order, job))

    def _ask_again(self) -> None:
        """Of what would begin next, ask the person about what they did not say yes to as it is now."""
        while self._to_take and not self.is_meant(job := self._to_take[0]):
            self._to_take.popleft()
            job.is_taken = False
            self._wait_for_the_person(job, Question.START if job.task.role is None else Question.RESULT)
        while self._seated and not self._may_start(job := self._seated[0][0]):
            self._seated.popleft()
            self._wait_for_the_person(job, Question.START)
        for role, queue in self._queues.items():
            while queue and self._seats[role] and not self._may_start(job := queue[0][2]):
                heapq.heappop(queue)
                self._wait_for_the_person(job, Question.START)

    def _may_start(self, job: Job) -> bool:
        return job.work is Work.REVIEW or not job.task.needs_approval or self.is_meant(job)

    def _start(self, job: Job, seat: str) -> Start:
        job.seat = job.last_seat[job.work] = seat
        job.attempts += 1
        job.state = TaskState.REVIEWING if job.work is Work.REVIEW else TaskState.RUNNING
        self.expected.add(job.key)
        return Start(job, seat)

    def _wait_for_the_person(self, job: Job, question: Question) -> None:
        self._let_go(job)
        job.question = question
        self._to_ask.append((job, question))

    def _leave(self, job: Job) -> None:
        """Nobody has it now; its seat is free, unless that is kept for it."""
        self.expected.discard(job.key)
        self.asked.discard(job.key)
        if job.seat is not None and job.seat != job.kept:
            self._release(job.seat)
        job.seat = None

    def _let_go(self, job: Job) -> None:
        if job.kept is not None:
            self._release(job.kept)
            job.kept = None

    def _release(self, seat: str) -> None:
        self._seats[self._role_of[seat]].release(seat)

    def _rounds(self, job: Job) -> int:
        return self._policy.rounds if job.task.rounds is None else job.task.rounds

    def _stops(self, job: Job) -> bool:
        return (job.task.on_error or self._policy.on_error) is OnError.STOP

    def _end(self, job: Job, state: TaskState, why: str) -> None:
        """It ended otherwise than done, by itself."""
        job.why = why
        self._over(job, state)
        self._follow(job)

    def _follow(self, job: Job) -> None:
        if job.state in _FAILED and self._stops(job):
            self.stop(f"{job.key} {ENDED[job.state]}: {job.why}")
        self._lose(job)

    def _over(self, job: Job, state: TaskState) -> None:
        self._let_go(job)
        job.state = state
        self.open_count -= 1
        self.done_count += state is TaskState.DONE
        for ready in self.needs.over(job):
            self._queue(ready)

    def _lose(self, first: Job) -> None:
        """What needs it never comes about, and neither does what needs that."""
        if self.stopped is not None:
            return  # the rest is cancelled
        lost, has_others = deque([first]), False
        while lost:
            job = lost.popleft()
            lost += self._skipped(self.needs.lose(job, job.told_need(job.key)), job.told_need(job.key))
            has_others = has_others or self.needs.has_other_givers(job)
            if not lost and has_others:
                has_others = False
                for never in self.needs.never_met(list(self.unfinished())):
                    lost += self._skipped([never], first.told_need(self.needs.missing(never)[0]))

    def _skipped(self, jobs: Sequence[Job], why: str) -> Sequence[Job]:
        for job in jobs:
            job.why = why
            self._over(job, TaskState.SKIPPED)
        self._ended += jobs
        return jobs

    def _skip(self, job: Job, why: str) -> None:
        self._skipped([job], why)
        self._lose(job)
