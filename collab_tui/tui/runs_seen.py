"""How runs and their tasks read on the screen: sign, word, what each waits for, what the person is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.cells import cell_len, split_text

from collab_tui.model.ages import age, duration, seconds_between
from collab_tui.model.board import Request, RequestState
from collab_tui.model.run_graph import Graph, Unmet, graph_of, unmet_of
from collab_tui.model.run_timing import Timing, timing, wall_time, work_time
from collab_tui.model.run_words import TASK_ROLES, TASK_WORDS, task_sign
from collab_tui.model.runs import Pool, Run, RunState, RunTask, TaskState, Value, Work
from collab_tui.model.words import Status, name_key
from collab_tui.tui.safe import words
from collab_tui.tui.view import View

_UNITS: Final = ("B", "KiB", "MiB", "GiB")
_WEIGHTS: Final = {
    TaskState.ASKED: 0,
    TaskState.FAILED: 1,
    TaskState.TIMED_OUT: 1,
    TaskState.REJECTED: 1,
    TaskState.RETRYING: 1,
    TaskState.RUNNING: 2,
    TaskState.REVIEWING: 2,
    TaskState.WORKED: 2,
}
_MOST_NAMED: Final = 4
"""Tasks that are named where a task waits for more."""


def done_count(run: Run) -> int:
    """Tasks that are done."""
    return sum(task.state is TaskState.DONE for task in run.tasks)


def counts_told(run: Run, view: View) -> list[str]:
    """How many tasks are done, then how many are in which other state: `2 running`."""
    told = [f"{done_count(run)} of {len(run.tasks)} done"] if run.tasks else ["none yet"]
    counts = Counter((task.state, word_of(view, run, task)) for task in run.tasks if task.state is not TaskState.DONE)
    place = list(reversed(TaskState)).index
    for (_, word), count in sorted(counts.items(), key=lambda one: place(one[0][0])):
        told.append(f"{count} {word if count == 1 else word.replace('waits', 'wait').replace('was ', 'were ')}")
    return told


def is_gone(view: View, run: Run) -> bool:
    """It is told to go on, and its process is gone: that is known of the present alone."""
    return run.state is RunState.RUNNING and name_key(run.agent) in view.moment.gone


def seat_name(run: Run, seat: str) -> str:
    """A seat without the beginning of the run's id, which says nothing beside the run."""
    return words(seat.removesuffix(f"-{run.id[:4]}"))


def worker_of(task: RunTask) -> str | None:
    """Who works on a task; of one that is over who did the work, not who reviewed it last."""
    worked = [attempt.seat for attempt in task.attempts if attempt.work is Work.WORK]
    return worked[-1] if task.state.is_over and worked else task.seat


def size_text(size: int) -> str:
    """Bytes in one unit: `840 B`, `1.2 KiB`."""
    amount, unit = float(size), 0
    while amount >= 1000 and unit + 1 < len(_UNITS):
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit and amount < 9.95 else f"{amount:.0f} {_UNITS[unit]}"


def time_of(run: Run, view: View) -> datetime:
    """Now; of a run whose process is gone, when it was told of last: nothing of it went on since."""
    return (run.told_at if is_gone(view, run) else None) or view.moment.now


def lasts(task: RunTask, now: datetime) -> str:
    """How long agents had it, or since when it is as it is."""
    if task.state.is_at_work and task.attempts:
        seconds = seconds_between(task.attempts[-1].started_at, now)
        return age(seconds) if seconds is not None else ""
    spent = work_time(task, None)
    if task.state.is_over and spent:
        return duration(spent)
    since = task.attempts[-1].ended_at if task.attempts and not task.state.is_over else None
    seconds = seconds_between(since, now)
    return age(seconds) if seconds is not None else ""


def run_lasts(run: Run, view: View) -> str:
    """How long it runs, or took, and when that was."""
    if run.started_at is None:
        return ""
    now, gone = time_of(run, view), is_gone(view, run)
    took = duration(wall_time(run, now)[0])
    if run.ended_at is None and not gone:
        return took
    ago = seconds_between(run.ended_at or now, view.moment.now)
    return f"{'ran' if gone else 'took'} {took}, {age(ago or 0)} ago"


def word_of(view: View, run: Run, task: RunTask) -> str:
    """The state of a task in a word or two."""
    state, word = task.state, TASK_WORDS[task.state]
    if is_answered(view, task):
        return "answered"
    if not is_gone(view, run):
        return word
    return f"was {word}" if state.is_at_work else "to try again" if state is TaskState.RETRYING else word


def is_answered(view: View, task: RunTask) -> bool:
    """The person answered what it asks, and its run, which may be gone, did not take that yet."""
    request = view.moment.board.request(task.request) if task.state is TaskState.ASKED and task.request else None
    return request is not None and request.state is RequestState.ANSWERED and not view.moment.is_answerable(request)


def sign_of(view: View, run: Run, task: RunTask) -> tuple[str, str]:
    """The sign of a task and the colour role of both; nothing looks as if it were at work whose process is gone."""
    if request_of(view, task) is not None:
        return view.glyphs.needs_you, "warning"
    if is_answered(view, task):
        return view.glyphs.statuses[Status.WAITING], "muted"
    if task.state.is_at_work and is_gone(view, run):
        return view.glyphs.silent, "muted"
    return task_sign(task.state, view.glyphs), TASK_ROLES[task.state]


def weight_of(task: RunTask) -> int:
    """Where not all tasks fit, those with the lowest are shown: what waits for the person, went wrong, is at work."""
    return _WEIGHTS.get(task.state, 3)


def untended(view: View) -> str:
    """What to do with a run whose process is gone."""
    return f"its process is gone: {view.keymap.text('resume_run')} goes on with it"


def said(view: View, text: str | None) -> str:
    """What somebody said, on one line; of the person who looks as of everything else: you."""
    told, name = words(text), words(view.moment.person)
    return f"you{told[len(name) :]}" if name and told.startswith(f"{name} said no") else told


def key_cell(key: str, width: int, ellipsis: str) -> str:
    """A key in exactly so many cells; of a longer one the end, in which keys that were added differ."""
    text = words(key)
    if (size := cell_len(text)) > width:
        text = ellipsis + split_text(text, size - width + len(ellipsis))[1]
    return text + " " * (width - cell_len(text))


def request_of(view: View, task: RunTask) -> Request | None:
    """What the person is asked about a task, and can be answered: by the run, or by the agent that has it."""
    board, moment = view.moment.board, view.moment
    if not task.state.is_over and task.request is not None:
        request = board.request(task.request)
        if request is not None and moment.is_answerable(request):
            return request
    if not task.state.is_at_work or task.seat is None:
        return None
    seat = name_key(task.seat)
    return next((one for one in moment.needs if isinstance(one, Request) and name_key(one.asker) == seat), None)


def requests_of(view: View, run: Run) -> list[tuple[Request, str | None]]:
    """What the person is asked in a run, each with the key of its task: by the run itself, and by its seats."""
    tasks = run.tasks if not run.state.is_over else ()
    asked = {request.id: task.key for task in tasks if (request := request_of(view, task)) is not None}
    names = frozenset(map(name_key, run.agents()))
    needs = [one for one in view.moment.needs if isinstance(one, Request)]
    return [(one, asked.get(one.id)) for one in needs if one.id in asked or name_key(one.asker) in names]


def run_of_agent(runs: Sequence[Run], name: str) -> Run | None:
    """The newest run that an agent has a seat in, or that it carries."""
    key = name_key(name)
    for run in reversed(runs):
        if key in map(name_key, run.agents()):
            return run
    return None


def busy(run: Run, pool: Pool) -> list[RunTask]:
    """The tasks that the seats of a pool work on, in the order of the seats."""
    place = {name_key(seat): number for number, seat in enumerate(pool.seats)}
    mine = [t for t in run.tasks if t.state.is_at_work and t.seat is not None and name_key(t.seat) in place]
    return sorted(mine, key=lambda task: place[name_key(task.seat or "")])


@dataclass(frozen=True, slots=True)
class Known:
    """What follows from a run as it stands."""

    run: Run
    graph: Graph
    order: tuple[RunTask, ...]
    """The tasks, each after what it needs; those that never can start come last."""
    unmet: Mapping[str, tuple[Unmet, ...]]

    def waits_for(self, key: str) -> str:
        """What a task still waits for, in words; empty where that is a seat alone."""
        unmet = self.unmet.get(key, ())
        names = [name for one in unmet for name in one.tasks or (f"{one.need}, which nobody gives",)]
        shown = [words(name) for name in dict.fromkeys(names)]
        more = f" and {len(shown) - _MOST_NAMED} more" if len(shown) > _MOST_NAMED else ""
        return ", ".join(shown[:_MOST_NAMED]) + more


class RunsKnown:
    """Keeps what follows from each run until that changes: a board of another second has the same runs."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._shapes: dict[str, tuple[object, ...]] = {}

    def of(self, run: Run) -> Known:
        """What follows from a run."""
        known = self._known.get(run.id)
        if known is not None and known.run is run:
            return known
        shape = tuple((task.key, task.gives, task.needs) for task in run.tasks), tuple(one.key for one in run.values)
        graph = known.graph if known is not None and self._shapes.get(run.id) == shape else graph_of(run)
        tasks = {task.key: task for task in run.tasks}
        placed = [*graph.order, *(key for key in tasks if key not in graph.layers)]
        known = Known(run, graph, tuple(tasks[key] for key in placed), unmet_of(run, graph))
        self._known[run.id], self._shapes[run.id] = known, shape
        return known

    def keep(self, runs: Sequence[Run]) -> None:
        """Forget the others."""
        ids = {run.id for run in runs}
        for run_id in [one for one in self._known if one not in ids]:
            del self._known[run_id], self._shapes[run_id]


def values_about(run: Run, task: RunTask | None) -> Mapping[str, str]:
    """Key of a value -> `gives` or `needs`, as it concerns a task."""
    if task is None:
        return {}
    given = {one.key: one.gives for one in run.tasks}
    found: dict[str, str] = {}
    for need in task.needs:
        top = need.removesuffix("/*")
        names = [top, *(key for key in given if key.startswith(f"{top}/"))] if need.endswith("/*") else [need]
        found |= {given.get(name, name): "needs" for name in names}
    return found | {task.gives: "gives"}


def value_named(run: Run, key: str) -> Value | None:
    """What stands on the blackboard under a key."""
    return next((value for value in run.values if value.key == key), None)


def candidate_key(task: RunTask) -> str:
    """The key of the row of a result that is not accepted yet: no key of a value has a line break."""
    return f"\n{task.key}"


def candidate_of(task: RunTask) -> Value | None:
    """Its result that waits to be accepted."""
    return task.candidate if not task.state.is_over else None


def values_of(run: Run) -> Mapping[str, Value]:
    """The values of a run, and the results that wait to be accepted, by the keys of their rows."""
    waiting = {candidate_key(task): value for task in run.tasks if (value := candidate_of(task)) is not None}
    return {value.key: value for value in run.values} | waiting


def figures_of(known: Known, view: View) -> Timing:
    """The figures of a run until now, or until its process went."""
    return timing(known.run, time_of(known.run, view), known.graph)
