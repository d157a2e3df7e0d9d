"""`collab-tui run`: a team of agents works on one goal, as a pipeline says, and what becomes of it is told."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import complain, make_parser, registry_path, say, show_anything
from collab_tui.cli.console import console_glyphs, make_console, styled
from collab_tui.cli.handing_over import ITS_PROGRAM, cancel_run, hand_over, named, resume_there
from collab_tui.cli.reading import read
from collab_tui.cli.run_lines import can_resume, ended, results_line, run_document, summary_lines, task_lines, wrapped
from collab_tui.cli.run_progress import PIPED, Change, JsonTeller, Progress, Teller
from collab_tui.cli.session.giving import Line
from collab_tui.cli.settings import load_settings, load_to_brake
from collab_tui.config import Config
from collab_tui.config.values import shown
from collab_tui.model.ages import as_set
from collab_tui.model.run_timing import timing
from collab_tui.model.run_words import RUN_ROLES
from collab_tui.model.runs import Run, RunState
from collab_tui.model.summary import Span
from collab_tui.monitor.acting import who_acts
from collab_tui.monitor.watching import Watch, own_carrier, watch_runs
from collab_tui.orchestrator.documents import is_of_callables, pipeline_of
from collab_tui.orchestrator.dry_run import lines_of, looked_at
from collab_tui.orchestrator.kept import KeptRuns, KnownRun, RunError
from collab_tui.orchestrator.orchestrator import Orchestrator
from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.orchestrator.pipelines import find_pipeline, pipelines
from collab_tui.orchestrator.plan import Pipeline, Policy
from collab_tui.orchestrator.reading import done_run, own_run
from collab_tui.orchestrator.result import RunResult
from collab_tui.processes.stopping import stopped_by_signals
from collab_tui.protocol.tail import tail
from collab_tui.registry.base import looks
from collab_tui.registry.find import NAMES, NotFoundError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for
from collab_tui.sessions.manager import SessionManager

CANCELLED: Final = 130
_GONE: Final = 3
_CODES: Final = {RunState.DONE: 0, RunState.FAILED: 1, RunState.CANCELLED: CANCELLED}
_LOOK: Final = 2.0
"""Seconds between two looks whether the process of a run is still there."""
_LAST_LINES: Final = 5.0
"""Seconds for the last lines of a run that is over to be read."""
_ASKED: Final = "asked to end, by Ctrl+C or a signal"
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
    parser.add_argument("--cancel", metavar="RUN", help="end a run that goes on, here or in the monitor")
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
    running = _Running(path, load_settings(path), run_id, options.registry, as_json=options.json)
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
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPED
        for line in lines_of(looked, width, console_glyphs()):
            say(line)
        if not is_there:
            say("")
            say("There is no registry here yet: `collab-tui init` makes one, and then it can run.")
    return 1 if looked.problems else 0


def _to_monitor(options: argparse.Namespace, path: Path, pipeline: Pipeline | None) -> Line | None:
    """The line to the monitor, where that is to have the run: asked for, or as it has the sessions that it needs."""
    needs_it = pipeline is not None and _needs_sessions(pipeline) and who_acts(kept_for(path)) is not None
    if not options.detach and not needs_it:
        return None
    line = Line(options.registry)
    if not options.detach:
        line.check_person()
        complain("a monitor has the sessions of this project: it runs the pipeline, and this follows it")
    return line


def _needs_sessions(pipeline: Pipeline) -> bool:
    from collab_tui.orchestrator.agents.sessions import Session

    return any(isinstance(role.agent, Session) for role in pipeline.roles.values())


def _handed_over(options: argparse.Namespace, line: Line, run_id: str) -> int:
    """The monitor has the run: follow it, or say how to."""
    if not options.detach:
        running = _Running(line.path, line.reading.config, run_id, options.registry, as_json=options.json)
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
    running = _Running(path, load_settings(path), run_id, options.registry, as_json=options.json)
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
    cancel_run(line, run)
    if options.json:
        print(json.dumps({"run": run.id, "state": RunState.CANCELLED.value}))
    else:
        again = f"`collab-tui run --resume {run.id}{named(options.registry)}` goes on with it"
        say(f"the run {run.id} was told to end; {again}")
    return 0


class _Running:
    """One run while this command tells of it."""

    def __init__(self, path: Path, config: Config, run_id: str, registry: str | None, *, as_json: bool) -> None:
        self._path = path
        self._config = config
        self._id = run_id
        self._named = named(registry)
        self._as_json = as_json
        self._progress = Progress(run_id, KeptRuns(path).key())
        self._teller: JsonTeller | Teller = JsonTeller() if as_json else Teller()
        self._registry = JsonlRegistry(path)
        self._asked = 0
        """How often it was asked to end."""

    async def through(self, work: Callable[..., Coroutine[Any, Any, RunResult]], pipeline: Pipeline | None) -> int:
        """Have it in this process, to its end; gives the exit code."""
        await asyncio.to_thread(self._catch_up)
        began = asyncio.Event()  # before, what is told is of another process that has it
        async with AsyncExitStack() as around:
            telling = asyncio.create_task(self._tell(began))
            around.push_async_callback(_ended, telling)
            manager = None
            if pipeline is not None and _needs_sessions(pipeline):
                manager = SessionManager(self._path, self._config, notice=complain, environment=os.environ)
                await around.enter_async_context(manager)
                await manager.take_up()
            orchestrator = Orchestrator(
                self._path, sessions=manager, config=self._config, notice=complain, environment=os.environ
            )
            running = asyncio.create_task(work(orchestrator, began=lambda _: began.set()))
            grace = (pipeline.policy if pipeline is not None and pipeline.policy is not None else Policy()).grace
            with stopped_by_signals(lambda: self._end(orchestrator, running, grace)):
                try:
                    result = await running
                except asyncio.CancelledError:
                    if not self._asked:
                        raise
                    is_known = self._progress.run is not None
                    complain(f"cancelled{f': {self._how_to_go_on}' if is_known else ' before it began'}")
                    return CANCELLED
            await asyncio.wait({telling}, timeout=_LAST_LINES)
            if telling.done():
                telling.result()
        return self.over(result.run)

    async def followed(self, *, is_new: bool) -> int:
        """Tell of a run that the monitor has, until it is over; gives the exit code."""
        if not is_new:
            await asyncio.to_thread(self._catch_up)
            if (run := self._progress.run) is not None and run.state.is_over:
                return self.over(run)
        asked = asyncio.Event()
        async with AsyncExitStack() as around:
            telling, ending = asyncio.create_task(self._tell()), asyncio.create_task(asked.wait())
            around.push_async_callback(_ended, telling)
            around.push_async_callback(_ended, ending)
            around.enter_context(stopped_by_signals(asked.set))
            while not telling.done():
                await asyncio.wait({telling, ending}, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                if ending.done():
                    follow = f"`collab-tui run --resume {self._id}{self._named}` follows it again"
                    end = f"`collab-tui run --cancel {self._id}{self._named}` ends it"
                    complain(f"it goes on in the monitor: {follow}, {end}")
                    return CANCELLED
                run = self._progress.run
                if run is not None and await asyncio.to_thread(self._is_gone, run):
                    await asyncio.wait({telling}, timeout=_LOOK)  # its last line may have been on its way
                    if telling.done():
                        break
                    complain(f"its process is gone: {self._how_to_go_on}")
                    return _GONE
            telling.result()
        run = self._progress.run
        return self.over(run) if run is not None else _GONE

    def _is_gone(self, run: Run) -> bool:
        return watch_runs(self._path, [run]).get(run.id) is Watch.GONE

    def _end(self, orchestrator: Orchestrator, running: asyncio.Task[RunResult], grace: float) -> None:
        """Asked once, it ends within its grace; twice, at once: what it runs does not outlive this process."""
        self._asked += 1
        if self._asked > 1:
            try:
                complain(f"ended at once: {self._how_to_go_on}")
                if (run := self._progress.run) is not None and not self._as_json:
                    say(ended(run, is_gone=True))
                sys.stdout.flush()
            finally:
                os._exit(CANCELLED)
        if not orchestrator.cancel(self._id, _ASKED):
            running.cancel()
        complain(f"ending what runs, within {as_set(grace)}; once more ends it at once")

    @property
    def _how_to_go_on(self) -> str:
        return f"`collab-tui run --resume {self._id}{self._named}` goes on with it"

    def _catch_up(self) -> None:
        """Read what was written before, of which nothing is told."""
        for news in looks(self._registry):
            for item in news.items:
                for _ in self._progress.take(item):
                    pass

    async def _tell(self, began: asyncio.Event | None = None) -> None:
        """Tell of each line of it as it comes, until it is over."""
        if began is not None:
            await began.wait()
        async with aclosing(tail(self._registry, self._config.poll)) as all_news:
            async for news in all_news:
                if news.restarted is not None:
                    self._progress.restart()
                for item in news.items:
                    for told in self._progress.take(item):
                        if isinstance(told, Change):
                            self._teller.change(told)
                        elif told.state.is_over:
                            self._teller.flush()
                            return
                        else:
                            self._teller.began(told)
                self._teller.flush()

    def over(self, run: Run) -> int:
        """Tell how it came out; gives the exit code."""
        figures = timing(run)
        if self._as_json:
            print(json.dumps(run_document(run, figures)), flush=True)
            return _CODES.get(run.state, _GONE)
        console, glyphs = make_console(), console_glyphs()
        width = self._teller.width if isinstance(self._teller, Teller) else PIPED
        console.print()
        for spans in task_lines(run, None, width, glyphs):
            console.print(styled(spans))
        console.print()
        console.print(styled([Span(ended(run), RUN_ROLES[run.state])]))
        hints = (results_line(run, self._named), self._how_to_go_on if can_resume(run) else "")
        for line in (*summary_lines(run, figures, glyphs), *filter(None, hints)):
            for part in wrapped(line, width):
                say(part)
        return _CODES.get(run.state, _GONE)


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
