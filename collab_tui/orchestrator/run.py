"""One run while it goes: what may begin begins, and when it is to end, all of it ends.

The coroutine of a step is never cancelled from here, only the agent or the wait for the person in it: so whatever comes
to an end is written. When the loop itself is torn down there is no time for that, and `Steps.last_words` has to do.
"""

from __future__ import annotations

import asyncio
import functools
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from collab_tui.model.runs import RunState, TaskState
from collab_tui.model.text import one_line
from collab_tui.orchestrator.assembling import Assembled
from collab_tui.orchestrator.attempt import LEEWAY
from collab_tui.orchestrator.jobs import Ask, Job, Start, Take
from collab_tui.orchestrator.kept import Part
from collab_tui.orchestrator.parts import LEAST
from collab_tui.orchestrator.steps import Steps
from collab_tui.orchestrator.words import in_words
from collab_tui.protocol.persistence import wholly
from collab_tui.registry.append import NotWrittenError, RegistryError

DRAIN: Final = 3.0
"""Seconds, once agents had their grace, for what is still to be written when a run is to end."""
SETTLED: Final = 0.05
"""Seconds for which all agents have waited for each other before it is told."""
_TORN: Final = "its program was ended"


class Run:
    """A run in this process, from its first line here to its last."""

    def __init__(self, assembled: Assembled, carrier: str, began: Callable[[Part], object] = lambda part: None) -> None:
        """`carrier` is to whom its commands go. `began` keeps that it did, before anything follows: see `KeptRun`."""
        parts = self._parts = assembled.parts
        self._assembled = assembled
        self._carrier = carrier
        self._keep_begun = began
        self._schedule = parts.schedule
        self._steps = Steps(parts, self._later, self._watch_the_waits)
        self._children: dict[str, asyncio.Task[None]] = {}
        """The step that each task is at, by its key."""
        self._pauses: dict[str, asyncio.TimerHandle] = {}
        self._over = asyncio.Event()
        self._ending: RunState | None = None
        self._broken: BaseException | None = None
        self._allowed = parts.policy.timeout
        """Seconds that are left of its own time, as of `_runs_since`."""
        self._runs_since: float | None = None
        self._time_is_up: asyncio.TimerHandle | None = None
        self._giving_up: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        """It was given up to write any more."""
        self._untangling: asyncio.TimerHandle | None = None
        self._is_torn = False
        """The loop ends: no step begins any more."""
        self._is_told = False
        """Its first line here stands in the registry."""
        self._group: asyncio.TaskGroup | None = None
        self.ended = asyncio.Event()
        """Nothing of it is left."""
        self.state = RunState.RUNNING
        self.reason: str | None = None

    # Its beginning

    @property
    def has_begun(self) -> bool:
        """Its first lines stand in the registry."""
        return self._group is not None

    async def _begin(self) -> None:
        """Write how it begins, or goes on."""
        parts, here = self._parts, {"host": socket.gethostname(), "pid": os.getpid(), "carrier": self._carrier}
        doing = {"role": "orchestrator", "status": "in_progress", "current_task": one_line(parts.goal)}
        journal = parts.journal
        if (again := self._assembled.again) is None:
            pools = [
                {"role": role, "agent": parts.agents[role].told, "seats": list(seats)}
                for role, seats in parts.seats.items()
            ]
            policy: dict[str, Any] = {"on_error": parts.policy.on_error.value, "grace": parts.policy.grace}
            policy |= {"retries": parts.policy.retries, "rounds": parts.policy.rounds}
            policy |= {"timeout": parts.policy.timeout} if parts.policy.timeout is not None else {}
            told: dict[str, Any] = {"name": parts.pipeline.name, "goal": parts.goal, "pipeline": parts.pipeline.path}
            told |= {"digest": parts.pipeline.digest, "policy": policy, "pools": pools, "progress": 0}
            first = functools.partial(journal.write_now, parts.agent, "run_started", **told, **here, **doing)
            await wholly(self._tell_first(asyncio.to_thread(first)))  # once: who starts it hears why it cannot be
        else:
            await self._tell_first(journal.write(parts.agent, "run_resumed", again=list(again), **here, **doing))
        part = Part(journal.part, journal.after, self._carrier)
        await journal.keep(lambda: self._keep_begun(part))
        self._steps.tell_tasks([task for task in parts.pipeline.tasks if task.key in self._assembled.untold])
        for key, value in {"goal": parts.goal, **parts.pipeline.values}.items():
            if key not in parts.blackboard:
                await parts.blackboard.put(key, value, by=parts.agent)
        for role, seat in self._announced():
            journal.send(seat, "session_start", {"role": role, "status": "idle", **_here()})

    async def _tell_first(self, writing: Awaitable[object]) -> None:
        await writing
        self._is_told = True

    def _announced(self) -> list[tuple[str, str]]:
        """Role and name of the seats whose agents do not tell of themselves."""
        parts = self._parts
        return [
            (role, seat) for role, seats in parts.seats.items() if not parts.agents[role].announces for seat in seats
        ]

    # While it goes

    async def carry_out(self, began: Callable[[str], object] | None = None) -> None:
        """Until every task ended, and nothing of it is left; `began` gets its id once its beginning is written.

        Raises what is wrong with the orchestrator itself, or with the registry before it began.
        """
        try:
            await self._begin()
            if began is not None:
                began(self._parts.id)
            async with asyncio.TaskGroup() as self._group:
                self._parts.blackboard.told = self._given
                self._go_on()
                try:
                    await self._over.wait()
                except asyncio.CancelledError:
                    self._is_torn = True
                    raise
        except asyncio.CancelledError:
            self._torn_down()
            raise
        finally:
            self._parts.blackboard.told = None
            try:
                await self._end()
            except asyncio.CancelledError:
                await self._close_journal(0)
                raise
            finally:
                self.ended.set()
        if self._broken is not None:
            raise self._broken

    def stop(self, reason: str, state: RunState = RunState.CANCELLED) -> None:
        """End it: nothing begins any more, agents end within their grace, the rest is cancelled."""
        if self._over.is_set():  # what is still to be written has its time now
            self._hurry(DRAIN)
            return
        if self._ending is not None:
            return
        self._ending, self.reason = state, reason
        self._schedule.stop(reason)
        self._wait_for_nothing()
        grace = self._parts.policy.grace
        self._hurry(grace + LEEWAY + DRAIN if self._steps.is_at_work else max(grace, DRAIN))
        self._steps.end_all()
        if self._group is not None:
            self._go_on()

    def _hurry(self, seconds: float) -> None:
        """It has so long for all that is left of it."""
        if self._parts.deadline is None:
            loop = asyncio.get_running_loop()
            self._parts.deadline = loop.time() + seconds
            self._giving_up = loop.call_later(seconds, self._give_up)

    def _wait_for_nothing(self) -> None:
        for pause in self._pauses.values():
            pause.cancel()
        self._pauses.clear()
        if self._untangling is not None:
            self._untangling.cancel()

    def _go_on(self) -> None:
        """Whatever may begin now begins."""
        if self._is_torn:
            return
        while (step := self._schedule.begin()) is not None:
            match step:
                case Start(job, seat):
                    self._spawn(job, self._steps.work(job, seat))
                case Ask(job, question):
                    self._spawn(job, self._steps.ask(job, question))
                case Take(job):
                    self._spawn(job, self._steps.take(job))
        for job in self._schedule.ended_by_others():
            told = {"task": job.key, "state": TaskState.SKIPPED, "why": job.why}
            self._parts.journal.send(self._parts.agent, "run_task", told)
        if self._ending is None and (reason := self._schedule.stopped or self._schedule.stuck()) is not None:
            self.stop(reason, RunState.FAILED)
            return
        if self._ending is not None and self._schedule.open_count > len(self._children):
            for job in list(self._schedule.unfinished()):
                if job.key not in self._children:
                    self._spawn(job, self._steps.cancel(job))
        if self._schedule.is_over and not self._children:
            self._over.set()
        self._watch_the_time()
        self._watch_the_waits()

    def _given(self, key: str) -> None:
        """There is a value on the blackboard."""
        self._schedule.given(key)
        self._go_on()

    def _spawn(self, job: Job, step: Coroutine[Any, Any, None]) -> None:
        assert self._group is not None  # noqa: S101 - nothing begins before the run did
        self._children[job.key] = self._group.create_task(self._step(job, step))

    async def _step(self, job: Job, step: Coroutine[Any, Any, None]) -> None:
        broken: str | None = None
        try:
            await step
        except asyncio.CancelledError:
            if self._closing is not None:  # all of it was given up: there is nowhere to say anything
                self._let_go(job, self.reason or _TORN)
                raise
            if not job.state.is_over:
                self._steps.last_words(job, _TORN)
            raise
        except NotWrittenError as error:  # it was given up: see `_give_up`
            self._let_go(job, str(error))
        except Exception as error:  # of ours: the others are to end in good order all the same
            self._broken, broken = self._broken or error, f"{job.key}: {in_words(error)}"
            self._parts.notice(broken)
            self._let_go(job, broken)
        finally:
            del self._children[job.key]
        if broken is not None:
            self.stop(broken, RunState.FAILED)
        done, all_of_them = self._schedule.done_count, len(self._schedule.jobs)
        self._parts.declaring.tell(self._parts.agent, progress=100 * done // all_of_them)
        self._go_on()

    def _let_go(self, job: Job, why: str) -> None:
        if not job.state.is_over:
            self._schedule.cancelled(job, why)

    def _later(self, job: Job, seconds: float) -> None:
        if self._ending is None:  # else it is cancelled, as soon as the step that says this is over
            self._pauses[job.key] = asyncio.get_running_loop().call_later(seconds, self._again, job)

    def _again(self, job: Job) -> None:
        del self._pauses[job.key]
        self._schedule.again(job)
        self._go_on()

    def _watch_the_time(self) -> None:
        """Its own time goes by while anything but the person is waited for."""
        if self._allowed is None:
            return
        loop = asyncio.get_running_loop()
        counts = self._ending is None and not self._over.is_set() and not self._schedule.is_for_the_person_only
        if counts and self._time_is_up is None:
            self._runs_since = loop.time()
            self._time_is_up = loop.call_later(self._allowed, self._end_in_time)
        elif not counts and self._time_is_up is not None and self._runs_since is not None:
            self._time_is_up.cancel()
            self._time_is_up = None
            self._allowed = max(0.0, self._allowed - (loop.time() - self._runs_since))

    def _end_in_time(self) -> None:
        self.stop(f"it took longer than {self._parts.policy.timeout:g} s", RunState.FAILED)

    def _watch_the_waits(self) -> None:
        """Whether agents wait on the blackboard for what never comes; for each other only once nothing else moves."""
        self._steps.release_lost()
        if self._untangling is None and self._ending is None and self._steps.waits.are_in_vain:
            self._untangling = asyncio.get_running_loop().call_later(SETTLED, self._untangle)

    def _untangle(self) -> None:
        self._untangling = None
        if self._ending is None and self._steps.waits.are_in_vain:
            if self._parts.journal.is_idle:
                self._steps.release_all()
            else:
                self._watch_the_waits()

    def _give_up(self) -> None:
        """It is to end, and something still does not: what is not written now stays unwritten."""
        self._giving_up = None
        self._closing = asyncio.create_task(self._close_journal(0))
        self._closing.add_done_callback(lambda _: asyncio.get_running_loop().call_later(LEAST, self._let_all_go))

    def _let_all_go(self) -> None:
        for child in self._children.values():
            child.cancel()

    # Its end

    def _torn_down(self) -> None:
        """The loop ends: what still can be said is said at once."""
        self._ending, self.reason = self._ending or RunState.CANCELLED, self.reason or _TORN
        self._schedule.stop(self.reason)
        self._wait_for_nothing()
        if self._parts.deadline is None:
            self._parts.deadline = asyncio.get_running_loop().time() + LEEWAY
        if self._is_told:
            for job in list(self._schedule.unfinished()):
                self._steps.last_words(job, self.reason)

    async def _end(self) -> None:
        parts = self._parts
        self._over.set()
        for timer in (self._time_is_up, self._giving_up, self._untangling):
            if timer is not None:
                timer.cancel()
        is_done = self._schedule.done_count == len(self._schedule.jobs)
        self.state = RunState.DONE if is_done else self._ending or RunState.FAILED
        self.reason = None if is_done else self.reason or self._why_not()
        parts.declaring.close()
        parts.blackboard.close(self.reason or "the run is over")
        await self._close_workers()
        await parts.person.end(self.reason or "the run is over", parts.patience(DRAIN))
        if self._is_told and self._closing is None:
            await self._tell_end(is_done=is_done)
        if self._closing is not None:
            await self._closing
        else:
            await self._close_journal(parts.patience(DRAIN))

    async def _tell_end(self, *, is_done: bool) -> None:
        parts = self._parts
        progress = 100 * self._schedule.done_count // max(1, len(self._schedule.jobs))
        status = "completed" if is_done else "failed" if self.state is RunState.FAILED else "idle"
        told = {"state": self.state, "status": status, "progress": progress}
        told |= {"reason": self.reason} if self.reason is not None else {}
        try:
            for key in self._assembled.orphans:
                if key not in self._schedule.jobs:
                    gone = {
                        "task": key,
                        "state": TaskState.CANCELLED,
                        "why": "what added it began anew, and left it out",
                    }
                    parts.journal.send(parts.agent, "run_task", gone)
            for _, seat in self._announced():
                parts.journal.send(seat, "session_end", {"reason": "the run is over"})
            ended = parts.journal.send(parts.agent, "run_ended", told)
            is_bounded = self._ending is not None or parts.deadline is not None
            await asyncio.wait((ended,), timeout=parts.patience(DRAIN) if is_bounded else None)
        except RegistryError as error:
            parts.notice(f"the end of the run {parts.id} could not be written: {error}")

    async def _close_journal(self, patience: float) -> None:
        if lost := await self._parts.journal.close(patience):
            self._parts.notice(f"{lost} lines of the run {self._parts.id} could not be written: resume it to go on")

    def _why_not(self) -> str:
        """Of a run that went on without what failed."""
        failed = [job for job in self._schedule.jobs.values() if job.state in (TaskState.FAILED, TaskState.TIMED_OUT)]
        first = f": {failed[0].key}: {failed[0].why}" if failed else ""
        left = len(self._schedule.jobs) - self._schedule.done_count
        return f"{left} of {len(self._schedule.jobs)} tasks are not done{first}"

    async def _close_workers(self) -> None:
        """End all that is left of the agents, within their grace."""
        closing = {
            asyncio.ensure_future(worker.close()): worker
            for worker in (*self._parts.workers.values(), *self._parts.left_behind)
        }
        if not closing:
            return
        done, left = await asyncio.wait(closing, timeout=self._parts.patience(self._parts.policy.grace + DRAIN))
        for task in left:
            task.cancel()
            self._parts.notice("an agent of the run does not end: what it started may still be there")
        for task in done:
            if not task.cancelled() and (error := task.exception()) is not None:
                self._parts.notice(f"an agent of the run did not end well: {in_words(error)}")


def _here() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid()}
