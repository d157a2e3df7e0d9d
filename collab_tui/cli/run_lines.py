"""Runs in lines and as JSON, for the commands that tell of them."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console

from collab_tui.cli.arguments import say
from collab_tui.cli.console import styled
from collab_tui.model.ages import duration
from collab_tui.model.glyphs import Glyphs
from collab_tui.model.run_graph import ALL_BELOW
from collab_tui.model.run_timing import Timing, work_time
from collab_tui.model.run_words import RUN_ROLES, TASK_ROLES, TASK_WORDS, chain, task_sign
from collab_tui.model.runs import Run, RunState, RunTask, TaskState
from collab_tui.model.summary import Span
from collab_tui.model.text import one_line

_WIDEST_KEY: Final = 32
_WIDEST_STATE: Final = max(map(len, TASK_WORDS.values()))
GONE: Final = "gone"
"""The state of a run that goes on by its lines, and of which the process is not there."""
NARROW: Final = 70
"""Columns below which a line has fewer of its own."""
_BELOW: Final = "    "
_MOST_ALIKE: Final = 12
"""Tasks in a row that never began, each on a line of its own."""
_MOST_RESULTS: Final = 5
_PIPED: Final = 1 << 14
"""Columns of a line that no terminal shows."""
_NARROWEST: Final = 40


def columns() -> int:
    """Columns that a line on standard output may have."""
    return max(_NARROWEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _PIPED


def clock(seconds: float) -> str:
    """How long after its beginning: `0:03.4`, `12:03.4`, `1:02:03`."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    if minutes < 60:
        return f"{minutes:.0f}:{rest:04.1f}"
    return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{rest:02.0f}"


def cut(text: str, width: int, glyphs: Glyphs) -> str:
    """The beginning of a text of one line, in so many columns."""
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, max(0, width - cell_len(glyphs.ellipsis))).rstrip()}{glyphs.ellipsis}"


def fit(spans: Iterable[Span], width: int, glyphs: Glyphs) -> list[Span]:
    """The beginning of a line, in so many columns."""
    fitting: list[Span] = []
    for span in spans:
        text = span.text if cell_len(span.text) <= width else cut(span.text, width, glyphs)
        fitting.append(Span(text, span.role))
        width -= cell_len(text)
        if width <= 0:
            break
    return fitting


def seat_of(agent: str, run: Run) -> str:
    """A seat without the end of its name, which all of a run have."""
    return one_line(agent).removesuffix(f"-{run.id[:4]}")


def wrapped(text: str, width: int) -> Iterator[str]:
    """A text in lines of so many columns; what follows is indented."""
    yield from textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def cut_key(key: str, width: int, glyphs: Glyphs) -> str:
    """A key in so many columns; of a longer one the end, in which keys that were added differ."""
    return key if len(key) <= width else f"{glyphs.ellipsis}{key[len(key) - width + len(glyphs.ellipsis) :]}"


def with_key(
    before: Sequence[Span], key: str, keys: int, after: Iterable[Span], width: int, glyphs: Glyphs
) -> Iterator[list[Span]]:
    """What is told of a key, which stands whole: of a longer one than there are columns for on a line of its own."""
    if len(key) > keys:
        yield [*before, Span(key, "strong")]
        before, key = [Span(" " * sum(cell_len(span.text) for span in before))], ""
    yield fit([*before, Span(f"{key:<{keys}}  ", "strong"), *after], width, glyphs)


def key_width(keys: Sequence[str], width: int) -> int:
    """Columns for keys on lines of so many."""
    return min(max(map(len, keys), default=0), _WIDEST_KEY if width >= NARROW else width // 3)


def task_lines(
    run: Run, now: datetime | None, width: int, glyphs: Glyphs, *, is_gone: bool = False
) -> Iterator[list[Span]]:
    """Each task on a line: key, state, how long agents worked on it, rounds and attempts, its branch, and why not;
    below it, what was said when it was sent back, and where one that failed put out what it did. Many in a row that
    never began are one line.

    `is_gone` says that the process of the run is: then nothing of it is at work, whatever was told last.
    """
    keys = key_width([task.key for task in run.tasks], width)
    for (is_alike, state, error), group in groupby(run.tasks, _alike):
        tasks = list(group)
        if is_alike and len(tasks) > _MOST_ALIKE:
            why = why_not(error, run)
            told = f"{len(tasks):,} tasks {TASK_WORDS[state]}{f': {why}' if why else ''}"
            yield fit([Span(f"{task_sign(state, glyphs)} {told}", "muted")], width, glyphs)
            continue
        for task in tasks:
            yield from _task_lines(task, run, now, width, keys, glyphs, is_gone=is_gone)


def _alike(task: RunTask) -> tuple[bool, TaskState, str | None]:
    return not task.attempts and task.state is not TaskState.ASKED, task.state, task.error


def _task_lines(
    task: RunTask, run: Run, now: datetime | None, width: int, keys: int, glyphs: Glyphs, *, is_gone: bool
) -> Iterator[list[Span]]:
    spent = work_time(task, now)
    was_at_work = is_gone and task.state.is_at_work
    word = f"{'was ' if was_at_work else ''}{TASK_WORDS[task.state]}"
    role = "muted" if is_gone and not task.state.is_over else TASK_ROLES[task.state]
    sign = Span(f"{glyphs.gone if was_at_work else task_sign(task.state, glyphs)} ", role)
    facts = [*(_more(task) if width >= NARROW else ()), why_not(task.error, run)]
    told = f"{duration(spent) if spent else '':>7}  {'; '.join(filter(None, facts))}"
    after = (Span(f"{word:<{_WIDEST_STATE}}  ", role), Span(told.rstrip(), "muted"))
    yield from with_key([sign], task.key, keys, after, width, glyphs)
    for attempt in task.attempts:
        if attempt.outcome is TaskState.REJECTED:
            said = f"round {attempt.round}, {seat_of(attempt.seat, run)}: {listed(attempt.error or '')}"
            yield fit([Span(_BELOW), Span(said, "muted")], width, glyphs)
    if task.log and task.state in (TaskState.FAILED, TaskState.TIMED_OUT):
        yield fit([Span(_BELOW), Span(f"output: {one_line(task.log)} beside the registry", "muted")], width, glyphs)


def why_not(why: str | None, run: Run) -> str:
    """Why a task did not come out; what is told of a failed task itself is not told again for others."""
    head = (why or "").partition(": ")[0]
    failed = run.task(head.partition(" ")[0])
    is_told = failed is not None and failed.error is not None and why == f"{head}: {failed.error}"
    return head if is_told else listed(why or "")


def listed(text: str) -> str:
    """Several lines as one."""
    return one_line("; ".join(text.splitlines()))


def _more(task: RunTask) -> Iterator[str]:
    """How often it was gone at, where that was more than once; and where what was made of it stands."""
    if task.round > 1:
        yield f"{task.round} rounds"
    again = sum(attempt.outcome in (TaskState.RETRYING, TaskState.TIMED_OUT) for attempt in task.attempts)
    if again:
        yield f"{again} {'attempt' if again == 1 else 'attempts'} failed"
    if task.branch:
        yield f"on {one_line(task.branch)}"


def summary_lines(timing: Timing, glyphs: Glyphs) -> Iterator[str]:
    """How fast it was, by its own record."""
    took = f"took {duration(timing.wall)}"
    if timing.waited:
        took += f", beside {duration(timing.waited)} in which it waited for you alone"
    if timing.work:
        took += f"{',' if timing.waited else ''} for {duration(timing.work)} of work"
    if timing.speed_up is not None and timing.efficiency is not None and timing.seats > 1:
        took += f": speed-up {timing.speed_up:.1f}, efficiency {timing.efficiency * 100:.0f} % of {timing.seats} seats"
    yield took
    if timing.critical_path:
        yield f"critical path {duration(timing.critical_time)}: {chain(timing.critical_path, glyphs)}"
    if timing.overhead_per_task is not None:
        yield f"overhead {duration(timing.overhead_per_task)} a task"


def ended(run: Run, *, is_gone: bool = False) -> str:
    """How it came out, with why; or how far it was when its process went."""
    done = sum(task.state is TaskState.DONE for task in run.tasks)
    reason = run.reason or ""
    told = (f": {task.error}" for task in run.tasks if task.error and reason.endswith(f": {task.error}"))
    why = f": {one_line(reason.removesuffix(next(told, '')))}" if reason else ""
    if is_gone:
        return f"run {run.id} was {run.state} when its process went, {done} of {len(run.tasks)} tasks done"
    came_out = "failed" if run.state is RunState.FAILED else f"is {run.state}"
    return f"run {run.id} {came_out}, {done} of {len(run.tasks)} tasks done{why}"


def results_line(run: Run, named: str = "") -> str:
    """Where the results stand that no other task needs; empty where there are none.

    `named` is the registry, as an option.
    """
    needed = {need for task in run.tasks for need in task.needs}
    there = {value.key for value in run.values if value.text.strip() or value.file is not None}
    last = dict.fromkeys(
        task.gives
        for task in run.tasks
        if task.state is TaskState.DONE
        and task.gives in there
        and needed.isdisjoint((task.gives, f"{task.key}{ALL_BELOW}", *_below(task.key)))
    )
    if not last:
        return ""
    *others, key = last
    shown = ", ".join(others[-_MOST_RESULTS:])
    more = f" and {len(others) - _MOST_RESULTS:,} more" if len(others) > _MOST_RESULTS else ""
    return f"results: `collab-tui runs {run.id} --value {key}{named}`{f', and {shown}{more}' if others else ''}"


def _below(key: str) -> Iterator[str]:
    """The needs that stand for all that a task was added below of."""
    while key := key.rpartition("/")[0]:
        yield f"{key}{ALL_BELOW}"


def print_end(
    console: Console, run: Run, timing: Timing, hints: Iterable[str], glyphs: Glyphs, *, is_gone: bool
) -> None:
    """How it came out, its figures, and what to do next."""
    role = "warning" if is_gone else RUN_ROLES[run.state]
    for part in wrapped(ended(run, is_gone=is_gone), columns()):
        console.print(styled([Span(part, role)]))
    for line in (*summary_lines(timing, glyphs), *filter(None, hints)):
        for part in wrapped(line, columns()):
            say(part)


# As JSON

_FIELDS: Final = ("name", "goal", "agent", "pipeline", "state", "reason", "host", "pid", "started_at", "ended_at")


def run_document(run: Run, timing: Timing, *, is_gone: bool = False) -> dict[str, Any]:
    """A run with all that is in it; what is absent is null, times are seconds, `text` of a value is its beginning."""
    told = {name: getattr(run, name) for name in (*_FIELDS, "resumed", "pools", "tasks", "values")}
    return {"run": run.id, **_plain(told), "timing": _plain(timing)} | ({"state": GONE} if is_gone else {})


def _plain(value: Any) -> Any:
    """As JSON values; a position as the number of its line."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    match value:
        case datetime():
            return value.isoformat()
        case {"position": int(position), **rest}:
            return _plain(rest) | {"line": position + 1}
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
    return value
