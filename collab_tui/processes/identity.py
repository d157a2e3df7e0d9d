"""Which process is meant: its number and when it began, for a number alone is soon another's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_PATIENCE: Final = 5.0
"""Seconds for which the system is asked about a process."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, told from every other that this machine ever runs."""

    pid: int
    started: str
    """When it began, as the system tells it: only good for being compared."""


def identity_of(pid: int) -> Identity | None:
    """The process of that number that runs now; None where there is none, or it ended and is only not reaped yet."""
    if pid <= 0:
        return None
    started = _started(pid)
    return Identity(pid, started) if started is not None else None


def is_alive(identity: Identity) -> bool:
    """That very process runs, not another that got its number."""
    return identity_of(identity.pid) == identity


def signal_group(identity: Identity, *, hard: bool) -> None:
    """Ask all of its group to end, or make them; nothing where it is gone, or where its number is another's now.

    Of our own group only that process is signalled. Windows knows no such groups: there only that process is made to
    end, and it is asked only if it leads its group and has our console.
    """
    if not is_alive(identity):
        return
    with suppress(OSError):  # it ended just now, is not ours to end, or cannot be asked
        if sys.platform == "win32":
            os.kill(identity.pid, signal.SIGTERM if hard else signal.CTRL_BREAK_EVENT)
        else:
            number = signal.SIGKILL if hard else signal.SIGTERM
            group = os.getpgid(identity.pid)
            if group == os.getpgrp():
                os.kill(identity.pid, number)
            else:
                os.killpg(group, number)


if sys.platform == "linux":

    def _started(pid: int) -> str | None:
        """In ticks since a boot that has a name: after the next one they begin anew."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(") ")[2].split()
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                boot = file.read().strip()
        except OSError:
            return None
        return f"{boot} {fields[19]}" if len(fields) > 19 and fields[0] not in ("Z", "X") else None

elif sys.platform == "win32":

    def _started(pid: int) -> str | None:
        """In units of 100 ns since 1601."""
        import ctypes
        from ctypes import wintypes

        limited_information, still_active = 0x1000, 259
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        handle = wintypes.HANDLE(kernel.OpenProcess(limited_information, False, pid))
        if not handle.value:
            return None
        created, *others = (wintypes.FILETIME() for _ in range(4))
        code = wintypes.DWORD()
        try:
            told = kernel.GetProcessTimes(handle, ctypes.byref(created), *map(ctypes.byref, others))
            told = told and kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        finally:
            kernel.CloseHandle(handle)
        if not told or code.value != still_active:
            return None
        return str(created.dwHighDateTime << 32 | created.dwLowDateTime)

else:

    def _started(pid: int) -> str | None:
        """To the second."""
        try:
            told = subprocess.run(
                ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607  # where it is differs
                env={"PATH": "/bin:/usr/bin", "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE,
                check=False,
            ).stdout.decode("ascii", "replace")
        except (OSError, subprocess.TimeoutExpired):
            return None
        state, _, started = told.strip().partition(" ")
        return " ".join(started.split()) if started and not state.startswith("Z") else None
