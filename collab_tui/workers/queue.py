"""Which worker starts next, and which waits for what: priority, then arrival; caps, a rate, a cool-down for each task.

It knows no clock and starts nothing: what runs, and when the last ones started, it is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from collab_tui.config.workers import WorkerSettings
from collab_tui.model.workers import WorkerKind
from collab_tui.workers.job import Job, Step

_HOUR: Final = 3600.0


class Start(NamedTuple):
    """A decision worker started."""

    at: float
    """Seconds since the epoch."""
    task: str
    worker: str


@dataclass
class Queue:
    """The workers of one monitor that did not start yet."""

    settings: WorkerSettings
    _jobs: dict[str, Job] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._jobs)

    def jobs(self) -> list[Job]:
        """All that wait, the next ones first; those that wait for the person last."""
        return sorted(self._jobs.values(), key=lambda job: (job.step is Step.ASKING, *job.rank))

    def get(self, job_id: str) -> Job | None:
        """The one of that id."""
        return self._jobs.get(job_id)

    def put(self, job: Job) -> Job | None:
        """Let one wait, or know it anew; gives the one for which there is no room then: perhaps itself."""
        self._jobs[job.id] = job
        if len(self._jobs) <= self.settings.queue:
            return None
        last = max(self._jobs.values(), key=lambda waiting: waiting.rank)
        return self._jobs.pop(last.id)

    def has_room_for(self, job: Job) -> bool:
        """It would wait if it came now."""
        return len(self._jobs) < self.settings.queue or any(job.rank < one.rank for one in self._jobs.values())

    def take(self, job_id: str) -> Job | None:
        """It waits no more."""
        return self._jobs.pop(job_id, None)

    def same_as(self, job: Job) -> Job | None:
        """One that waits for the same: a decision on the same task, for the same reason."""
        same = (one for one in self._jobs.values() if one.kind is job.kind and one.task == job.task)
        return next((one for one in same if one.template == job.template and one.prompt == job.prompt), None)

    def next(self, now: float, running: Collection[Job], starts: Sequence[Start]) -> Job | None:
        """The one whose turn it is, which then waits no more; None: none may start now."""
        for job in self.jobs():
            if job.step is not Step.ASKING and self.free_at(job, now, running, starts) == now:
                return self.take(job.id)
        return None

    def next_time(self, now: float, running: Collection[Job], starts: Sequence[Start]) -> float | None:
        """When one may start by the clock alone; None: only once something else changes."""
        asked = (self.free_at(job, now, running, starts) for job in self._jobs.values() if job.step is not Step.ASKING)
        return min((at for at in asked if at is not None), default=None)

    def free_at(self, job: Job, now: float, running: Collection[Job], starts: Sequence[Start]) -> float | None:
        """When it may start: now, later by the clock, or None: once one that runs is over."""
        same_kind = [one for one in running if one.kind is job.kind]
        if any(one.task == job.task for one in same_kind):
            return None
        if job.kind is WorkerKind.EXECUTION:
            return now if len(same_kind) < self.settings.max_executions else None
        if len(same_kind) >= self.settings.max_decisions:
            return None
        if job.is_by_hand:
            return now
        return max(now, self._rate_free_at(now, starts), self._cool_at(job, starts))

    def _rate_free_at(self, now: float, starts: Sequence[Start]) -> float:
        recent = sorted(start.at for start in starts if start.at > now - _HOUR)
        return recent[-self.settings.per_hour] + _HOUR if len(recent) >= self.settings.per_hour else now

    def _cool_at(self, job: Job, starts: Iterable[Start]) -> float:
        """One that was cut off does not wait for itself."""
        last = max((one.at for one in starts if one.task == job.task and one.worker != job.id), default=None)
        return last + self.settings.cool_down if last is not None else 0.0
