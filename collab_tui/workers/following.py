"""Which execution workers follow from a verdict, and which of them start without the person being asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from collab_tui.config import Config
from collab_tui.config.workers import Start
from collab_tui.model.workers import WorkerKind, WorkerState
from collab_tui.workers.job import Job, Step
from collab_tui.workers.needs_decision import EXECUTION
from collab_tui.workers.starts import Starts

_DAY: Final = 86_400.0


def following(job: Job, config: Config, starts: Starts, now: float) -> Iterator[Job]:
    """The workers that a decision wants, in order, always with the same ids. What is unasked is counted at each.

    Which agent works, and where its branch begins, is set here: what the person says yes to is what starts.
    """
    settings = config.workers
    if job.outcome is not WorkerState.DONE or job.verdict is None:
        return
    reached = f"You are asked because auto_limit is reached: {settings.auto_limit} started unasked within a day"
    for number, task in enumerate(job.verdict["next"]):
        is_auto = settings.start == Start.AUTO
        is_unasked = is_auto and starts.unasked_since(now - _DAY) < settings.auto_limit
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
            agent=settings.execution_agent,
            base=config.sessions.base,
            order=number,
            is_unasked=is_unasked,
            asked_because=reached if is_auto and not is_unasked else None,
        )
