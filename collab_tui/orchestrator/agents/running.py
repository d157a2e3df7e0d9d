"""One run of a program on one input: its output within bounds, its silence watched, and an end that is sure."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collab_tui.processes.child import Child
from collab_tui.processes.output import OutputWriter


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it."""

    outcome: str
    """`exit N`, `signal N`, or why it was ended: `it printed more than ...`."""
    output: bytes
    errors: bytes
    """The last of what it said on standard error."""


async def run_program(
    arguments: Sequence[str],
    data: bytes,
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    most: int,
    silence: float | None,
    grace: float,
    held: int | None = None,
) -> Ran:
    """Run it to its end. Raises `StartError`.

    It gets `data` on standard input. All that it says goes to `log`, within bounds. It is ended where it prints more
    than `most` bytes, and after so many seconds of `silence`. `held`: see `Supervised`. Cancelled, it ends within the
    grace (seconds), with all that it started.
    """
    child = await Child.start(arguments, environment=environment, folder=folder, error_log=log, held=held)
    kept = OutputWriter(log)
    output = bytearray()
    feeding = asyncio.create_task(_feed(child, data))
    reading = asyncio.create_task(_read(child, output, most, kept))
    exited = asyncio.create_task(child.wait())
    try:
        why = await _why_ended(child, exited, reading, silence)
        if why is None:
            await asyncio.wait({reading})  # not for long: another that holds the pipe is let go of
    finally:
        try:
            outcome = await child.end(grace)
        finally:
            for task in (feeding, reading, exited):
                task.cancel()
    if len(output) > most:
        why = f"it printed more than {most:,} bytes"
    kept.append(f"\n[{why or outcome}]\n".encode())
    await kept.written()
    return Ran(why or outcome, bytes(output), child.last_errors)


async def _why_ended(
    child: Child, exited: asyncio.Task[str], reading: asyncio.Task[bool], silence: float | None
) -> str | None:
    """Wait until it ended by itself; else gives why it has to be ended: it was silent, or printed, for too long."""
    awaited: set[asyncio.Task[Any]] = {exited, reading}
    while True:
        left = child.heard_at + silence - time.monotonic() if silence is not None else None
        if left is not None and left <= 0:
            return f"it said nothing for {silence:g} s"
        done, _ = await asyncio.wait(awaited, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if exited in done:
            return None
        if reading in done:
            if not reading.result():
                return "it prints too much"
            awaited = {exited}  # it closed its output, and goes on


async def _read(child: Child, output: bytearray, most: int, kept: OutputWriter) -> bool:
    """Read to the end; False where there is more than so many bytes."""
    while chunk := await child.read():
        kept.append(chunk)
        output += chunk
        if len(output) > most:
            return False
    return True


async def _feed(child: Child, data: bytes) -> None:
    with suppress(OSError):  # it need not read it
        await child.write(data)
        child.close_input()
