"""Where a task of a run goes on that another process had."""

from __future__ import annotations

from itertools import takewhile

from collab_tui.model.runs import RunTask, TaskState, Work
from collab_tui.orchestrator.jobs import Job, Question


def take_up(job: Job, told: RunTask, approved: str | None, *, rounds: int) -> None:
    """It goes on where its attempts had brought it; one that failed for good begins from its beginning.

    Attempts that were broken off count for nothing but their number. Whoever may begin, may so again.
    """
    job.attempts = max((attempt.number for attempt in told.attempts), default=0)
    job.approved, is_answered = approved, approved is not None and not told.state.is_over
    job.last_seat.update((attempt.work, attempt.seat) for attempt in told.attempts)
    job.is_taken = is_answered and job.task.role is None
    counted = [attempt for attempt in told.attempts if attempt.outcome not in (None, TaskState.CANCELLED)]
    if not counted:
        return
    last = counted[-1]
    if last.outcome is TaskState.REJECTED:
        job.round = last.round + 1
        if last.round > rounds:
            job.round, job.work, job.state = last.round, Work.REVIEW, TaskState.WORKED
            job.question, job.is_taken = Question.RESULT, is_answered
    elif last.outcome is TaskState.WORKED:
        job.round, job.work, job.state = last.round, Work.REVIEW, TaskState.WORKED
    elif last.outcome is TaskState.RETRYING:
        job.round, job.work, job.error = last.round, last.work, last.error
        at_it = takewhile(lambda one: one.outcome is TaskState.RETRYING and one.work is last.work, reversed(counted))
        job.failures = sum(1 for _ in at_it)
        job.state = TaskState.WORKED if job.work is Work.REVIEW else TaskState.PENDING
