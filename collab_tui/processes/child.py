"""A program with pipes that stays for long: it is written to and read from, and ends with us, whichever way we do.

Nothing here blocks the loop, and nothing grows without bounds: what nobody reads stays in the pipe, and the program
waits; what the program does not read stays with whoever writes.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from collab_tui.processes.identity import Identity, identity_of
from collab_tui.processes.output import OutputLog
from collab_tui.processes.pipe import OutputPipe
from collab_tui.processes.supervised import StartError, Supervised

__all__ = ["Child", "StartError"]

DRAIN: Final = 1.0
"""Seconds for which the rest of the output is waited for once the program ended: another may hold the pipe."""

_MOST_LAST: Final = 4000
"""Bytes of what it said last on standard error."""


class Child:
    """One program that runs. `end` has to be called in the end, also where it ended by itself."""

    def __init__(self, supervised: Supervised, error_log: OutputLog | None) -> None:
        self._supervised = supervised
        self._input: asyncio.StreamWriter | None = None
        self._output = OutputPipe()
        self._errors = OutputPipe()
        self._error_log = error_log
        self._keeping: asyncio.Task[None] | None = None
        self.pid = 0
        """Its process."""
        self.identity: Identity | None = None
        """The same, so that a later monitor knows it again; None where it ended at once."""
        self.last_errors = b""
        """The end of what it said on standard error, where that is kept."""

    @classmethod
    async def start(
        cls,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        error_log: Path | None = None,
        joins_errors: bool = False,
        held: int | None = None,
        ends_all: bool = True,
    ) -> Child:
        """Start it; gives it once it runs. Raises `StartError`. Cancelled, nothing of it is left.

        What it says on standard error is appended to `error_log`, within bounds, or dropped; with `joins_errors` it is
        part of its output. `held`: see `Supervised`. What it leaves behind ends with it, unless `ends_all` is false.
        What is out of reach then: see `supervisor`.
        """
        errors = subprocess.STDOUT if joins_errors else subprocess.PIPE if error_log else subprocess.DEVNULL
        supervised = Supervised(
            arguments, environment=environment, folder=folder, errors=errors, held=held, ends_all=ends_all
        )
        child = cls(supervised, OutputLog(error_log) if error_log else None)
        try:
            await child._connect()
            child.pid = await supervised.started
            child.identity = await asyncio.to_thread(identity_of, child.pid)
        except BaseException:
            child.kill()
            for pipe in (supervised.process.stdin, supervised.process.stdout, supervised.process.stderr):
                if pipe is not None:  # it may not be connected yet
                    pipe.close()
            raise
        return child

    async def _connect(self) -> None:
        loop, process = asyncio.get_running_loop(), self._supervised.process
        self._supervised.ended.add_done_callback(self._on_end)
        protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=loop), loop=loop)
        writing, _ = await loop.connect_write_pipe(lambda: protocol, process.stdin)
        self._input = asyncio.StreamWriter(writing, protocol, None, loop)
        await loop.connect_read_pipe(lambda: self._output, process.stdout)
        if self._error_log is not None:
            await loop.connect_read_pipe(lambda: self._errors, process.stderr)
            self._keeping = asyncio.create_task(self._keep_errors(self._error_log))

    @property
    def heard_at(self) -> float:
        """When it said something last, as output or on a standard error that is kept; by the monotonic clock."""
        return max(self._output.heard_at, self._errors.heard_at)

    async def _keep_errors(self, log: OutputLog) -> None:
        while chunk := await self._errors.read():
            self.last_errors = (self.last_errors + chunk)[-_MOST_LAST:]
            await asyncio.to_thread(log.append, chunk)

    async def write(self, data: bytes) -> None:
        """Hand it to the program; waits while that takes nothing. Raises `OSError` where it does not read any more."""
        if self._input is None or self._input.is_closing():
            raise BrokenPipeError("it reads nothing any more")
        self._input.write(data)
        await self._input.drain()

    def close_input(self) -> None:
        """It gets no more: its standard input is at its end once it read what was written."""
        if self._input is not None:
            self._input.close()

    async def read(self) -> bytes:
        """A piece of its output; empty at its end."""
        return await self._output.read()

    async def read_line(self, limit: int) -> bytes | None:
        """The next line of its output without its end; None at the end of all. Raises `LineTooLongError`."""
        return await self._output.read_line(limit)

    async def wait(self) -> str:
        """Wait until it is gone: `exit N` or `signal N`. What it printed may still be to be read."""
        return await asyncio.shield(self._supervised.ended)

    async def end(self, grace: float) -> str:
        """Ask its group to end, and make all that is left end when it did or the grace (seconds) is over.

        Gives what `wait` gives. What is left in the pipe by then is dropped. Cancelled, they are made to end at once.
        """
        try:
            self._supervised.end(hard=False)
            await asyncio.wait({self._supervised.ended}, timeout=grace)
            self._supervised.end(hard=True)
            outcome = await self.wait()
            await asyncio.wait({self._output.over, *filter(None, (self._keeping,))}, timeout=DRAIN)
        finally:
            self.kill()
        return outcome

    def kill(self) -> None:
        """Make it and all that it started end at once, and let go of its pipes."""
        self._supervised.end(hard=True)
        self._let_go()

    def _let_go(self) -> None:
        transport = self._input.transport if self._input is not None else None
        if transport is not None and (not transport.is_closing() or transport.get_write_buffer_size()):
            transport.abort()  # of one that is closed already that fails
        self._output.close()
        self._errors.close()

    def _on_end(self, _: asyncio.Future[str]) -> None:
        asyncio.get_running_loop().call_later(DRAIN, self._let_go_when_read)

    def _let_go_when_read(self) -> None:
        """All that it printed was in the pipe; once that was read, another that holds the pipe is not waited for."""
        if self._output.is_held_up:
            asyncio.get_running_loop().call_later(DRAIN, self._let_go_when_read)
        else:
            self._let_go()
