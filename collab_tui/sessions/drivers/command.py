"""Any program that reads a prompt and writes a reply, started anew for each: a script, a filter, a stand-in in a test.

The prompt is its standard input, the reply its standard output. What it says on standard error goes to the log; one
that does not end with 0 has failed. Whatever it leaves behind ends with it.
"""

from __future__ import annotations

import asyncio
import codecs
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from collab_tui.model.sessions import Observed
from collab_tui.model.text import clean
from collab_tui.processes.child import Child, StartError
from collab_tui.processes.finding import find_program
from collab_tui.processes.output import OutputLog
from collab_tui.processes.programs import GRACE
from collab_tui.sessions.driver import Delivery, DriverError, Launch, Listener, LostError, Reply, ReplyStatus
from collab_tui.sessions.drivers.turns import LONGEST_REPLY, MOST_SAID, last_words


def arguments(launch: Launch) -> list[str]:
    """The program of a definition, and what it is given. Raises `DriverError`."""
    definition = launch.definition
    if not launch.is_read_only:
        return [*definition.command, *definition.model]
    if definition.read_only is None:
        raise DriverError(f"{definition.name} has no mode in which it changes nothing: see read_only")
    return [*definition.command, *definition.model, *definition.read_only]


class CommandDriver:
    """One process for each prompt."""

    def __init__(self, launch: Launch, listener: Listener) -> None:
        self._launch = launch
        self._listener = listener
        self._log = OutputLog(launch.log)
        self._child: Child | None = None
        self._prompting = asyncio.Lock()
        self._is_interrupted = False
        self._stopped = asyncio.Event()
        self._ending: asyncio.Task[str] | None = None
        """Of a prompt that was given up."""

    @property
    def pid(self) -> int | None:
        """The process that works on a prompt now."""
        return self._child.pid if self._child is not None else None

    @property
    def handle(self) -> Mapping[str, Any] | None:
        """None: it ends with this monitor."""
        return None

    async def start(self) -> None:
        """Look whether there is such a program."""
        if self._launch.handle is not None:
            raise LostError("its program ended with the monitor that had started it")
        program = arguments(self._launch)[0]
        if await asyncio.to_thread(find_program, program, self._launch.environment, self._launch.folder) is None:
            raise DriverError(f"cannot start {self._launch.definition.name}: {program}: there is no such program")
        self._listener.observed(Observed.IDLE)

    async def prompt(self, text: str) -> Reply:
        """Run it on the prompt, to its end."""
        async with self._prompting:
            return await self._carry_out(text)

    async def _carry_out(self, text: str) -> Reply:
        began = time.monotonic()
        self._is_interrupted = False
        if self._ending is not None:
            await asyncio.shield(self._ending)
        if self._stopped.is_set():
            return Reply("", ReplyStatus.NOT_SUBMITTED, 0.0, Delivery.NOT_SUBMITTED, "it was stopped")
        await asyncio.to_thread(self._keep, f"\n> {clean(text).replace(chr(10), chr(10) + '> ')}\n")
        try:
            child = await Child.start(
                arguments(self._launch),
                environment=self._launch.environment,
                folder=self._launch.folder,
                error_log=self._launch.log,
            )
        except StartError as error:
            took = time.monotonic() - began
            return Reply("", ReplyStatus.NOT_SUBMITTED, took, Delivery.NOT_SUBMITTED, f"cannot start {error}")
        self._child = child
        self._listener.submitted()
        self._listener.observed(Observed.WORKING)
        feeding = asyncio.create_task(_feed(child, text))
        try:
            if self._is_interrupted:
                await child.end(0.0)
            reply = await self._read(child)
            outcome = await child.wait()
            await child.end(0.0)
        except asyncio.CancelledError:
            self._ending = asyncio.create_task(child.end(GRACE))
            raise
        finally:
            feeding.cancel()
            self._child = None
            if not self._stopped.is_set():
                self._listener.observed(Observed.IDLE)
        status, reason = ReplyStatus.DONE, ""
        if self._is_interrupted:
            status, reason = ReplyStatus.INTERRUPTED, f"it was ended: {outcome}"
        elif outcome != "exit 0":
            status, reason = ReplyStatus.FAILED, f"{outcome}{last_words(child.last_errors)}"
        return Reply(clean(reply), status, time.monotonic() - began, reason=reason)

    async def _read(self, child: Child) -> str:
        """All that it prints, as it comes; the last part of what is long."""
        text, decoder = "", codecs.getincrementaldecoder("utf-8")("replace")
        while chunk := await child.read():
            piece = clean(decoder.decode(chunk))
            text = (text + piece)[-LONGEST_REPLY:]
            self._listener.said(piece[-MOST_SAID:])
            await asyncio.to_thread(self._keep, piece)
        return clean(text + decoder.decode(b"", final=True)).rstrip("\n")

    def _keep(self, text: str) -> None:
        self._log.append(text.encode("utf-8", "replace"))

    async def interrupt(self) -> None:
        """End the process that works on a prompt."""
        await self._end(GRACE)

    async def _end(self, grace: float) -> None:
        self._is_interrupted = True  # also where it is only about to be started
        if self._child is not None:
            await self._child.end(grace)

    async def stop(self, grace: float) -> str:
        """End it; no prompt is taken any more."""
        self._stopped.set()
        await self._end(grace)
        async with self._prompting:
            if self._ending is not None:
                await self._ending
        return await self.wait()

    async def wait(self) -> str:
        """Wait until it is stopped: between prompts there is no process that could be gone."""
        await self._stopped.wait()
        return "exit 0"


async def _feed(child: Child, text: str) -> None:
    with suppress(OSError):  # it need not read all of it
        await child.write(text.encode("utf-8", "replace"))
        child.close_input()
