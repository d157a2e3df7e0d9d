"""`collab-tui run`: a team of agents works on one goal, as a pipeline says, and what becomes of it is told."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from collab_tui.cli.arguments import complain, make_parser, registry_path, say, show_anything
from collab_tui.cli.console import console_glyphs
from collab_tui.cli.handing_over import ITS_PROGRAM, cancel_run, hand_over, named, resume_there
from collab_tui.cli.reading import read
from collab_tui.cli.run_lines import columns
from collab_tui.cli.running import Running, needs_sessions
from collab_tui.cli.session.giving import Line
from collab_tui.cli.settings import load_settings, load_to_brake
from collab_tui.config.values import shown
from collab_tui.model.runs import RunState
from collab_tui.monitor.acting import who_acts
from collab_tui.monitor.watching import own_carrier
from collab_tui.orchestrator.documents import is_of_callables, pipeline_of
from collab_tui.orchestrator.dry_run import lines_of, looked_at
from collab_tui.orchestrator.kept import KeptRuns, KnownRun, RunError
from collab_tui.orchestrator.orchestrator import Orchestrator
from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.orchestrator.pipelines import find_pipeline, pipelines
from collab_tui.orchestrator.plan import Pipeline
from collab_tui.orchestrator.reading import done_run, own_run
from collab_tui.registry.find import NAMES, NotFoundError
from collab_tui.registry.kept import kept_for

_NAMED: Final = 5
"""Runs that are named where none is meant."""
_EXAMPLES: Final = """\
  collab-tui run team --goal "Count words and lines"    planner, executors, validator, documenter
  collab-tui run team --goal "..." --var agent=codex    all of them another agent than claude
  collab-tui run build.toml --dry-run                   the order, who would work where, limits
  collab-tui run release --var version=1.4              .collab/pipelines/release.toml
  collab-tui run release --detach                       in the monitor, which goes on with it
  collab-tui run --resume 3f2a                          what is done stays done
A pipeline is a TOML file, or the name of one in .collab/pipelines/ or in pipelines/ beside your settings; `team` comes
with collab-tui. What may stand in one, and what a command gets and prints, is told in docs/pipelines.md of collab-tui.
Every line of its run is in the registry, so the board shows it while it goes: `r`.

Ctrl+c once ends what runs, within the grace of its policy; twice, at once. Either way --resume goes on with it, as it
does after a crash. `collab-tui runs` lists runs, and prints what stands on their blackboards.
exit: 0 done; 1 failed; 2 usage, or mistakes in the pipeline; 3 no such run, or its process is gone; 130 cancelled"""


def main(arguments: list[str]) -> int:
    """Run a pipeline, or go on with a run."""
    parser = make_parser("run", "Have a team of agents work on one goal, as a pipeline says.", _EXAMPLES)
    parser.add_argument("pipeline", nargs="?", metavar="PIPELINE", help="a TOML file, or its name")
    parser.add_argument("--goal", metavar="TEXT", help="what is to be reached, else as the pipeline says")
    parser.add_argument(
        "--var", action="append", default=[], metavar="NAME=VALUE", help="a variable of the pipeline; may be repeated"
    )
    parser.add_argument("--dry-run", action="store_true", help="start nothing: print what would be done, and where")
    parser.add_argument("--detach", action="store_true", help="have the monitor run it, and return")
    parser.add_argument("--resume", metavar="RUN", help="go on with a run: its id, or a unique beginning of it")
    parser.add_argument("--cancel", metavar="RUN", help="end a run that goes on, or that no process has any more")
    parser.add_argument("--json", action="store_true", help="one JSON object for each change, the last with all")
    options = parser.parse_args(arguments)
    show_anything()
    if sum(given is not None for given in (options.pipeline, options.resume, options.cancel)) != 1:
        parser.error(_which(options))
    if options.pipeline is None and (options.goal or options.var or options.dry_run):
        parser.error("--goal, --var and --dry-run go with a PIPELINE: a run keeps its own")
    if options.cancel is not None:
        return _cancel(options)
    if options.resume is not None:
        return _resume(options)
    variables = _variables(parser, options.var)
    if options.dry_run:
        return _dry_run(options, variables)
    path = Path(os.path.abspath(registry_path(options.registry)))
    pipeline = read_pipeline(find_pipeline(options.pipeline, path), variables, options.goal)
    if not pipeline.goal:
        parser.error(f'{pipeline.path} has no goal of its own: give --goal "..."')
    if (line := _to_monitor(options, path, pipeline)) is not None:
        return _handed_over(options, line, hand_over(line, pipeline, variables, options.goal))
    run_id = secrets.token_hex(4)
    running = Running(path, load_settings(path), run_id, options.registry, as_json=options.json)
    work = partial(Orchestrator.run, work=pipeline, run_id=run_id)
    return asyncio.run(running.through(work, pipeline))


def _which(options: argparse.Namespace) -> str:
    if options.pipeline or options.resume or options.cancel:
        return "PIPELINE, --resume and --cancel: give one of them"
    if options.goal:
        return 'which pipeline? `collab-tui run team --goal "..."` has the team that comes with collab-tui reach it'
    try:
        registry = Path(registry_path(options.registry))
    except NotFoundError:
        registry = Path(NAMES[0])
    known = ", ".join(each.name for each in pipelines(registry))
    return f"which pipeline? Give the path of a TOML file, or one of these names: {known}"


def _variables(parser: argparse.ArgumentParser, given: list[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            parser.error(f"--var {each}: it takes NAME=VALUE")
        if name in found:
            parser.error(f"--var {name} is given twice")
        found[name] = value
    return found


def _dry_run(options: argparse.Namespace, variables: Mapping[str, str]) -> int:
    try:
        path, is_there = Path(registry_path(options.registry)), True
    except NotFoundError:
        path, is_there = Path(NAMES[0]), False  # nothing is written: it is as if `init` had made one here
    pipeline = read_pipeline(find_pipeline(options.pipeline, path), variables, options.goal)
    looked = asyncio.run(looked_at(path, pipeline, os.environ))
    if options.json:
        print(json.dumps(looked.document(), indent=2))
    else:
        for line in lines_of(looked, columns(), console_glyphs()):
            say(line)
        if not is_there:
            say("")
            say("There is no registry here yet: `collab-tui init` makes one, and then it can run.")
    return 1 if looked.problems else 0


def _to_monitor(options: argparse.Namespace, path: Path, pipeline: Pipeline | None) -> Line | None:
    """The line to the monitor, where that is to have the run: asked for, or as it has the sessions that it needs."""
    needs_it = pipeline is not None and needs_sessions(pipeline) and who_acts(kept_for(path)) is not None
    if not options.detach and not needs_it:
        return None
    line = Line(options.registry)
    if not options.detach:
        line.check_person()
        complain("a monitor has the sessions of this project: it runs the pipeline, and this follows it")
    return line


def _handed_over(options: argparse.Namespace, line: Line, run_id: str) -> int:
    """The monitor has the run: follow it, or say how to."""
    if not options.detach:
        running = Running(line.path, line.reading.config, run_id, options.registry, as_json=options.json)
        return asyncio.run(running.followed(is_new=options.resume is None))
    if options.json:
        print(json.dumps({"run": run_id, "state": RunState.RUNNING.value}))
    else:
        how = "began" if options.resume is None else "goes on"
        tells = f"`collab-tui runs {run_id}{named(options.registry)}` tells how far it is"
        say(f"run {run_id} {how} in the monitor: {tells}, and the board (r)")
    return 0


def _resume(options: argparse.Namespace) -> int:
    path = Path(os.path.abspath(registry_path(options.registry)))
    kept = KeptRuns(path)
    run_id = _which_run(options, options.resume, [each.id for each in kept.all()])
    running = Running(path, load_settings(path), run_id, options.registry, as_json=options.json)
    if kept.is_held(run_id) and not options.detach:
        told = own_run(path, run_id)
        if told is not None and told.carrier == own_carrier(path).monitor:
            complain(f"the monitor has the run {run_id}: this follows it")
            return asyncio.run(running.followed(is_new=False))
    elif (done := done_run(path, run_id)) is not None:
        return running.over(done)
    pipeline = _kept(kept.known(run_id))
    if (line := _to_monitor(options, path, pipeline)) is not None:
        return _handed_over(options, line, resume_there(line, run_id))
    return asyncio.run(running.through(partial(Orchestrator.resume, run_id=run_id), pipeline))


def _which_run(options: argparse.Namespace, given: str, known: Sequence[str]) -> str:
    """The id that is meant, of those that are kept here, the latest first. Raises `RunError`."""
    found = [run_id for run_id in known if given and run_id.startswith(given)]
    if len(found) == 1:
        return found[0]
    if found:
        raise RunError(f"{shown(given)} begins {len(found)} runs: {', '.join(found[:_NAMED])}; give more of it")
    board = read(options.registry, settings=load_to_brake).moment.board
    if any(given and run.id.startswith(given) for run in board.runs):
        told = "is told of here, but kept elsewhere: by another user or machine, or where this registry was copied from"
        raise RunError(f"the run {shown(given)} {told}: go on with it there")
    there = f"; the latest are {', '.join(known[:_NAMED])}" if known else ", nor any other"
    raise RunError(f"there is no run {shown(given)}{there}")


def _kept(known: KnownRun) -> Pipeline | None:
    """What a run is to do; None where it is not known, as the orchestrator will say. Raises `RunError`."""
    try:
        pipeline = pipeline_of(known.document)
    except (ValueError, TypeError, KeyError):
        return None
    if is_of_callables(pipeline):
        raise RunError(f"the run {known.id} cannot go on here: {ITS_PROGRAM}")
    return pipeline


def _cancel(options: argparse.Namespace) -> int:
    line = Line(options.registry, is_brake=True)
    runs = {each.id: each for each in line.reading.moment.board.runs}
    latest = sorted(runs.values(), key=lambda each: each.position, reverse=True)
    run = runs[_which_run(options, options.cancel, [each.id for each in latest])]
    did = "is ended" if cancel_run(line, run) else "was told to end"
    if options.json:
        print(json.dumps({"run": run.id, "state": RunState.CANCELLED.value}))
    else:
        again = f"`collab-tui run --resume {run.id}{named(options.registry)}` goes on with it"
        say(f"the run {run.id} {did}; {again}")
    return 0
