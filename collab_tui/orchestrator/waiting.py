"""What agents wait for on the blackboard while they work, and when that is in vain.

Nobody but tasks of the run writes there: where all that work wait for values, and nothing else may begin, none comes.
"""

from __future__ import annotations

from collab_tui.model.runs import TaskState
from collab_tui.orchestrator.schedule import Schedule


class Waits:
    """The waits without a limit of one run."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._keys: dict[str, list[str]] = {}
        """Task at work -> the values for which its agent waits."""

    def began(self, task: str, key: str) -> None:
        """An agent waits for a value while it works on a task."""
        self._keys.setdefault(task, []).append(key)

    def ended(self, task: str, key: str) -> None:
        """It does not any more."""
        keys = self._keys[task]
        keys.remove(key)
        if not keys:
            del self._keys[task]

    def lost(self) -> list[tuple[str, str]]:
        """The tasks whose agents wait for a value that never comes, and why it does not."""
        found = ((task, self.why_lost(key)) for task, keys in self._keys.items() for key in keys)
        return [(task, why) for task, why in found if why is not None]

    def why_lost(self, key: str) -> str | None:
        """Why there never is a value of that key: the task of that key, or all that give it, came to nothing."""
        job = self._schedule.jobs.get(key)
        if job is not None and job.state.is_over and job.state is not TaskState.DONE:
            return job.told_need(key)
        return self._schedule.needs.why_lost(key)

    @property
    def are_in_vain(self) -> bool:
        """All that something could be heard of wait for values, and nothing else may begin."""
        schedule = self._schedule
        if not self._keys or not self._keys.keys() >= schedule.expected or schedule.stopped is not None:
            return False
        return not schedule.may_begin

    def told(self) -> str:
        """Who waits for what, and for whom that is, from one to the next."""
        told: dict[str, str] = {}
        task: str | None = next(iter(self._keys))
        while task is not None and task not in told:
            key = self._keys[task][0]
            jobs = self._schedule.jobs.values()
            giver = next((job for job in jobs if key in (job.key, job.task.result_key)), None)
            if giver is None:
                by = ", which no task gives"
            elif giver.key in self._keys or giver.state.is_over:
                by = f" of {giver.key}" if giver.key != key else ""
            else:
                missing = self._schedule.needs.missing(giver)
                by = f", and {giver.key} " + (f"needs {missing[0]}" if missing else f"waits for a seat of {giver.role}")
            told[task] = f"{task} waits for {key}{by}"
            task = giver.key if giver is not None and giver.key in self._keys else None
        return f"nobody is left to write what agents wait for on the blackboard: {'; '.join(told.values())}"
