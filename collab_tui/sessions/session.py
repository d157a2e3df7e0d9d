"""One session whose program this process talks to: what is seen of it, its prompts, its questions, its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from collab_tui.model.board import RequestKind
from collab_tui.model.sessions import Observed
from collab_tui.processes.identity import identity_of
from collab_tui.processes.programs import GRACE
from collab_tui.protocol import Participant
from collab_tui.protocol.trust import Trust
from collab_tui.registry.append import NotWrittenError, RegistryError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.definitions import Definition, DriverKind
from collab_tui.sessions.driver import Delivery, Driver, DriverError, Lasting, Launch, LostError, Reply, ReplyStatus
from collab_tui.sessions.drivers import driver_class
from collab_tui.sessions.handing_over import HandingOver
from collab_tui.sessions.hearing import Hearing
from collab_tui.sessions.observing import Observing
from collab_tui.sessions.prompts import Prompt, PromptQueue
from collab_tui.sessions.questions import Questions, withdraw_left
from collab_tui.sessions.records import Record, Records
from collab_tui.sessions.worktrees import Worktree, WorktreeError, Worktrees

_STOPPED: Final = "stopped"
"""Why it ended when the person, or whoever started it, wanted that."""
_AT_WORK: Final = (Observed.WORKING, Observed.APPROVAL, Observed.INPUT)
_HOOKS_FIRST: Final = 5.0
"""Seconds for which what comes is left to the hooks of a program in a terminal, if it has any."""
_MARGIN: Final = 2.0
"""Seconds beyond the limit of its start in which its driver can say better why it is not ready."""
_BETWEEN_LOOKS: Final = 10.0
"""Seconds between two looks at what changed in its worktree."""
_PATIENCE: Final = 5.0
"""Seconds for what is left to be told and to be let go of when it ends."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a session shares with the others of its manager."""

    registry: JsonlRegistry
    records: Records
    worktrees: Worktrees
    trust: Trust
    poll: float | None
    """As of `Watch`."""
    notice: Callable[[str], None]
    """Told what goes wrong beside the sessions."""
    ended: Callable[[LiveSession], None]
    """Called once for each that has no program any more."""


class LiveSession:
    """One run of a session. The manager makes, starts and ends it."""

    def __init__(
        self,
        place: Place,
        record: Record,
        definition: Definition,
        environment: Mapping[str, str],
        worktree: Worktree | None,
    ) -> None:
        """`environment` is the whole of it. Raises `DriverError` where there is no such driver here."""
        self._place = place
        self.record = record
        self.definition = definition
        self.worktree = worktree
        self._me = Participant(record.name, place.registry.path, announces=False, trust=place.trust, poll=place.poll)
        self._observing = Observing(place.registry, record.name, record.run, self._notice)
        self._questions = Questions(self._me, record.run, record.driver, self._show, self._notice)
        is_terminal = definition.driver is DriverKind.TERMINAL
        self._hearing = Hearing(
            self._questions,
            changed=self._show,
            declare=self._observing.declare,
            resume_by=self._resume_by,
            is_seen=is_terminal,
        )
        launch = Launch(
            name=record.name,
            run=record.run,
            definition=definition,
            folder=Path(record.folder),
            environment=environment,
            private=place.records.private(record.name),
            log=Path(record.log),
            is_read_only=record.is_read_only,
            resume_id=record.resume_id,
            handle=record.handle,
        )
        self._driver: Driver = driver_class(definition)(launch, self._hearing)
        self._prompts = PromptQueue(self._prompt, self._driver.interrupt, self._show)
        self._handing = HandingOver(
            self._me,
            place.registry.path,
            place.trust,
            is_idle=lambda: self.is_idle,
            prompts=self._prompts,
            tell=lambda count: self._observing.note(undelivered=count),
            notice=self._notice,
            patience=_HOOKS_FIRST if is_terminal else 0.0,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._entered = AsyncExitStack()
        self._is_entered = False
        self._start_limit: asyncio.Timeout | None = None
        self._ending = asyncio.Lock()
        self._keeping = asyncio.Lock()
        self._changed = asyncio.Event()
        self._may_differ = asyncio.Event()
        """Its worktree may have changed."""
        self._stopped_because: str | None = None
        self._outcome: str | None = None
        self.telling_end: asyncio.Task[None] | None = None
        """Writes that it ended, for as long as that cannot be written."""

    # What is known of it

    @property
    def name(self) -> str:
        """The name under which it takes part."""
        return self.record.name

    @property
    def run(self) -> str:
        """16 hex digits, another at each start."""
        return self.record.run

    @property
    def worker(self) -> str | None:
        """The id of the worker that it is."""
        return self.record.worker

    @property
    def observed(self) -> Observed:
        """What is seen of its program."""
        state, kinds = self._hearing.state, self._questions.kinds
        if not state.is_running or not kinds:
            return state
        return Observed.APPROVAL if kinds[-1] is RequestKind.APPROVAL else Observed.INPUT

    @property
    def is_idle(self) -> bool:
        """It takes a prompt now, and none is on its way."""
        return self.observed is Observed.IDLE and not self._prompts.is_busy

    @property
    def queued(self) -> int:
        """How many prompts wait for the one before."""
        return len(self._prompts)

    @property
    def history(self) -> deque[tuple[str, Reply]]:
        """The latest prompts, each with its reply, shortened."""
        return self._prompts.history

    @property
    def outcome(self) -> str | None:
        """How it ended: `exit 0`, `signal 9`, `lost: why`, `failed: why`; None while it runs."""
        return self._outcome

    async def until(self, holds: Callable[[LiveSession], bool]) -> None:
        """Wait until something holds of it, or it ended."""
        while self._outcome is None:
            changed = self._changed
            if holds(self):
                return
            await changed.wait()

    async def idle(self) -> bool:
        """Wait until it is idle; False when it ended first."""
        await self.until(lambda session: session.is_idle)
        return self._outcome is None

    async def ended(self) -> str:
        """Wait until it ended; gives how."""
        await self.until(lambda session: False)
        return self._outcome or ""

    def _show(self) -> None:
        """Something of it changed."""
        self._heed_start()
        self._observing.note(observed=self.observed.value, why=self._hearing.why, queued=self.queued)
        if self._hearing.last_line is not None:
            self._observing.note(last_line=self._hearing.last_line)
        if self.is_idle:
            self._handing.look()
            self._may_differ.set()
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # What is done with it

    def send_prompt(self, text: str, *, is_persons: bool = False) -> Prompt:
        """Queue a prompt; `is_persons` says that the person sent it. Raises `PromptRefusedError`."""
        prompt = self._prompts.put(text)
        if is_persons:
            self._handing.person_spoke()
        return prompt

    async def send_prompt_and_wait(self, text: str, timeout: float | None = None) -> Reply:  # noqa: ASYNC109
        """Prompt it and wait for the reply, at most so many seconds; cancelled or too late, its turn is interrupted.

        Raises `PromptRefusedError`.
        """
        return await self._prompts.reply_to(self.send_prompt(text), timeout)

    def take_back(self, prompt: Prompt) -> None:
        """Do not give it any more, if it still waits."""
        if not prompt.is_given.is_set():
            self._prompts.give_up(prompt, ReplyStatus.NOT_SUBMITTED, "it was taken back")

    async def delivery_of(self, prompt: Prompt) -> Delivery:
        """Wait until a prompt is seen to have reached the agent, or not to."""
        await prompt.given()
        await self.until(lambda session: session.observed in _AT_WORK or prompt.reply.done())
        return prompt.reply.result().delivery if prompt.reply.done() else Delivery.SUBMITTED

    async def interrupt(self) -> bool:
        """End the turn that runs; False where none of our prompts does. Raises `DriverError`."""
        return await self._prompts.interrupt()

    async def _prompt(self, text: str) -> Reply:
        self._hearing.turn_begins()
        try:
            reply = await self._driver.prompt(text)
        finally:
            self._hearing.turn_ends()
        self._hearing.said_lines(reply.text[-4000:].splitlines())
        return reply

    # How it begins

    async def start(self, *, is_new: bool) -> None:
        """Start its program, or take it up. Raises `DriverError`, and has told by then that it failed, and why.

        Whatever ends this leaves no program behind, and nothing that is told of as running.
        """
        try:
            await self._keep()
            await self._entered.enter_async_context(self._me)
            self._is_entered = True
            if is_new:
                await self.tell_start()
            self._spawn(self._observing.run())
            await self._start_driver()
        except BaseException as error:
            undoing = asyncio.ensure_future(self._undo_start(error) if is_new else self._undo_taking_up(error))
            await asyncio.shield(undoing)
            raise
        self._hearing.is_ready()
        pid = self._driver.pid
        identity = await asyncio.to_thread(identity_of, pid) if pid is not None else None
        self._observing.note(pid=pid)
        await self._keep(handle=self._driver.handle, pid=pid, pid_started=identity.started if identity else None)
        for work in (self._prompts.run(), self._handing.run(), self._watch_end(), self._look_at_worktree()):
            self._spawn(work)

    async def _start_driver(self) -> None:
        limit = self.definition.start_limit
        try:
            async with asyncio.timeout(limit + _MARGIN) as timing:
                self._start_limit = timing
                await self._driver.start()
        except TimeoutError as error:
            if not timing.expired():
                raise
            raise DriverError(f"it was not ready within {limit:g} s") from error
        finally:
            self._start_limit = None

    def _heed_start(self) -> None:
        """What waits for the person while it starts takes the time that it takes; and it can be attached to."""
        if self._start_limit is None or self._start_limit.expired():
            return
        if self.observed in (Observed.APPROVAL, Observed.INPUT):
            self._start_limit.reschedule(None)
        elif self._start_limit.when() is None:
            now = asyncio.get_running_loop().time()
            self._start_limit.reschedule(now + self.definition.start_limit + _MARGIN)
        if self.record.handle is None and (handle := self._driver.handle) is not None:
            self._spawn(self._keep(handle=handle))

    async def _undo_taking_up(self, error: BaseException) -> None:
        """It is there no more; or it runs and cannot be reached, and is not ended for that: the next monitor tries."""
        if isinstance(error, LostError):
            await self._finish(f"lost: {error}", Observed.LOST)
            return
        if not isinstance(error, asyncio.CancelledError):
            self._hearing.ended(Observed.LOST, f"it may run, but cannot be taken up: {_told(error)}")
        await self._leave()

    async def _undo_start(self, error: BaseException) -> None:
        try:
            await self._driver.stop(GRACE)
        except (DriverError, OSError) as trouble:
            self._notice(f"what was begun of it could not be ended: {trouble}")
        if isinstance(error, asyncio.CancelledError):
            self._stopped_because = self._stopped_because or "stopped before it was ready"
            await self._finish(self._stopped_because, Observed.STOPPED)
        else:
            await self._finish(f"failed: {_told(error)}", Observed.FAILED)

    async def tell_start(self) -> None:
        """Write that it starts; tried until it is written."""
        record = self.record
        await self._observing.tell(
            "session_start",
            definition=record.definition,
            driver=record.driver,
            host=record.host,
            cwd=record.folder,
            branch=record.branch,
            base=record.base,
            current_task=record.task,
            role=self.definition.role,
            worker=record.worker,
            log=record.log,
            monitor=record.monitor,
            can_resume=record.resume_id is not None,
        )

    async def tell_again(self) -> None:
        """The registry is another: what is so is told there too."""
        await self.tell_start()
        self._observing.forget_told()

    # How it ends

    async def stop(self, grace: float = GRACE, reason: str = _STOPPED) -> str:
        """End its program, by force after the grace (seconds); gives how it ended. Cancelled, it ends all the same."""
        stopping = asyncio.ensure_future(self._stop(grace, reason))
        return await asyncio.shield(stopping)

    async def _stop(self, grace: float, reason: str) -> str:
        self._stopped_because = self._stopped_because or reason
        self._prompts.close(reason)
        if self._outcome is None:
            how = await self._driver.stop(grace)
            await self._finish(how, Observed.STOPPED)
        return self._outcome or ""

    async def leave(self) -> None:
        """Let go of it: what has a handle runs on, and is taken up later; anything else is ended."""
        if self._driver.handle is None or not isinstance(self._driver, Lasting):
            await self.stop(reason="stopped with its monitor")
        else:
            await self._leave()

    async def _leave(self) -> None:
        async with self._ending:
            if self._outcome is not None:
                return
            self._questions.leave()
            if isinstance(self._driver, Lasting):
                await self._driver.leave()
            self._prompts.close("its monitor ended, and it runs on")
            await self._end_tasks()
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self._observing.flush()
            await self._entered.aclose()
            self._outcome = "left"
            self._wake()

    async def _watch_end(self) -> None:
        how = await self._driver.wait()
        state = Observed.STOPPED if how == "exit 0" else Observed.LOST if how.startswith("lost") else Observed.FAILED
        self._finishing = asyncio.ensure_future(self._finish(how, state))
        await asyncio.shield(self._finishing)  # this is one of the tasks that it ends

    async def _finish(self, how: str, state: Observed) -> None:
        """It has no program any more: tell it, once, and let go of everything."""
        async with self._ending:
            if self._outcome is not None:
                return
            reason = why = how
            if self._stopped_because is not None:
                state, reason = Observed.STOPPED, self._stopped_because
                why = how if reason == _STOPPED else reason
            self._prompts.lose(f"its program ended: {how}")
            await self._end_tasks()
            self._hearing.ended(state, why)
            if self._is_entered:
                await self._withdraw_left(how)
            self.telling_end = asyncio.create_task(self._tell_end(reason))
            await asyncio.wait({self.telling_end}, timeout=_PATIENCE)
            await self._entered.aclose()
            if self.worktree is not None:
                with suppress(WorktreeError):  # it is gone; whoever removes it is told
                    await self._place.worktrees.unlock(self.worktree, self.name)
            self._outcome = how
            self._wake()
            self._place.ended(self)

    async def _withdraw_left(self, how: str) -> None:
        try:
            await withdraw_left(self._me, self.run, f"its program ended: {how}")
        except RegistryError as error:
            self._notice(f"what it asked is still open: {error}")

    async def _tell_end(self, reason: str) -> None:
        await self._observing.flush()
        await self._observing.tell("session_end", reason=reason)
        await self._keep(ended=reason)

    async def _end_tasks(self) -> None:
        ending = set(self._tasks)
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending, timeout=_PATIENCE)

    # Beside it

    async def _look_at_worktree(self) -> None:
        """Count what changed in its worktree when it becomes idle, and not too often."""
        if self.worktree is None:
            return
        while True:
            await self._may_differ.wait()
            self._may_differ.clear()
            try:
                state = await self._place.worktrees.state(self.worktree)
            except WorktreeError as error:
                self._notice(f"its worktree cannot be looked at: {error}")
            else:
                self._observing.note(changed=state.changed, unpushed=state.unpushed)
            await asyncio.sleep(_BETWEEN_LOOKS)

    def _resume_by(self, resume_id: str) -> None:
        self._observing.note(can_resume=True)
        self._spawn(self._keep(resume_id=resume_id))

    async def _keep(self, **changes: Any) -> None:
        """Keep what is known of it."""
        self.record = replace(self.record, **changes)
        async with self._keeping:
            try:
                await asyncio.to_thread(self._place.records.save, self.record)
            except NotWrittenError as error:
                self._notice(str(error))

    def _notice(self, text: str) -> None:
        self._place.notice(f"{self.record.name}: {text}")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._notice(f"{type(error).__name__}: {error}")


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__
