"""For whom the idle seats of a run wait: derived from its tasks, nobody declares it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from collab_tui.model.board import Because, Reason
from collab_tui.model.run_graph import Graph
from collab_tui.model.runs import Run, RunTask, TaskState
from collab_tui.model.words import name_key


class Awaited(NamedTuple):
    """One reason of a wait."""

    name: str | None
    """A seat; None: the person."""
    reason: Reason


SeatWaits = Mapping[str, tuple[Awaited, ...]]
"""Key of the name of a seat that works on nothing -> for whom it waits."""
_MOST: Final = 20
"""For how many a seat waits, as far as is told: hundreds that wait for hundreds tell nobody more."""
_IN_HAND: Final = frozenset((TaskState.RUNNING, TaskState.REVIEWING, TaskState.RETRYING, TaskState.REJECTED))
_UNREVIEWED: Final = frozenset((*_IN_HAND, TaskState.PENDING, TaskState.ASKED)) - {TaskState.REVIEWING}


def seat_waits(run: Run, graph: Graph) -> SeatWaits:
    """Of each seat that works on nothing, and for whose role nothing is ready: who has what its next tasks need.

    `graph` is that of the run's tasks.
    """
    taken = run.at_work() | run.strangers
    idle = {
        pool.role: seats for pool in run.pools if (seats := [k for k in map(name_key, pool.seats) if k not in taken])
    }
    if not idle:
        return {}
    found: dict[str, tuple[Awaited, ...]] = {}
    progress = _Progress(run, graph)
    for role, seats in idle.items():
        awaited = progress.awaited_by(role)
        for seat in seats:
            if others := tuple(each for each in awaited if each.name is None or name_key(each.name) != seat):
                found[seat] = others
    return found


class _Progress:
    """The tasks of a run and what each still waits for."""

    def __init__(self, run: Run, graph: Graph) -> None:
        self._tasks = {task.key: task for task in run.tasks}
        self._graph = graph
        self._done = {task.key for task in run.tasks if task.state is TaskState.DONE}
        self._values = {value.key for value in run.values}
        self._missing: dict[str, tuple[str, ...] | None] = {}
        self._of_role: defaultdict[str, list[RunTask]] = defaultdict(list)
        self._reviewed_by: defaultdict[str, list[RunTask]] = defaultdict(list)
        for task in run.tasks:
            if task.role is not None:
                self._of_role[task.role].append(task)
            if task.review is not None:
                self._reviewed_by[task.review].append(task)

    def awaited_by(self, role: str) -> tuple[Awaited, ...]:
        """Who has what the next tasks of a role need; nobody where one of them is ready for a seat."""
        own, reviewed = self._of_role[role], self._reviewed_by[role]
        if any(task.state is TaskState.REJECTED for task in own) or any(
            task.state is TaskState.WORKED for task in reviewed
        ):
            return ()
        pending = [task.key for task in own if task.state is TaskState.PENDING]
        if any(all(self._still_missing(need) is None for need in self._graph.nodes[key].needs) for key in pending):
            return ()
        asked = (task.key for task in own if task.state is TaskState.ASKED and not _is_worked(task))
        unreviewed = (task.key for task in reviewed if task.state in _UNREVIEWED and not _is_worked(task))
        return self._in_hand([*asked, *unreviewed, *self._before(pending)])

    def _in_hand(self, needed: Iterable[str]) -> tuple[Awaited, ...]:
        """Of what is needed the tasks that somebody has in hand; if none is, of what those need, and so on."""
        level = list(dict.fromkeys(needed))
        seen = set(level)
        while level:
            found: dict[str | None, Awaited] = {}
            for key in level:
                task = self._tasks[key]
                if (awaited := _awaited(task)) is not None and len(found) < _MOST:
                    found.setdefault(awaited.name, awaited)
            if found:
                return tuple(found.values())
            level = list(dict.fromkeys(key for key in self._before(level) if key not in seen))
            seen.update(level)
        return ()

    def _before(self, keys: Iterable[str]) -> Iterator[str]:
        """The tasks that are still to be done for what these need."""
        for need in dict.fromkeys(need for key in keys for need in self._graph.nodes[key].needs):
            yield from self._still_missing(need) or ()

    def _still_missing(self, need: str) -> tuple[str, ...] | None:
        if need not in self._missing:
            self._missing[need] = self._graph.still_missing(need, self._done, self._values)
        return self._missing[need]


def _is_worked(task: RunTask) -> bool:
    """There is a result, and the person is asked whether it is taken: no seat gets the task again."""
    last = task.attempts[-1].outcome if task.attempts else None
    return task.state is TaskState.ASKED and last in (TaskState.WORKED, TaskState.REJECTED, TaskState.ASKED)


def _awaited(task: RunTask) -> Awaited | None:
    if task.state is TaskState.ASKED:
        return Awaited(None, Reason(Because.TASK, task.key, task.position, task.request))
    if task.state in _IN_HAND and task.seat is not None:
        return Awaited(task.seat, Reason(Because.TASK, task.key, task.position))
    return None
