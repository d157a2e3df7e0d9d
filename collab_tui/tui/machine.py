"""What this machine knows of a registry's sessions, and what can be done with them here alone.

The registry tells what was; the records of the user's state folder, the processes and the monitor that acts tell what
is. All that takes its time is called in a thread.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from collab_tui.model.sessions import Session
from collab_tui.model.workers import Worker, WorkerState
from collab_tui.monitor.watching import Watch, carrier_of, known, own_carrier, record_of, watch, watch_monitors
from collab_tui.protocol.commands import Carrier, is_same_host
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.driver import DriverError
from collab_tui.sessions.records import Record

if TYPE_CHECKING:
    from collab_tui.sessions.defining import Definitions
    from collab_tui.sessions.peeking import Peeker
    from collab_tui.sessions.terminal_model import Picture


class HereError(Exception):
    """It cannot be done from here; the text says why."""


class Machine:
    """This machine, as it concerns one registry."""

    def __init__(self, registry: JsonlRegistry) -> None:
        self._path = registry.path
        self.host = socket.gethostname()
        self.own = own_carrier(registry.path)
        """The monitor of this machine."""
        self._looking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="looking")
        self._peeker: Peeker | None = None

    def is_here(self, session: Session) -> bool:
        """It is a session of a machine of this name."""
        return is_same_host(session.host, self.host)

    def known(self, sessions: Iterable[Session]) -> Sequence[Session]:
        """The sessions that the registry tells of, with what is known here of those that run here."""
        return known(self._path, sessions)

    def watch(self, sessions: Iterable[Session]) -> Mapping[str, Watch]:
        """Run -> who sees to it now, for those that are told to run."""
        return watch(self._path, sessions)

    def carrier(self, session: Session) -> Carrier:
        """Who carries out commands to a session. Raises `HereError`."""
        carrier = carrier_of(self._path, session)
        if not carrier.monitor:
            raise HereError("the registry does not tell which monitor has it")
        return carrier

    def watch_monitors(self, monitors: Iterable[str]) -> Mapping[str, Watch]:
        """Id of a monitor -> whether it acts now."""
        return watch_monitors(self._path, monitors)

    def ensure_monitor(self) -> None:
        """See to it that a monitor acts here. Raises `RegistryError`."""
        from collab_tui.monitor.detached import ensure_monitor

        ensure_monitor(self._path)

    def definitions(self) -> Definitions:
        """Which agents there are."""
        from collab_tui.sessions.defining import load_definitions

        return load_definitions(self._path)

    async def look(self, session: Session, width: int) -> Picture:
        """What its terminal shows, or its log. Raises `HereError`.

        It has a thread of its own: one that waits for a terminal that does not answer holds nothing else up.
        """
        return await asyncio.get_running_loop().run_in_executor(self._looking, self.peek, session, width)

    def peek(self, session: Session, width: int) -> Picture:
        """The same, here: the same picture while nothing is new."""
        from collab_tui.sessions.peeking import Peeker

        try:
            kept = self._kept(session)
            peeker = self._peeker
            if peeker is None or (peeker.record, peeker.width) != (kept, width):
                peeker = self._peeker = Peeker(kept, width)
            return asyncio.run(peeker.look())
        except (DriverError, OSError) as error:
            raise HereError(str(error)) from error

    def attach_command(self, session: Session) -> Sequence[str]:
        """What to run for a person to type in its terminal. Raises `HereError`."""
        from collab_tui.sessions.peeking import attach_command

        try:
            return attach_command(self._kept(session))
        except (DriverError, OSError) as error:
            raise HereError(str(error)) from error

    def log_of(self, worker: Worker) -> str:
        """What the log of a worker says. Raises `HereError`."""
        from collab_tui.workers.logs import read_log

        text = read_log(self._path, worker.log) if worker.log is not None else None
        if text is None and worker.state is WorkerState.ASKED:
            raise HereError("it has no log yet: it was not started, and waits for your answer")
        not_started = (WorkerState.QUEUED, WorkerState.DROPPED, WorkerState.REFUSED)
        if text is None and worker.started_at is None and worker.state in not_started:
            raise HereError("it has no log, as it was not started")
        if text is None:
            raise HereError("its log is not here: it ran on another machine, or its log was forgotten")
        return text

    def losses(self, session: Session) -> Sequence[str]:
        """What is in its worktree and nowhere else, or why nobody here can tell."""
        from collab_tui.sessions.worktree_of import losses_of

        try:
            return asyncio.run(losses_of(self._kept(session)))
        except HereError as error:
            return (f"what is in its worktree cannot be told from here: {error}",)

    def diff(self, session: Session) -> str:
        """What it changed since its base. Raises `HereError`."""
        from collab_tui.sessions.worktree_of import diff_of
        from collab_tui.sessions.worktrees import WorktreeError

        try:
            return asyncio.run(diff_of(self._kept(session)))
        except WorktreeError as error:
            raise HereError(str(error)) from error

    def _kept(self, session: Session) -> Record:
        record = record_of(self._path, session)
        if record is not None:
            return record
        if not self.is_here(session):
            raise HereError(f"it runs on {session.host}: look at it there")
        raise HereError("another user of this machine started it, or it was started anew since")
