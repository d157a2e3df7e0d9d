"""`collab-tui runs`: which runs there are and how far each is; one of them whole; what stands on its blackboard."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rich.cells import cell_len

from collab_tui.cli.arguments import complain, make_parser, say, show_anything
from collab_tui.cli.console import console_glyphs, make_console, styled
from collab_tui.cli.handing_over import how_to_go_on
from collab_tui.cli.reading import NotThereError, Reading, only_match, read
from collab_tui.cli.run_lines import (
    GONE,
    NARROW,
    columns,
    cut,
    fit,
    key_width,
    print_end,
    run_document,
    seat_of,
    task_lines,
    with_key,
    wrapped,
)
from collab_tui.cli.settings import load_to_brake
from collab_tui.config.values import instead_of, shown
from collab_tui.model.ages import age, duration, seconds_between
from collab_tui.model.board import ProblemKind
from collab_tui.model.glyphs import Glyphs
from collab_tui.model.run_timing import timing
from collab_tui.model.run_words import RUN_ROLES
from collab_tui.model.runs import Run, RunState, TaskState
from collab_tui.model.summary import Span
from collab_tui.model.text import clean, one_line
from collab_tui.monitor.watching import Watch, watch_runs

_EXAMPLES: Final = """\
  collab-tui runs
  collab-tui runs 3f2a                 its tasks, blackboard and figures
  collab-tui runs 3f2a --value docs    the whole of what stands under a key
  collab-tui runs --json | jq '.[] | select(.state == "failed") | .run'
Any unique beginning of an id will do. A run is shown as lines tell of it, and one of this machine as its own lines do;
only there it can be told whether its process goes on. The value of a run of another machine is as a line says: that is
told beside it.
exit: 0 printed; 1 printed, but nothing here proves that the run wrote it; 2 usage, or no such run or key"""
_NOT_PROVEN: Final = 1
_MOST_READS: Final = 3
_MOST_NAMED: Final = 5
_WATCHED: Final = {
    Watch.MONITOR: "in the monitor",
    Watch.PROCESS: "in a process of its own",
    Watch.GONE: "its process is gone",
    Watch.ELSEWHERE: "of another machine or user",
}
_LONGEST_LINE: Final = 200
"""Columns of a run in the list, also where no terminal shows it."""
_STATE: Final = max(len(state) for state in RunState)
_NAME: Final = 24
_NARROW_NAME: Final = 12


def main(arguments: list[str]) -> int:
    """Print all runs, or one."""
    parser = make_parser("runs", "Tell of runs: how far each is, and what came of it.", _EXAMPLES)
    parser.add_argument("run", nargs="?", metavar="RUN", help="the id of one, or a unique beginning of it")
    parser.add_argument("--value", metavar="KEY", help="print what stands under a key of its blackboard, whole")
    parser.add_argument("--json", action="store_true", help="a JSON array of all; of one, an object")
    options = parser.parse_args(arguments)
    if options.value is not None and (options.run is None or options.json):
        parser.error("--value goes with a RUN, and prints what stands there as it is")
    show_anything()
    reading, runs, watched = _looked(options.registry)
    if options.run is not None:
        run = _which(options.run, runs)
        if options.value is not None:
            return _value(reading, run, options.value)
        return _one(reading, _own(reading, run), options.registry, as_json=options.json)
    latest = sorted(runs, key=lambda run: run.position, reverse=True)
    if options.json:
        print(json.dumps([_document(reading, run, watched) for run in latest], indent=2))
        return 0
    console, glyphs, width = make_console(), console_glyphs(), columns()
    for run in latest:
        about = _line(run, watched.get(run.id), reading.moment.now, min(width, _LONGEST_LINE), glyphs)
        console.print(styled(about))
        if watched.get(run.id) is Watch.GONE:
            for line in wrapped(
                f"          {how_to_go_on(Path(reading.registry.name), run.id, options.registry)}", width
            ):
                say(line)
    if not runs:
        board = reading.moment.board
        if board.position and board.position == sum(each.kind is ProblemKind.UNREADABLE for each in board.problems):
            raise NotThereError(f"{reading.registry.name} is no registry: it has no line that can be read")
        say("There are no runs; `collab-tui run PIPELINE` starts one.")
    return 0


def _which(given: str, runs: Sequence[Run]) -> Run:
    """The run that is meant. Raises `NotThereError`."""
    latest = [run.id for run in sorted(runs, key=lambda run: run.position, reverse=True)]
    if latest and not any(given and run_id.startswith(given) for run_id in latest):
        raise NotThereError(f"there is no run {shown(given)}; the latest are {', '.join(latest[:_MOST_NAMED])}")
    return only_match(given, {each.id: each for each in runs}, "run")


def _looked(given: str | None) -> tuple[Reading, Sequence[Run], Mapping[str, Watch]]:
    """A registry, its runs and who has them: read again where one ended in between."""
    from collab_tui.orchestrator.reading import as_they_tell

    for _ in range(_MOST_READS):
        reading = read(given, settings=load_to_brake)
        runs = as_they_tell(reading.registry, reading.moment.board.runs)
        watched = watch_runs(Path(reading.registry.name), runs)
        if all(run.state.is_over or run.id in watched for run in runs):
            break
    return reading, runs, watched


def _own(reading: Reading, run: Run) -> Run:
    """By its own lines, where it is kept here and those can be read."""
    from collab_tui.orchestrator.kept import RunError
    from collab_tui.orchestrator.reading import own_run

    try:
        return own_run(Path(reading.registry.name), run.id) or run
    except RunError:
        return run


def _line(run: Run, watch: Watch | None, now: datetime, width: int, glyphs: Glyphs) -> list[Span]:
    """One line: id, state, progress, name, when, and who has it."""
    is_gone = watch is Watch.GONE
    state = GONE if is_gone else run.state.value
    name = cut(one_line(run.name), _NAME if width >= NARROW else _NARROW_NAME, glyphs)
    asks = any(task.state is TaskState.ASKED for task in run.tasks) and not run.state.is_over
    watched = _WATCHED[watch] if watch is not None else ""
    facts = ("waits for you" if asks else "", _when(run, now), watched, one_line(run.reason or ""))
    spans = (
        Span(f"{one_line(run.id)[:8]:<8}  ", "muted"),
        Span(f"{state:<{_STATE}}  ", "warning" if is_gone else RUN_ROLES[run.state]),
        Span(f"{_progress(run):>7}  "),
        Span(f"{name}{' ' * (_NAME - cell_len(name)) if width >= NARROW else ''}  ", "strong"),
        Span(", ".join(filter(None, facts)), "muted"),
    )
    return fit(spans, width, glyphs)


def _progress(run: Run) -> str:
    """Done tasks of all."""
    return f"{sum(task.state is TaskState.DONE for task in run.tasks)}/{len(run.tasks)}"


def _when(run: Run, now: datetime) -> str:
    """Since when it runs; or when it ended, and how long it took."""
    since = seconds_between(run.ended_at or run.started_at, now)
    if since is None:
        return ""
    return f"{age(since)} ago, took {duration(timing(run).wall)}" if run.ended_at is not None else f"for {age(since)}"


def _one(reading: Reading, run: Run, given: str | None, *, as_json: bool) -> int:
    """All that is told of a run."""
    watched = watch_runs(Path(reading.registry.name), [run])
    if as_json:
        print(json.dumps(_document(reading, run, watched), indent=2))
        return 0
    console, glyphs, width = make_console(), console_glyphs(), columns()
    now = reading.moment.now
    for line in wrapped(f"{one_line(run.name)}: {one_line(run.goal)}", width):
        console.print(styled([Span(line, "strong")]))
    facts = (_when(run, now), run.pipeline or "", _resumed(run))
    watch = watched.get(run.id) if not run.state.is_over else None
    is_gone = watch is Watch.GONE
    for line in wrapped(", ".join(filter(None, (*facts, _WATCHED[watch] if watch is not None else ""))), width):
        say(line)
    console.print()
    for spans in task_lines(run, None if is_gone else now, width, glyphs, is_gone=is_gone):
        console.print(styled(spans), soft_wrap=True)
    if run.values:
        console.print()
    keys = key_width([one_line(value.key) for value in run.values], width)
    for value in run.values:
        revision = f", revision {value.revision}" if value.revision > 1 else ""
        size = f", {value.size:,} bytes" if value.file is not None else ""
        told = one_line(f"{seat_of(value.by, run)}{revision}{size}: {value.text}")
        for spans in with_key([Span("  ")], one_line(value.key), keys, [Span(told, "muted")], width, glyphs):
            console.print(styled(spans), soft_wrap=True)
    console.print()
    figures = timing(run, None if is_gone else now)
    is_left = is_gone or run.state in (RunState.FAILED, RunState.CANCELLED)
    hints = [how_to_go_on(Path(reading.registry.name), run.id, given)] if is_left else []
    print_end(console, run, figures, hints, glyphs, is_gone=is_gone)
    return 0


def _resumed(run: Run) -> str:
    return {0: "", 1: "resumed once"}.get(run.resumed, f"resumed {run.resumed} times")


def _value(reading: Reading, run: Run, key: str) -> int:
    """What stands under a key, whole."""
    from collab_tui.orchestrator.reading import read_value
    from collab_tui.orchestrator.values import ValueLostError

    given = [task.candidate for task in run.tasks if task.candidate is not None and not task.state.is_over]
    values = {one_line(each.key): each for each in (*given, *run.values)}
    if (value := values.get(key)) is None:
        there = f"; {instead_of(key, values)}" if values else ": its blackboard is empty"
        raise NotThereError(f"nothing stands under {shown(key)}{there}")
    try:
        found = read_value(reading.registry, run.id, value)
    except ValueLostError as error:
        raise NotThereError(str(error)) from error
    if sys.stdout.isatty():
        print(clean(found.text))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(f"{found.text}\n".encode())
        sys.stdout.flush()
    if value in given:
        complain(f"it is not accepted yet: {one_line(value.task or '')} gave it last")
    if found.is_proven:
        return 0
    complain(f"the run is not kept here: nothing proves that it wrote what line {value.position + 1} says")
    return _NOT_PROVEN


def _document(reading: Reading, run: Run, watched: Mapping[str, Watch]) -> dict[str, Any]:
    watch = watched.get(run.id) if not run.state.is_over else None
    is_gone = watch is Watch.GONE
    told = run_document(run, timing(run, None if is_gone else reading.moment.now), is_gone=is_gone)
    return told | {"watched_by": watch.value if watch is not None else None}
