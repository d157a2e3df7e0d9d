"""Runs of teams of agents: started, gone on with after a crash, ended.

    orchestrator = Orchestrator(registry, {"writer": write, "reader": Pool(read, size=2)})
    result = orchestrator.run_all(pipeline)

An agent is a callable, plain or async, a `Command`, or a `Session`. What a run needs to go on in another process is
kept for its user before anything of it starts; callables cannot be kept, and are given again.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from collab_tui.config import Config, load_config, project_config_file
from collab_tui.model.fold import Fold
from collab_tui.model.text import clean, one_line
from collab_tui.orchestrator.agent import CannotWorkError, Surroundings
from collab_tui.orchestrator.agents import as_agent
from collab_tui.orchestrator.agents.sessions import Sessions
from collab_tui.orchestrator.assembling import assembled
from collab_tui.orchestrator.checking import check
from collab_tui.orchestrator.documents import document_of, pipeline_of
from collab_tui.orchestrator.hearing import BY_HAND, hear_cancel, new_carrier
from collab_tui.orchestrator.kept import KeptRun, KeptRuns, RunError, new_run_id
from collab_tui.orchestrator.ledger import Ledger, NothingToldError, read_kept
from collab_tui.orchestrator.own_loop import carry_out
from collab_tui.orchestrator.plan import Pipeline, PipelineError, Policy, Role
from collab_tui.orchestrator.result import OwnRun, RunResult, as_it_was, came_of
from collab_tui.orchestrator.run import Run
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions

INTERRUPTED: Final = "its program was interrupted"


@dataclass(frozen=True, slots=True)
class Pool:
    """An agent, and how many of it work at the same time."""

    agent: Any
    size: int = 1


class Orchestrator:
    """The runs that one process has on one registry. `run` and `resume` of one run belong to one event loop."""

    def __init__(
        self,
        registry: Path | str,
        agents: Mapping[str, Any] | None = None,
        policy: Policy | None = None,
        *,
        sessions: Sessions | None = None,
        config: Config | None = None,
        notice: Callable[[str], None] | None = None,
        environment: Mapping[str, str] | None = None,
        trust: Trust | None = None,
        used: UsedDecisions | None = None,
        carrier: str | None = None,
    ) -> None:
        """`agents`: role -> who takes its seats, or a `Pool`; for roles that name no agent themselves, or another one.

        `policy` counts where a pipeline has none, and for a goal instead of that of the default team. `sessions` is the
        `SessionManager` of agents that are sessions, `notice` is told what the person should know, by default on
        standard error. With `carrier` whoever gives it hears the commands to cancel; without, they are heard here.
        Raises `TypeError` for what is no agent.
        """
        self.registry = Path(os.path.abspath(registry))
        self._agents = {
            role: (as_agent(given.agent), given.size) if isinstance(given, Pool) else (as_agent(given), None)
            for role, given in (agents or {}).items()
        }
        """Role -> who takes its seats, and how many; None: as its role says."""
        self._policy = policy
        self._sessions = sessions
        self._config = config
        self._notice = notice or _say
        self._environment = dict(os.environ if environment is None else environment)
        self._trust = trust
        self._used = used or UsedDecisions()
        self._carrier = carrier or new_carrier()
        self._hears_itself = carrier is None
        self._here: dict[str, _Here] = {}
        self._hearing: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}

    # Its runs

    async def run(
        self,
        work: str | Pipeline,
        *,
        goal: str | None = None,
        run_id: str | None = None,
        began: Callable[[str], object] | None = None,
    ) -> RunResult:
        """Do all of a pipeline, or reach a goal with the default team; gives what came of it once it is over.

        `run_id` is 8 hex digits, by default new ones; `began` gets them when the run stands in the registry. Nothing of
        it begins, and nothing is written, when this raises `PipelineError` (with all that is wrong), `RunError` or
        `RegistryError`. Cancelled, it ends the run within its grace, and then is.
        """
        pipeline = self._complete(_team(self._policy) if isinstance(work, str) else work)
        told = goal if goal is not None else work if isinstance(work, str) else pipeline.goal or pipeline.name
        policy = pipeline.policy or self._policy or Policy()
        pipeline = replace(pipeline, goal=told, policy=policy)
        check(pipeline)
        kept_runs, run_id = KeptRuns(self.registry), new_run_id() if run_id is None else run_id
        with self._present(run_id) as here:
            await _check_agents(pipeline, self._surroundings(run_id, kept_runs.folder, policy))
            document = document_of(pipeline, policy)
            await asyncio.to_thread(kept_runs.key)  # which may say that there is none
            kept = await _had(lambda: kept_runs.new(pipeline.name, told, document, run_id))
            try:
                return await self._carried_out(here, kept_runs, kept, pipeline, None, began)
            finally:
                kept.end()

    async def resume(
        self, run_id: str, pipeline: Pipeline | None = None, *, began: Callable[[str], object] | None = None
    ) -> RunResult:
        """Go on with a run of before, also of one that ended: what is done stays done, all else is done. Of one that is
        done nothing is written, and `began` is not called.

        `pipeline` has to be the one that it was started with; by default it is as it was kept, with the agents of this
        orchestrator for callables. Raises as `run` does, `RunError` also where another process has it.
        """
        kept_runs = KeptRuns(self.registry)
        loop, notice = asyncio.get_running_loop(), self._notice
        with self._present(run_id) as here:
            kept = await _had(lambda: kept_runs.load(run_id, lambda told: loop.call_soon_threadsafe(notice, told)))
            try:
                whole = _as_kept(kept)
                if pipeline is not None:
                    whole = replace(pipeline, policy=whole.policy, goal=whole.goal)
                ledger = await asyncio.to_thread(_read_back, kept_runs, kept)
                for problem in ledger.problems if ledger is not None else ():
                    notice(f"the run {run_id}: {problem}")
                if ledger is not None and ledger.is_done:
                    return as_it_was(ledger)
                whole = self._complete(whole)
                check(whole)
                await _check_agents(whole, self._surroundings(run_id, kept.private, whole.policy or Policy()))
                return await self._carried_out(here, kept_runs, kept, whole, ledger, began)
            finally:
                kept.end()

    def run_all(self, work: str | Pipeline, *, goal: str | None = None, run_id: str | None = None) -> RunResult:
        """`run` for a program that has no event loop; of any thread.

        Ctrl-C, or another signal to end, ends the run within its grace, and then does what it does to a program: Ctrl-C
        raises `KeyboardInterrupt`. Raises `RuntimeError` where an event loop runs.
        """
        return carry_out(lambda: self.run(work, goal=goal, run_id=run_id), self._notice)

    async def stop_all(self, reason: str = BY_HAND) -> None:
        """End all runs within their grace, and wait for that; those too that are about to begin."""
        all_here = tuple(self._here.values())
        for here in all_here:
            here.end(reason)
        for here in all_here:
            await asyncio.shield(asyncio.wrap_future(here.over))  # it is over when it is, whoever waits for that

    def cancel(self, run_id: str, reason: str = BY_HAND) -> bool:
        """End one run, from any thread; False where it is not here. One that is about to begin raises `RunError`."""
        here = self._here.get(run_id)
        return here is not None and here.end(reason)

    @contextmanager
    def _present(self, run_id: str) -> Iterator[_Here]:
        """It is here, from when somebody wants it until nothing of it is left."""
        here = _Here(run_id, asyncio.get_running_loop())
        first = self._here.setdefault(run_id, here)  # a second one is refused, once that is seen
        try:
            yield here
        finally:
            if first is here:
                del self._here[run_id]
            here.over.set_result(None)

    # How one is carried out

    def _complete(self, pipeline: Pipeline) -> Pipeline:
        """With the agents and the sizes that are given here."""
        roles = dict(pipeline.roles)
        for name, (agent, size) in self._agents.items():
            role = roles.get(name, Role(name))
            roles[name] = replace(role, agent=agent, size=role.size if size is None else size)
        return replace(pipeline, roles=roles)

    async def _carried_out(
        self,
        here: _Here,
        kept_runs: KeptRuns,
        kept: KeptRun,
        pipeline: Pipeline,
        ledger: Ledger | None,
        began: Callable[[str], object] | None,
    ) -> RunResult:
        """All of it, once this process has it."""
        config = self._config
        if config is None:
            config = await asyncio.to_thread(load_config, self.registry)
        trust = self._trust or Trust(config.person, config.approvers)
        policy = pipeline.policy or Policy()
        surroundings = replace(self._surroundings(kept.id, kept.private, policy), held=kept.agents)
        key = await asyncio.to_thread(kept_runs.key)
        found = assembled(pipeline, policy, surroundings, key, ledger, trust=trust, used=self._used, poll=config.poll)
        run = here.begin(Run(found, self._carrier, kept.began))
        told = OwnRun(kept.id, ledger.fold if ledger is not None else Fold())
        found.parts.journal.told = told.see
        self._hear(trust, config.poll)
        try:
            await _until_over(run, asyncio.create_task(run.carry_out(began)))
        finally:
            here.run = None
            await self._hear_no_more()
        return came_of(run, found.parts, told.run)

    def _surroundings(self, run: str, private: Path, policy: Policy) -> Surroundings:
        return Surroundings(
            registry=self.registry,
            project=project_config_file(self.registry).parent.parent,
            run=run,
            environment=self._environment,
            grace=policy.grace,
            private=private,
            notice=self._notice,
            sessions=self._sessions,
        )

    def _hear(self, trust: Trust, poll: float | None) -> None:
        """Commands of the person to cancel a run."""
        loop = asyncio.get_running_loop()
        if self._hears_itself and loop not in self._hearing:
            self._hearing[loop] = asyncio.create_task(
                hear_cancel(self.registry, self._carrier, trust, self._used, self.cancel, self._notice, poll)
            )

    async def _hear_no_more(self) -> None:
        loop = asyncio.get_running_loop()
        if any(here.run is not None and here.loop is loop for here in tuple(self._here.values())):
            return
        if (hearing := self._hearing.pop(loop, None)) is not None:
            hearing.cancel()
            await asyncio.wait((hearing,))


class _Here:
    """A run of this process, from when it is asked for on."""

    def __init__(self, run_id: str, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.run: Run | None = None
        self.over = Future[None]()
        self._id = run_id
        self._stopped: str | None = None

    def begin(self, run: Run) -> Run:
        """It is put together. Raises `RunError` when it was to end before that."""
        if self._stopped is not None:
            raise RunError(f"the run {self._id} was ended before it began: {self._stopped}")
        self.run = run
        return run

    def end(self, reason: str) -> bool:
        """End it, from any thread; False: it is over."""
        try:
            self.loop.call_soon_threadsafe(self._end, reason)
        except RuntimeError:  # its loop is closed
            return False
        return True

    def _end(self, reason: str) -> None:
        if self.run is not None:
            self.run.stop(reason)
        else:
            self._stopped = self._stopped or reason


def _as_kept(kept: KeptRun) -> Pipeline:
    """Raises `RunError`."""
    try:
        return pipeline_of(kept.document)
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"what is kept of the run {kept.id} cannot be understood: {error}") from error


def _read_back(kept_runs: KeptRuns, kept: KeptRun) -> Ledger | None:
    """None: it never began. Raises `RunError`, `RegistryError`. Touches the disk."""
    try:
        return read_kept(kept_runs, kept.id)
    except NothingToldError as error:
        if not kept.known.parts:
            return None
        told = f"the run {kept.id} began, and no line of it stands in {kept_runs.registry} any more"
        raise RunError(f"{told}: put that back, or start another run, which does everything anew") from error


def _team(policy: Policy | None) -> Pipeline:
    from collab_tui.orchestrator.team import default_team  # a file, which those with their own pipeline need not read

    team = default_team()
    return replace(team, policy=policy or team.policy)


async def _had(take: Callable[[], KeptRun]) -> KeptRun:
    """Have a run; cancelled meanwhile, let another have it."""
    taking = asyncio.create_task(asyncio.to_thread(take))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        await asyncio.wait((taking,))
        if not taking.cancelled() and taking.exception() is None:
            taking.result().end()
        raise


async def _check_agents(pipeline: Pipeline, surroundings: Surroundings) -> None:
    """Whether all agents can work here, before anything starts. Raises `PipelineError` with all that is wrong."""
    roles = {name: role for name, role in pipeline.roles.items() if role.agent is not None}
    found = await asyncio.gather(
        *(role.agent.check(surroundings) for role in roles.values() if role.agent is not None), return_exceptions=True
    )
    wrong = []
    for (name, role), error in zip(roles.items(), found, strict=True):
        if isinstance(error, CannotWorkError):
            wrong.append(f"{role.source}: role {name}: {error}" if role.source else f"role {name}: {error}")
        elif error is not None:
            raise error
    if wrong:
        raise PipelineError(*dict.fromkeys(wrong))


async def _until_over(run: Run, driving: asyncio.Task[None]) -> None:
    """Wait for its end. Cancelled, it is ended within its grace; cancelled again, at once."""
    times = 0
    while not driving.done():
        try:
            await asyncio.wait((driving,))
        except asyncio.CancelledError:
            times += 1
            if times == 1 and run.has_begun:
                run.stop(INTERRUPTED)
            else:
                driving.cancel()
    if times:
        if not driving.cancelled():
            driving.exception()  # what was wrong on the way out changes nothing
        raise asyncio.CancelledError
    driving.result()


def _say(text: str) -> None:
    print(one_line(clean(text)), file=sys.stderr)
