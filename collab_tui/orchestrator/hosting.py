"""The runs of one registry, as its monitor has them: started and cancelled by the person's commands, gone on with.

What the monitor is to run is noted before anything of it starts. So it may be killed at any point: the next one
resumes the run, or starts it where it had not begun. A run of another process is never taken over, and one that
somebody resumed elsewhere meanwhile is theirs.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from collab_tui.config import Config
from collab_tui.model.event import Event
from collab_tui.model.runs import Run, RunState
from collab_tui.model.sessions import CommandState
from collab_tui.orchestrator.hearing import BY_HAND, NOT_HERE, heed_cancel
from collab_tui.orchestrator.hosted import Hosted, HostedRuns
from collab_tui.orchestrator.kept import HeldError, KeptRuns, RunError
from collab_tui.orchestrator.leaving import clear_left, tell_left
from collab_tui.orchestrator.ledger import NothingToldError, read_kept
from collab_tui.orchestrator.orchestrator import Orchestrator
from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.orchestrator.plan import Pipeline
from collab_tui.orchestrator.result import RunResult
from collab_tui.protocol.commands import CommandType, Concern, Taken
from collab_tui.protocol.obeying import Obeying
from collab_tui.protocol.persistence import wholly
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RegistryError
from collab_tui.registry.kept import kept_for, monitor_of
from collab_tui.sessions.manager import SessionManager

MOST_AT_ONCE: Final = 16
"""Runs that one monitor has at the same time."""
ENDED: Final = "its monitor ended; the next one goes on with it"
_PATIENCE: Final = 20.0
"""Seconds for runs to end when the monitor does, and then again once they are made to."""
_LOST: Final = "the monitor that had begun it ended before it was done"
_IS_RUN: Final = re.compile(r"[0-9a-f]{8}").fullmatch


class _NotStartedError(Exception):
    """Nothing of a run is started; the text says why."""


@dataclass(eq=False, slots=True)
class _Running:
    """A run that this monitor has."""

    hosted: Hosted
    orchestrator: Orchestrator
    began: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class RunService:
    """The runs of one registry. Its monitor starts it, and ends it."""

    def __init__(
        self,
        registry: Path,
        notice: Callable[[str], None],
        environment: Mapping[str, str] = os.environ,
        *,
        trust: Callable[[Config], Trust] = lambda config: Trust(config.person, config.approvers),
        used: UsedDecisions | None = None,
    ) -> None:
        """Programs get what is allowed of `environment`; by `trust` the person's words are known."""
        self._path = registry
        self._monitor = monitor_of(kept_for(registry))
        self._notice = notice
        self._environment = environment
        self._trust_of, self._used = trust, used or UsedDecisions()
        self._hosted = HostedRuns(registry)
        self._kept = KeptRuns(registry)
        self._running: dict[str, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Task[None] | None = None
        self._under_way: set[str] = set()
        """Ids of commands that were taken and are not answered to their end."""
        self._is_ending = False

    # Its life

    async def start(self, manager: SessionManager | None, config: Config) -> None:
        """Go on with the runs of before, and hear commands, until `end`."""
        self._manager, self._config = manager, config
        trust = self._trust_of(config)
        self._obeying = Obeying(self._path, self._monitor, Concern.RUNS, trust, self._used, self._notice)
        for hosted in await asyncio.to_thread(self._hosted.all):
            self._host(hosted, is_new=False)
        listening = self._obeying.listen(self._heed, config.poll, taken_before=self._tell_of_lost)
        self._listening = self._spawn(listening)

    async def use(self, config: Config) -> None:
        """Go by other settings, for what starts from now on; who signs, at once."""
        self._config = config
        self._obeying.trust = self._trust_of(config)

    async def end(self) -> None:
        """Start nothing more, and end what runs within its grace: the next monitor goes on with it."""
        self._is_ending = True
        if self._listening is not None:
            self._listening.cancel()
        running = list(self._running.values())
        for one in running:
            if one.began.is_set():
                self._spawn(one.orchestrator.stop_all(ENDED))
            elif one.task is not None:
                one.task.cancel()
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=_PATIENCE)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=_PATIENCE)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._notice(f"runs: {str(error) or type(error).__name__}")

    # Commands

    async def _heed(self, command: Taken) -> None:
        self._under_way.add(command.id)
        work = self._cancel(command) if command.type is CommandType.CANCEL_RUN else self._begin(command)
        self._spawn(work).add_done_callback(lambda _: self._under_way.discard(command.id))

    async def _begin(self, command: Taken) -> None:
        if command.type is CommandType.RESUME_RUN and command.target in self._running:
            # the monitor went on with it by itself before it came to the command: that is what is wanted
            await self._obeying.tell(command, CommandState.DONE, "it runs here already", {"run": command.target})
            return
        try:
            hosted = self._wanted(command)
        except _NotStartedError as error:
            await self._obeying.tell(command, CommandState.FAILED, str(error))
            return
        await asyncio.wait({self._host(hosted, is_new=True)})

    def _wanted(self, command: Taken) -> Hosted:
        """What a command starts or resumes. Raises `_NotStartedError`."""
        is_start = command.type is CommandType.START_RUN
        told = command.payload
        run = told.get("run") or secrets.token_hex(4) if is_start else command.target
        if not _IS_RUN(run):
            raise _NotStartedError("the id of a run is 8 hex digits")
        if run in self._running:
            raise _NotStartedError(f"the run {run} runs here already")
        if len(self._running) >= MOST_AT_ONCE:
            raise _NotStartedError(f"{MOST_AT_ONCE} runs are under way here: try again when one is over")
        if is_start and not os.path.isabs(command.target):
            raise _NotStartedError("a pipeline is named by the whole path of its file")
        variables = _variables_of(told.get("variables"))
        return Hosted(
            run,
            command.id,
            command.type,
            command.target,
            command.time.isoformat(),
            digest=told.get("digest"),
            goal=told.get("goal"),
            variables=variables,
        )

    async def _cancel(self, command: Taken) -> None:
        running = self._running.get(command.target)
        if running is None or running.task is None:
            if command.target not in [hosted.run for hosted in await asyncio.to_thread(self._hosted.all)]:
                await self._obeying.tell(command, CommandState.FAILED, NOT_HERE)
                return
            why = command.payload.get("reason") or BY_HAND
            state = await self._tell_left(command.target, why, is_given_up=True)
            await self._forget(command.target)
            if state in (RunState.DONE, RunState.FAILED):
                why = f"the run {command.target} is over: {state}"
                await self._obeying.tell(command, CommandState.FAILED, why)
            else:
                await self._obeying.tell(command, CommandState.DONE, "no monitor tries to go on with it any more")
            return
        beginning = asyncio.ensure_future(running.began.wait())
        await asyncio.wait({beginning, running.task}, return_when=asyncio.FIRST_COMPLETED)
        beginning.cancel()
        await self._forget(command.target)  # from here on no monitor goes on with it
        await self._obeying.tell(command, *heed_cancel(command, running.orchestrator.cancel))

    async def _forget(self, run: str) -> None:
        try:
            await asyncio.to_thread(self._hosted.forget, run)
        except OSError as error:
            self._notice(f"runs: {run} is cancelled, and the note of it cannot be removed: {error}")

    async def _tell_of_lost(self, event: Event) -> None:
        """A command was taken by a monitor before this one, perhaps without an answer."""
        is_under_way = event.id in self._under_way or any(
            running.hosted.command == event.id for running in self._running.values()
        )
        if not is_under_way and not await asyncio.to_thread(self._obeying.is_answered, event.id):
            await self._obeying.tell(event, CommandState.FAILED, _LOST)

    # Runs

    def _host(self, hosted: Hosted, *, is_new: bool) -> asyncio.Task[None]:
        orchestrator = Orchestrator(
            self._path,
            sessions=self._manager,
            config=self._config,
            notice=self._notice,
            environment=self._environment,
            trust=self._trust_of(self._config),
            used=self._used,
            carrier=self._monitor,
        )
        running = self._running[hosted.run] = _Running(hosted, orchestrator)
        running.task = self._spawn(self._see_through(running, is_new=is_new))
        return running.task

    async def _see_through(self, running: _Running, *, is_new: bool) -> None:
        hosted, is_left = running.hosted, True
        try:
            try:
                result = await (self._started(running) if is_new else self._gone_on_with(running))
            except Exception as error:  # each run fails alone
                is_left = await self._left_after(running, error, is_new=is_new)
            else:
                is_left = self._is_ending and result is not None and result.state is RunState.CANCELLED
                if result is None and not hosted.is_started:
                    await self._answer(hosted, CommandState.FAILED, _LOST)
                elif not running.began.is_set():  # it began with the monitor before, or nothing was left to do
                    await self._answer(hosted, CommandState.DONE)
        finally:
            try:
                if not is_left:
                    await wholly(asyncio.to_thread(self._hosted.forget, hosted.run))
            finally:
                del self._running[hosted.run]

    async def _left_after(self, running: _Running, error: Exception, *, is_new: bool) -> bool:
        """Tell why nothing more is done of a run now; gives whether the next monitor is to try again."""
        hosted, why = running.hosted, str(error) or type(error).__name__
        is_away = isinstance(error, RegistryError) and not isinstance(error, RunError)
        has_begun_here = running.began.is_set()
        has_begun = has_begun_here or await asyncio.to_thread(self._has_begun, hosted.run)
        if not has_begun_here and (is_new or isinstance(error, HeldError) or not (has_begun or is_away)):
            if not is_new:
                self._notice(f"runs: {hosted.run}: {why}")
            await asyncio.to_thread(self._hosted.forget, hosted.run)  # first: no monitor tries what was told to fail
            await self._answer(hosted, CommandState.FAILED, why)
            return False
        self._notice(f"runs: {hosted.run}: {why}; the next monitor tries to go on with it")
        if not has_begun_here and not is_away:
            await self._tell_left(hosted.run, why)
        return not await asyncio.to_thread(self._is_over, hosted.run)

    async def _tell_left(self, run: str, why: str, *, is_given_up: bool = False) -> RunState | None:
        """Gives how it stands then; None where that could not be told. What one left that is given up is cleared."""
        try:
            if is_given_up:
                await clear_left(self._kept, run, self._notice, self._manager)
            return await asyncio.to_thread(tell_left, self._kept, run, why, self._notice)
        except RegistryError as untold:
            self._notice(f"runs: {run}: that could not be written: {untold}")
            return None

    def _has_begun(self, run: str) -> bool:
        try:
            return bool(self._kept.known(run).parts)
        except RunError:
            return self._kept.has(run)  # what is kept of it cannot be read

    def _is_over(self, run: str) -> bool:
        """It ended by itself, as far as that is known."""
        try:
            return read_kept(self._kept, run).run.state in (RunState.DONE, RunState.FAILED)
        except RegistryError:
            return False

    async def _started(self, running: _Running) -> RunResult:
        """Do what a command wants, for the first time."""
        hosted = running.hosted
        if hosted.is_started and await asyncio.to_thread(self._kept.has, hosted.run):
            raise _NotStartedError(f"there is a run {hosted.run} already")
        await asyncio.to_thread(self._hosted.keep, hosted)
        await self._answer(hosted, CommandState.RUNNING)
        return await self._work(running)

    async def _gone_on_with(self, running: _Running) -> RunResult | None:
        """Go on with a run of the monitor before this one; None where that is not ours to do."""
        run = await asyncio.to_thread(self._as_told, running.hosted.run)
        if run is not None and run.carrier != self._monitor:
            self._notice(f"runs: {run.id}: another process went on with it: this monitor does not any more")
            return None
        if run is not None and run.state in (RunState.DONE, RunState.FAILED):
            return None
        return await self._work(running)

    def _as_told(self, run: str) -> Run | None:
        """As its own lines tell it; None where they tell nothing."""
        try:
            return read_kept(self._kept, run).run if self._kept.has(run) else None
        except NothingToldError:
            return None

    async def _work(self, running: _Running) -> RunResult:
        hosted = running.hosted

        def began(_: str) -> None:
            running.began.set()
            self._spawn(self._answer(hosted, CommandState.DONE))

        is_start = hosted.is_started
        if is_start and not await asyncio.to_thread(self._kept.has, hosted.run):
            pipeline = await asyncio.to_thread(_read, hosted)
            return await running.orchestrator.run(pipeline, run_id=hosted.run, began=began)
        return await running.orchestrator.resume(hosted.run, began=began)

    async def _answer(self, hosted: Hosted, state: CommandState, why: str | None = None) -> None:
        """Tell how far the command is that wants the run: also that which a monitor before this one took."""
        if not await asyncio.to_thread(self._obeying.is_answered, hosted.command):
            await self._obeying.tell(hosted.wanted_by(), state, why, {"run": hosted.run})


def _read(hosted: Hosted) -> Pipeline:
    """The pipeline that the person saw. Raises `PipelineError`, `_NotStartedError`."""
    pipeline = read_pipeline(Path(hosted.target), hosted.variables, hosted.goal)
    if pipeline.digest != hosted.digest:
        raise _NotStartedError(f"{hosted.target} is not what you saw any more: look at it, and start it again")
    return pipeline


def _variables_of(told: str | None) -> Mapping[str, str]:
    try:
        variables = json.loads(told) if told is not None else {}
    except (ValueError, RecursionError):
        variables = None
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise _NotStartedError("`variables` is no JSON object of texts")
    return variables
