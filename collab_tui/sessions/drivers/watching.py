"""What is seen and heard of a program in a terminal: looked at again and again, until it is gone.

A look that fails ends nothing: only a program that is not there any more is lost.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from collab_tui.model import signals
from collab_tui.model.sessions import Observed
from collab_tui.model.text import clean, one_line
from collab_tui.processes.output import OutputLog
from collab_tui.processes.programs import GRACE
from collab_tui.sessions.driver import DriverError, Launch, Listener, LostError
from collab_tui.sessions.drivers.looks import Look, Patterns, Sign
from collab_tui.sessions.drivers.pane import ROWS, Pane, Seen
from collab_tui.sessions.signals import Signal, Signals
from collab_tui.sessions.terminal_model import Picture

_OFTEN: Final = 0.1
"""Seconds between two looks while something is awaited that comes soon."""
_SOON: Final = 2.0
"""Seconds for which it is looked so often; then only for signals, which cost next to nothing."""
_SIGNALS_TO_A_LOOK: Final = 5
_SELDOM: Final = 1.0
"""Seconds between two looks at a program that rests, or cannot be reached."""
_AT_ONCE: Final = 0.03
SETTLED: Final = 0.5
"""Seconds for which a screen that was busy, and shows a prompt again, has to stay as it is."""
SILENT: Final = 3.0
"""Seconds after which a screen that shows a prompt is believed although no signal said that the turn is over: some
programs tell of no interruption.
"""
_MOST_HEARD: Final = 1000
_WAITS: Final = (signals.ASKS, signals.WAITS)


class Watching:
    """One program in one terminal, as of the last look."""

    def __init__(self, pane: Pane, launch: Launch, listener: Listener) -> None:
        """Raises `DriverError` for a pattern of the definition that is none."""
        self._pane, self._definition, self._listener = pane, launch.definition, listener
        self._patterns = Patterns(launch.definition)
        self._log = OutputLog(launch.log)
        self.signals = Signals(launch.private / f"{launch.run}.signals")
        self.heard: deque[Signal] = deque(maxlen=_MOST_HEARD)
        """What was told since the prompt."""
        self.told = ""
        """The kind of the last signal."""
        self.look: Look | None = None
        self.shown: Sequence[str] = ()
        """The rows down to the composer."""
        self.last_line = ""
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.is_started = False
        self.is_turn = False
        self._picture: Picture | None = None
        self._looking = asyncio.Lock()
        self._looked = asyncio.Condition()
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._changed_at = self._awaited_since = time.monotonic()
        self._empty = ""
        """What stands before the cursor when nothing is typed."""
        self._shows_prompt = False
        """It was seen to show when it takes a prompt, so where it does not it is at work, however quiet."""
        self._was_busy = False
        self._trouble = ""
        """Why the last look failed."""
        self._state: Observed = Observed.STARTING
        self._observed: tuple[Observed, str | None] | None = None

    def begin(self) -> None:
        """Look from now on."""
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self.closed()

    async def closed(self) -> None:
        """Wait until the terminal of a program that ended is gone too."""
        if self._closing is not None:
            await asyncio.wait({self._closing})

    def is_ready_now(self) -> None:
        """It started: what stands before its cursor is no draft."""
        self.is_started = True
        self._empty = self.seen.before_cursor
        self._shows_prompt = self.sign is Sign.READY
        self.observe(Observed.IDLE)

    def begin_turn(self) -> None:
        """It is about to be given a prompt: what was heard before is of no interest."""
        self.heard.clear()
        self.is_turn, self._was_busy = True, False
        self.hurry()

    @property
    def tells_of_work(self) -> bool:
        """Its screen or its signals say when it is at work, so what stands in its composer was not taken."""
        return bool(self._definition.busy or self.told)

    def hurry(self) -> None:
        """Something is awaited now."""
        self._awaited_since = time.monotonic()
        self._hurry.set()

    # Looking

    async def _watch(self) -> None:
        while not self.ended.done():
            try:
                await self.look_now()
            except LostError as error:
                with suppress(LostError):
                    await self._pane.end(GRACE)  # a terminal that is gone may have left its program
                self.end(f"lost: {error}")
            except Exception as error:  # whatever it is, whoever waits is not left alone with it
                self.miss(error)
            await self.tell()
            await self._pause()
        await self.tell()

    async def _pause(self) -> None:
        """Until the next look is due, or a signal came."""
        if self._trouble or not (self.is_turn or not self.is_started):
            await self._hurried(_SELDOM)
            return
        is_soon = time.monotonic() - self._awaited_since < _SOON
        for _ in range(1 if is_soon else _SIGNALS_TO_A_LOOK):
            if await self._hurried(_OFTEN) or self.signals.has_more():
                return

    async def _hurried(self, limit: float) -> bool:
        try:
            async with asyncio.timeout(limit):
                await self._hurry.wait()
        except TimeoutError:
            return False
        self._hurry.clear()
        return True

    async def tell(self) -> None:
        """Whoever waits for what is seen looks at it."""
        async with self._looked:
            self._looked.notify_all()

    async def look_now(self) -> None:
        """Look, and hear what was told meanwhile. Raises `DriverError`."""
        async with self._looking:
            if self._closing is None:
                seen = await self._pane.look()
                self._trouble = ""
                for signal in self.signals.take():
                    self._hear(signal)
                self._judge(seen)
                if seen.ended is not None and not self.ended.done():
                    self._closing = asyncio.create_task(self._close(seen.ended))
        if self._closing is not None:
            await asyncio.shield(self._closing)  # whoever looked may be given up, and its terminal has to go

    async def _close(self, how: str) -> None:
        """It ended, and so does its terminal."""
        self.end(how)
        with suppress(DriverError):
            last = [line for line in await self._pane.lines(ROWS) if line.strip()][-ROWS:]
            self.last_line = last[-1] if last else self.last_line
            self.keep("\n".join(last))
        await self._pane.end(0.0)

    def miss(self, error: Exception) -> None:
        """It cannot be looked at, or touched, now; that is told, and tried again."""
        self._trouble = one_line(clean(str(error))) or type(error).__name__
        self.observe(self._state, f"it cannot be seen: {self._trouble}")

    def _hear(self, signal: Signal) -> None:
        is_over = any(heard.turn == signal.turn != "" for heard in self.heard if heard.kind in signals.ENDS)
        self.heard.append(signal)
        if signal.kind != signals.PROMPTED or not is_over:  # hooks run side by side, and the later may come first
            self.told = signal.kind
        if signal.kind == signals.BEGAN and self._definition.resume is not None and signal.session:
            self._listener.resumable(signal.session)

    def _judge(self, seen: Seen) -> None:
        look = self.look
        if look is None or seen.picture is not self._picture:
            look = self._read(seen.picture)
        self._was_busy = self._was_busy or look.sign is Sign.BUSY
        if seen.ended is not None:
            return
        if look.sign is Sign.DIALOG or (self.told in _WAITS and not self._patterns.know_dialogs):
            is_for_words = self.told == signals.WAITS
            self.observe(Observed.INPUT if is_for_words else Observed.APPROVAL, "it asks in its terminal")
        elif not self.is_started:
            self.observe(Observed.STARTING)
        elif self.is_turn or not self.is_ready:
            self.observe(Observed.WORKING)
        else:
            self.observe(Observed.IDLE)
            if look.sign is Sign.READY:
                self._empty, self._shows_prompt = look.before_cursor, True

    def _read(self, picture: Picture) -> Look:
        """What a picture shows that was not seen before."""
        look = self._patterns.look(picture, self._empty)
        self.look, self._picture = look, picture
        shown = picture.lines[: look.composer + 1]
        if shown != self.shown:
            self.shown, self._changed_at = shown, time.monotonic()
        if look.last and look.last != self.last_line:
            self.last_line = look.last
            self._listener.said(look.last + "\n")
        return look

    def observe(self, state: Observed, why: str | None = None) -> None:
        """Tell of its state, if it is another."""
        self._state = state
        if (state, why) != self._observed and not self.ended.done():
            self._observed = state, why
            self._listener.observed(state, why)

    def keep(self, text: str) -> None:
        """For the log of a terminal that nobody reads byte by byte."""
        if self._pane.handle is not None:
            self._log.append((clean(text) + "\n").encode("utf-8", "replace"))

    def end(self, how: str) -> None:
        """It is gone."""
        if not self.ended.done():
            self.ended.set_result(how)

    # What is seen

    @property
    def seen(self) -> Look:
        """What the screen shows. Raises `LostError` before the first look."""
        if self.look is None:
            raise LostError("it was not started")
        return self.look

    @property
    def sign(self) -> Sign:
        """What the screen says of the program."""
        return self.look.sign if self.look is not None else Sign.NONE

    @property
    def quiet(self) -> float:
        """Seconds for which the screen is as it is."""
        return time.monotonic() - self._changed_at

    @property
    def is_ready(self) -> bool:
        """It takes a prompt, for all that can be seen."""
        if self.look is None or self._trouble or self.sign in (Sign.BUSY, Sign.DIALOG):
            return False
        is_shown = self.sign is Sign.READY
        quiet = self._definition.quiet
        if self.told in (signals.BEGAN, *signals.ENDS):
            return is_shown or self.quiet >= quiet
        if self.told:
            return is_shown and self.quiet >= max(quiet, SILENT)
        if self.is_at_work:
            return False
        return self.quiet >= (min(quiet, SETTLED) if is_shown and (self._was_busy or not self.is_turn) else quiet)

    @property
    def is_at_work(self) -> bool:
        """The screen says so, or shows no prompt, and none with something typed, where it did before."""
        if self.look is None or self.sign is not Sign.NONE:
            return self.sign is Sign.BUSY
        return self._shows_prompt and not self.look.draft

    @property
    def said_last(self) -> str:
        """The end of a sentence that says why it did not start, if anything tells that."""
        if self._trouble:
            return f": {self._trouble[:300]}"
        return f": {one_line(self.last_line)[:300]}" if self.last_line else ""

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until what is seen is so. Raises `LostError`."""
        async with self._looked:
            while not holds():
                if self.ended.done():
                    raise LostError(self.ended.result())
                await self._looked.wait()

    async def within(self, limit: float, holds: Callable[[], bool]) -> bool:
        """Look at once and often; whether it was so within the limit. Raises `DriverError`."""
        deadline = time.monotonic() + limit
        while True:
            await self.look_now()
            if self.ended.done():
                raise LostError(self.ended.result())
            if holds():
                return True
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(_AT_ONCE)
