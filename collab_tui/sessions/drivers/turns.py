"""What the drivers have in common whose programs tell over their pipes when a turn ends.

One turn at a time. One that was interrupted or given up has to end, as its program tells, before the next begins; so
nothing of it can be taken for the reply to another prompt.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from collab_tui.config.settings import ToolInput
from collab_tui.model.board import RequestKind
from collab_tui.model.sessions import Observed
from collab_tui.model.text import clean, one_line
from collab_tui.model.tool_lines import told as told_of
from collab_tui.processes.child import Child, StartError
from collab_tui.processes.output import OutputLog, OutputWriter
from collab_tui.processes.programs import GRACE
from collab_tui.sessions.driver import (
    Delivery,
    DriverError,
    Launch,
    Listener,
    LostError,
    Question,
    QuestionAnswer,
    Reply,
    ReplyStatus,
)
from collab_tui.sessions.drivers.json_lines import GoneError, JsonLines

LONGEST_REPLY: Final = 1 << 20
"""Characters of a reply, the last ones."""
_MOST_ASKED: Final = 16
"""Questions of one program that wait for the person at one time; one more is not asked."""
_LAST: Final = 4000
"""Bytes of what it printed that are looked through for its last line."""
MOST_SAID: Final = 4000
"""Characters of a piece that whoever watches is told of, the last ones: its last line is shown."""
_LAST_LINES: Final = 3
_LONGEST_WHY: Final = 400
NOT_ASKED: Final = 'Nothing is asked on the board: `[hooks] tool_input` is "off".'
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


class TurnDriver(ABC):
    """A driver but for the words of its protocol. A subclass says how a conversation begins and a turn is made."""

    def __init__(self, launch: Launch, listener: Listener) -> None:
        self._launch = launch
        self._listener = listener
        self._log = OutputWriter(launch.log)
        self._child: Child | None = None
        self._turn: asyncio.Task[Reply] | None = None
        """The last one: it may go on after whoever waited for it gave up."""
        self._stuck = ""
        """Why no further prompt can be given."""
        self._missed = ""
        """Why something that was told in the turn that runs was not read."""
        self._is_working = False
        self._is_over = False
        """Nothing is seen of it any more: whoever waits for its end says how that came."""
        self._errors = OutputLog(launch.private / "errors.log")
        """What it prints beside its protocol: where it ends too soon, the last line says why."""
        self._asked: dict[asyncio.Task[QuestionAnswer | None], RequestKind] = {}
        self._state: tuple[Observed, str | None] | None = None
        self._giving_up: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[str] | None = None

    # What a subclass says

    @abstractmethod
    def _arguments(self) -> Sequence[str]:
        """The program and its arguments. Raises `DriverError`."""

    def _environment(self) -> Mapping[str, str]:
        """All that it gets."""
        return self._launch.environment

    @abstractmethod
    async def _begin(self, lines: JsonLines) -> None:
        """Open the conversation. Raises `DriverError`, `GoneError`."""

    @abstractmethod
    async def _carry_out(self, text: str) -> Reply:
        """One turn, to its end as the program tells it; its duration is filled in here. Raises `GoneError`."""

    @abstractmethod
    async def _interrupt(self) -> None:
        """Ask the program to end the turn that runs. Raises `DriverError`, `GoneError`."""

    @abstractmethod
    async def _close(self) -> None:
        """Stop listening to it."""

    # What every driver has

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._child.pid if self._child is not None else None

    @property
    def handle(self) -> Mapping[str, Any] | None:
        """None: nobody else can talk to its pipes."""
        return None

    async def start(self) -> None:
        """Start it and open its conversation."""
        if self._launch.handle is not None:
            raise LostError("its program ended with the monitor that had started it")
        arguments, limit = self._arguments(), self._launch.definition.start_limit
        self._observe(Observed.STARTING)
        self._errors.path.unlink(missing_ok=True)
        try:
            async with asyncio.timeout(limit):
                self._child = await Child.start(
                    arguments,
                    environment=self._environment(),
                    folder=self._launch.folder,
                    error_log=self._errors.path,
                )
                await self._begin(JsonLines(self._child, self._beside, self._miss))
        except BaseException as error:
            told = await self.stop(GRACE if isinstance(error, Exception) else 0.0)
            match error:
                case StartError():
                    raise DriverError(f"cannot start {self._name}: {error}") from None
                case TimeoutError():
                    raise DriverError(f"{self._name} was not ready within {limit:g} s{self._said_last()}") from None
                case GoneError():
                    raise DriverError(f"{self._name} ended at its start ({told}){self._said_last()}") from None
                case _:
                    raise
        self._observe(Observed.IDLE)

    async def prompt(self, text: str) -> Reply:
        """One turn."""
        began = time.monotonic()
        if why := await self._hindrance():
            took = time.monotonic() - began
            return Reply("", ReplyStatus.NOT_SUBMITTED, took, Delivery.NOT_SUBMITTED, why)
        self._turn = turn = asyncio.create_task(self._whole_turn(text, began))
        try:
            reply = await asyncio.shield(turn)
        except asyncio.CancelledError:
            if not turn.done():
                self._giving_up = asyncio.create_task(self._give_up())
            raise
        await self._log.written()
        return reply

    async def interrupt(self) -> None:
        """End the turn that runs."""
        if self._turn is None or self._turn.done():
            return
        try:
            async with asyncio.timeout(self._launch.definition.start_limit):
                await asyncio.sleep(0)  # a turn that was only just made has begun now
                await self._interrupt()
        except TimeoutError:
            raise DriverError(f"{self._name} does not answer to being interrupted") from None
        except GoneError:
            return  # so is the turn

    async def stop(self, grace: float) -> str:
        """End the program."""
        self._is_over = True
        self._withdraw()
        if self._child is None:
            return "exit 0"
        told = await self._child.end(grace)
        await self._close()
        await _end_all({task for task in (self._turn, self._giving_up, self._ending) if task is not None})
        await self._log.written()
        return told

    async def wait(self) -> str:
        """Wait until it is gone."""
        return await self._child.wait() if self._child is not None else "lost: it was not started"

    # What subclasses use

    @property
    def _name(self) -> str:
        return self._launch.definition.name

    def _observe(self, state: Observed, why: str | None = None) -> None:
        """What is seen of it; a question that waits for the person comes before all else."""
        if self._asked:
            kinds = self._asked.values()
            state, why = (Observed.APPROVAL if RequestKind.APPROVAL in kinds else Observed.INPUT), None
        if (state, why) != self._state and not self._is_over:
            self._state = state, why
            self._listener.observed(state, why)

    def _observe_turn(self) -> None:
        """It works or not, for all that we know."""
        self._observe(Observed.WORKING if self._is_working else Observed.IDLE)

    def _say(self, text: str) -> None:
        """A piece of what it shows, for whoever watches and for its log."""
        text = clean(text)
        self._listener.said(text[-MOST_SAID:])
        self._log.append(text.encode("utf-8", "replace"))

    def _say_use(self, tool: str, given: object) -> None:
        """It uses a tool: as much of that as is to be recorded."""
        if line := told_of(tool, given, str(self._launch.folder), self._launch.tool_input):
            self._say(f"* {line}\n")

    @property
    def _is_asking(self) -> bool:
        """The person is asked on the board."""
        return self._launch.tool_input != ToolInput.OFF

    @property
    def _is_part_shown(self) -> bool:
        """Of what it is to be allowed to write, the person is shown a part."""
        return self._launch.tool_input == ToolInput.SUMMARY

    async def _ask(self, question: Question) -> QuestionAnswer | None:
        """The person's answer; None where it was not asked, or nobody answers. Cancelled: it is withdrawn."""
        if len(self._asked) >= _MOST_ASKED:
            return None
        task = asyncio.create_task(self._listener.ask(question))
        self._asked[task] = question.kind
        self._observe_turn()
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is None or current.cancelling():
                raise
            return None  # only the question was withdrawn
        finally:
            del self._asked[task]
            self._observe_turn()

    def _withdraw(self) -> None:
        """Take back every question that waits."""
        for task in self._asked:
            task.cancel()

    def _end_soon(self) -> None:
        """End the program at once: it does what it must not."""
        if self._child is not None and self._ending is None:
            self._ending = asyncio.create_task(self._child.end(0.0))

    # The turns

    async def _hindrance(self) -> str:
        """Why no prompt can be given now; waits for the turn before, that was given up, to end."""
        if self._child is None:
            return "it was not started"
        if self._turn is not None and not self._turn.done():
            limit = self._launch.definition.start_limit
            await asyncio.wait({self._turn}, timeout=limit)
            if not self._turn.done():
                return f"the turn before was interrupted, and did not end within {limit:g} s"
        return self._stuck

    async def _whole_turn(self, text: str, began: float) -> Reply:
        self._is_working = True
        self._observe_turn()
        self._log.append(f"\n> {clean(text).replace(chr(10), chr(10) + '> ')}\n".encode("utf-8", "replace"))
        try:
            reply = await self._carry_out(text)
        except GoneError:
            reply = Reply("", ReplyStatus.LOST, 0.0, Delivery.UNVERIFIED, await self._lost())
        except asyncio.CancelledError:  # it went on after its program was ended
            reply = Reply("", ReplyStatus.LOST, 0.0, Delivery.UNVERIFIED, "it was stopped")
        if self._missed:
            reply = replace(reply, status=ReplyStatus.FAILED, reason=self._missed)
        if self._giving_up is not None:
            self._giving_up.cancel()
        self._is_working, self._missed = False, ""
        self._withdraw()
        self._observe_turn()
        return replace(reply, text=clean(reply.text[-LONGEST_REPLY:]), duration=time.monotonic() - began)

    def _miss(self, why: str) -> None:
        """A message was not read. It may be what the turn waits for, an end or a question: so the turn is ended."""
        self._beside(f"[{why}]")
        if self._is_working and not self._missed:
            self._missed = why
            self._giving_up = asyncio.create_task(self._give_up_or_end())

    async def _lost(self) -> str:
        """It ended, or closed the pipes by which it is talked to; then nothing is left but to end it."""
        self._is_over = True
        ended = await self._child.end(GRACE) if self._child is not None else ""
        self._stuck = self._stuck or f"the program is gone ({ended})"
        return f"the program ended before the turn did: {ended}{self._said_last()}"

    async def _give_up(self) -> None:
        with suppress(DriverError):  # the next prompt waits for the end of this turn, and is refused without it
            await self.interrupt()

    async def _give_up_or_end(self) -> None:
        await self._give_up()
        if self._turn is not None:
            await asyncio.wait({self._turn}, timeout=GRACE)  # once it ended, this is cancelled
            self._end_soon()

    def _beside(self, line: str) -> None:
        self._errors.append(clean(line).encode("utf-8", "replace") + b"\n")

    def _said_last(self) -> str:
        """The end of a sentence that says why it ended, if its last lines say so."""
        try:
            with self._errors.path.open("rb") as file:
                file.seek(-min(_LAST, file.seek(0, os.SEEK_END)), os.SEEK_END)
                return last_words(file.read())
        except OSError:
            return ""


async def _end_all(tasks: set[asyncio.Task[Any]]) -> None:
    """Wait until they end, and cancel those that do not: nothing is left that they could wait for."""
    if tasks:
        _, left = await asyncio.wait(tasks, timeout=GRACE)
        for task in left:
            task.cancel()
        await asyncio.wait(tasks)


def last_words(errors: bytes) -> str:
    """The end of a sentence that says why a program ended, if the last lines of what it printed say so."""
    lines = errors.decode("utf-8", "replace").splitlines()
    plain = [one_line(clean(_COLOUR.sub("", line))) for line in lines]
    last = [line for line in plain if any(map(str.isalnum, line))][-_LAST_LINES:]  # not what underlines another
    return f": {' / '.join(last)[:_LONGEST_WHY]}" if last else ""
