"""Runs in lines and as JSON, for the commands that tell of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from rich.cells import cell_len, set_cell_size

from collab_tui.model.ages import duration
from collab_tui.model.glyphs import Glyphs
from collab_tui.model.run_graph import ALL_BELOW
from collab_tui.model.run_timing import Timing, work_time
from collab_tui.model.run_words import TASK_ROLES, TASK_WORDS, task_sign
from collab_tui.model.runs import Run, RunState, RunTask, TaskState, Value
from collab_tui.model.summary import Span
from collab_tui.model.text import one_line

_WIDEST_KEY: Final = 32
_WIDEST_STATE: Final = max(map(len, TASK_WORDS.values()))
NARROW: Final = 70
"""Columns below which a line has fewer of its own."""
_BELOW: Final = "    "
_MOST_ALIKE: Final = 12
"""Tasks in a row that never began, each on a line of its own."""
_MOST_RESULTS: Final = 5
_LONGEST_CHAIN: Final = 12
"""Tasks of a critical path that are named."""
_TIMES: Final = ("started_at", "ended_at")


def clock(seconds: float) -> str:
    """How long after its beginning: `0:03.4`, `12:03.4`, `1:02:03`."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    if minutes < 60:
        return f"{minutes:.0f}:{rest:04.1f}"
    return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{rest:02.0f}"


def cut(text: str, width: int, glyphs: Glyphs) -> str:
    """The beginning of a text, in so many columns."""
    text = one_line(text)
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, max(0, width - cell_len(glyphs.ellipsis))).rstrip()}{glyphs.ellipsis}"


def seat_of(agent: str, run: Run) -> str:
    """A seat without the end of its name, which all of a run have."""
    return one_line(agent).removesuffix(f"-{run.id[:4]}")


def wrapped(text: str, width: int) -> Iterator[str]:
    """A text in lines of so many columns; what follows is indented."""
    yield from textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def cut_key(key: str, width: int, glyphs: Glyphs) -> str:
    """A key in so many columns; of a longer one the end, in which keys that were added differ."""
    return key if len(key) <= width else f"{glyphs.ellipsis}{key[len(key) - width + len(glyphs.ellipsis) :]}"


def key_width(keys: Sequence[str], width: int) -> int:
    """Columns for keys on lines of so many."""
    return min(max(map(len, keys), default=0), _WIDEST_KEY if width >= NARROW else width // 3)


def task_lines(
    run: Run, now: datetime | None, width: int, glyphs: Glyphs, *, is_gone: bool = False
) -> Iterator[list[Span]]:
    """Each task on a line: key, state, how long agents worked on it, rounds and attempts, and why not; below it, what
    was said when it was sent back. Many in a row that never began are one line.

    `is_gone` says that the process of the run is: then nothing of it is at work, whatever was told last.
    """
    keys = key_width([task.key for task in run.tasks], width)
    for (is_alike, state, error), group in groupby(run.tasks, _alike):
        tasks = list(group)
        if is_alike and len(tasks) > _MOST_ALIKE:
            why = why_not(error, run)
            told = f"{len(tasks):,} tasks {TASK_WORDS[state]}{f': {why}' if why else ''}"
            yield [Span(cut(f"{task_sign(state, glyphs)} {told}", width, glyphs), "muted")]
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
    spans = [
        Span(f"{glyphs.gone if was_at_work else task_sign(task.state, glyphs)} ", role),
        Span(f"{cut_key(task.key, keys, glyphs):<{keys}}  ", "strong"),
        Span(f"{word:<{_WIDEST_STATE}}  ", role),
        Span(f"{duration(spent) if spent else '':>7}  ", "muted"),
    ]
    left = width - sum(cell_len(span.text) for span in spans)
    facts = [*(tries(task) if width >= NARROW else ()), why_not(task.error, run)]
    told = cut("; ".join(filter(None, facts)), left, glyphs)
    yield [*spans, Span(told, "muted")] if told else [*spans[:-1], Span(spans[-1].text.rstrip(), "muted")]
    for attempt in task.attempts:
        if attempt.outcome is TaskState.REJECTED:
            said = f"round {attempt.round}, {seat_of(attempt.seat, run)}: {listed(attempt.error or '')}"
            yield [Span(_BELOW), Span(cut(said, width - len(_BELOW), glyphs), "muted")]


def why_not(why: str | None, run: Run) -> str:
    """Why a task did not come out; what is told of a failed task itself is not told again for others."""
    head = (why or "").partition(": ")[0]
    failed = run.task(head.partition(" ")[0])
    is_told = failed is not None and failed.error is not None and why == f"{head}: {failed.error}"
    return head if is_told else listed(why or "")


def listed(text: str) -> str:
    """Several lines as one."""
    return one_line("; ".join(text.splitlines()))


def tries(task: RunTask) -> Iterator[str]:
    """How often it was gone at, where that was more than once."""
    if task.round > 1:
        yield f"{task.round} rounds"
    again = sum(attempt.outcome in (TaskState.RETRYING, TaskState.TIMED_OUT) for attempt in task.attempts)
    if again:
        yield f"{again} {'attempt' if again == 1 else 'attempts'} failed"


def summary_lines(run: Run, timing: Timing, glyphs: Glyphs) -> Iterator[str]:
    """How fast it was, by its own record."""
    took = f"took {duration(timing.wall)}"
    if timing.waited:
        took += f", beside {duration(timing.waited)} in which it waited for you alone,"
    if timing.work:
        took += f" for {duration(timing.work)} of work"
    if timing.speed_up is not None and timing.efficiency is not None and timing.seats > 1:
        took += f": speed-up {timing.speed_up:.1f}, efficiency {timing.efficiency * 100:.0f} % of {timing.seats} seats"
    yield took
    if timing.critical_path:
        path = list(timing.critical_path)
        if len(path) > _LONGEST_CHAIN:
            path[_LONGEST_CHAIN - 2 : -1] = [f"{len(path) - _LONGEST_CHAIN + 1:,} more"]
        chain = f" {glyphs.arrow} ".join(path)
        yield f"critical path {duration(timing.critical_time)}: {chain}"
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


def can_resume(run: Run) -> bool:
    """There is something left of it to do."""
    return run.state is not RunState.DONE


# As JSON


def task_document(task: RunTask) -> dict[str, Any]:
    """A task as JSON values; absent ones are null."""
    told = asdict(task)
    told["line"] = told.pop("position") + 1
    for attempt in told["attempts"]:
        _plain(attempt)
    return _plain(told)


def value_document(value: Value) -> dict[str, Any]:
    """What stands under a key, as JSON values; `text` is its beginning."""
    told = asdict(value)
    told["line"] = told.pop("position") + 1
    told["at"] = value.at.isoformat() if value.at is not None else None
    return told


def timing_document(timing: Timing) -> dict[str, Any]:
    """The figures of a run, times in seconds."""
    return {
        "wall": timing.wall,
        "waited": timing.waited,
        "work": timing.work,
        "speed_up": timing.speed_up,
        "efficiency": timing.efficiency,
        "seats": timing.seats,
        "critical_path": timing.critical_path,
        "critical_time": timing.critical_time,
        "overhead_per_task": timing.overhead_per_task,
    }


def run_document(run: Run, timing: Timing) -> dict[str, Any]:
    """A run with all that is in it."""
    return {
        "run": run.id,
        "name": run.name,
        "goal": run.goal,
        "agent": run.agent,
        "pipeline": run.pipeline,
        "state": run.state.value,
        "reason": run.reason,
        "host": run.host,
        "pid": run.pid,
        "started_at": run.started_at.isoformat() if run.started_at is not None else None,
        "ended_at": run.ended_at.isoformat() if run.ended_at is not None else None,
        "resumed": run.resumed,
        "pools": [{"role": pool.role, "agent": pool.agent, "seats": pool.seats} for pool in run.pools],
        "tasks": [task_document(task) for task in run.tasks],
        "values": [value_document(value) for value in run.values],
        "timing": timing_document(timing),
    }


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    for name in _TIMES:
        told[name] = told[name].isoformat() if told[name] is not None else None
    return told
