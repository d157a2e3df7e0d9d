"""What is kept of the workers of one monitor, and what is told of them: first the one, then the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from collab_tui.model.workers import WorkerState
from collab_tui.protocol.persistence import Persistence
from collab_tui.workers.job import Job
from collab_tui.workers.jobs import Jobs
from collab_tui.workers.logs import Logs
from collab_tui.workers.record import Record

_TOLD: Final = ("title", "priority", "project", "stream", "cause", "request", "session", "log")


class Book:
    """The jobs, their logs, and the lines that tell of them."""

    def __init__(
        self, jobs: Jobs, logs: Logs, record: Record, persist: Persistence, notice: Callable[[str], None]
    ) -> None:
        self.jobs = jobs
        self.logs = logs
        self.record = record
        self._persist = persist
        self._notice = notice

    async def keep(self, job: Job) -> None:
        """Keep a job as it is now: from here on it is done, also by another monitor."""
        await self._persist(lambda: self.jobs.save(job))

    async def forget(self, job: Job) -> None:
        """Nothing more comes of it."""
        await self._persist(lambda: self.jobs.remove(job.id))

    async def say(self, job: Job, state: WorkerState, **more: Any) -> None:
        """Tell how far it is, unless that was told."""
        told = {"kind": job.kind.value, "task": job.task} | {name: getattr(job, name) for name in _TOLD} | more
        told |= {"unasked": True} if job.is_unasked else {}
        if await self.record.say(job.id, state, {name: value for name, value in told.items() if value is not None}):
            self._notice(told_of(job, state, more.get("outcome") or more.get("why")))

    def is_known(self, worker: str) -> bool:
        """It is kept here, or was told of."""
        return self.jobs.has(worker) or self.record.state_of(worker) is not None

    def write(self, job: Job, heading: str, text: str) -> None:
        """Add to the log of a worker. One that cannot be written stops nothing."""
        self.logs.write(job, heading, text)


def told_of(job: Job, state: WorkerState, why: str | None) -> str:
    """How far one is, in words."""
    return f"{job.kind} worker {job.id[:8]} on {job.task}: {state}{f': {why}' if why else ''}"
