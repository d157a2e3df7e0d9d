"""Starting a session: its name, its record, its worktree and its program, or nothing of all that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from collab_tui.model import ours
from collab_tui.model.ages import age, seconds_between
from collab_tui.processes.programs import allowed_environment
from collab_tui.registry.append import RegistryError
from collab_tui.sessions.definitions import Definition, DefinitionError, DriverKind
from collab_tui.sessions.driver import DriverError
from collab_tui.sessions.names import BadNameError
from collab_tui.sessions.place import Place
from collab_tui.sessions.records import Record
from collab_tui.sessions.roster import Roster, SessionError
from collab_tui.sessions.session import LiveSession
from collab_tui.sessions.syncing import keep_out, sync
from collab_tui.sessions.worktrees import Worktree, WorktreeError, WouldLoseError

TROUBLE: Final = (DefinitionError, WorktreeError, DriverError, BadNameError, RegistryError, OSError)
"""What keeps a session from being started."""
_STRUCTURED: Final = frozenset((DriverKind.CLAUDE, DriverKind.CODEX, DriverKind.ACP))


class Starting:
    """How the sessions of one place come to be."""

    def __init__(self, place: Place, roster: Roster) -> None:
        self._place = place
        self._roster = roster

    async def start(self, name: str, begin: Callable[[], Awaitable[LiveSession]]) -> LiveSession:
        """Start under a name that is free, in a task that can be stopped by that name. Raises `SessionError`."""
        key = self._roster.take(name, self._place.config)
        starting: asyncio.Task[LiveSession] = asyncio.ensure_future(_awaited(begin))
        self._roster.starting[key] = starting
        try:
            await asyncio.wait({starting})
        except asyncio.CancelledError:
            starting.cancel()
            await asyncio.wait({starting})
            if not starting.cancelled() and starting.exception() is None:  # it was ready just then
                await starting.result().stop(reason="stopped before it was ready")
            raise
        finally:
            del self._roster.starting[key]
        if starting.cancelled():
            raise SessionError(f"{name} was stopped before it was ready")
        try:
            return starting.result()
        except TROUBLE as error:
            raise SessionError(str(error)) from error

    async def check_absent(self, name: str, *, is_callers: bool = False) -> None:
        """Nobody else takes part under that name, as far as is known here. Raises `SessionError`, `RegistryError`.

        With `is_callers` whoever wants the session wrote in that name: that it wrote lately says nothing then.
        """
        place = self._place
        record = await asyncio.to_thread(place.records.load, name)
        if record is not None and place.is_here(record) and await asyncio.to_thread(record.may_run):
            raise SessionError(f"{name} of before runs still, and was not taken up: stop it first")
        board = await place.following.until(lambda board: True)
        if (session := board.session(name)) is not None:
            is_known = record is not None and record.run == session.run and place.is_here(record)
            if session.observed.is_running and not is_known:
                raise SessionError(f"a session {name} runs on {session.host}: give the new one another name")
            return
        if is_callers:
            return
        agent = board.agent(name)
        silence = seconds_between(agent.last_event_at, datetime.now(UTC)) if agent is not None else None
        if agent is None or agent.gone or silence is None or silence > place.config.stale_after * 60:
            return
        raise SessionError(
            f"{name} takes part here already, and wrote {age(silence)} ago: give the session another name"
        )

    async def begin(
        self, name: str, definition: Definition, worktree: Worktree | None, about: Mapping[str, Any]
    ) -> LiveSession:
        """Start it where it is to work; `about` are more fields of its record. What fails takes the worktree along that
        was made for it.
        """
        place = self._place
        try:
            record = replace(await asyncio.to_thread(self._new_record, name, definition, worktree), **about)
            environment = environment_of(place, record, definition)
            writable: Mapping[Path, bool] = {}
            if worktree is not None:
                await place.worktrees.lock(worktree, name)
                writable = await place.worktrees.written_by_commits(worktree)
                await asyncio.to_thread(sync, definition, worktree.folder)
                environment |= await keep_out(worktree.folder, place.records.private(name), environment)
            await asyncio.to_thread(place.records.forget_old)
            session = LiveSession(place, record, definition, environment, worktree, writable)
            await session.start(is_new=True)
        except BaseException:
            if worktree is not None:
                removing = asyncio.ensure_future(self._remove_if_new(worktree, name))
                await asyncio.shield(removing)
            raise
        self._roster.sessions[name] = session
        return session

    def _new_record(self, name: str, definition: Definition, worktree: Worktree | None) -> Record:
        run, place = os.urandom(8).hex(), self._place
        return Record(
            name=name,
            run=run,
            definition=definition.name,
            driver=definition.driver.value,
            monitor=place.monitor,
            host=place.host,
            machine=place.machine,
            folder=str(worktree.folder if worktree is not None else place.project),
            log=str(place.records.new_log(name, run)),
            branch=worktree.branch if worktree is not None else None,
            base=worktree.base if worktree is not None else None,
        )

    async def _remove_if_new(self, worktree: Worktree, name: str) -> None:
        """What a failed start leaves: a worktree that was there before stays, as does one with something in it."""
        with suppress(WorktreeError):  # it is listed among what is left over
            await self._place.worktrees.unlock(worktree, name)
            if worktree.is_new:
                with suppress(WouldLoseError):
                    await self._place.worktrees.remove(worktree)


def environment_of(place: Place, record: Record, definition: Definition) -> dict[str, str]:
    """By name: nothing of whoever started the monitor reaches a program that was not allowed to."""
    names = (*definition.environment, *record.environment)
    found = allowed_environment(place.environment)
    found |= {name: place.environment[name] for name in names if name in place.environment}
    found |= {
        "COLLAB_REGISTRY": str(place.registry.path),
        "COLLAB_AGENT": record.name,
        "COLLAB_SESSION": record.run,
    }
    return found | ({ours.DRIVER: ours.STRUCTURED} if definition.driver in _STRUCTURED else {})


async def _awaited(begin: Callable[[], Awaitable[LiveSession]]) -> LiveSession:
    return await begin()
