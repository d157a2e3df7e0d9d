"""One run while it goes: what may begin begins, and when it is to end, all of it ends.

The coroutine of a step is never cancelled from here, only the agent or the wait for the person in it: so whatever comes
to an end is written. When the loop itself is torn down there is no time for that, and `Steps.last_words` has to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from collab_tui.model.runs import RunState, TaskState
from collab_tui.orchestrator.agents.sessions import let_go_of_left
from collab_tui.orchestrator.assembling import Assembled
from collab_tui.orchestrator.attempt import LEEWAY
from collab_tui.orchestrator.countdown import Countdown
from collab_tui.orchestrator.jobs import Ask, Job, Start, Take
from collab_tui.orchestrator.kept import Part
from collab_tui.orchestrator.parts import LEAST
from collab_tui.orchestrator.steps import Steps
from collab_tui.orchestrator.telling import Telling
from collab_tui.orchestrator.words import in_words
from collab_tui.registry.append import NotWrittenError

DRAIN: Final = 3.0
"""Seconds, once agents had their grace, for what is still to be written when a run is to end."""
STUCK_AFTER: Final = 60.0
"""Seconds for which all agents have waited for each other, and nothing moved, before none of them waits any more."""
_TORN: Final = "its program was ended"
_MOST_NAMED: Final = 3
"""Tasks that failed, in the reason of the run."""


class Run:
    """A run in this process, from its first line here to its last."""

    def __init__(self, assembled: Assembled, carrier: str, began: Callable[[Part], object] = lambda part: None) -> None:
        """`carrier` is to whom its commands go. `began` keeps that it did, before anything follows: see `KeptRun`."""
        parts = self._parts = assembled.parts
        self._is_again = assembled.again is not None
        self._telling = Telling(assembled, carrier, began)
        self._schedule = parts.schedule
        self._steps = Steps(parts, self._later, self._watch)
        self._children: dict[str, asyncio.Task[None]] = {}
        """The step that each task is at, by its key."""
        self._pauses: dict[str, asyncio.TimerHandle] = {}
        self._over = asyncio.Event()
        self._ending: RunState | None = None
        self._broken: BaseException | None = None
        self._countdown = Countdown(parts.policy.timeout, self._end_in_time)
        self._giving_up: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        """It was given up to write any more."""
        self._stuck: asyncio.TimerHandle | None = None
        """Since all agents wait for each other."""
        self._is_torn = False
        """The loop ends: no step begins any more."""
        self._group: asyncio.TaskGroup | None = None
        self.ended = asyncio.Event()
        """Nothing of it is left."""
        self.state = RunState.RUNNING
        self.reason: str | None = None

    @property
    def has_begun(self) -> bool:
        """Its first lines stand in the registry."""
        return self._group is not None

    # While it goes

    async def carry_out(self, began: Callable[[str], object] | None = None) -> None:
        """Until every task ended, and nothing of it is left; `began` gets its id once its beginning is written.

        Raises what is wrong with the orchestrator itself, or with the registry before it began.
        """
        try:
            await self._telling.begin()
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
        self._countdown.stand_still()
        self._stir()

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
        self._watch()

    def _given(self, key: str) -> None:
        """There is a value on the blackboard."""
        self._stir()
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
        self._parts.declaring.tell(self._parts.agent, progress=self._schedule.progress)
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

    def _watch(self) -> None:
        """Its time goes by while anything but the person is waited for, and agents may wait for what never comes."""
        self._steps.waits.look()
        if self._ending is not None or self._over.is_set():
            return
        if self._schedule.is_for_the_person_only:
            self._countdown.stand_still()
        else:
            self._countdown.run()
        if not self._steps.waits.are_in_vain:
            self._stir()
        elif self._stuck is None:
            self._stuck = asyncio.get_running_loop().call_later(STUCK_AFTER, self._untangle)

    def _end_in_time(self) -> None:
        self.stop(f"it took longer than {self._parts.policy.timeout:g} s", RunState.FAILED)

    def _stir(self) -> None:
        """Something moves."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _untangle(self) -> None:
        self._stuck = None
        if self._steps.waits.are_in_vain and self._parts.journal.is_idle:
            self._steps.waits.release_all()
        else:
            self._watch()

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
        if self._telling.has_begun:
            for job in list(self._schedule.unfinished()):
                self._steps.last_words(job, self.reason)

    async def _end(self) -> None:
        parts = self._parts
        self._over.set()
        self._wait_for_nothing()
        if self._giving_up is not None:
            self._giving_up.cancel()
        is_done = self._schedule.done_count == len(self._schedule.jobs)
        self.state = RunState.DONE if is_done else self._ending or RunState.FAILED
        self.reason = None if is_done else self.reason or self._why_not()
        parts.declaring.close()
        self._steps.waits.unblock()
        parts.blackboard.close(self.reason or "the run is over")
        await self._see_end(*(worker.close() for worker in (*parts.workers.values(), *parts.left_behind)))
        if self._is_again:
            await self._see_end(let_go_of_left(parts.surroundings, parts.agents.values()))
        await parts.person.end(self.reason or "the run is over", parts.patience(DRAIN))
        if self._telling.has_begun and self._closing is None:
            is_bounded = self._ending is not None or parts.deadline is not None
            await self._telling.end(self.state, self.reason, parts.patience(DRAIN) if is_bounded else None)
        if self._closing is not None:
            await self._closing
        else:
            await self._close_journal(parts.patience(DRAIN))

    async def _close_journal(self, patience: float) -> None:
        if lost := await self._parts.journal.close(patience):
            self._parts.notice(f"{lost} lines of the run {self._parts.id} could not be written: resume it to go on")

    def _why_not(self) -> str:
        """Of a run that went on without what failed."""
        jobs = self._schedule.jobs.values()
        failed = [job.key for job in jobs if job.state in (TaskState.FAILED, TaskState.TIMED_OUT)]
        skipped = len(jobs) - self._schedule.done_count - len(failed)
        more = ", …" if len(failed) > _MOST_NAMED else ""
        told = (
            f"{len(failed)} failed: {', '.join(failed[:_MOST_NAMED])}{more}" if failed else None,
            f"{skipped} skipped" if skipped else None,
        )
        return "; ".join(filter(None, told))

    async def _see_end(self, *endings: Coroutine[Any, Any, None]) -> None:
        """End all that is left of the agents, within their grace."""
        if not endings:
            return
        closing = [asyncio.ensure_future(ending) for ending in endings]
        for task in closing:
            task.add_done_callback(self._tell_bad_end)
        try:
            await asyncio.wait(closing, timeout=self._parts.patience(self._parts.policy.grace + DRAIN))
        finally:
            left = [task for task in closing if task.cancel()]
        if left:
            await asyncio.wait(left, timeout=LEAST)
            self._parts.notice("an agent of the run does not end: what it started may still be there")

    def _tell_bad_end(self, closed: asyncio.Future[None]) -> None:
        if not closed.cancelled() and (error := closed.exception()) is not None:
            self._parts.notice(f"an agent of the run did not end well: {in_words(error)}")
