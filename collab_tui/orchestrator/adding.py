"""The tasks of a run as the registry is told of them, and what agents add while it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from collab_tui.model.run_graph import GOAL
from collab_tui.orchestrator.agent import WorkError
from collab_tui.orchestrator.checking import added
from collab_tui.orchestrator.documents import task_document
from collab_tui.orchestrator.jobs import Job
from collab_tui.orchestrator.parts import Parts
from collab_tui.orchestrator.plan import Policy, Task

_MOST_IN_LINE: Final = 1 << 17
"""Characters of the tasks that one line tells of."""


class Adding:
    """What is added to one run."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tasks = {job.key: job.task for job in parts.schedule.jobs.values()}
        """Those too that are being written: of what two agents add at once, the second is checked beside the first."""

    def checked(self, job: Job, tasks: Sequence[Task]) -> Sequence[Task]:
        """What it adds, with whole keys. Raises `WorkError` or `PipelineError`."""
        pipeline, schedule = self._parts.pipeline, self._parts.schedule
        if job.task.role is None or not pipeline.roles[job.task.role].may_add:
            raise WorkError(f"{job.task.role} adds no tasks to this run: see may_add")
        return added(
            tasks,
            job.key,
            depth=job.depth,
            known=self._tasks,
            roles={name: role for name, role in pipeline.roles.items() if name in self._parts.agents},
            keeping={name for name, agent in self._parts.agents.items() if agent.keeps_seat},
            values={GOAL, *pipeline.values},
            policy=self._parts.policy,
            needs=schedule.needs,
        )

    def tell(self, tasks: Sequence[Task], by: str) -> None:
        """Write of what was checked; it is part of the run from now on."""
        tell_tasks(self._parts, tasks, by)
        self._tasks.update((task.key, task) for task in tasks)


def tell_tasks(parts: Parts, tasks: Sequence[Task], by: str | None) -> None:
    """Write of tasks, whole where they were added: they stand nowhere else."""
    lines: list[list[dict[str, Any]]] = [[]]
    size = 0
    for task in tasks:
        told = _told_of(task, parts.policy) | ({"task": task_document(task)} if by is not None else {})
        length = len(repr(told))
        if size + length > _MOST_IN_LINE:
            lines.append([])
            size = 0
        lines[-1].append(told)
        size += length
    for line in filter(None, lines):
        parts.journal.send(parts.agent, "run_tasks", {"tasks": line} | ({"by": by} if by is not None else {}))


def _told_of(task: Task, policy: Policy) -> dict[str, Any]:
    rounds = policy.rounds if task.rounds is None else task.rounds
    told = {
        "key": task.key,
        "role": task.role,
        "title": task.title,
        "needs": list(task.needs) or None,
        "gives": task.gives,
        "priority": task.priority or None,
        "review": task.review,
        "rounds": rounds if task.review is not None else None,
        "approval": task.needs_approval or None,
    }
    return {name: value for name, value in told.items() if value is not None}
