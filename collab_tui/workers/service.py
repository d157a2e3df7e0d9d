"""The workers of one registry, as its monitor has them: taken from events, queued, asked about, run, told of.

    event -> decision worker -> verdict -> (the person's yes) -> execution worker -> told, and reported to the source

What is to be done is kept in `jobs` before anything of it is told or started, and what it says is what is done: so the
monitor may be killed at any point of this, and the next one goes on from there, nothing twice and nothing forgotten.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from collab_tui.config import Config, ConfigError
from collab_tui.model.words import MONITOR
from collab_tui.model.workers import WorkerKind, WorkerState
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RegistryError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for, monitor_of
from collab_tui.sessions.records import Records
from collab_tui.workers.book import Book
from collab_tui.workers.by_hand import ByHand
from collab_tui.workers.completions import Completions
from collab_tui.workers.consent import Consent
from collab_tui.workers.decision import ended
from collab_tui.workers.following import following
from collab_tui.workers.hosting import Sessions, WorkerSession
from collab_tui.workers.job import MAX_TRIES, Job, Step, job_for
from collab_tui.workers.jobs import Jobs
from collab_tui.workers.logs import Logs
from collab_tui.workers.needs_decision import needs_decision
from collab_tui.workers.notes import Notes, fields_of
from collab_tui.workers.outcome import Outcome, failed
from collab_tui.workers.persistence import Persistence
from collab_tui.workers.queue import Queue, Start
from collab_tui.workers.record import Record
from collab_tui.workers.reporting import report
from collab_tui.workers.running import Runner
from collab_tui.workers.screening import why_refused
from collab_tui.workers.stream_event import StreamEvent
from collab_tui.workers.streams import Streams
from collab_tui.workers.templates import TemplateError, Templates

_LONGEST_WAIT: Final = 60.0
"""Seconds between two looks at what may start by the clock, which may be set."""
_PATIENCE: Final = 5.0
"""Seconds for what is still to be written when the monitor ends."""
BY_HAND: Final = "stopped by hand"


class WorkerService:
    """The workers of one registry. Its monitor starts it, gives it events, and ends it."""

    def __init__(
        self,
        registry: Path,
        notice: Callable[[str], None],
        environment: Mapping[str, str] = os.environ,
        *,
        clock: Callable[[], float] = time.time,
        trust: Callable[[Config], Trust] = lambda config: Trust(config.person, config.approvers),
        used: UsedDecisions | None = None,
    ) -> None:
        """Programs get what is allowed of `environment`; by `trust` the person's words are known.

        The clock gives seconds since the epoch.
        """
        self._path = registry
        self._kept = kept_for(registry)
        self._monitor = monitor_of(self._kept)
        self._notice = notice
        self._environment = environment
        self._clock = clock
        self._trust_of, self._used = trust, used or UsedDecisions()
        persist = Persistence(notice)
        self._completions = Completions()
        self._record = Record(JsonlRegistry(registry), self._monitor, persist, self._completions.see)
        self._notes = Notes(self._record)
        self._book = Book(Jobs(registry), Logs(registry), self._record, persist)
        self._running: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """Of those that run."""
        self._asking: dict[str, asyncio.Task[None]] = {}
        """Of those that wait for the person."""
        self._others: list[asyncio.Task[None]] = []
        self._stopped: set[str] = set()
        self._closing: set[str] = set()
        """Those that ran to an end, which is being told."""
        self._taking = asyncio.Lock()
        self._changed = asyncio.Event()
        self._ending = asyncio.Event()
        self._entered = AsyncExitStack()

    # Its life

    async def start(self, manager: Sessions, config: Config) -> None:
        """Go on with what is open, and start what waits, until `end`. Raises `RegistryError`."""
        self._sessions, self._config = manager, config
        self._queue = Queue(config.workers)
        trust = self._trust_of(config)
        self._me = Participant(
            MONITOR,
            self._path,
            announces=False,
            person=config.person,
            trust=trust,
            used=self._used,
            poll=config.poll,
        )
        self._consent = Consent(self._me, self._book)
        self._runner = Runner(manager, self._book, Templates(self._path), self._completions, lambda: self._config)
        by_hand = ByHand(self._path, self._monitor, trust, self._used, self, self._notice)
        self._streams = Streams(self._path, self._kept, self._monitor, self.take, self._notice, self._environment)
        jobs = await asyncio.to_thread(self._book.jobs.all)
        for job in jobs:
            if job.session is not None:
                self._completions.await_of(job.session)  # perhaps it was said while no monitor ran
        await self._record.read()
        async with AsyncExitStack() as entered:
            await entered.enter_async_context(self._me)
            entered.push_async_callback(self._end_tasks)
            entered.push_async_callback(self._streams.end)
            for job in jobs:
                await self._resume(job)
            self._others += [self._spawn(self._pump()), self._spawn(by_hand.listen(config.poll))]
            await self._streams.use(config.streams)
            self._entered = entered.pop_all()

    async def use(self, config: Config) -> None:
        """Go by other settings, for what starts from now on."""
        self._config = config
        self._queue.settings = config.workers
        self._changed.set()
        await self._streams.use(config.streams)

    async def end(self) -> None:
        """Start nothing more, and let go of what runs: the next monitor goes on with it."""
        self._ending.set()
        await self._entered.aclose()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._note_failure)
        return task

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._notice(f"workers: {str(error) or type(error).__name__}; the next monitor goes on with what is left")

    async def _end_tasks(self) -> None:
        tasks = [*self._others, *self._asking.values(), *self._tasks.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        with suppress(TimeoutError):  # what cannot be written now, the next monitor finds out by itself
            async with asyncio.timeout(_PATIENCE):
                for job in list(self._running.values()):
                    if job.id not in self._closing:
                        await self._leave(job)
                await self._notes.end()

    # What comes in

    async def take(self, event: StreamEvent) -> None:
        """Take an event of a stream: it starts at most one decision worker, however often it comes."""
        need = needs_decision(event, self._config.decide)
        if need is None:
            return
        async with self._taking:
            if self._record.taken_by(event.key) is not None:
                return
            job = job_for(event, need.template, need.why, self._clock())
            if (why := why_refused(event)) is not None:
                await self._notes.add("refused", event, why)
            elif (same := self._queue.same_as(job)) is not None:
                await self._notes.add("dropped", event, f"{same.id} waits for the same")
            elif not self._queue.has_room_for(job):
                await self._notes.add("dropped", event, f"{len(self._queue)} wait already")
            else:
                await self._book.keep(job)
                await self._let_in(job)

    async def _let_in(self, job: Job) -> None:
        """Write that its event was taken, and queue it; a job whose event another took is forgotten."""
        told = fields_of(job.event) | {"outcome": WorkerState.QUEUED.value, "worker": job.id}
        if await self._record.take(job.key or "", job.line or "", told):
            await self._enqueue(replace(job, step=Step.WAITING))
        else:
            await self._book.forget(job)

    async def put(self, job: Job) -> str | None:
        """Queue what the person wants; gives why it is not, None when it is."""
        async with self._taking:
            if self._book.is_known(job.id):
                return "it was queued before"
            if not self._queue.has_room_for(job):
                return f"{len(self._queue)} wait already"
            await self._enqueue(job)
        return None

    async def stop(self, worker: str) -> str | None:
        """End one that waits or runs, as the person wants; gives why not, None when it is."""
        if (waiting := self._queue.take(worker)) is not None:
            await self._drop(waiting, BY_HAND)
        elif worker in self._running and worker not in self._closing:
            self._stopped.add(worker)
            self._tasks[worker].cancel()
        else:
            return f"no worker {worker} waits or runs here"
        return None

    # Going on after a restart

    async def _resume(self, job: Job) -> None:
        match job.step:
            case Step.TAKEN:
                await self._let_in(job)
            case Step.WAITING | Step.ASKING:
                await self._enqueue(job)
            case Step.OVER:
                await self._settle(job)
            case Step.RUNNING if job.kind is WorkerKind.DECISION and job.tries < MAX_TRIES:
                await self._enqueue(replace(job, step=Step.WAITING), why="it was cut off, and runs once more")
            case Step.RUNNING if job.kind is WorkerKind.DECISION:
                await self._finish(job, failed("its monitor ended twice while it ran"))
            case Step.RUNNING:
                if (session := self._session_of(job)) is not None:
                    self._see_to(job, partial(self._runner.attend, job, session, self._note, self._clock()))
                else:
                    await self._finish(job, failed(f"it was lost with its monitor{self._what_is_left(job)}"))

    def _session_of(self, job: Job) -> WorkerSession | None:
        """Its session, if that runs here."""
        found = (one for one in self._sessions.sessions.values() if one.worker == job.id)
        return next((one for one in found if one.observed.is_running and job.run in (None, one.run)), None)

    def _what_is_left(self, job: Job) -> str:
        record = Records(self._path).load(job.session) if job.session is not None else None
        if record is None or record.run != job.run:  # it never was ready, and left nothing
            return ""
        branch = f"; its branch {record.branch} stays" if record.branch is not None else ""
        goes_on = f", and `collab-tui session restore {record.name}` goes on with it" if record.resume_id else ""
        return branch + goes_on

    # Waiting

    async def _enqueue(self, job: Job, why: str | None = None) -> None:
        job = replace(job, log=job.log or str(self._book.logs.path_of(job)))
        await self._book.keep(job)
        if self._record.state_of(job.id) is not WorkerState.ASKED:
            await self._book.say(job, WorkerState.QUEUED, why=why or job.why)
        if (same := self._at_work_on(job)) is not None:
            await self._drop(job, f"{same.id} works on the same task")
            return
        if (dropped := self._queue.put(job)) is not None:
            await self._drop(dropped, f"{len(self._queue)} wait already")
        if job.step is Step.ASKING and self._queue.get(job.id) is not None:
            self._asking[job.id] = self._spawn(self._ask(job))
        self._changed.set()

    def _at_work_on(self, job: Job) -> Job | None:
        """Another that does the very task, or is to do it; decisions on one task come one after the other."""
        if job.kind is WorkerKind.DECISION:
            return None
        others = (*self._running.values(), *self._queue.jobs())
        same = (one for one in others if one.kind is job.kind and one.task == job.task and one.id != job.id)
        return next(same, None)

    async def _ask(self, job: Job) -> None:
        agent = job.agent or self._config.workers.execution_agent
        try:
            answered = await self._consent.ask(job, self._config.person, agent, self._queue.put)
        except RegistryError as error:
            self._queue.take(job.id)
            await self._finish(job, failed(f"it could not be asked: {error}"))
        else:
            if answered.step is Step.OVER:
                self._queue.take(job.id)
                await self._settle(answered)
            else:
                self._queue.put(answered)
        self._asking.pop(job.id, None)
        self._changed.set()

    async def _drop(self, job: Job, why: str) -> None:
        """It does not wait any more, and never starts."""
        if (asking := self._asking.pop(job.id, None)) is not None:
            asking.cancel()
            await asyncio.wait({asking})
        if job.step is Step.ASKING:
            with suppress(RegistryError):  # it was answered just now: that starts nothing any more
                await self._consent.withdraw(job)
        await self._finish(job, Outcome(WorkerState.DROPPED, why))

    async def _pump(self) -> None:
        """Start whichever's turn it is, whenever something changed or the clock lets one start."""
        while True:
            self._changed.clear()
            now = self._clock()
            while (job := self._queue.next(now, self._running.values(), self._starts(now))) is not None:
                job = replace(job, step=Step.RUNNING, tries=job.tries + 1, started_at=now, session=job.session_name)
                self._running[job.id] = job
                await self._book.keep(job)
                await self._book.say(job, WorkerState.RUNNING, why=job.why)
                self._see_to(job, partial(self._runner.run, job, self._note))
            at = self._queue.next_time(now, self._running.values(), self._starts(now))
            with suppress(TimeoutError):
                async with asyncio.timeout(min(_LONGEST_WAIT, at - now) if at is not None else None):
                    await self._changed.wait()

    def _starts(self, now: float) -> list[Start]:
        """When decisions started; a clock that was set back lets none lie ahead."""
        return [start._replace(at=min(start.at, now)) for start in self._record.starts]

    # Running

    def _see_to(self, job: Job, run: Callable[[], Awaitable[Outcome]]) -> None:
        self._running[job.id] = job
        self._tasks[job.id] = self._spawn(self._see_to_its_end(job.id, run))

    async def _see_to_its_end(self, worker: str, run: Callable[[], Awaitable[Outcome]]) -> None:
        try:
            outcome = await run()
        except asyncio.CancelledError:
            if worker not in self._stopped:
                raise
            outcome = failed(BY_HAND)
            if (session := self._session_of(self._running[worker])) is not None:
                await ended(self._sessions, session.name)
        except (TemplateError, ConfigError) as error:
            outcome = failed(str(error))
        except Exception as error:
            outcome = failed(f"{type(error).__name__}: {error}")
        self._stopped.discard(worker)
        self._closing.add(worker)
        await self._finish(self._running[worker], outcome)
        self._closing.discard(worker)
        del self._running[worker], self._tasks[worker]
        self._changed.set()

    async def _leave(self, job: Job) -> None:
        """This monitor ends. A decision is made anew by the next; work goes on without us where its program does."""
        session = self._session_of(job)
        if job.kind is WorkerKind.DECISION:
            await self._book.keep(replace(job, step=Step.WAITING, tries=job.tries - 1))
        elif session is None or session.record.handle is None:
            await self._finish(job, failed(f"it ended with its monitor{self._what_is_left(job)}"))

    async def _note(self, worker: str, **known: Any) -> None:
        """Keep what is known now of one that runs."""
        job = replace(self._running[worker], **known)
        self._running[worker] = job
        await self._book.keep(job)

    # What came of it

    async def _finish(self, job: Job, outcome: Outcome) -> None:
        """Keep what came of it, tell it, and queue what follows from it."""
        over = replace(job, step=Step.OVER, outcome=outcome.state, told=outcome.told)
        await self._settle(replace(over, verdict=outcome.verdict, result=outcome.result))

    async def _settle(self, job: Job) -> None:
        await self._book.keep(job)
        for one in following(job, self._config.workers, self._record, self._clock()):
            if not self._book.is_known(one.id):
                await self._enqueue(one)
        state = job.outcome or WorkerState.FAILED
        took = max(0, round(1000 * (self._clock() - job.started_at))) if job.started_at is not None else None
        self._book.write(job, f"outcome: {state}", job.told or "")
        await self._book.say(job, state, outcome=job.told, verdict=job.verdict, result=job.result, took_ms=took)
        if (program := self._config.workers.report) is not None:
            why_not = await report(program, job, self._path, self._environment, self._ending)
            if self._ending.is_set():
                return  # the next monitor tells it
            if why_not is not None:
                self._notice(f"what became of the worker {job.id} could not be reported: {why_not}")
        await self._book.forget(job)
