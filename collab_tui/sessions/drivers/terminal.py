"""Agents in a terminal: looked at like a person would, and prompted by pasting what they ask for.

Where the hooks of the agent's program tell when it takes a prompt and when its turn is over, they are believed, and the
screen has to agree. Elsewhere patterns of the definition and the quiet of the screen tell.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from collab_tui.model import ours, signals
from collab_tui.model.sessions import Observed
from collab_tui.processes.programs import GRACE
from collab_tui.sessions.driver import Delivery, DriverError, Launch, Listener, LostError, Reply, ReplyStatus
from collab_tui.sessions.drivers.delivering import Delivering, hindrance
from collab_tui.sessions.drivers.looks import Sign
from collab_tui.sessions.drivers.pane import Key, Pane
from collab_tui.sessions.drivers.shown import harmless, in_one_line, reply_in
from collab_tui.sessions.drivers.terminal_arguments import arguments
from collab_tui.sessions.drivers.watching import SETTLED, SILENT, Watching
from collab_tui.sessions.signals import Signal

_LEAST_START: Final = 0.1
"""Seconds that a program has at least, after a dialog, to show that it takes a prompt."""
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
        self._pane = pane(launch)
        self._watching = Watching(self._pane, launch, listener)
        self._delivering = asyncio.Lock()
        self._delivery = Delivery.NOT_SUBMITTED
        """Of the prompt of the turn that runs."""
        self._giving_up: asyncio.Task[None] | None = None
        self._is_interrupted = False
        self._is_left = False

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._pane.pid

    @property
    def handle(self) -> Mapping[str, Any] | None:
        """By what a later monitor finds its terminal again, known before it is started; None: it has none that
        outlives us.
        """
        return self._pane.handle

    async def start(self) -> None:
        """Start it, and wait until it shows that it takes a prompt; a dialog that a person has to answer first takes
        the time that it takes.
        """
        watching = self._watching
        if self._launch.handle is not None:
            await self._pane.take_up(self._launch.handle)
            watching.is_started = True
            await watching.look_now()
            watching.begin()
            return
        watching.observe(Observed.STARTING)
        environment = {**self._launch.environment, ours.SIGNALS: str(watching.signals.path)}
        try:
            await self._pane.open(arguments(self._launch), environment)
            watching.begin()
            await self._until_ready(self._launch.definition.start_limit)
        except BaseException as error:
            ended = await self.stop(GRACE if isinstance(error, Exception) else 0.0)
            if isinstance(error, LostError):
                raise DriverError(f"{self._name} ended at its start ({ended}){watching.said_last}") from None
            raise

    async def prompt(self, text: str) -> Reply:
        """Give it a prompt once it takes one, and wait until its turn is over."""
        began = time.monotonic()
        self._delivery = Delivery.NOT_SUBMITTED
        try:
            return await self._turn(text, began)
        except LostError as error:
            return self._failed(ReplyStatus.LOST, began, f"the program ended before the turn did: {error}")
        except DriverError as error:
            is_given = self._delivery is not Delivery.NOT_SUBMITTED
            return self._failed(ReplyStatus.FAILED if is_given else ReplyStatus.NOT_SUBMITTED, began, str(error))
        except asyncio.CancelledError:
            if not self._is_left and self._delivery is not Delivery.NOT_SUBMITTED:
                self._giving_up = asyncio.create_task(self._give_up())
            raise
        finally:
            self._watching.is_turn = False

    async def interrupt(self) -> None:
        """Press what ends a turn: Escape where the screen says so, else ctrl+c."""
        watching = self._watching
        if self._is_left or watching.ended.done() or not (watching.is_turn or watching.is_at_work):
            return
        self._is_interrupted = True
        is_escape = any("esc" in pattern.casefold() for pattern in self._launch.definition.busy)
        with suppress(LostError):  # so is the turn
            await self._pane.press(Key.ESCAPE if is_escape else Key.INTERRUPT)

    async def stop(self, grace: float) -> str:
        """End the program and its terminal."""
        await self._stop_watching()
        if not self._watching.ended.done():
            try:
                self._watching.end(await self._pane.end(grace))
            except LostError as error:
                self._watching.end(f"lost: {error}")
        await self._watching.closed()
        await self._watching.tell()
        for path in self._watching.signals.paths:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        return self._watching.ended.result()

    async def leave(self) -> None:
        """Let go of the program, and of a prompt that is being typed once it is; a turn of it goes on."""
        self._is_left = True
        async with self._delivering:
            await self._stop_watching()

    async def wait(self) -> str:
        """Wait until it is gone."""
        how = await asyncio.shield(self._watching.ended)
        await self._watching.closed()
        return how

    async def _stop_watching(self) -> None:
        await self._watching.stop()
        if self._giving_up is not None:
            self._giving_up.cancel()
            await asyncio.wait({self._giving_up})

    # Starting

    @property
    def _name(self) -> str:
        return self._launch.definition.name

    async def _until_ready(self, limit: float) -> None:
        """Wait until it takes a prompt. Raises `DriverError` when that takes too long; dialogs do not count."""
        watching, left = self._watching, limit
        while True:
            began = time.monotonic()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(left, _LEAST_START)):
                    await watching.until(lambda: watching.is_ready or watching.sign is Sign.DIALOG)
            if watching.is_ready:
                watching.is_ready_now()
                return
            if watching.sign is Sign.DIALOG:
                await watching.until(lambda: watching.sign is not Sign.DIALOG)
                continue
            left -= time.monotonic() - began
            if left <= 0:
                raise DriverError(f"{self._name} shows no prompt within {limit:g} s{watching.said_last}")

    # A turn

    async def _turn(self, text: str, began: float) -> Reply:
        text, watching = harmless(text), self._watching
        if not text.strip():
            return self._failed(ReplyStatus.NOT_SUBMITTED, began, "nothing is left of it that could be typed")
        if why := await hindrance(watching, self._launch.definition.start_limit):
            return self._failed(ReplyStatus.NOT_SUBMITTED, began, why)
        if not self._takes_lines:
            text = in_one_line(text)
        before = await self._pane.lines(watching.seen.body)
        async with self._delivering:
            if self._is_left:
                return self._failed(ReplyStatus.NOT_SUBMITTED, began, "its monitor ended, and it runs on")
            watching.begin_turn()
            self._is_interrupted, self._delivery = False, Delivery.UNVERIFIED
            watching.keep("\n> " + text.replace("\n", "\n> "))
            self._delivery, why = await Delivering(self._pane, watching, text).deliver()
        if self._delivery is Delivery.NOT_SUBMITTED:
            return self._failed(ReplyStatus.NOT_SUBMITTED, began, why)
        if self._delivery is Delivery.SUBMITTED:
            self._listener.submitted()
        watching.observe(Observed.WORKING)
        submitted_at = time.monotonic()
        await watching.until(lambda: self._is_over(text, submitted_at))
        status, shown = await self._outcome(text, before)
        watching.is_turn = False
        watching.observe(Observed.IDLE)
        watching.keep(shown)
        return Reply(shown[-_LONGEST_REPLY:], status, time.monotonic() - began, self._delivery, why)

    @property
    def _takes_lines(self) -> bool:
        """A prompt of several lines arrives as one."""
        told = self._pane.takes_lines
        return self._launch.definition.is_multiline if told is None else told

    def _is_over(self, text: str, submitted_at: float) -> bool:
        """The turn of this prompt is over."""
        watching, quiet = self._watching, self._launch.definition.quiet
        if self._own_end(text) is not None:
            return watching.sign is Sign.READY or watching.quiet >= max(quiet, SILENT)
        return time.monotonic() - submitted_at >= min(quiet, SETTLED) and watching.is_ready

    def _own_end(self, text: str) -> Signal | None:
        """The signal that this turn is over. Hooks run side by side, so it may come before that of its beginning."""
        heard, wanted = self._watching.heard, signals.digest(text)
        turns = {signal.turn for signal in heard if signal.kind == signals.PROMPTED and signal.digest == wanted}
        ends = [signal for signal in heard if signal.kind in signals.ENDS]
        return next((signal for signal in ends if not signal.turn or signal.turn in turns), None) if turns else None

    async def _outcome(self, text: str, before: Sequence[str]) -> tuple[ReplyStatus, str]:
        end = self._own_end(text)
        status = ReplyStatus.INTERRUPTED if self._is_interrupted else ReplyStatus.DONE
        if end is not None and end.kind == signals.BROKE:
            return ReplyStatus.FAILED, end.text
        if end is not None and end.kind == signals.STOPPED and end.text:
            return status, end.text
        return status, reply_in(before, await self._pane.lines(self._watching.seen.body), text)

    async def _give_up(self) -> None:
        """End the turn that nobody waits for; the next prompt waits until the screen says that it is over."""
        self._watching.is_turn = True
        try:
            await self.interrupt()
        except Exception as error:  # then it goes on, and that is to be seen
            self._watching.miss(error)
        finally:
            self._watching.is_turn = False

    def _failed(self, status: ReplyStatus, began: float, why: str) -> Reply:
        return Reply("", status, time.monotonic() - began, self._delivery, why)
