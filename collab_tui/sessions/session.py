"""One session whose program this process talks to: what is seen of it, its prompts, its questions, its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from collab_tui.model.board import RequestKind
from collab_tui.model.sessions import Observed
from collab_tui.processes.identity import identity_of
from collab_tui.protocol import Participant
from collab_tui.registry.append import RegistryError
from collab_tui.sessions.changes import Changes
from collab_tui.sessions.counting import Counting
from collab_tui.sessions.declaring import Declaring
from collab_tui.sessions.definitions import Definition, DriverKind
from collab_tui.sessions.driver import Driver, DriverError, Lasting, LostError, Reply, ReplyStatus
from collab_tui.sessions.drivers import driver_class
from collab_tui.sessions.handing_over import HandingOver
from collab_tui.sessions.hearing import Hearing
from collab_tui.sessions.log_folder import pointer
from collab_tui.sessions.names import resume_id
from collab_tui.sessions.observing import Observing
from collab_tui.sessions.place import Place
from collab_tui.sessions.prompts import Prompt, PromptQueue
from collab_tui.sessions.questions import Questions, withdraw_left
from collab_tui.sessions.records import Keeping, Record
from collab_tui.sessions.start_limit import StartLimit
from collab_tui.sessions.tasks import Tasks
from collab_tui.sessions.worktrees import Worktree, WorktreeError

_STOPPED: Final = "stopped"
"""Why it ended when the person, or whoever started it, wanted that."""
_HOOKS_FIRST: Final = 5.0
"""Seconds for which what comes is left to the hooks of a program in a terminal, if it has any."""
_TO_TELL_START: Final = 15.0
"""Seconds within which it has to stand in the registry that it starts."""
_PATIENCE: Final = 5.0
"""Seconds for what is left to be told and to be let go of when it ends."""


class LiveSession:
    """One run of a session. The manager makes, starts and ends it."""

    def __init__(
        self,
        place: Place,
        record: Record,
        definition: Definition,
        environment: Mapping[str, str],
        worktree: Worktree | None,
        writable: Mapping[Path, bool],
    ) -> None:
        """`environment` is the whole of it, `writable` as of `Launch`.

        Raises `DriverError` where there is no such driver here.
        """
        self._place = place
        self._keeping = Keeping(place.records, record, self._notice)
        self.definition = definition
        self.worktree = worktree
        self._me = Participant(
            record.name, place.registry.path, announces=False, trust=place.trust, following=place.following
        )
        is_terminal = definition.driver is DriverKind.TERMINAL
        self._observing = Observing(place.registry, record.name, record.run, self._notice, tells_lines=not is_terminal)
        self._declaring = None if is_terminal else Declaring(self._me, self._observing.declare)
        """What the hooks of a program in a terminal tell themselves."""
        self._questions = Questions(self._me, record.run, record.driver, self._show, self._notice)
        self._hearing = Hearing(
            self._questions,
            submitted=self._submitted,
            changed=self._show,
            declare=self._observing.declare,
            resume_by=self._resume_by,
            is_seen=is_terminal,
        )
        launch = place.launch(record, definition, environment, writable)
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
        self._tasks = Tasks(self._notice)
        self._counting = Counting(
            place,
            worktree,
            lambda changed, unpushed: self._observing.note(changed=changed, unpushed=unpushed),
            self._notice,
        )
        self._start_limit = StartLimit(definition.start_limit)
        self._is_told = True
        """The registry tells of it."""
        self._ending = asyncio.Lock()
        self._finishing: asyncio.Future[None] | None = None
        self._changes = Changes()
        self._stopped_because: str | None = None
        self._outcome: str | None = None
        self.telling_end: asyncio.Task[None] | None = None
        """Writes that it ended, for as long as that cannot be written."""

    def __repr__(self) -> str:
        return f"<LiveSession {self.name} {self._outcome or self.observed}>"

    # What is known of it

    @property
    def record(self) -> Record:
        """What this machine knows of it."""
        return self._keeping.record

    @property
    def name(self) -> str:
        """The name under which it takes part."""
        return self.record.name

    @property
    def run(self) -> str:
        """16 hex digits, another at each start."""
        return self.record.run

    @property
    def log(self) -> str:
        """Where its output is kept, as events name it."""
        return pointer(self._place.registry.path, Path(self.record.log))

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
        await self._changes.until(lambda: self._outcome is not None or holds(self))

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
        if self._declaring is not None:
            self._declaring.heed(self.observed)
        if self.is_idle:
            self._handing.look()
            self._counting.look()
        self._changes.note()

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

    async def interrupt(self) -> bool:
        """End the turn that runs; False where none of our prompts does. Raises `DriverError`."""
        return await self._prompts.interrupt()

    def _submitted(self) -> None:
        self._prompts.submitted()

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
            # Before it is begun: whoever comes after a crash finds it.
            await self._keeping.change(handle=self._driver.handle)
            if is_new:
                try:
                    await self._tell_start(_TO_TELL_START)
                except RegistryError:
                    self._is_told = False
                    raise
            self._tasks.keep_up(self._observing.run)
            await self._start_limit.keep(self._driver.start())
        except BaseException as error:
            undoing = asyncio.ensure_future(self._undo_start(error) if is_new else self._undo_taking_up(error))
            await asyncio.shield(undoing)
            raise
        self._hearing.is_ready()
        pid = self._driver.pid
        identity = await asyncio.to_thread(identity_of, pid) if pid is not None else None
        self._observing.note(pid=pid)
        await self._keeping.change(
            handle=self._driver.handle, pid=pid, pid_started=identity.started if identity else None
        )
        for work in (self._prompts.run, self._handing.run, self._watch_end, self._counting.run):
            self._tasks.keep_up(work)

    def _heed_start(self) -> None:
        """What waits for the person while it starts takes the time that it takes; and it can be attached to."""
        self._start_limit.heed(is_waiting=self.observed in (Observed.APPROVAL, Observed.INPUT))
        if self._start_limit.is_running and (handle := self._driver.handle) != self.record.handle:
            self._tasks.spawn(self._keeping.change(handle=handle))

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
            await self._driver.stop(self._place.grace)
        except (DriverError, OSError) as trouble:
            self._notice(f"what was begun of it could not be ended: {trouble}")
        if isinstance(error, asyncio.CancelledError):
            self._stopped_because = self._stopped_because or "stopped before it was ready"
            await self._finish(self._stopped_because, Observed.STOPPED)
        else:
            await self._finish(f"failed: {_told(error)}", Observed.FAILED)

    async def _tell_start(self, within: float | None = None) -> None:
        """Write that it starts. Raises `RegistryError` when that cannot be written within so many seconds."""
        status = self._declaring.status if self._declaring is not None else None
        about = {"role": self.definition.role, "log": self.log, "status": status}
        await self._observing.tell("session_start", within=within, **self.record.told(), **about)

    async def tell_again(self) -> None:
        """The registry is another, or says something else: what is so is told there too."""
        await self._tell_start()
        self._observing.forget_told()

    @property
    def told(self) -> Observed | None:
        """What the registry was told last of its state; None while something is being told."""
        return self._observing.told

    # How it ends

    async def stop(self, grace: float | None = None, reason: str = _STOPPED) -> str:
        """End its program, by force after the grace (seconds; by default its manager's); gives how it ended.

        Cancelled, it ends all the same.
        """
        stopping = asyncio.ensure_future(self._stop(self._place.grace if grace is None else grace, reason))
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
            await self._tasks.end(_PATIENCE)
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self._observing.flush()
            self._outcome = "left"
            self._changes.note()

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
            await self._tasks.end(_PATIENCE)
            self._hearing.ended(state, why)
            if self._is_told:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PATIENCE):
                        await self._counting.count()
                await self._withdraw_left(how)
                self.telling_end = asyncio.create_task(self._tell_end(reason))
                await asyncio.wait({self.telling_end}, timeout=_PATIENCE)
            else:
                await self._keeping.change(ended=reason)
            await asyncio.to_thread(self._place.records.forget_rest, self.record)
            if self.worktree is not None:
                with suppress(WorktreeError):  # it is gone; whoever removes it is told
                    await self._place.worktrees.unlock(self.worktree, self.name)
            self._outcome = how
            self._changes.note()
            self._place.ended(self)

    async def _withdraw_left(self, how: str) -> None:
        try:
            await withdraw_left(self._me, self.run, f"its program ended: {how}")
        except RegistryError as error:
            self._notice(f"what it asked is still open: {error}")

    async def _tell_end(self, reason: str) -> None:
        await self._observing.flush()
        await self._observing.tell("session_end", reason=reason)
        await self._keeping.change(ended=reason)

    def _resume_by(self, told: str) -> None:
        if (found := resume_id(told)) is not None:
            self._observing.note(can_resume=True)
            self._tasks.spawn(self._keeping.change(resume_id=found))

    def _notice(self, text: str) -> None:
        self._place.notice(f"{self.name}: {text}")


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__
