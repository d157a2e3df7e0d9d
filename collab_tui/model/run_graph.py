"""What comes before what among the tasks of a run: pure functions of keys and needs.

A need names a task, a key that tasks give, or `KEY/*`: the task KEY and all that were added below it. Of several tasks
that give the same key the first one meets the need; the others write further revisions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from collab_tui.model.runs import Run, TaskState

GOAL: Final = "goal"
"""The key that every blackboard has from the beginning."""
ALL_BELOW: Final = "/*"


class Node(NamedTuple):
    """A task as the graph sees it."""

    key: str
    gives: str
    needs: tuple[str, ...] = ()


class Unmet(NamedTuple):
    """Something that a task still waits for."""

    need: str
    tasks: tuple[str, ...]
    """The tasks that are still to be done for it; none: nobody gives it."""


class Path(NamedTuple):
    """A chain of tasks, each of which needs the one before it."""

    keys: tuple[str, ...]
    seconds: float


class Graph:
    """The tasks of a run and what each needs. Of two with the same key the first counts."""

    def __init__(self, nodes: Iterable[Node], known: Collection[str] = (GOAL,)) -> None:
        self.known: Final = known
        """Keys that have a value from the beginning."""
        self.nodes: Final[dict[str, Node]] = {}
        for node in nodes:
            self.nodes.setdefault(node.key, node)
        self._needs = {key: tuple(dict.fromkeys(node.needs)) for key, node in self.nodes.items()}
        self._givers = self._resolved()
        self._meets: defaultdict[str, list[str]] = defaultdict(list)
        """Task -> the needs that it helps to meet."""
        for need, givers in self._givers.items():
            for giver in givers:
                self._meets[giver].append(need)
        self.order: Final[list[str]] = []
        """Every task that can start at all, each after all that it needs."""
        self.layers: Final[dict[str, int]] = {}
        """Of each of those how many tasks at least come before it, one after the other."""
        self._first: dict[str, str] = {}
        """Need -> the task with which it is met."""
        self._walk()

    def _resolved(self) -> dict[str, tuple[str, ...]]:
        """Need -> the tasks that give it."""
        givers: defaultdict[str, list[str]] = defaultdict(list)
        for key, node in self.nodes.items():
            givers[node.gives].append(key)
        wanted = dict.fromkeys(need for needs in self._needs.values() for need in needs)
        below: dict[str, list[str]] = {
            need[: -len(ALL_BELOW)]: [] for need in wanted if need.endswith(ALL_BELOW) and need not in self.nodes
        }
        if below:
            for key in self.nodes:
                for prefix in _prefixes(key):
                    if prefix in below:
                        below[prefix].append(key)
        found: dict[str, tuple[str, ...]] = {}
        for need in wanted:
            if need in self.nodes:
                found[need] = (need,)
            elif need.endswith(ALL_BELOW):
                top = need[: -len(ALL_BELOW)]
                found[need] = tuple(below[top]) if top in self.nodes else ()
            else:
                found[need] = tuple(givers.get(need, ()))
        return found

    def _needs_all(self, need: str) -> bool:
        return need.endswith(ALL_BELOW) and need not in self.nodes

    def _is_known(self, need: str) -> bool:
        return need not in self.nodes and need in self.known

    def _walk(self) -> None:
        """Let every task be done as soon as what it needs is."""
        waiting: defaultdict[str, list[str]] = defaultdict(list)
        missing: dict[str, int] = {}
        for key, needs in self._needs.items():
            unknown = [need for need in needs if not self._is_known(need)]
            missing[key] = len(unknown)
            for need in unknown:
                waiting[need].append(key)
        left = {need: len(givers) if self._needs_all(need) else 1 for need, givers in self._givers.items()}
        self.order.extend(key for key, count in missing.items() if not count)
        self.layers.update(dict.fromkeys(self.order, 0))
        for key in self.order:  # grows as it goes
            for need in self._meets.get(key, ()):
                left[need] -= 1
                if left[need]:
                    continue
                self._first[need] = key
                for waiter in waiting[need]:
                    missing[waiter] -= 1
                    if not missing[waiter]:
                        self.layers[waiter] = self.layers[key] + 1
                        self.order.append(waiter)

    def before(self, key: str) -> tuple[str, ...]:
        """The tasks that a task waits for itself, not those that come before them."""
        found: dict[str, None] = {}
        for need in self._needs[key]:
            if not self._is_known(need):
                is_first_enough = not self._needs_all(need) and need in self._first
                found.update(dict.fromkeys((self._first[need],) if is_first_enough else self._givers[need]))
        return tuple(found)

    def nobody_gives(self) -> Iterator[tuple[str, str]]:
        """Each task and each need of it that no task gives and that does not stand there from the beginning."""
        for key, needs in self._needs.items():
            for need in needs:
                if not self._givers[need] and not self._is_known(need):
                    yield key, need

    def cycles(self) -> list[tuple[str, ...]]:
        """Tasks that never start because each needs the next, and the last the first; one for every tangle."""
        found: list[tuple[str, ...]] = []
        tangled: set[str] = set()
        finished: set[tuple[bool, str]] = set()
        for root in self.nodes:
            if root in self.layers or (True, root) in finished:
                continue
            path = {(True, root): self._unmet_next((True, root))}
            while path:
                place, rest = next(reversed(path.items()))
                step = next(rest, None)
                if step is None:
                    finished.add(place)
                    del path[place]
                elif step in path:
                    places = list(path)
                    cycle = tuple(name for is_task, name in places[places.index(step) :] if is_task)
                    if tangled.isdisjoint(cycle):
                        found.append(cycle)
                    tangled.update(cycle)
                elif step not in finished:
                    path[step] = self._unmet_next(step)
        return found

    def _unmet_next(self, place: tuple[bool, str]) -> Iterator[tuple[bool, str]]:
        """From a task to the needs of it that are never met, from such a need to the tasks that would give it."""
        is_task, name = place
        if is_task:
            return ((False, need) for need in self._needs[name] if need not in self._first and not self._is_known(need))
        return ((True, giver) for giver in self._givers[name] if giver not in self.layers)

    def still_missing(self, need: str, done: Container[str], values: Container[str]) -> tuple[str, ...] | None:
        """The tasks that are still to be done for a need of a task; None: it is met."""
        givers = self._givers[need]
        left = tuple(giver for giver in givers if giver not in done)
        if self._needs_all(need) or need in self.nodes:
            return left or (None if givers else ())
        is_met = need in self.known or need in values or len(left) < len(givers)
        return None if is_met else left

    def unmet(self, done: Container[str], values: Container[str]) -> dict[str, tuple[Unmet, ...]]:
        """Task -> what it still waits for, of all tasks that are not done and wait for something."""
        missing = {need: self.still_missing(need, done, values) for need in self._givers}
        found: dict[str, tuple[Unmet, ...]] = {}
        for key, needs in self._needs.items():
            if key not in done:
                left = tuple(Unmet(need, tasks) for need in needs if (tasks := missing[need]) is not None)
                if left:
                    found[key] = left
        return found

    def critical_path(self, seconds: Mapping[str, float]) -> Path:
        """The chain that takes longest when each task takes so long; no run is faster, with however many seats."""
        finish: dict[str, float] = {}
        via: dict[str, str | None] = {}
        latest: dict[str, str] = {}
        """Need -> the task with which it is met: of those that all have to be done the last one."""
        for key in self.order:
            ends = [latest[need] for need in self._needs[key] if not self._is_known(need)]
            last = max(ends, key=finish.__getitem__, default=None)
            via[key] = last
            finish[key] = max(0.0, seconds.get(key, 0.0)) + (finish[last] if last is not None else 0.0)
            for need in self._meets.get(key, ()):
                known = latest.setdefault(need, key)
                if self._needs_all(need) and finish[key] > finish[known]:
                    latest[need] = key
        if not finish:
            return Path((), 0.0)
        end: str | None = max(finish, key=finish.__getitem__)
        total = finish[end] if end is not None else 0.0
        keys = []
        while end is not None:
            keys.append(end)
            end = via[end]
        return Path(tuple(reversed(keys)), total)


def graph_of(run: Run) -> Graph:
    """The graph of a run as far as it was told; what no task gives and yet has a value counts as known."""
    given = {task.gives for task in run.tasks}
    known = {GOAL, *(value.key for value in run.values if value.key not in given)}
    return Graph(nodes_of(run), known)


def nodes_of(run: Run) -> Iterator[Node]:
    """The tasks of a run as its graph sees them: one that was added begins after the one that added it."""
    keys = {task.key for task in run.tasks}
    for task in run.tasks:
        adder = (task.added_by,) if task.added_by is not None and task.added_by in keys else ()
        yield Node(task.key, task.gives, (*task.needs, *adder))


def unmet_of(run: Run, graph: Graph | None = None) -> dict[str, tuple[Unmet, ...]]:
    """Task -> what it still waits for, of the run as it stands."""
    done = {task.key for task in run.tasks if task.state is TaskState.DONE}
    return (graph or graph_of(run)).unmet(done, {value.key for value in run.values})


def _prefixes(key: str) -> Iterator[str]:
    """`a/b/c`: `a`, `a/b`, `a/b/c`."""
    place = key.find("/")
    while place >= 0:
        yield key[:place]
        place = key.find("/", place + 1)
    yield key
