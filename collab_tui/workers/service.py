"""The workers of one registry, as its monitor has them: taken from events, queued, asked about, run, told of.

    event -> decision worker -> verdict -> (the person's yes) -> execution worker -> told, and reported to the source

What is to be done is kept in `jobs` before anything of it is told or started, and what it says is what is done: so the
monitor may be killed at any point of this, and the next one goes on from there, nothing twice and nothing forgotten.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from collab_tui.config import Config
from collab_tui.model.words import MONITOR
from collab_tui.model.workers import WorkerKind, WorkerState
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.persistence import Persistence
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RegistryError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for, monitor_of
from collab_tui.sessions.records import Records
from collab_tui.workers.at_work import BY_HAND, AtWork
from collab_tui.workers.book import Book
from collab_tui.workers.by_hand import ByHand
from collab_tui.workers.completions import Completions
from collab_tui.workers.consent import Consent
from collab_tui.workers.following import following
from collab_tui.workers.hosting import Sessions
from collab_tui.workers.job import MAX_TRIES, Job, Step, job_for
from collab_tui.workers.jobs import Jobs
from collab_tui.workers.logs import Logs
from collab_tui.workers.needs_decision import needs_decision
from collab_tui.workers.notes import Notes, fields_of
from collab_tui.workers.outcome import Outcome, failed, in_short
from collab_tui.workers.queue import MOST_ASKED, Queue, Start
from collab_tui.workers.record import Record, line_key
from collab_tui.workers.reporting import Reports
from collab_tui.workers.running import Runner
from collab_tui.workers.screening import why_refused
from collab_tui.workers.starts import Starts
from collab_tui.workers.stream_event import StreamEvent
from collab_tui.workers.streams import Streams
from collab_tui.workers.templates import Templates

_LONGEST_WAIT: Final = 60.0
"""Seconds between two looks at what may start by the clock, which may be set."""
_PATIENCE: Final = 5.0
"""Seconds for what is still to be written when the monitor ends."""


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
        self._completions = Completions()
        self._persist = Persistence(lambda text: notice(f"workers: {text}"))
        self._asking: dict[str, asyncio.Task[None]] = {}
        """Of those that wait for the person."""
        self._others: list[asyncio.Task[None]] = []
        self._is_held = False
        self._taking = asyncio.Lock()
        self._changed = asyncio.Event()
        self._ending = asyncio.Event()
        self._entered = AsyncExitStack()

    # Its life

    async def start(self, manager: Sessions, config: Config) -> None:
        """Go on with what is open, and start what waits, until `end`. Raises `RegistryError`."""
        self._sessions, self._config = manager, config
        self._queue = Queue(config.workers)
        self._starts = Starts(self._path)
        self._record = Record(
            JsonlRegistry(self._path), self._monitor, self._persist, self._completions.see, line_key(self._path)
        )
        self._notes = Notes(self._record, self._notice)
        self._book = Book(Jobs(self._path), Logs(self._path), self._record, self._persist, self._notice)
        self._reports = Reports(
            self._path, self._book, lambda: self._config.workers.report, self._environment, self._notice
        )
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
        self._at_work = AtWork(manager, Records(self._path), self._book, self._spawn, self._finish, self._changed.set)
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
            tasks = (self._pump(), by_hand.listen(config.poll), self._reports.run(self._ending))
            self._others = [self._spawn(task) for task in tasks]
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
        tasks = [*self._others, *self._asking.values(), *self._at_work.tasks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        with suppress(TimeoutError):  # what cannot be written now, the next monitor finds out by itself
            async with asyncio.timeout(_PATIENCE):
                await self._at_work.let_go()
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
            elif (full := self._queue.why_no_room(job)) is not None:
                await self._notes.add("dropped", event, full)
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
            if (same := self._at_work_on(job)) is not None:
                return f"the worker {same.id} is on the same task"
            await self._enqueue(job)
        return None

    async def stop(self, worker: str) -> str | None:
        """End one that waits or runs, as the person wants; gives why not, None when it is."""
        if (waiting := self._queue.take(worker)) is not None:
            await self._drop(waiting, BY_HAND)
            return None
        return self._at_work.stop(worker)

    # Going on after a restart

    async def _resume(self, job: Job) -> None:
        match job.step:
            case Step.TAKEN:
                await self._let_in(job)
            case Step.WAITING | Step.ASKING:
                await self._enqueue(job)
            case Step.OVER:
                await self._settle(job)
            case Step.TOLD:
                await self._reports.add(job)
            case Step.RUNNING if job.kind is WorkerKind.DECISION and job.tries < MAX_TRIES:
                await self._enqueue(replace(job, step=Step.WAITING), why="it was cut off, and runs once more")
            case Step.RUNNING if job.kind is WorkerKind.DECISION:
                await self._finish(job, failed("its monitor ended twice while it ran"))
            case Step.RUNNING:
                if (session := self._at_work.session_of(job)) is not None:
                    self._at_work.begin(job, self._runner.attend(job, session, self._at_work.note, self._clock()))
                else:
                    await self._finish(job, failed(f"it was lost with its monitor{self._at_work.what_is_left(job)}"))

    # Waiting

    async def _enqueue(self, job: Job, why: str | None = None) -> None:
        job = replace(job, log=job.log or self._book.logs.place_of(job))
        await self._book.keep(job)
        if job.step is not Step.ASKING or self._record.state_of(job.id) is not WorkerState.ASKED:
            await self._book.say(job, WorkerState.QUEUED, why=why or job.why)
        if (same := self._at_work_on(job)) is not None:
            await self._drop(job, _dropped(f"the worker {same.id} is on the same task"))
            return
        if (dropped := self._queue.put(job)) is not None:
            await self._drop(dropped, _dropped(self._queue.full()))
        if job.step is Step.ASKING and self._queue.get(job.id) is not None:
            self._asking[job.id] = self._spawn(self._ask(job))
        self._changed.set()

    def _at_work_on(self, job: Job) -> Job | None:
        """Another that does the very task, or is to do it; decisions on one task come one after the other."""
        if job.kind is WorkerKind.DECISION:
            return None
        others = (*self._at_work.jobs, *self._queue.jobs())
        same = (one for one in others if one.kind is job.kind and one.task == job.task and one.id != job.id)
        return next(same, None)

    async def _ask(self, job: Job) -> None:
        try:
            answered = await self._consent.ask(job, self._config.person, self._queue.put)
        except RegistryError as error:
            self._queue.take(job.id)
            await self._finish(job, failed(f"it could not be asked: {error}"))
        else:
            if answered.step is Step.OVER:
                self._queue.take(job.id)
                await self._settle(answered)
            else:
                await self._book.say(answered, WorkerState.QUEUED, why="the person said yes")
                self._queue.put(answered)
        self._asking.pop(job.id, None)
        self._changed.set()

    async def _drop(self, job: Job, outcome: Outcome) -> None:
        """It does not wait any more, and never starts."""
        if (asking := self._asking.pop(job.id, None)) is not None:
            asking.cancel()
            await asyncio.wait({asking})
        if job.step is Step.ASKING:
            with suppress(RegistryError):  # it was answered just now: that starts nothing any more
                await self._consent.withdraw(job)
        await self._finish(job, outcome)

    async def _pump(self) -> None:
        """Start whichever's turn it is, whenever something changed or the clock lets one start."""
        while True:
            self._changed.clear()
            now = self._clock()
            while (job := self._queue.next(now, self._at_work.jobs, self._started(now))) is not None:
                job = replace(job, step=Step.RUNNING, tries=job.tries + 1, started_at=now, session=job.session_name)
                if job.kind is WorkerKind.DECISION:
                    self._starts.decision(Start(now, job.task, job.id))
                self._at_work.begin(job, self._run(job))
            self._tell_if_held()
            at = self._queue.next_time(now, self._at_work.jobs, self._started(now))
            with suppress(TimeoutError):
                async with asyncio.timeout(min(_LONGEST_WAIT, at - now) if at is not None else None):
                    await self._changed.wait()

    def _started(self, now: float) -> list[Start]:
        """When decisions started; a clock that was set back lets none lie ahead."""
        return [start._replace(at=min(start.at, now)) for start in self._starts.decisions]

    def _tell_if_held(self) -> None:
        if self._queue.is_held and not self._is_held:
            self._notice(f"workers: {MOST_ASKED} questions wait for you; no decision starts until there are fewer")
        self._is_held = self._queue.is_held

    async def _run(self, job: Job) -> Outcome:
        if job.kind is WorkerKind.DECISION:
            await self._persist(self._starts.save)
        await self._book.keep(job)
        await self._book.say(job, WorkerState.RUNNING, why=job.why)
        return await self._runner.run(job, self._at_work.note)

    # What came of it

    async def _finish(self, job: Job, outcome: Outcome) -> None:
        """Keep what came of it, tell it, and queue what follows from it."""
        over = replace(job, step=Step.OVER, outcome=outcome.state, told=outcome.told)
        await self._settle(replace(over, verdict=outcome.verdict, result=outcome.result))

    async def _settle(self, job: Job) -> None:
        await self._book.keep(job)
        left_out: list[str] = []
        for one in following(job, self._config, self._starts, self._clock()):
            if self._book.is_known(one.id):
                continue
            if (why := self._why_not(one)) is not None:
                left_out.append(f"{one.task} ({why})")
                await self._leave_out(one, why)
                continue
            if one.is_unasked:
                self._starts.unasked(one.id, self._clock())
                await self._persist(self._starts.save)
            await self._enqueue(one)
        state = job.outcome or WorkerState.FAILED
        took = max(0, round(1000 * (self._clock() - job.started_at))) if job.started_at is not None else None
        told = "; not begun again: ".join(filter(None, (job.told, ", ".join(left_out))))
        self._book.write(job, f"outcome: {state}", told)
        await self._book.say(job, state, outcome=told or None, verdict=job.verdict, result=job.result, took_ms=took)
        await self._reports.add(job)

    def _why_not(self, job: Job) -> str | None:
        """Why a task that a decision names is not begun, nor asked about; None where it is."""
        if (same := self._at_work_on(job)) is not None:
            return f"the worker {same.id} is on the same task"
        return self._record.lately.why_not_again(job, self._clock())

    async def _leave_out(self, job: Job, why: str) -> None:
        """Tell that it is not begun: in one line, however many decisions name the task meanwhile."""
        told_once = hashlib.sha256(f"{job.task} {why}".encode()).hexdigest()[:16]
        await self._book.say(replace(job, id=told_once), WorkerState.DROPPED, why=job.why, outcome=in_short(why))


def _dropped(why: str) -> Outcome:
    return Outcome(WorkerState.DROPPED, why)
