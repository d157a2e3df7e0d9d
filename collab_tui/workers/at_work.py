"""The workers that run: each seen to its end, stopped where the person wants it, let go of when the monitor ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import replace
from typing import Any, Final

from collab_tui.config import ConfigError
from collab_tui.model.workers import WorkerKind, WorkerState
from collab_tui.sessions.records import Records
from collab_tui.workers.book import Book
from collab_tui.workers.decision import ended
from collab_tui.workers.hosting import Sessions, WorkerSession
from collab_tui.workers.job import Job, Step
from collab_tui.workers.outcome import Outcome, failed, in_short
from collab_tui.workers.templates import TemplateError

BY_HAND: Final = Outcome(WorkerState.STOPPED, "stopped by hand")


class AtWork:
    """Those that run here."""

    def __init__(
        self,
        sessions: Sessions,
        records: Records,
        book: Book,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        finish: Callable[[Job, Outcome], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        """`finish` gets each with what came of it; `changed` is called once one does not run any more."""
        self._sessions = sessions
        self._records = records
        self._book = book
        self._spawn = spawn
        self._finish = finish
        self._changed = changed
        self._jobs: dict[str, Job] = {}
        self._runs: dict[str, asyncio.Task[Outcome]] = {}
        self._ends: dict[str, asyncio.Task[None]] = {}
        """What waits for each run, and does what is to be done then."""
        self._stopped: set[str] = set()
        self._closing: set[str] = set()
        """Those that ran to an end, which is being told."""

    @property
    def jobs(self) -> Collection[Job]:
        """As they are known now."""
        return self._jobs.values()

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """All that there are for them."""
        return [*self._runs.values(), *self._ends.values()]

    def begin(self, job: Job, run: Coroutine[Any, Any, Outcome]) -> None:
        """Have one run, and see to its end."""
        self._jobs[job.id] = job
        self._runs[job.id] = asyncio.create_task(run)
        self._ends[job.id] = self._spawn(self._see_to_its_end(job.id, self._runs[job.id]))

    def stop(self, worker: str) -> str | None:
        """End one as the person wants; gives why not, None when it is ended."""
        if worker in self._stopped:
            return "it is being stopped"
        if worker not in self._jobs or worker in self._closing:
            return f"no worker {worker} waits or runs here"
        self._stopped.add(worker)
        self._runs[worker].cancel()
        return None

    async def note(self, worker: str, **known: Any) -> None:
        """Keep what is known now of one."""
        job = replace(self._jobs[worker], **known)
        self._jobs[worker] = job
        await self._book.keep(job)

    def session_of(self, job: Job) -> WorkerSession | None:
        """The session of a worker, if that runs here."""
        found = (one for one in self._sessions.sessions.values() if one.worker == job.id)
        return next((one for one in found if one.observed.is_running and job.run in (None, one.run)), None)

    def what_is_left(self, job: Job) -> str:
        """What there still is of one whose session is gone, as the end of a sentence."""
        record = self._records.load(job.session) if job.session is not None else None
        if record is None or record.run != job.run:  # it never was ready, and left nothing
            return ""
        branch = f"; its branch {record.branch} stays" if record.branch is not None else ""
        goes_on = f", and `collab-tui session restore {record.name}` goes on with it" if record.resume_id else ""
        return branch + goes_on

    async def let_go(self) -> None:
        """The monitor ends, and the tasks are over. The next decides anew; work goes on where its program does."""
        for job in [job for job in self._jobs.values() if job.id not in self._closing]:
            session = self.session_of(job)
            if job.id in self._stopped:
                await self._finish(job, BY_HAND)
            elif job.kind is WorkerKind.DECISION:
                await self._book.keep(replace(job, step=Step.WAITING, tries=job.tries - 1))
            elif session is None or session.record.handle is None:
                await self._finish(job, failed(f"it ended with its monitor{self.what_is_left(job)}"))

    async def _see_to_its_end(self, worker: str, run: asyncio.Task[Outcome]) -> None:
        await asyncio.wait({run})
        outcome = await self._outcome(worker, run)
        self._closing.add(worker)
        try:
            await self._finish(self._jobs[worker], outcome)
        finally:
            self._closing.discard(worker)
            self._stopped.discard(worker)
            del self._jobs[worker], self._runs[worker], self._ends[worker]
            self._changed()

    async def _outcome(self, worker: str, run: asyncio.Task[Outcome]) -> Outcome:
        if run.cancelled():
            if worker not in self._stopped:  # the monitor ends
                raise asyncio.CancelledError
            return await self._ended_by_hand(self._jobs[worker])
        match run.exception():
            case None:
                return run.result()
            case TemplateError() | ConfigError() as error:
                return failed(str(error))
            case error:
                return failed(f"{type(error).__name__}: {error}")

    async def _ended_by_hand(self, job: Job) -> Outcome:
        if (session := self.session_of(job)) is None:
            return BY_HAND
        try:
            await ended(self._sessions, session.name)
        except Exception as error:  # whatever it is, it waits no more
            return replace(BY_HAND, told=in_short(f"{BY_HAND.told}, but its session {session.name} not: {error}"))
        return BY_HAND
