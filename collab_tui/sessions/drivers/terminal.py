"""Agents in a terminal: looked at like a person would, and prompted by pasting what they ask for.

Where the hooks of the agent's program tell when it takes a prompt and when its turn is over, they are believed, and the
screen has to agree. Elsewhere patterns of the definition and the quiet of the screen tell. A prompt is never pasted
into what a person has begun to type, nor into a dialog, and never a second time.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from collab_tui.model import ours, signals
from collab_tui.model.sessions import Observed
from collab_tui.model.text import clean, one_line
from collab_tui.processes.output import OutputLog
from collab_tui.processes.programs import GRACE
from collab_tui.sessions.driver import Delivery, DriverError, Launch, Listener, LostError, Reply, ReplyStatus
from collab_tui.sessions.drivers.looks import Look, Patterns, Sign
from collab_tui.sessions.drivers.pane import ROWS, Key, Pane, Seen
from collab_tui.sessions.drivers.shown import harmless, reply_in
from collab_tui.sessions.signals import Signal, Signals

_OFTEN: Final = 0.1
"""Seconds between two looks while something is awaited."""
_SELDOM: Final = 1.0
"""Seconds between two looks at a program that rests."""
_AT_ONCE: Final = 0.03
_SETTLED: Final = 0.5
"""Seconds for which a screen that was busy, and shows a prompt again, has to stay as it is."""
_SILENT: Final = 3.0
"""Seconds after which a screen that shows a prompt is believed although no signal said that the turn is over: some
programs tell of no interruption.
"""
_STANDS: Final = 0.15
"""Seconds until what was pasted has to stand in the composer, else Enter is pressed all the same."""
_VERIFIED: Final = 3.0
"""Seconds until an Enter has to be seen to have been taken."""
_TAIL: Final = 40
"""Characters by which the end of a prompt is known again."""
_MOST_HEARD: Final = 1000
_LONGEST_REPLY: Final = 1 << 20


def terminal_pane(launch: Launch) -> Pane:
    """A terminal for a session: tmux, or without it one of our own."""
    from collab_tui.sessions.drivers import tmux

    if launch.handle is not None or tmux.is_there(os.environ):
        return tmux.TmuxPane(launch)
    from collab_tui.sessions.drivers.pty import PtyPane

    return PtyPane(launch)


class TerminalDriver:
    """One agent in one terminal."""

    def __init__(self, launch: Launch, listener: Listener, pane: Callable[[Launch], Pane] = terminal_pane) -> None:
        self._launch, self._listener = launch, listener
        self._patterns = Patterns(launch.definition)
        self._pane = pane(launch)
        self._log = OutputLog(launch.log)
        self._signals = Signals(launch.private / f"{launch.run}.signals")
        self._heard: deque[Signal] = deque(maxlen=_MOST_HEARD)
        """What was told since the prompt."""
        self._told = ""
        """The kind of the last signal."""
        self._looking = asyncio.Lock()
        self._looked = asyncio.Condition()
        self._hurry = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._giving_up: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._look: Look | None = None
        self._shown: Sequence[str] = ()
        self._changed_at = time.monotonic()
        self._empty = ""
        """What stands before the cursor when nothing is typed."""
        self._is_started = self._is_turn = self._was_busy = self._is_interrupted = False
        self._state: tuple[Observed, str | None] | None = None
        self._last_line = ""

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._pane.pid

    @property
    def handle(self) -> Mapping[str, Any] | None:
        """By what a later monitor finds its terminal again; None: it has none that outlives us."""
        return self._pane.handle

    async def start(self) -> None:
        """Start it, and wait until it shows that it takes a prompt; a dialog that a person has to answer first takes
        the time that it takes.
        """
        if self._launch.handle is not None:
            await self._pane.take_up(self._launch.handle)
            self._is_started = True
            await self._look_now()
            self._watching = asyncio.create_task(self._watch())
            return
        self._observe(Observed.STARTING)
        environment = {**self._launch.environment, ours.SIGNALS: str(self._signals.path)}
        try:
            await self._pane.open(self._arguments(), environment)
            self._watching = asyncio.create_task(self._watch())
            await self._until_ready(self._launch.definition.start_limit)
        except BaseException as error:
            ended = await self.stop(GRACE if isinstance(error, Exception) else 0.0)
            if isinstance(error, LostError):
                raise DriverError(f"{self._name} ended at its start ({ended}){self._said_last}") from None
            raise

    async def prompt(self, text: str) -> Reply:
        """Give it a prompt once it takes one, and wait until its turn is over."""
        began = time.monotonic()
        try:
            return await self._turn(text, began)
        except LostError as error:
            delivery = Delivery.UNVERIFIED if self._is_turn else Delivery.NOT_SUBMITTED
            return _reply(ReplyStatus.LOST, began, delivery, f"the program ended before the turn did: {error}")
        except asyncio.CancelledError:
            self._giving_up = asyncio.create_task(self._give_up())
            raise
        finally:
            self._is_turn = False

    async def interrupt(self) -> None:
        """Press what ends a turn: Escape where the screen says so, else ctrl+c."""
        if self._ended.done() or not (self._is_turn or self._sign is Sign.BUSY):
            return
        self._is_interrupted = True
        is_escape = any("esc" in pattern.casefold() for pattern in self._launch.definition.busy)
        with suppress(LostError):  # so is the turn
            await self._pane.press(Key.ESCAPE if is_escape else Key.INTERRUPT)

    async def stop(self, grace: float) -> str:
        """End the program and its terminal."""
        await self._stop_watching()
        if not self._ended.done():
            try:
                self._end(await self._pane.end(grace))
            except LostError as error:
                self._end(f"lost: {error}")
        await self._tell()
        with suppress(OSError):
            self._signals.path.unlink(missing_ok=True)
        return self._ended.result()

    async def leave(self) -> None:
        """Let go of the program."""
        await self._stop_watching()

    async def wait(self) -> str:
        """Wait until it is gone."""
        return await asyncio.shield(self._ended)

    # Starting

    @property
    def _name(self) -> str:
        return self._launch.definition.name

    def _arguments(self) -> list[str]:
        definition = self._launch.definition
        program, *rest = definition.command
        path = shutil.which(program, path=self._launch.environment.get("PATH"))
        if path is None:
            raise DriverError(f"{self._name}: there is no program {program} in PATH")
        if not self._launch.folder.is_dir():
            raise DriverError(f"{self._launch.folder} is no folder")
        words = [os.path.abspath(path), *rest, *definition.model]
        if self._launch.is_read_only:
            if definition.read_only is None:
                raise DriverError(f"{self._name} has no mode in which it changes nothing")
            words += definition.read_only
        if self._launch.resume_id is not None and definition.resume is not None:
            words += [word.replace("{id}", self._launch.resume_id) for word in definition.resume]
        return words + self._hooks(Path(path).stem)

    def _hooks(self, program: str) -> list[str]:
        """Arguments by which the program runs our hooks in this session, connected or not."""
        if program != "claude":
            return []
        import json

        from collab_tui.protocol.hook_entries import Call, as_json, claude_entries
        from collab_tui.protocol.installed import program as our_program
        from collab_tui.registry.append import UnusableError

        path = self._launch.private / "settings.json"
        try:
            settings = json.dumps({"hooks": as_json(claude_entries(Call(our_program())))}, indent=2)
            path.write_text(settings, encoding="utf-8")
        except (OSError, UnusableError) as error:
            raise DriverError(f"cannot give {self._name} our hooks: {error}") from None
        return ["--settings", str(path)]

    async def _until_ready(self, limit: float) -> None:
        """Wait until it takes a prompt. Raises `DriverError` when that takes too long; dialogs do not count."""
        left = limit
        while True:
            began = time.monotonic()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(left, _OFTEN)):
                    await self._until(lambda: self._is_ready or self._sign is Sign.DIALOG)
            if self._is_ready:
                self._is_started = True
                self._empty = self._seen_look.before_cursor
                self._observe(Observed.IDLE)
                return
            if self._sign is Sign.DIALOG:
                await self._until(lambda: self._sign is not Sign.DIALOG)
                continue
            left -= time.monotonic() - began
            if left <= 0:
                raise DriverError(f"{self._name} shows no prompt within {limit:g} s{self._said_last}")

    # Looking

    async def _watch(self) -> None:
        """Look again and again until it is gone."""
        while not self._ended.done():
            try:
                await self._look_now()
            except LostError as error:
                self._end(f"lost: {error}")
            await self._tell()
            is_awaited = self._is_turn or not self._is_started
            with suppress(TimeoutError):
                async with asyncio.timeout(_OFTEN if is_awaited else _SELDOM):
                    await self._hurry.wait()
            self._hurry.clear()
        await self._tell()

    async def _tell(self) -> None:
        """Whoever waits for what is seen looks at it."""
        async with self._looked:
            self._looked.notify_all()

    async def _stop_watching(self) -> None:
        for task in (self._watching, self._giving_up):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})

    async def _look_now(self) -> None:
        async with self._looking:
            seen = await self._pane.look()
            for signal in self._signals.take():
                self._hear(signal)
            self._judge(seen)
        if seen.ended is not None and not self._ended.done():
            self._end(seen.ended)
            with suppress(LostError):
                self._see_last([line for line in await self._pane.lines(ROWS) if line.strip()])
            await self._pane.end(0.0)

    def _see_last(self, lines: Sequence[str]) -> None:
        """What stood in its terminal when it ended."""
        self._last_line = lines[-1] if lines else self._last_line
        self._keep("\n".join(lines[-ROWS:]))

    def _hear(self, signal: Signal) -> None:
        is_over = any(heard.turn == signal.turn != "" for heard in self._heard if heard.kind in signals.ENDS)
        self._heard.append(signal)
        if signal.kind != signals.PROMPTED or not is_over:  # hooks run side by side, and the later may come first
            self._told = signal.kind
        if signal.kind == signals.BEGAN and self._launch.definition.resume is not None and signal.session:
            self._listener.resumable(signal.session)

    def _judge(self, seen: Seen) -> None:
        look = self._look = self._patterns.look(seen.picture, self._empty)
        lines = seen.picture.lines
        shown = lines[: look.composer + 1]
        if shown != self._shown:
            self._shown, self._changed_at = shown, time.monotonic()
        self._was_busy = self._was_busy or look.sign is Sign.BUSY
        if look.last and look.last != self._last_line:
            self._last_line = look.last
            self._listener.said(look.last + "\n")
        if seen.ended is not None:
            return
        if look.sign is Sign.DIALOG or (self._told in _WAITS and not self._patterns.know_dialogs):
            is_for_words = self._told == signals.WAITS
            self._observe(Observed.INPUT if is_for_words else Observed.APPROVAL, "it asks in its terminal")
        elif not self._is_started:
            self._observe(Observed.STARTING)
        elif self._is_turn or not self._is_ready:
            self._observe(Observed.WORKING)
        else:
            self._observe(Observed.IDLE)
            if look.sign is Sign.READY:
                self._empty = look.before_cursor

    @property
    def _sign(self) -> Sign:
        return self._look.sign if self._look is not None else Sign.NONE

    @property
    def _quiet(self) -> float:
        """Seconds for which the screen is as it is."""
        return time.monotonic() - self._changed_at

    @property
    def _is_ready(self) -> bool:
        """It takes a prompt, for all that can be seen."""
        if self._look is None or self._sign in (Sign.BUSY, Sign.DIALOG):
            return False
        is_shown = self._sign is Sign.READY
        quiet = self._launch.definition.quiet
        if self._told in (signals.BEGAN, *signals.ENDS):
            return is_shown or self._quiet >= quiet
        if self._told:
            return is_shown and self._quiet >= max(quiet, _SILENT)
        return self._quiet >= (min(quiet, _SETTLED) if is_shown and (self._was_busy or not self._is_turn) else quiet)

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait until what is seen is so. Raises `LostError`."""
        async with self._looked:
            while not holds():
                if self._ended.done():
                    raise LostError(self._ended.result())
                await self._looked.wait()

    async def _within(self, limit: float, holds: Callable[[], bool]) -> bool:
        """Look at once and often; whether it was so within the limit."""
        deadline = time.monotonic() + limit
        while True:
            await self._look_now()
            if self._ended.done():
                raise LostError(self._ended.result())
            if holds():
                return True
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(_AT_ONCE)

    def _observe(self, state: Observed, why: str | None = None) -> None:
        if (state, why) != self._state and not self._ended.done():
            self._state = state, why
            self._listener.observed(state, why)

    @property
    def _said_last(self) -> str:
        return f": {one_line(self._last_line)[:300]}" if self._last_line else ""

    def _keep(self, text: str) -> None:
        """For the log of a terminal that nobody reads byte by byte."""
        if self.handle is not None:
            self._log.append((clean(text) + "\n").encode("utf-8", "replace"))

    def _end(self, ended: str) -> None:
        if not self._ended.done():
            self._ended.set_result(ended)

    # A turn

    async def _turn(self, text: str, began: float) -> Reply:
        text = harmless(text)
        if why := await self._hindrance(text):
            return _reply(ReplyStatus.NOT_SUBMITTED, began, Delivery.NOT_SUBMITTED, why)
        look = self._seen_look
        before = await self._pane.lines(look.body)
        self._heard.clear()
        self._is_turn, self._was_busy, self._is_interrupted = True, False, False
        self._hurry.set()
        self._keep("\n> " + text.replace("\n", "\n> "))
        delivery, why = await self._deliver(text, look)
        if delivery is Delivery.NOT_SUBMITTED:
            return _reply(ReplyStatus.NOT_SUBMITTED, began, delivery, why)
        self._observe(Observed.WORKING)
        submitted_at = time.monotonic()
        await self._until(lambda: self._is_over(text, submitted_at))
        status, shown = await self._outcome(text, before)
        self._is_turn = False
        self._observe(Observed.IDLE)
        self._keep(shown)
        return Reply(shown[-_LONGEST_REPLY:], status, time.monotonic() - began, delivery, why)

    @property
    def _seen_look(self) -> Look:
        if self._look is None:
            raise LostError("it was not started")
        return self._look

    async def _hindrance(self, text: str) -> str:
        """Why this prompt cannot be given now; waits until the program is ready."""
        if not text.strip():
            return "nothing is left of it that could be typed"
        limit = self._launch.definition.start_limit
        deadline = time.monotonic() + limit
        self._hurry.set()
        await self._look_now()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._until(lambda: self._is_ready or self._sign is Sign.DIALOG)
            await self._look_now()  # a person may have begun to type since the last look
            if self._sign is Sign.DIALOG:
                return "a dialog is open in its terminal"
            if self._seen_look.draft:
                return "somebody has begun to type in its terminal"
            if self._is_ready:
                return ""
            if time.monotonic() >= deadline:
                return f"it takes no prompt for {limit:g} s"

    async def _deliver(self, text: str, empty: Look) -> tuple[Delivery, str]:
        """Paste, press Enter, and see that it was taken. The prompt is never pasted twice."""
        times = self._times(text)
        await self._pane.paste(text)
        await self._within(_STANDS, lambda: _typed_in(self._seen_look, empty))
        stood = self._seen_look
        is_seen = _typed_in(stood, empty)
        for is_last in (False, True):
            await self._pane.press(Key.ENTER)
            if await self._within(_VERIFIED, lambda: self._is_taken(text, stood, empty)):
                return Delivery.SUBMITTED, ""
            if self._is_gone(stood, empty) and is_seen:
                if any(signal.kind == signals.PROMPTED for signal in self._heard):
                    return Delivery.UNVERIFIED, "its hooks tell of another prompt"
                return Delivery.SUBMITTED, ""
            if self._times(text) > times and not self._seen_look.draft:
                return Delivery.SUBMITTED, ""  # it was slow to show what is typed
            if not is_seen:
                return Delivery.UNVERIFIED, "its screen shows nothing of what is typed"
            if is_last:
                break
        return Delivery.NOT_SUBMITTED, "the prompt stands in its composer, and Enter does not send it"

    def _times(self, text: str) -> int:
        """How often the end of a prompt is to be read above the composer."""
        return "".join("".join(line.split()) for line in self._shown[:-1]).count("".join(text.split())[-_TAIL:])

    def _is_taken(self, text: str, stood: Look, empty: Look) -> bool:
        """The program says so, or, if it never says anything, its screen."""
        wanted = signals.digest(text)
        if any(signal.kind == signals.PROMPTED and signal.digest == wanted for signal in self._heard):
            return True
        is_typed = _typed_in(stood, empty)
        return not self._told and ((is_typed and self._is_gone(stood, empty)) or self._sign is Sign.BUSY)

    def _is_gone(self, stood: Look, empty: Look) -> bool:
        """What stood in the composer does not any more."""
        now = self._seen_look
        if now.sign in (Sign.BUSY, Sign.DIALOG) and stood.sign is not now.sign:
            return True
        if stood.draft:
            return now.draft != stood.draft
        return (now.composer, now.before_cursor) != (stood.composer, stood.before_cursor)

    def _is_over(self, text: str, submitted_at: float) -> bool:
        """The turn of this prompt is over."""
        end = self._own_end(text)
        if end is not None:
            return self._sign is Sign.READY or self._quiet >= max(self._launch.definition.quiet, _SILENT)
        is_settled = time.monotonic() - submitted_at >= min(self._launch.definition.quiet, _SETTLED)
        return is_settled and self._is_ready

    def _own_end(self, text: str) -> Signal | None:
        """The signal that this turn is over. Hooks run side by side, so it may come before that of its beginning."""
        wanted = signals.digest(text)
        turns = {signal.turn for signal in self._heard if signal.kind == signals.PROMPTED and signal.digest == wanted}
        ends = [signal for signal in self._heard if signal.kind in signals.ENDS]
        return next((signal for signal in ends if not signal.turn or signal.turn in turns), None) if turns else None

    async def _outcome(self, text: str, before: Sequence[str]) -> tuple[ReplyStatus, str]:
        end = self._own_end(text)
        status = ReplyStatus.INTERRUPTED if self._is_interrupted else ReplyStatus.DONE
        if end is not None and end.kind == signals.BROKE:
            return ReplyStatus.FAILED, end.text
        if end is not None and end.kind == signals.STOPPED and end.text:
            return status, end.text
        return status, reply_in(before, await self._pane.lines(self._seen_look.body), text)

    async def _give_up(self) -> None:
        """End the turn that nobody waits for; the next prompt waits until the screen says that it is over."""
        self._is_turn = True
        try:
            await self.interrupt()
        finally:
            self._is_turn = False


_WAITS: Final = (signals.ASKS, signals.WAITS)


def _typed_in(look: Look, empty: Look) -> bool:
    """Something stands in the composer that did not before."""
    if look.draft != empty.draft:
        return True
    return (look.composer, look.before_cursor) != (empty.composer, empty.before_cursor)


def _reply(status: ReplyStatus, began: float, delivery: Delivery, why: str) -> Reply:
    return Reply("", status, time.monotonic() - began, delivery, why)
