"""One run while `collab-tui run` tells of it: carried by this process or by the monitor, to its end or to ours."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import complain, drop_output, say
from collab_tui.cli.console import console_glyphs, make_console, styled
from collab_tui.cli.handing_over import named
from collab_tui.cli.run_lines import columns, ended, print_end, results_line, run_document, task_lines
from collab_tui.cli.run_progress import Change, JsonTeller, Progress, Teller
from collab_tui.config import Config
from collab_tui.model.ages import as_set
from collab_tui.model.run_timing import timing
from collab_tui.model.runs import Run, RunState
from collab_tui.monitor.watching import Watch, watch_runs
from collab_tui.orchestrator.agents.sessions import Session
from collab_tui.orchestrator.kept import KeptRuns
from collab_tui.orchestrator.orchestrator import Orchestrator
from collab_tui.orchestrator.plan import Pipeline, Policy
from collab_tui.orchestrator.result import RunResult
from collab_tui.processes.stopping import stopped_by_signals
from collab_tui.protocol.tail import tail
from collab_tui.registry.base import looks
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.manager import SessionManager

CANCELLED: Final = 130
_GONE: Final = 3
_CODES: Final = {RunState.DONE: 0, RunState.FAILED: 1, RunState.CANCELLED: CANCELLED}
_LOOK: Final = 2.0
"""Seconds between two looks whether the process of a run is still there."""
_LAST_LINES: Final = 5.0
"""Seconds for the last lines of a run that is over to be read."""
_ASKED: Final = "asked to end, by Ctrl+C or a signal"


def needs_sessions(pipeline: Pipeline) -> bool:
    """A session of this machine sits in a seat of it."""
    return any(isinstance(role.agent, Session) for role in pipeline.roles.values())


class Running:
    """One run while this command tells of it."""

    def __init__(self, path: Path, config: Config, run_id: str, registry: str | None, *, as_json: bool) -> None:
        self._path = path
        self._config = config
        self._id = run_id
        self._named = named(registry)
        self._as_json = as_json
        self._progress = Progress(run_id, KeptRuns(path).key())
        self._teller: JsonTeller | Teller = JsonTeller() if as_json else Teller(self._named)
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
            if pipeline is not None and needs_sessions(pipeline):
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
                            self._show(self._teller.change, told)
                        elif told.state.is_over:
                            self._show(self._teller.flush)
                            return
                        else:
                            self._show(self._teller.began, told)
                self._show(self._teller.flush)

    def over(self, run: Run) -> int:
        """Tell how it came out; gives the exit code."""
        self._show(self._tell_end, run)
        return _CODES.get(run.state, _GONE)

    def _show(self, show: Callable[..., None], *what: Any) -> None:
        """Print it; where nobody reads any more, the run goes on all the same, and the exit code tells of it."""
        try:
            show(*what)
            sys.stdout.flush()
        except BrokenPipeError:
            drop_output()

    def _tell_end(self, run: Run) -> None:
        figures, is_gone = timing(run), not run.state.is_over  # its end could not be written
        if self._as_json:
            print(json.dumps(run_document(run, figures, is_gone=is_gone)))
            return
        console, glyphs = make_console(), console_glyphs()
        console.print()
        for spans in task_lines(run, None, columns(), glyphs, is_gone=is_gone):
            console.print(styled(spans))
        console.print()
        hints = (results_line(run, self._named), self._how_to_go_on if run.state is not RunState.DONE else "")
        print_end(console, run, figures, hints, glyphs, is_gone=is_gone)


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
