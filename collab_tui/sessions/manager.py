"""All sessions of one registry on this machine: started, prompted, taken up again, ended.

    async with SessionManager(Path(".collab/registry.jsonl")) as manager:
        session = await manager.create_session("claude", task="login")
        reply = await session.send_prompt_and_wait("Where is the login form?", timeout=600)
        print(reply.status, reply.text)
        await manager.destroy_session("claude")

One process at a time has the sessions of a registry, on one machine; while a monitor runs, that is the monitor.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from collab_tui.config import Config, load_config
from collab_tui.model.words import name_key
from collab_tui.processes.programs import GRACE
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.kept import kept_for, monitor_of
from collab_tui.registry.turn import Turn
from collab_tui.sessions.carrying_out import CarryingOut
from collab_tui.sessions.defining import load_definitions
from collab_tui.sessions.definitions import Definition
from collab_tui.sessions.driver import Delivery, Reply
from collab_tui.sessions.log_folder import pointer
from collab_tui.sessions.place import Place
from collab_tui.sessions.prompts import Prompt, check_prompt
from collab_tui.sessions.roster import Roster, SessionError
from collab_tui.sessions.session import LiveSession
from collab_tui.sessions.starting import Starting
from collab_tui.sessions.taking_up import TakingUp
from collab_tui.sessions.tasks import Tasks
from collab_tui.sessions.telling_again import tell_again_what_is_so
from collab_tui.sessions.worktree_of import worktree_of
from collab_tui.sessions.worktrees import Worktree, WorktreeError, WouldLoseError

__all__ = ["SessionError", "SessionManager"]

_PATIENCE: Final = 5.0
"""Seconds for what is left to be told when all of it ends."""
_LOG: Final = logging.getLogger("collab_tui.sessions")


class SessionManager:
    """The sessions of one registry that belong to this process."""

    def __init__(
        self,
        registry: Path,
        config: Config | None = None,
        *,
        monitor_id: str | None = None,
        notice: Callable[[str], None] = _LOG.warning,
        environment: Mapping[str, str] | None = None,
        used: UsedDecisions | None = None,
        grace: float = GRACE,
        has_turn: bool = False,
    ) -> None:
        """`config` are the settings, by default those of the user; `monitor_id` is what the sessions' events say.

        `notice` is told, in words for the person, what goes wrong beside the sessions; by default it is logged. What
        programs may get of their environment is picked from `environment`, by default this process'. `grace` is how
        long a program may take to end that is asked to, in seconds. With `has_turn` the caller sees to it that nobody
        else has the sessions of this registry.

        Raises `ConfigError`, and `UnusableError` for a key that is none.
        """
        self.registry = Path(os.path.abspath(registry))
        folder = kept_for(self.registry)
        self._place = Place(
            self.registry,
            config or load_config(self.registry),
            monitor=monitor_id or monitor_of(folder),
            notice=notice,
            environment=dict(os.environ if environment is None else environment),
            grace=grace,
            ended=self._forget,
        )
        self._turn = None if has_turn else Turn(folder)
        self._roster = Roster()
        self._starting = Starting(self._place, self._roster)
        self._taking_up = TakingUp(self._place, self._roster)
        self._telling: set[asyncio.Task[None]] = set()
        self._entered = AsyncExitStack()
        self._tasks = Tasks(notice)
        self._carrying_out = CarryingOut(
            self,
            self._place.registry,
            self._place.trust,
            used or UsedDecisions(),
            self._place.monitor,
            notice,
            self._place.config.poll,
        )

    @property
    def host(self) -> str:
        """As the registry names this machine."""
        return self._place.host

    @property
    def project(self) -> Path:
        """The folder that the registry belongs to."""
        return self._place.project

    @property
    def sessions(self) -> Mapping[str, LiveSession]:
        """Those that have a program now, by name."""
        return MappingProxyType(self._roster.sessions)

    async def use(self, config: Config) -> None:
        """Go on by other settings: who signs at once, the rest with what starts from now on.

        Raises `UnusableError` for a key that is none.
        """
        self._place.use(config)

    async def __aenter__(self) -> Self:
        """Raises `SessionError` where another process has the sessions."""
        if self._turn is not None:
            if not await asyncio.to_thread(self._turn.take):
                whose = await asyncio.to_thread(self._turn.whose)
                raise SessionError(
                    f"{whose} has these sessions: end it first, or use `collab-tui session` with a monitor"
                )
            self._entered.callback(self._turn.end)
        await self._entered.enter_async_context(self._place.following)
        self._tasks.keep_up(lambda: tell_again_what_is_so(self._place, self._roster))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        closing = asyncio.ensure_future(self._close())
        await asyncio.shield(closing)

    async def _close(self) -> None:
        """Let go of what runs on without us, and end the rest."""
        self._roster.is_closed = True
        await self.stop_listening()
        await self._tasks.end(_PATIENCE)
        for starting in [task for task in self._roster.starting.values() if task is not None]:
            starting.cancel()
            await asyncio.wait({starting})
        leaving = [asyncio.ensure_future(session.leave()) for session in list(self.sessions.values())]
        if leaving:
            await asyncio.wait(leaving)
        self._roster.sessions.clear()
        if self._telling:
            await asyncio.wait(self._telling, timeout=_PATIENCE)
        for task in self._telling:
            task.cancel()
        await self._entered.aclose()
        for one in leaving:
            one.result()

    # Starting

    async def create_session(
        self,
        agent: str,
        *,
        task: str | None = None,
        base: str | None = None,
        name: str | None = None,
        prompt: str | None = None,
        worker: str | None = None,
        is_read_only: bool = False,
        in_worktree: bool | None = None,
        environment: Sequence[str] = (),
        team: str | None = None,
    ) -> LiveSession:
        """Start an agent, and wait until it takes prompts; with `prompt`, it is given that first.

        It takes part as `name`, by default as its definition is called. It works in a worktree of its own, made from
        `base` or reused, if its definition says so and `in_worktree` does not say otherwise; a read-only one does not.
        `environment` names variables that it gets beside those of its definition. One of a `team` works in the team's
        worktree for the task, `collab/TEAM/TASK`, whoever of it works there; the caller may have written in its name.

        Raises `SessionError`, and `PromptRefusedError` before anything is started. A start that fails or is cancelled
        leaves nothing behind, and says in the registry why.
        """
        if prompt is not None:
            check_prompt(prompt)

        async def begin() -> LiveSession:
            await self._starting.check_absent(name or agent, is_callers=team is not None)
            definition = await asyncio.to_thread(self._definition, agent)
            if is_read_only and definition.read_only is None:
                how = 'read_only = ["--dry-run"], the arguments with which it changes nothing; [] if it never does'
                raise SessionError(f"{agent} has no way to only look: write in its definition {how}")
            wants_worktree = definition.is_worktree and not is_read_only if in_worktree is None else in_worktree
            whose = team or (agent if worker else name or agent)  # that of a worker's session is of no use to people
            worktree = await self._worktree(whose, task, base) if wants_worktree else None
            who = {"task": task, "worker": worker, "team": team}
            about = {**who, "is_read_only": is_read_only, "environment": tuple(environment)}
            return await self._starting.begin(name or agent, definition, worktree, about)

        session = await self._starting.start(name or agent, begin)
        if prompt is not None:
            session.send_prompt(prompt)
        return session

    async def restore(self, name: str) -> LiveSession:
        """Go on with a session that is over: its conversation and worktree, in a new run. Raises `SessionError`."""

        async def begin() -> LiveSession:
            old = await asyncio.to_thread(self._place.records.load, name)
            if old is None:
                raise SessionError(f"no session {name} was ever started here: see `collab-tui session list`")
            await self._starting.check_absent(name)
            if old.resume_id is None:
                raise SessionError(f"{name} told nothing by which its program could go on: start it anew")
            definition = await asyncio.to_thread(self._definition, old.definition)
            if definition.driver.value != old.driver:
                raise SessionError(
                    f"{old.definition} is talked to in another way now ({definition.driver}): start it anew"
                )
            worktree = await self._worktree(old.team or name, old.task, old.base) if old.branch is not None else None
            kept = ("task", "worker", "team", "is_read_only", "environment", "resume_id")
            about = {field: getattr(old, field) for field in kept}
            return await self._starting.begin(name, definition, worktree, about)

        if self.is_starting(name) or name_key(name) in map(name_key, self.sessions):
            raise SessionError(f"{name} runs already: there is nothing to restore")
        return await self._starting.start(name, begin)

    def _definition(self, agent: str) -> Definition:
        return load_definitions(self.registry).of(agent)

    async def _worktree(self, name: str, task: str | None, base: str | None) -> Worktree:
        return await self._place.worktrees.make(name, task, base=base)

    # What runs

    def find(self, name: str) -> LiveSession:
        """The session of that name. Raises `SessionError`."""
        return self._roster.find(name)

    async def found(self, name: str) -> LiveSession:
        """The same, once it was started, if it is being started. Raises `SessionError`."""
        return await self._roster.found(name)

    def log_of(self, name: str) -> str | None:
        """Where the output of a session is kept that was started here, as events name it."""
        record = self._place.records.load(name)
        return pointer(self.registry, Path(record.log)) if record is not None else None

    def is_starting(self, name: str) -> bool:
        """A session of that name is being started."""
        return name_key(name) in self._roster.starting

    async def queue_prompt(self, name: str, text: str, *, is_persons: bool = False) -> Prompt:
        """Queue a prompt for a session; `is_persons` says that the person sent it.

        Raises `SessionError`, `PromptRefusedError`.
        """
        try:
            session = await self.found(name)
        except SessionError as error:
            record = await asyncio.to_thread(self._place.records.load, name)
            if record is None or record.ended is None:
                raise
            again = (
                "start it anew" if record.resume_id is None else f"`collab-tui session restore {name}` goes on with it"
            )
            raise SessionError(f"{error}: it is over ({record.ended}); {again}") from None
        return session.send_prompt(text, is_persons=is_persons)

    async def send_prompt(self, name: str, text: str) -> Delivery:
        """Prompt a session and wait until it is seen to have that, behind whatever waits before it. Raises as above."""
        session = await self.found(name)
        prompt = session.send_prompt(text)
        try:
            return await prompt.delivery()
        finally:
            session.take_back(prompt)

    async def send_prompt_and_wait(self, name: str, text: str, timeout: float | None = None) -> Reply:  # noqa: ASYNC109
        """See `LiveSession.send_prompt_and_wait`. Raises `SessionError`, `PromptRefusedError`."""
        return await (await self.found(name)).send_prompt_and_wait(text, timeout)

    async def interrupt(self, name: str) -> bool:
        """End the turn that runs; False where none of our prompts does. Raises `SessionError`, `DriverError`."""
        return await self.find(name).interrupt()

    async def destroy_session(self, name: str, *, remove_worktree: bool = False) -> str:
        """End a session, or its start; gives how it ended. With `remove_worktree`, also of one that is over already.

        Raises `SessionError`, and `WouldLoseError` where the worktree has what stands nowhere else: then it stays.
        """
        key = name_key(name)
        if (starting := self._roster.starting.get(key)) is not None:
            starting.cancel()
            await asyncio.wait({starting})
        try:
            how = await self.find(name).stop()
        except SessionError:
            left = await self._taking_up.end_left(name) if starting is None else "stopped before it was ready"
            if left is None and not remove_worktree:
                raise
            how = left or "it did not run"
        else:
            left = how
        if remove_worktree:
            await self._remove_worktree(name, "it was stopped, but " if left is not None else "")
        return how

    async def _remove_worktree(self, name: str, done: str) -> None:
        """`done` begins the sentence that says why it stays."""
        record = await asyncio.to_thread(self._place.records.load, name)
        worktree = worktree_of(record) if record is not None else None
        if worktree is None:
            raise SessionError(f"{done}{name} has no worktree of its own")
        try:
            await self._place.worktrees.remove(worktree)
        except WouldLoseError as error:
            raise WouldLoseError(worktree.folder, error.losses, done) from error
        except WorktreeError as error:
            raise SessionError(f"{done}{error}") from error

    def _forget(self, session: LiveSession) -> None:
        """It ended."""
        self._roster.forget(session)
        if (telling := session.telling_end) is not None and not telling.done():
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    # After a restart

    async def take_up(self) -> None:
        """Take up what a manager before this one left running, and tell of the rest that it is lost, each once."""
        await self._taking_up.all()

    # Commands

    def start_listening(self) -> None:
        """Carry out the person's signed commands from now on. Answers and messages come to each session anyway."""
        self._carrying_out.start()

    async def stop_listening(self) -> None:
        """Carry out no more commands; what was begun of them is given up, and told so."""
        await self._carrying_out.stop()
