"""Which execution workers follow from a verdict, and which of them start without the person being asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from collab_tui.config.workers import Start, WorkerSettings
from collab_tui.model.workers import WorkerKind, WorkerState
from collab_tui.workers.job import Job, Step
from collab_tui.workers.needs_decision import EXECUTION
from collab_tui.workers.record import Record

_DAY: Final = 86_400.0


def following(job: Job, settings: WorkerSettings, record: Record, now: float) -> Iterator[Job]:
    """The workers that a decision wants, in order, always with the same ids. What is unasked is counted at each."""
    if job.outcome is not WorkerState.DONE or job.verdict is None:
        return
    for number, task in enumerate(job.verdict["next"]):
        is_auto = settings.start == Start.AUTO
        is_unasked = is_auto and record.unasked_since(now - _DAY) < settings.auto_limit
        yield Job(
            id=hashlib.sha256(f"{job.id} {task['task']}".encode()).hexdigest()[:16],
            kind=WorkerKind.EXECUTION,
            task=task["task"],
            step=Step.WAITING if is_unasked else Step.ASKING,
            queued_at=now,
            title=task.get("title"),
            priority=task["priority"],
            project=job.project,
            stream=job.stream,
            cause=job.id,
            why=task["why"],
            template=EXECUTION,
            order=number,
            evidence=job.log,
            is_unasked=is_unasked,
        )
