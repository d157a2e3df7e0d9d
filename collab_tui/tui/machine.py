"""What this machine knows of a registry's sessions and runs, and what can be done with them here alone.

The registry tells what was; the records of the user's state folder, the processes and the monitor that acts tell what
is. All that takes its time is called in a thread.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from collab_tui.model.board import Board
from collab_tui.model.glyphs import UNICODE, Glyphs
from collab_tui.model.runs import Run, RunTask, Value
from collab_tui.model.sessions import Session
from collab_tui.model.workers import Worker, WorkerState
from collab_tui.monitor.watching import (
    Watch,
    carrier_of,
    carrier_of_run,
    gone_agents,
    known,
    own_carrier,
    record_of,
    watch,
    watch_monitors,
)
from collab_tui.protocol.commands import Carrier, is_same_host
from collab_tui.registry.append import RegistryError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.driver import DriverError
from collab_tui.sessions.records import Record

if TYPE_CHECKING:
    from collab_tui.orchestrator.pipelines import Found
    from collab_tui.sessions.defining import Definitions
    from collab_tui.sessions.peeking import Peeker
    from collab_tui.sessions.terminal_model import Picture


class HereError(Exception):
    """It cannot be done from here; the text says why."""


class Preview(NamedTuple):
    """What a pipeline would do."""

    text: str
    digest: str
    has_goal: bool
    problems: Sequence[str]
    """Why it could not start."""


class Machine:
    """This machine, as it concerns one registry."""

    def __init__(self, registry: JsonlRegistry) -> None:
        self._registry = registry
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

    def carrier(self, to: Session | Run) -> Carrier:
        """Who carries out commands to a session or a run. Raises `HereError`."""
        if isinstance(to, Session):
            carrier = carrier_of(self._path, to)
        else:
            try:
                carrier = carrier_of_run(self._path, to)
            except RegistryError as error:
                raise HereError(str(error)) from error
        if not carrier.monitor:
            raise HereError("the registry does not tell which monitor has it")
        return carrier

    def watch_monitors(self, monitors: Iterable[str]) -> Mapping[str, Watch]:
        """Id of a monitor -> whether it acts now."""
        return watch_monitors(self._path, monitors)

    def gone_agents(self, board: Board) -> frozenset[str]:
        """Keys of the agents of runs that are told to run, and whose process is gone."""
        going = [run for run in board.runs if not run.state.is_over]
        return gone_agents(self._registry, going, board.sessions)

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

    def log_of_task(self, task: RunTask) -> str:
        """What the log of a task of a run says. Raises `HereError`."""
        from collab_tui.orchestrator.reading import read_task_log

        text = read_task_log(self._path, task.log) if task.log is not None else None
        if text is None and task.log is None:
            raise HereError("it has no log" if task.attempts else "it has no log yet: nobody worked on it")
        if text is None:
            raise HereError("its log is not here: it ran on another machine, or its log was forgotten")
        return text

    def value_of(self, run: Run, value: Value) -> str:
        """The whole of what stands under a key of a run. Raises `HereError`."""
        from collab_tui.orchestrator.reading import read_value
        from collab_tui.orchestrator.values import ValueLostError

        try:
            found = read_value(self._registry, run.id, value)
        except (ValueLostError, RegistryError) as error:
            raise HereError(str(error)) from error
        odd = "The run is not kept here: nothing proves that it wrote this.\n\n"
        return found.text if found.is_proven else f"{odd}{found.text}"

    def pipelines(self) -> Sequence[Found]:
        """Those of the user and of the project, by name."""
        from collab_tui.orchestrator.pipelines import pipelines

        return pipelines(self._path)

    def preview(
        self,
        path: Path,
        goal: str | None = None,
        variables: Mapping[str, str] | None = None,
        *,
        width: int = 80,
        glyphs: Glyphs = UNICODE,
    ) -> Preview:
        """What a pipeline would do as it stands now.

        Raises `HereError` with every mistake of the file, one a line.
        """
        from collab_tui.orchestrator.dry_run import lines_of, looked_at
        from collab_tui.orchestrator.pipeline_file import read_pipeline
        from collab_tui.orchestrator.plan import PipelineError

        try:
            pipeline = read_pipeline(path, variables, goal)
        except PipelineError as error:
            raise HereError(str(error)) from error
        seen = asyncio.run(looked_at(self._path, pipeline, os.environ))
        text = "\n".join(lines_of(seen, width, glyphs, before_start=True))
        return Preview(text, pipeline.digest or "", pipeline.goal is not None, seen.problems)

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
