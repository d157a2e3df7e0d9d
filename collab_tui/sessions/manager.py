"""All sessions of one registry on this machine: started, prompted, taken up again, ended.

    async with SessionManager(registry, config, monitor_id=..., notice=print) as manager:
        session = await manager.create_session("claude", task="login")
        reply = await session.send_prompt_and_wait("Where is the login form?", timeout=600)

Whoever has it holds the monitor's turn: two at a time would start what one is to.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from collab_tui.config import Config
from collab_tui.model import ours
from collab_tui.model.ages import age, seconds_between
from collab_tui.model.fold import Fold
from collab_tui.model.sessions import Observed
from collab_tui.model.words import MONITOR, name_key
from collab_tui.processes.identity import Identity, is_alive, signal_group
from collab_tui.processes.programs import GRACE, allowed_environment
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RegistryError
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.carrying_out import CarryingOut
from collab_tui.sessions.defining import load_definitions
from collab_tui.sessions.definitions import Definition, DefinitionError, DriverKind
from collab_tui.sessions.driver import Delivery, DriverError, LostError, Reply
from collab_tui.sessions.names import BadNameError, checked, task_name
from collab_tui.sessions.observing import Observing
from collab_tui.sessions.prompts import Prompt
from collab_tui.sessions.questions import withdraw_left
from collab_tui.sessions.records import Record, Records
from collab_tui.sessions.session import LiveSession, Place
from collab_tui.sessions.syncing import sync
from collab_tui.sessions.worktree_of import worktree_of
from collab_tui.sessions.worktrees import Worktree, WorktreeError, Worktrees, WouldLoseError

MOST: Final = 50
"""Sessions at one time."""
_STRUCTURED: Final = frozenset((DriverKind.CLAUDE, DriverKind.CODEX, DriverKind.ACP))
_PATIENCE: Final = 5.0
"""Seconds for what is left to be told when all of it ends."""
_TROUBLE: Final = (DefinitionError, WorktreeError, DriverError, BadNameError, RegistryError, OSError)
_LOOK: Final = 0.1


class SessionError(DriverError):
    """A session cannot be started, found or gone on with; the text says why, and what to do about it."""


class SessionManager:
    """The sessions of one registry that belong to this process."""

    def __init__(
        self,
        registry: Path,
        config: Config,
        *,
        monitor_id: str,
        notice: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
        used: UsedDecisions | None = None,
        grace: float = GRACE,
    ) -> None:
        """`notice` is told, in words for the person, what goes wrong beside the sessions.

        What programs may get of their environment is picked from `environment`, by default this process'. `grace` is
        how long a program may take to end that is asked to, in seconds.
        """
        self.registry = Path(os.path.abspath(registry))
        self._config = config
        self._monitor = monitor_id
        self._notice = notice
        self._environment = dict(os.environ if environment is None else environment)
        self._grace = grace
        self.host = socket.gethostname()
        """As the registry names this machine."""
        self._log = JsonlRegistry(self.registry)
        self._trust = Trust(config.person, config.approvers)
        self._records = Records(self.registry)
        self._place = Place(
            self._log,
            self._records,
            _worktrees(self.project, config),
            self._trust,
            config.poll,
            notice,
            self._forget,
        )
        self._sessions: dict[str, LiveSession] = {}
        self._starting: dict[str, asyncio.Task[LiveSession] | None] = {}
        """By key of the name; None until there is a task for it."""
        self._telling: set[asyncio.Task[None]] = set()
        self._carrying_out = CarryingOut(self, self._log, self._trust, used or UsedDecisions(), monitor_id, notice)
        self._is_closed = False

    @property
    def project(self) -> Path:
        """The folder that the registry belongs to."""
        folder = self.registry.parent
        return folder.parent if folder.name == ".collab" else folder

    @property
    def sessions(self) -> Mapping[str, LiveSession]:
        """Those that have a program now, by name."""
        return MappingProxyType(self._sessions)

    async def use(self, config: Config) -> None:
        """Go on by other settings: what starts from now on does. Raises `UnusableError` for a key that is none."""
        self._config, self._trust = config, Trust(config.person, config.approvers)
        self._place = replace(
            self._place, trust=self._trust, poll=config.poll, worktrees=_worktrees(self.project, config)
        )
        self._carrying_out.trust = self._trust

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        closing = asyncio.ensure_future(self._close())
        await asyncio.shield(closing)

    async def _close(self) -> None:
        """Let go of what runs on without us, and end the rest."""
        self._is_closed = True
        await self.stop_listening()
        for starting in [task for task in self._starting.values() if task is not None]:
            starting.cancel()
            await asyncio.wait({starting})
        leaving = [asyncio.ensure_future(session.leave()) for session in list(self._sessions.values())]
        if leaving:
            await asyncio.wait(leaving)
        self._sessions.clear()
        if self._telling:
            await asyncio.wait(self._telling, timeout=_PATIENCE)
        for task in self._telling:
            task.cancel()
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
    ) -> LiveSession:
        """Start an agent, and wait until it takes prompts; with `prompt`, it is given that first.

        It takes part as `name`, by default as its definition is called. It works in a worktree of its own, made from
        `base` or reused, if its definition says so and `in_worktree` does not say otherwise; a read-only one does not.
        `environment` names variables that it gets beside those of its definition.

        Raises `SessionError`. A start that fails or is cancelled leaves nothing behind, and says in the registry why.
        """

        async def begin() -> LiveSession:
            await asyncio.to_thread(self._check_absent, name or agent)
            definition = await asyncio.to_thread(self._definition, agent)
            if is_read_only and definition.read_only is None:
                raise SessionError(f"{agent} has no way to only look: its definition says nothing of `read_only`")
            wants_worktree = definition.is_worktree and not is_read_only if in_worktree is None else in_worktree
            whose = agent if worker else name or agent  # the name of a worker's session is of no use to people
            worktree = await self._worktree(whose, task, base) if wants_worktree else None
            about = {"task": task, "worker": worker, "is_read_only": is_read_only, "environment": tuple(environment)}
            return await self._begin(name or agent, definition, worktree, about)

        session = await self._start(name or agent, begin)
        if prompt is not None:
            session.send_prompt(prompt)
        return session

    async def restore(self, name: str) -> LiveSession:
        """Go on with a session that is over: its conversation and worktree, in a new run. Raises `SessionError`."""

        async def begin() -> LiveSession:
            old = await asyncio.to_thread(self._records.load, name)
            if old is None:
                raise SessionError(f"no session {name} was ever started here: see `collab-tui session list`")
            if old.resume_id is None:
                raise SessionError(f"{name} told nothing by which its program could go on: start it anew")
            definition = await asyncio.to_thread(self._definition, old.definition)
            if definition.driver.value != old.driver:
                raise SessionError(
                    f"{old.definition} is talked to in another way now ({definition.driver}): start it anew"
                )
            worktree = await self._worktree(name, old.task, old.base) if old.branch is not None else None
            kept = ("task", "worker", "is_read_only", "environment", "resume_id")
            about = {field: getattr(old, field) for field in kept}
            return await self._begin(name, definition, worktree, about)

        return await self._start(name, begin)

    async def _start(self, name: str, begin: Callable[[], Any]) -> LiveSession:
        """Start under a name that is free, in a task that can be stopped by that name."""
        key = self._take_name(name)
        starting: asyncio.Task[LiveSession] = asyncio.ensure_future(begin())
        self._starting[key] = starting
        try:
            await asyncio.wait({starting})
        except asyncio.CancelledError:
            starting.cancel()
            await asyncio.wait({starting})
            if not starting.cancelled() and starting.exception() is None:  # it was ready just then
                await starting.result().stop(self._grace, "stopped before it was ready")
            raise
        finally:
            del self._starting[key]
        if starting.cancelled():
            raise SessionError(f"{name} was stopped before it was ready")
        try:
            return starting.result()
        except _TROUBLE as error:
            raise SessionError(str(error)) from error

    def _take_name(self, name: str) -> str:
        """The key of a name that no session has. Raises `SessionError`."""
        if self._is_closed:
            raise SessionError("this monitor is about to end: nothing is started any more")
        try:
            key = name_key(checked(name, "name of a session"))
        except BadNameError as error:
            raise SessionError(str(error)) from error
        if self._config.is_a_persons(name) or key in (MONITOR, "all"):
            raise SessionError(f"{name} is not an agent's name: give the session another")
        if key in self._starting or key in map(name_key, self._sessions):
            raise SessionError(f"there is a session {name} already: stop it, or give the new one another name")
        if len(self._sessions) + len(self._starting) >= MOST:
            raise SessionError(f"{MOST} sessions run already: stop one first")
        return key

    def _check_absent(self, name: str) -> None:
        """Nobody else takes part under that name, as far as the registry tells. Raises `SessionError`."""
        fold = Fold(self._config.person)
        read_to_end(JsonlRegistry(self.registry), fold)
        board = fold.board()
        if (session := board.session(name)) is not None:
            if session.observed.is_running and name_key(session.host) != name_key(self.host):
                raise SessionError(f"a session {name} runs on {session.host}: give the new one another name")
            return
        agent = board.agent(name)
        silence = seconds_between(agent.last_event_at, datetime.now(UTC)) if agent is not None else None
        if agent is None or agent.gone or silence is None or silence > self._config.stale_after * 60:
            return
        raise SessionError(
            f"{name} takes part here already, and wrote {age(silence)} ago: give the session another name"
        )

    def _definition(self, agent: str) -> Definition:
        return load_definitions(self.registry).of(agent)

    def _new_record(self, name: str, definition: Definition, worktree: Worktree | None) -> Record:
        run = os.urandom(8).hex()
        return Record(
            name=name,
            run=run,
            definition=definition.name,
            driver=definition.driver.value,
            monitor=self._monitor,
            host=self.host,
            folder=str(worktree.folder if worktree is not None else self.project),
            log=str(self._records.private(name) / f"{run}.log"),
            branch=worktree.branch if worktree is not None else None,
            base=worktree.base if worktree is not None else None,
        )

    async def _worktree(self, name: str, task: str | None, base: str | None) -> Worktree:
        return await self._place.worktrees.make(name, task_name(task), base=base)

    async def _begin(
        self, name: str, definition: Definition, worktree: Worktree | None, about: Mapping[str, Any]
    ) -> LiveSession:
        try:
            record = replace(self._new_record(name, definition, worktree), **about)
            if worktree is not None:
                await self._place.worktrees.lock(worktree, name)
                await asyncio.to_thread(sync, definition, worktree.folder)
            await asyncio.to_thread(self._records.forget_old)
            session = LiveSession(self._place, record, definition, self._environment_of(record, definition), worktree)
            await session.start(is_new=True)
        except BaseException:
            if worktree is not None:
                removing = asyncio.ensure_future(self._remove_if_new(worktree, name))
                await asyncio.shield(removing)
            raise
        self._sessions[name] = session
        return session

    async def _remove_if_new(self, worktree: Worktree, name: str) -> None:
        """What a failed start leaves: a worktree that was there before stays, as does one with something in it."""
        with suppress(WorktreeError):  # it is listed among what is left over
            await self._place.worktrees.unlock(worktree, name)
            if worktree.is_new:
                with suppress(WouldLoseError):
                    await self._place.worktrees.remove(worktree)

    def _environment_of(self, record: Record, definition: Definition) -> dict[str, str]:
        """By name: nothing of whoever started the monitor reaches a program that was not allowed to."""
        names = (*definition.environment, *record.environment)
        found = allowed_environment(self._environment)
        found |= {name: self._environment[name] for name in names if name in self._environment}
        found |= {"COLLAB_REGISTRY": str(self.registry), "COLLAB_AGENT": record.name, "COLLAB_SESSION": record.run}
        return found | ({ours.DRIVER: ours.STRUCTURED} if definition.driver in _STRUCTURED else {})

    # What runs

    def find(self, name: str) -> LiveSession:
        """The session of that name. Raises `SessionError`."""
        key = name_key(name)
        found = next((session for known, session in self._sessions.items() if name_key(known) == key), None)
        if found is None:
            raise SessionError(f"no session {name} runs here")
        return found

    async def found(self, name: str) -> LiveSession:
        """The same, once it was started, if it is being started. Raises `SessionError`."""
        starting = self._starting.get(name_key(name))
        if starting is not None:
            await asyncio.wait({starting})
        return self.find(name)

    def log_of(self, name: str) -> str | None:
        """Where the output of a session is kept that was started here."""
        record = self._records.load(name)
        return record.log if record is not None else None

    def is_starting(self, name: str) -> bool:
        """A session of that name is being started."""
        return name_key(name) in self._starting

    async def queue_prompt(self, name: str, text: str, *, is_persons: bool = False) -> Prompt:
        """Queue a prompt for a session; `is_persons` says that the person sent it.

        Raises `SessionError`, `PromptRefusedError`.
        """
        return (await self.found(name)).send_prompt(text, is_persons=is_persons)

    async def send_prompt(self, name: str, text: str) -> Delivery:
        """Prompt a session and wait until it is seen to have that, behind whatever waits before it. Raises as above."""
        session = await self.found(name)
        prompt = session.send_prompt(text)
        try:
            return await session.delivery_of(prompt)
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
        if (starting := self._starting.get(key)) is not None:
            starting.cancel()
            await asyncio.wait({starting})
        try:
            how = await self.find(name).stop(self._grace)
        except SessionError:
            if starting is None and not remove_worktree:
                raise
            how = "stopped before it was ready" if starting is not None else "it did not run"
        if remove_worktree:
            await self._remove_worktree(name)
        return how

    async def _remove_worktree(self, name: str) -> None:
        record = await asyncio.to_thread(self._records.load, name)
        worktree = worktree_of(record) if record is not None else None
        if worktree is None:
            raise SessionError(f"{name} has no worktree of its own")
        try:
            await self._place.worktrees.remove(worktree)
        except WouldLoseError:
            raise
        except WorktreeError as error:
            raise SessionError(str(error)) from error

    def _forget(self, session: LiveSession) -> None:
        """It ended."""
        if self._sessions.get(session.name) is session:
            del self._sessions[session.name]
        if (telling := session.telling_end) is not None and not telling.done():
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    # After a restart

    async def take_up(self) -> None:
        """Take up what a manager before this one left running, and tell of the rest that it is lost, each once."""
        records = [one for one in await asyncio.to_thread(self._records.all) if one.ended is None]
        mine = [record for record in records if name_key(record.host) == name_key(self.host)]
        await asyncio.gather(*(self._take_up(record) for record in mine))

    async def _take_up(self, record: Record) -> None:
        if record.name in self._sessions:
            return
        try:
            if record.handle is None:
                await self._end_orphan(record)
                raise LostError("its monitor ended without ending it, and it went away with that")
            definition = await asyncio.to_thread(self._definition, record.definition)
            session = LiveSession(
                self._place, record, definition, self._environment_of(record, definition), worktree_of(record)
            )
        except LostError as error:
            await self._tell_lost(record, str(error))
            return
        except _TROUBLE as error:
            why = f"it may run, but cannot be taken up: {error}"  # so the next monitor tries again
            await self._observing_lost(record, why).flush()
            self._notice(f"{record.name}: {why}")
            return
        key = self._take_name(record.name)
        self._starting[key] = None
        try:
            await session.start(is_new=False)
        except DriverError as error:
            self._notice(f"{record.name} cannot be taken up: {error}")
        else:
            self._sessions[record.name] = session
        finally:
            del self._starting[key]

    async def _end_orphan(self, record: Record) -> None:
        """End what should have ended with its monitor, if that very process still runs."""
        if record.pid is None or record.pid_started is None:
            return
        process = Identity(record.pid, record.pid_started)
        for is_hard in (False, True):
            await asyncio.to_thread(signal_group, process, hard=is_hard)
            for _ in range(round(self._grace / _LOOK)):
                if not await asyncio.to_thread(is_alive, process):
                    return
                await asyncio.sleep(_LOOK)

    async def _tell_lost(self, record: Record, why: str) -> None:
        """Say it, and close what it asked; only then is it noted that this was said."""
        observing = self._observing_lost(record, why)
        try:
            me = Participant(record.name, self.registry, announces=False, trust=self._trust, poll=self._config.poll)
            async with me:
                await withdraw_left(me, record.run, f"its program is lost: {why}")
            await observing.flush()
            await observing.tell("session_end", reason=f"lost: {why}")
            await asyncio.to_thread(self._records.save, replace(record, ended=f"lost: {why}"))
            if (worktree := worktree_of(record)) is not None:
                await self._place.worktrees.unlock(worktree, record.name)
        except (RegistryError, WorktreeError) as error:
            self._notice(f"{record.name} is lost: {why}; {error}")

    def _observing_lost(self, record: Record, why: str) -> Observing:
        observing = Observing(self._log, record.name, record.run, self._notice)
        observing.note(observed=Observed.LOST.value, why=why, queued=0, undelivered=0)
        return observing

    # Commands

    def start_listening(self) -> None:
        """Carry out the person's signed commands from now on. Answers and messages come to each session anyway."""
        self._carrying_out.start()

    async def stop_listening(self) -> None:
        """Carry out no more commands; what was begun of them is given up, and told so."""
        await self._carrying_out.stop()

    async def tell_again(self) -> None:
        """The registry is another than before: the sessions that run are told of there too."""
        for session in list(self._sessions.values()):
            await session.tell_again()


def _worktrees(project: Path, config: Config) -> Worktrees:
    folder = config.sessions.worktrees
    return Worktrees(project, Path(folder).expanduser() if folder is not None else None, config.sessions.base)
