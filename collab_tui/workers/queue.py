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

MOST_ASKED: Final = 20
"""Questions of workers that wait for the person; while there are as many, no decision on an event starts."""
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

    @property
    def is_held(self) -> bool:
        """So much waits for the person that no decision on an event starts."""
        return sum(job.step is Step.ASKING for job in self._jobs.values()) >= MOST_ASKED

    def jobs(self) -> list[Job]:
        """All that wait, the next ones first; those that wait for the person last."""
        return sorted(self._jobs.values(), key=lambda job: (job.step is Step.ASKING, *job.rank))

    def get(self, job_id: str) -> Job | None:
        """The one of that id."""
        return self._jobs.get(job_id)

    def put(self, job: Job) -> Job | None:
        """Let one wait, or know it anew; gives the one for which there is no room then: perhaps itself.

        That is always a decision on an event. What the person wants, is asked, or said yes to stays.
        """
        self._jobs[job.id] = job
        bounded = self._bounded()
        if len(bounded) <= self.settings.queue:
            return None
        return self._jobs.pop(max(bounded, key=lambda waiting: waiting.rank).id)

    def why_no_room(self, job: Job) -> str | None:
        """Why it would not wait if it came now."""
        bounded = self._bounded()
        if not job.is_on_event or len(bounded) < self.settings.queue or any(job.rank < one.rank for one in bounded):
            return None
        return self.full()

    def full(self) -> str:
        """Why there is no room."""
        return f"{len(self._bounded())} wait already"

    def _bounded(self) -> list[Job]:
        """Those that come however many an outsider sends."""
        return [job for job in self._jobs.values() if job.is_on_event]

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
        if not job.is_on_event:
            return now
        if self.is_held:
            return None
        return max(now, self._rate_free_at(now, starts), self._cool_at(job, starts))

    def _rate_free_at(self, now: float, starts: Sequence[Start]) -> float:
        recent = sorted(start.at for start in starts if start.at > now - _HOUR)
        return recent[-self.settings.per_hour] + _HOUR if len(recent) >= self.settings.per_hour else now

    def _cool_at(self, job: Job, starts: Iterable[Start]) -> float:
        """One that was cut off does not wait for itself."""
        last = max((one.at for one in starts if one.task == job.task and one.worker != job.id), default=None)
        return last + self.settings.cool_down if last is not None else 0.0
