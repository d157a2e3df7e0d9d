"""Sessions as agents: one for a seat while it has a task, so that a further round finds the same conversation.

A review has a session of its own, which looks at nothing but the result. Whatever ends the work on a task ends its
session; where it worked in a worktree, see `worktrees`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from collab_tui.model.runs import Work
from collab_tui.model.sessions import Observed
from collab_tui.orchestrator.agent import Agent, Assignment, CannotWorkError, Given, Surroundings, WorkError
from collab_tui.orchestrator.agents.worktrees import (
    TaskWorktrees,
    check_worktrees,
    clear_worktrees,
    has_worktree,
    team_of,
    words_for,
)
from collab_tui.processes.finding import find_program
from collab_tui.protocol.persistence import wholly
from collab_tui.registry.append import RegistryError
from collab_tui.sessions.defining import load_definitions
from collab_tui.sessions.definitions import DefinitionError
from collab_tui.sessions.driver import DriverError, Reply, ReplyStatus
from collab_tui.sessions.records import Record, Records
from collab_tui.sessions.worktree_of import worktree_of


class AgentSession(Protocol):
    """One session, as an agent needs it."""

    @property
    def outcome(self) -> str | None:
        """How it ended; None while it runs."""
        ...

    @property
    def record(self) -> Record:
        """What this machine knows of it."""
        ...

    @property
    def observed(self) -> Observed:
        """What is seen of its program."""
        ...

    async def until(self, holds: Callable[[Any], bool]) -> None:
        """Wait until something holds of it, or it ended."""
        ...

    async def send_prompt_and_wait(self, text: str, timeout: float | None = None) -> Reply:  # noqa: ASYNC109
        """Give it a prompt and wait until its turn ends; cancelled, the turn is interrupted."""
        ...


class Sessions(Protocol):
    """What agents need of the sessions of this machine: `sessions.manager.SessionManager` as they see it."""

    @property
    def sessions(self) -> Mapping[str, AgentSession]:
        """Those that run, by name."""
        ...

    async def create_session(
        self,
        agent: str,
        *,
        task: str | None = None,
        base: str | None = None,
        name: str | None = None,
        in_worktree: bool | None = None,
        team: str | None = None,
    ) -> AgentSession:
        """Start one."""
        ...

    async def destroy_session(self, name: str) -> str:
        """End one; its worktree stays."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """An agent's program, by its definition, that can take seats."""

    definition: str
    """What it is called: `claude`."""
    worktree: bool = True
    """It works in a worktree for each task, not in the project itself."""

    @property
    def told(self) -> str:
        """What it is, in words."""
        return self.definition

    @property
    def keeps_seat(self) -> bool:
        """A further round goes on with its conversation."""
        return True

    @property
    def announces(self) -> bool:
        """The sessions tell of each of theirs."""
        return True

    def document(self) -> dict[str, Any]:
        """As JSON values, to be kept."""
        return {"session": self.definition, "worktree": self.worktree}

    async def check(self, surroundings: Surroundings) -> None:
        """Raises `CannotWorkError` where there are no sessions, no such definition or program, or no worktree."""
        if not surroundings.is_dry_run:
            self.sessions_of(surroundings)
        try:
            definition = (await asyncio.to_thread(load_definitions, surroundings.registry)).of(self.definition)
        except DefinitionError as error:
            raise CannotWorkError(str(error)) from error
        program = definition.command[0]
        if await asyncio.to_thread(find_program, program, surroundings.environment, surroundings.project) is None:
            raise CannotWorkError(f"{self.told}: there is no program {program}: install it, or start another agent")
        if self.worktree:
            await check_worktrees(surroundings, self.told)

    def sessions_of(self, surroundings: Surroundings) -> Sessions:
        """Among which it is started. Raises `CannotWorkError`."""
        if surroundings.sessions is None:
            raise CannotWorkError(f"{self.told}: there are no sessions here, as another process has them")
        return surroundings.sessions

    def seated(self, seat: str, surroundings: Surroundings) -> _Seat:
        """Take a seat. Raises `CannotWorkError` where there are no sessions."""
        return _Seat(self, seat, surroundings)


class _Seat:
    """See `agent.Worker`."""

    def __init__(self, agent: Session, seat: str, surroundings: Surroundings) -> None:
        self._agent = agent
        self._seat = seat
        self._surroundings = surroundings
        self._sessions = agent.sessions_of(surroundings)
        self._worktrees = TaskWorktrees(surroundings)
        self._session: AgentSession | None = None
        self._task: str | None = None
        """By which words the task of the session is known."""

    async def work(self, assignment: Assignment) -> Given:
        task, is_review = words_for(assignment), assignment.work is Work.REVIEW
        try:
            in_worktree = self._agent.worktree and has_worktree(assignment)
            session = await self._session_for(assignment, task, in_worktree=in_worktree)
            given = await self._prompted(session, assignment)
            if not is_review and assignment.task.review is not None:
                await self._worktrees.check_committed(task)
            return replace(given, branch=None if is_review else await self._worktrees.branch_for(task))
        except WorkError as error:
            error.branch = None if is_review else await self._worktrees.branch_for(task)
            raise
        finally:
            if is_review:
                await self._end(task)

    async def settle(self, task: str) -> None:
        await self._end(task)

    async def close(self) -> None:
        if self._task is not None:
            await self._end(self._task)
        await self._worktrees.let_go_all()

    async def _prompted(self, session: AgentSession, assignment: Assignment) -> Given:
        log = Path(session.record.log)
        watching = asyncio.create_task(_tell_waits(session, assignment.waits))
        try:
            reply = await session.send_prompt_and_wait(assignment.prompt)
        except DriverError as error:
            raise WorkError(str(error), log=log) from error
        finally:
            watching.cancel()
        if reply.status is not ReplyStatus.DONE:
            why = f": {reply.reason}" if reply.reason else ""
            raise WorkError(f"its turn ended as {reply.status}{why}", log=log)
        return Given(reply.text, log=log)

    async def _session_for(self, assignment: Assignment, task: str, *, in_worktree: bool) -> AgentSession:
        """The one that works on it, or a new one. Raises `WorkError`."""
        if self._session is not None and self._task == task and self._session.outcome is None:
            return self._session
        try:
            await self._end_left(task)
            self._session, self._task = None, task
            self._session = await self._sessions.create_session(
                self._agent.definition,
                task=task,
                base=assignment.branch_of,
                name=self._seat,
                in_worktree=in_worktree,
                team=team_of(assignment.run),
            )
        except (DriverError, RegistryError) as error:
            raise WorkError(str(error)) from error
        if (worktree := worktree_of(self._session.record)) is not None:
            self._worktrees.hold(task, worktree)
        return self._session

    async def _end_left(self, task: str) -> None:
        """End what has this seat, and what has this task: of an attempt before, here or before a crash.

        Only what was started for this very run.
        """
        team = team_of(self._surroundings.run)
        for name, session in tuple(self._sessions.sessions.items()):
            record = session.record
            if record.team == team and (name == self._seat or record.task == task):
                await _destroyed(self._sessions, name)
        left = await asyncio.to_thread(Records(self._surroundings.registry).load, self._seat)
        if left is not None and left.team == team and await asyncio.to_thread(left.may_run):
            await _destroyed(self._sessions, self._seat)

    async def _end(self, task: str) -> None:
        """The task is over: so is the session that it has here, and its worktree if nothing is lost."""
        if self._task == task:
            self._session = self._task = None
            if self._seat in self._sessions.sessions:
                await _destroyed(self._sessions, self._seat)
        await self._worktrees.let_go(task)


async def _destroyed(sessions: Sessions, name: str) -> None:
    with suppress(DriverError):  # it ended by itself
        await wholly(sessions.destroy_session(name))


async def let_go_of_left(surroundings: Surroundings, agents: Iterable[Agent]) -> None:
    """End what a process of the run left that is gone: its sessions, then its worktrees.

    Cancelled, it comes to the end of what it is at, and goes no further.
    """
    if (sessions := surroundings.sessions) is not None:
        team = team_of(surroundings.run)
        names = [name for name, session in sessions.sessions.items() if session.record.team == team]
        await asyncio.gather(*(_destroyed(sessions, name) for name in names))
    if any(agent.worktree for agent in agents):
        await clear_worktrees(surroundings)


async def _tell_waits(session: AgentSession, waits: Callable[[bool], None]) -> None:
    """Say when it waits for the person, and when no longer."""
    while session.outcome is None:
        await session.until(_asks)
        waits(_asks(session))
        await session.until(lambda one: not _asks(one))
        waits(False)


def _asks(session: AgentSession) -> bool:
    return session.observed in (Observed.APPROVAL, Observed.INPUT)
