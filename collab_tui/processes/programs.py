"""Running a program to its end: no shell, a group of its own, a time limit, and its output kept beside the cursor.

It gets the event on standard input and an environment of names that are allowed, so that no secret of whoever started
the monitor reaches it. No descriptor of ours does either. It ends by itself, or is asked to at the time limit and made
to a few seconds later, with all that it started; nothing else is ever ended from here. It is a `Child`, so it ends with
us.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from collab_tui.processes.child import Child, StartError

GRACE: Final = 5.0
"""Seconds from being asked to end until being made to."""
MAX_OUTPUT: Final = 1 << 18
"""Bytes of a program's output that are kept, the first."""
_MAX_LOGS: Final = 200
"""Files of output that are kept for one registry, the latest."""

_ALLOWED: Final = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP"),
        *("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"),
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS"),
        *("PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432", "COMMONPROGRAMFILES"),
        *("NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "PUBLIC", "ALLUSERSPROFILE"),
        *("USERNAME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA"),
    )
)
_ALLOWED_PREFIXES: Final = ("LC_", "XDG_")


def allowed_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What of an environment a program gets: where things are and how to show them, and nothing that may be secret."""
    return {
        name: value
        for name, value in environment.items()
        if name.upper() in _ALLOWED or name.upper().startswith(_ALLOWED_PREFIXES)
    }


@dataclass(frozen=True, slots=True)
class Program:
    """One run of a program."""

    arguments: Sequence[str]
    stdin: bytes
    environment: Mapping[str, str]
    folder: Path
    """Where it starts."""
    time_limit: float
    """In seconds."""
    log: Path
    """Where its output goes, if it has any."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of it."""

    outcome: str
    """`exit N`, `signal N`, `timed out`, `stopped` with the monitor, or `failed: why`."""
    took: float
    """Seconds."""
    log: Path | None


async def run(program: Program, stop: asyncio.Event, grace: float = GRACE, held: int | None = None) -> Ended:
    """Run it to its end, its time limit, or until `stop` is set; never raises for what the program does.

    `held` is a descriptor that stays open for as long as the program itself runs, also when this process is gone: see
    `supervised`. What it started and left behind when it ended by itself goes on.
    """
    began = time.monotonic()
    try:
        child = await Child.start(
            program.arguments,
            environment=program.environment,
            folder=program.folder,
            joins_errors=True,
            held=held,
            ends_all=False,
        )
    except StartError as error:
        return Ended(f"failed: {error}", time.monotonic() - began, None)
    feeding = asyncio.create_task(_feed(child, program.stdin))
    keeping = asyncio.create_task(_keep_output(child, program.log))
    exited = asyncio.create_task(child.wait())
    stopping = asyncio.create_task(stop.wait())
    try:
        ends: set[asyncio.Task[Any]] = {exited, stopping}
        await asyncio.wait(ends, timeout=program.time_limit, return_when=asyncio.FIRST_COMPLETED)
        if exited.done():
            outcome = exited.result()
        else:
            outcome = "stopped" if stop.is_set() else "timed out"
            await child.end(grace)
        await keeping
    finally:
        child.kill()
        for task in (feeding, keeping, exited, stopping):
            task.cancel()
    return Ended(outcome, time.monotonic() - began, program.log if program.log.exists() else None)


async def _feed(child: Child, data: bytes) -> None:
    with suppress(OSError):  # it need not read it
        await child.write(data)
        child.close_input()


async def _keep_output(child: Child, log: Path) -> None:
    """Read to the end; the first part goes to the log, and of the rest it is said how much there was."""
    left, cut = MAX_OUTPUT, 0
    file: BinaryIO | None = None
    try:
        while chunk := await child.read():
            if file is None and left and (file := await asyncio.to_thread(_new_log, log)) is None:
                left = 0
            kept = chunk[:left]
            if file is not None and kept and not await asyncio.to_thread(_written, file, kept):
                kept, left = b"", 0
            left, cut = left - len(kept), cut + len(chunk) - len(kept)
        if file is not None and cut:
            await asyncio.to_thread(_written, file, f"\n[and {cut:,} bytes that were not kept]\n".encode())
    finally:
        if file is not None:
            file.close()


def _new_log(log: Path) -> BinaryIO | None:
    """A file for the user's eyes only, in place of the oldest of many; None where there can be none."""
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        old = sorted(log.parent.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in old[_MAX_LOGS - 1 :]:
            file.unlink(missing_ok=True)
        return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=0)
    except OSError:
        return None  # the program runs on all the same


def _written(file: BinaryIO, data: bytes) -> bool:
    """Whether the disk took it whole; what is missing is counted as not kept."""
    try:
        return file.write(data) == len(data)
    except (OSError, ValueError):  # the file is closed already: nobody waits for it any more
        return False
