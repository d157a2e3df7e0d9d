"""Which needs of the tasks of a run are met, and which never will be.

Counted rather than looked up: what follows from the end of one task costs what is waiting for it, not the whole graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from collab_tui.model.run_graph import ALL_BELOW, Graph, Node
from collab_tui.model.runs import TaskState
from collab_tui.orchestrator.jobs import Job


class Needs:
    """The needs of one run's tasks. `values` are the keys that stand on the blackboard already."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._keys: set[str] = set()
        """Of the tasks of the run."""
        self._values = set(values)
        self._waiting: dict[str, list[Job]] = {}
        self._met: set[str] = set()
        self._lost: dict[str, str] = {}
        """Needs that are never met, and why."""
        self._givers: dict[str, int] = {}
        """Key of the blackboard -> how many tasks may still give it, beside one of that key."""
        self._open_below: dict[str, int] = {}
        """Key of a task -> how many of it and those below it are not done."""

    def is_met(self, need: str) -> bool:
        """Whether a task that has it need not wait for it."""
        return need in self._met or (need in self._values and need not in self._keys)

    def is_given(self, key: str) -> bool:
        """Whether a task gives, or gave, that key as its result, beside one of that key."""
        return key in self._givers

    def why_lost(self, need: str) -> str | None:
        """Why it is never met, if that is known."""
        return self._lost.get(need) if not self.is_met(need) else None

    def missing(self, job: Job) -> Sequence[str]:
        """What it still waits for."""
        return [need for need in job.task.needs if not self.is_met(need)]

    def register(self, job: Job) -> None:
        """There is one more task."""
        self._keys.add(job.key)
        if job.task.result_key != job.key:
            self._givers[job.task.result_key] = self._givers.get(job.task.result_key, 0) + 1
        for place in _places(job.key):
            self._open_below[place] = self._open_below.get(place, 0) + 1

    def count(self, job: Job) -> str | None:
        """Count what it waits for, once all that comes with it is registered; gives why that never comes, if so."""
        for need in dict.fromkeys(job.task.needs):
            if not self.is_met(need):
                self._waiting.setdefault(need, []).append(job)
                job.unmet += 1
        return next((self._lost[need] for need in job.task.needs if need in self._lost), None)

    def given(self, key: str) -> Iterator[Job]:
        """There is a value of that key; gives those that wait for nothing more."""
        self._values.add(key)
        if key not in self._keys:  # what names a task waits for its end
            yield from self._give(key)

    def over(self, job: Job) -> Iterator[Job]:
        """It ended; gives those that wait for nothing more."""
        if job.task.result_key != job.key:
            self._givers[job.task.result_key] -= 1
        if job.state is not TaskState.DONE:
            return
        yield from self._give(job.key)
        for place in _places(job.key):
            self._open_below[place] -= 1
            if not self._open_below[place]:
                yield from self._give(f"{place}{ALL_BELOW}")
        yield from self.given(job.task.result_key)

    def _give(self, need: str) -> Iterator[Job]:
        if need in self._met:
            return
        self._met.add(need)
        for job in self._waiting.pop(need, ()):
            job.unmet -= 1
            if not job.unmet and not job.state.is_over:
                yield job

    def lose(self, job: Job, why: str) -> list[Job]:
        """It ended otherwise than done; gives those that wait for what only that would have given."""
        lost = [job.key, *(f"{place}{ALL_BELOW}" for place in _places(job.key))]
        key = job.task.result_key
        if key != job.key and not self._givers[key] and key not in self._values:
            lost.append(key)
        found: list[Job] = []
        for need in lost:
            self._lost.setdefault(need, why)
            found += (other for other in self._waiting.pop(need, ()) if not other.state.is_over)
        return list({job.key: job for job in found}.values())

    def has_other_givers(self, job: Job) -> bool:
        """Others may still give what it was to give; perhaps they wait for that very thing."""
        key = job.task.result_key
        return key != job.key and self._givers[key] > 0 and key not in self._values

    def never_met(self, jobs: Sequence[Job]) -> list[Job]:
        """Those of the tasks that did not end that wait for each other, or for what does."""
        nodes = []
        for job in jobs:
            needs: list[str] = []
            for need in self.missing(job):
                top = need.removesuffix(ALL_BELOW)
                needs += [need] if top == need else [other.key for other in jobs if top in _places(other.key)]
            nodes.append(Node(job.key, job.task.result_key, tuple(needs)))
        graph = Graph(nodes, ())
        return [job for job in jobs if job.key not in graph.layers]


def _places(key: str) -> Iterator[str]:
    """The key, and those below which it stands."""
    yield key
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key
