"""After a restart: what a manager before this one left running is taken up; that the rest is lost, is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from collab_tui.model.sessions import Observed
from collab_tui.processes.identity import is_alive, signal_group
from collab_tui.protocol.participation import Participant
from collab_tui.registry.append import RegistryError
from collab_tui.sessions.defining import load_definitions
from collab_tui.sessions.driver import DriverError, LostError
from collab_tui.sessions.observing import Observing
from collab_tui.sessions.place import Place
from collab_tui.sessions.questions import withdraw_left
from collab_tui.sessions.records import Record
from collab_tui.sessions.roster import Roster
from collab_tui.sessions.session import LiveSession
from collab_tui.sessions.starting import environment_of
from collab_tui.sessions.worktree_of import worktree_of
from collab_tui.sessions.worktrees import WorktreeError

_LOOK: Final = 0.1
"""Seconds between two looks whether a process ended."""


class TakingUp:
    """The sessions that a place had before."""

    def __init__(self, place: Place, roster: Roster) -> None:
        self._place = place
        self._roster = roster

    async def all(self) -> None:
        """Take up what runs, and tell of the rest that it is lost, each once; one that cannot be keeps no other."""
        records = [one for one in await asyncio.to_thread(self._place.records.all) if one.ended is None]
        await asyncio.gather(*(self._one(record) for record in records if self._place.is_here(record)))

    async def _one(self, record: Record) -> None:
        if record.name in self._roster.sessions:
            return
        try:
            await self._taken_up(record)
        except LostError as error:
            await self._tell_over(record, f"lost: {error}", Observed.LOST)
        except Exception as error:  # whatever is wrong with one, the others go on; the next monitor tries again
            why = f"it may run, but cannot be taken up: {str(error) or type(error).__name__}"
            await self._observing(record, Observed.LOST, why).flush()
            self._place.notice(f"{record.name}: {why}")

    async def _taken_up(self, record: Record) -> None:
        """Raises `LostError` where there is nothing to take up any more."""
        if record.handle is None:
            await self._end_process(record)
            raise LostError("its monitor ended without ending it, and it went away with that")
        definitions = await asyncio.to_thread(load_definitions, self._place.registry.path)
        definition = definitions.of(record.definition)
        environment = environment_of(self._place, record, definition)
        key = self._roster.take(record.name, self._place.config)
        self._roster.starting[key] = None
        try:
            session = LiveSession(self._place, record, definition, environment, worktree_of(record), {})
            try:
                await session.start(is_new=False)
            except DriverError as error:  # which it told
                self._place.notice(f"{record.name} cannot be taken up: {error}")
            else:
                self._roster.sessions[record.name] = session
        finally:
            del self._roster.starting[key]

    async def end_left(self, name: str) -> str | None:
        """End the program of a session that could not be taken up; gives how, None where none is known to run."""
        record = await asyncio.to_thread(self._place.records.load, name)
        if record is None or not self._place.is_here(record) or not await asyncio.to_thread(record.may_run):
            return None
        await self._end_process(record)
        how = "ended by its process alone: it could not be taken up"
        await self._tell_over(record, how, Observed.STOPPED)
        return how

    async def _end_process(self, record: Record) -> None:
        """End what should have ended with its monitor, if that very process still runs."""
        process = record.process
        if process is None:
            return
        for is_hard in (False, True):
            await asyncio.to_thread(signal_group, process, hard=is_hard)
            for _ in range(max(1, round(self._place.grace / _LOOK))):
                if not await asyncio.to_thread(is_alive, process):
                    return
                await asyncio.sleep(_LOOK)

    async def _tell_over(self, record: Record, how: str, state: Observed) -> None:
        """Say it, and close what it asked; only then is it noted that this was said."""
        place = self._place
        why = how.removeprefix("lost: ")
        observing = self._observing(record, state, why)
        try:
            me = Participant(
                record.name, place.registry.path, announces=False, trust=place.trust, following=place.following
            )
            await withdraw_left(me, record.run, f"its program is over: {how}")
            await observing.flush()
            await observing.tell("session_end", reason=how)
            await asyncio.to_thread(place.records.save, replace(record, ended=how))
            await asyncio.to_thread(place.records.forget_rest, record)
            if (worktree := worktree_of(record)) is not None:
                await place.worktrees.unlock(worktree, record.name)
        except (RegistryError, WorktreeError) as error:
            place.notice(f"{record.name}: {how}; {error}")

    def _observing(self, record: Record, state: Observed, why: str) -> Observing:
        observing = Observing(self._place.registry, record.name, record.run, self._place.notice)
        observing.note(observed=state.value, why=why, queued=0, undelivered=0)
        return observing
