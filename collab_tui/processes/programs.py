"""Running a program to its end: no shell, a group of its own, a time limit, and its output kept beside the cursor.

It gets the event on standard input and an environment of names that are allowed, so that no secret of whoever started
the monitor reaches it. No descriptor of ours does either. It ends by itself, or its whole group is asked to at the time
limit and made to a few seconds later; nothing else is ever ended from here. A `supervisor` of its own leads the group:
that ends it when the monitor is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, TypeVar

from collab_tui.processes.supervisor import SIZE

GRACE: Final = 5.0
"""Seconds from being asked to end until being made to."""
MAX_OUTPUT: Final = 1 << 18
"""Bytes of a program's output that are kept, the first."""
_MAX_LOGS: Final = 200
"""Files of output that are kept for one registry, the latest."""
_SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")
_CHUNK: Final = 1 << 16
_Result = TypeVar("_Result")

_ALLOWED: Final = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP"),
        *("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"),
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROGRAMDATA", "PROGRAMFILES"),
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

    `held` is a descriptor that stays open for as long as anything of it may run, also when this process is gone.
    """
    began = time.monotonic()
    try:
        process = _start(program, held)
    except OSError as error:
        return Ended(_failed(program, error.strerror or str(error)), time.monotonic() - began, None)
    exited = _in_thread(lambda: _supervise(process, program))
    drained = _in_thread(lambda: _keep_output(process.stdout, program.log))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        ends: set[asyncio.Future[Any]] = {exited, stopping}
        await asyncio.wait(ends, timeout=program.time_limit, return_when=asyncio.FIRST_COMPLETED)
        cut_short = None if exited.done() else "stopped" if stop.is_set() else "timed out"
        if cut_short:
            await _end(process, exited, grace)
        await drained
    finally:
        stopping.cancel()
        if not exited.done():
            _signal_group(process, hard=True)
    outcome = cut_short or exited.result()
    return Ended(outcome, time.monotonic() - began, program.log if program.log.exists() else None)


def _start(program: Program, held: int | None) -> subprocess.Popen[bytes]:
    how: dict[str, Any] = {"start_new_session": True, "pass_fds": () if held is None else (held,)}
    if sys.platform == "win32":
        how = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_SUPERVISOR)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=dict(program.environment),
        **how,
    )


def _supervise(process: subprocess.Popen[bytes], program: Program) -> str:
    """Say what to run, and wait for what became of it. The pipe stays open until then: that we live is read from it."""
    about = {
        "arguments": list(program.arguments),
        "environment": dict(program.environment),
        "folder": str(program.folder),
        "size": len(program.stdin),
    }
    to_it, from_it = process.stdin, process.stderr
    if to_it is None or from_it is None:
        raise ValueError("it was started without pipes")
    first = json.dumps(about).encode()
    with to_it, from_it:
        with suppress(OSError, ValueError):  # it was ended, or the pipe closed to end it, before it read all
            left = f"{len(first):{SIZE}}".encode() + first + program.stdin
            while left:
                left = left[to_it.write(left) :]
        told = from_it.read()
        if not told:  # it was made to end: so is what it should have watched
            _signal_group(process, hard=True)
        process.wait()
    if not told:
        return f"signal {signal.SIGTERM if sys.platform == 'win32' else signal.SIGKILL:d}"
    try:
        ended = json.loads(told)
    except ValueError:
        return _failed(program, told.decode(errors="replace").strip().rpartition("\n")[2])
    if "failed" in ended:
        return _failed(program, ended["failed"])
    code = int(ended["code"])
    return f"exit {code}" if code >= 0 else f"signal {-code}"


def _failed(program: Program, why: str) -> str:
    return f"failed: {program.arguments[0]}: {why}"


async def _end(process: subprocess.Popen[bytes], exited: asyncio.Future[str], grace: float) -> None:
    """Ask the group to end, and make what is left of it end when its first process did or the grace is over."""
    _signal_group(process, hard=False)
    await asyncio.wait({exited}, timeout=grace)
    _signal_group(process, hard=True)
    await exited


def _signal_group(process: subprocess.Popen[bytes], *, hard: bool) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left in the group
        if sys.platform == "win32":
            if not hard:
                process.send_signal(signal.CTRL_BREAK_EVENT)
            elif process.stdin is not None:
                process.stdin.close()  # its supervisor makes it end
        else:
            os.killpg(process.pid, signal.SIGKILL if hard else signal.SIGTERM)


def _in_thread(work: Callable[[], _Result]) -> asyncio.Future[_Result]:
    """What the work gives, from a thread of its own: the few that the loop has must not all wait for programs."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Result] = loop.create_future()

    def tell(result: _Result) -> None:
        if not future.done():
            future.set_result(result)

    def run_it() -> None:
        result = work()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=run_it, daemon=True).start()
    return future


def _keep_output(output: IO[bytes] | None, log: Path) -> None:
    """Read to the end; the first part goes to the log, and of the rest it is said how much there was."""
    if output is None:
        return
    left, cut = MAX_OUTPUT, 0
    file: BinaryIO | None = None
    with output, suppress(OSError):
        while chunk := output.read(_CHUNK):
            if file is None and (file := _new_log(log)) is None:
                left = 0
            kept = chunk[:left]
            if file is not None and kept and not _written(file, kept):
                kept, left = b"", 0
            left, cut = left - len(kept), cut + len(chunk) - len(kept)
    if file is not None:
        with file:
            if cut:
                _written(file, f"\n[and {cut:,} bytes that were not kept]\n".encode())


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
    except OSError:
        return False
