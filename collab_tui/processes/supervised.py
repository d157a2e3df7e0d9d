"""Starting a program under a supervisor of its own, which leads its group and ends it when we are gone.

One way for all programs that are started with pipes: no shell, no descriptor of ours but those, the environment that is
given and nothing else. A thread of its own hears how it ends; the few that the loop has must not all wait for programs.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

_SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")
_Value = TypeVar("_Value")

if sys.platform == "win32":
    from asyncio.windows_utils import Popen  # with pipes that its loop can wait for

    _KILLED: Final = int(signal.SIGTERM)
else:
    from subprocess import Popen

    _KILLED: Final = int(signal.SIGKILL)


class StartError(Exception):
    """A program cannot be started; the text says which and why."""


class Supervised:
    """One program, from its start to its end. Made where a loop runs."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        errors: int,
        held: int | None = None,
        ends_group: bool = True,
    ) -> None:
        """Begin to start it. Raises `StartError`; what hinders the program itself is said by `started`.

        `errors` is what `subprocess` calls `stderr`. `held` is a descriptor that stays open for as long as anything of
        it may run, also when this process is gone. With `ends_group`, what it leaves behind ends with it.
        """
        self._name = arguments[0]
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[int] = loop.create_future()
        """Its process. Raises `StartError`."""
        self.ended: asyncio.Future[str] = loop.create_future()
        """`exit N`, `signal N`, or `failed: why` where it never started. Its group is dealt with by then."""
        self._loop = loop
        self._reaping = threading.Lock()
        self._is_reaped = False
        about = {"arguments": list(arguments), "environment": dict(environment), "folder": str(folder)}
        said = json.dumps({**about, "ends_group": ends_group}).encode() + b"\n"
        self.process, owning, told = _popen(environment, errors, held)
        threading.Thread(target=self._watch, args=(said, owning, told), daemon=True).start()

    def signal(self, *, hard: bool) -> None:
        """Ask the whole group to end, or make it; nothing once it did."""
        with self._reaping:
            if not self._is_reaped:  # until then its number is nobody else's
                self._signal(hard)

    def _signal(self, hard: bool) -> None:
        with suppress(ProcessLookupError, PermissionError):  # nobody is left in the group
            if sys.platform == "win32":
                self.process.kill() if hard else self.process.send_signal(signal.CTRL_BREAK_EVENT)
            else:
                os.killpg(self.process.pid, signal.SIGKILL if hard else signal.SIGTERM)

    def _watch(self, said: bytes, owning: int, told: int) -> None:
        """Say what to run, and hear what becomes of it. Our end of the pipe is open until then, for we live."""
        with open(told, "rb") as status:
            _write(owning, said)
            begun = _read(status.readline())
            self._tell_started(begun)
            last = _read(status.readline()) if "pid" in begun else begun
        with self._reaping:
            if not last:  # its supervisor was made to end: so is what that should have watched
                self._signal(hard=True)
            self.process.wait()
            self._is_reaped = True
        os.close(owning)
        self._tell(_set_result, self.ended, self._outcome(last))

    def _tell_started(self, begun: Mapping[str, Any]) -> None:
        if "pid" in begun:
            self._tell(_set_result, self.started, int(begun["pid"]))
        else:
            self._tell(_set_error, self.started, self._why(begun))

    def _why(self, told: Mapping[str, Any]) -> str:
        return f"{told.get('of') or self._name}: {told.get('failed', 'it was ended before it started')}"

    def _outcome(self, last: Mapping[str, Any]) -> str:
        if "failed" in last:
            return f"failed: {self._why(last)}"
        if "code" not in last:
            return f"signal {_KILLED}"
        code = int(last["code"])
        return f"exit {code}" if code >= 0 else f"signal {-code}"

    def _tell(self, how: Callable[[asyncio.Future[_Value], _Value], None], future: Any, value: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(how, future, value)


def _popen(environment: Mapping[str, str], errors: int, held: int | None) -> tuple[Popen[bytes], int, int]:
    """The supervisor, the end of the pipe that it takes for us, and where it tells what becomes of the program."""
    said, owning = os.pipe()
    told, telling = os.pipe()
    try:
        how, names = _handed_on(said, telling, held)
        process = Popen(
            [sys.executable, "-I", "-S", str(_SUPERVISOR), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            env=dict(environment),
            **how,
        )
    except (OSError, ValueError) as error:
        os.close(owning)
        os.close(told)
        raise StartError(f"{sys.executable}: {error}") from None
    finally:
        os.close(said)
        os.close(telling)
    return process, owning, told


def _handed_on(said: int, telling: int, held: int | None) -> tuple[dict[str, Any], list[str]]:
    """How the supervisor gets the two descriptors, and what it calls them."""
    names = [said, telling]
    how: dict[str, Any] = {"start_new_session": True, "pass_fds": names if held is None else [*names, held]}
    if sys.platform == "win32":
        import msvcrt

        names = [msvcrt.get_osfhandle(descriptor) for descriptor in names]
        for handle in names:
            os.set_handle_inheritable(handle, True)
        given = subprocess.STARTUPINFO(lpAttributeList={"handle_list": names})
        how = {"startupinfo": given, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return how, list(map(str, names))


def _write(descriptor: int, data: bytes) -> None:
    with suppress(OSError):  # it was ended before it read all
        while data:
            data = data[os.write(descriptor, data) :]


def _read(line: bytes) -> dict[str, Any]:
    """What it told; nothing where it was made to end before it had."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _set_result(future: asyncio.Future[_Value], value: _Value) -> None:
    if not future.done():
        future.set_result(value)


def _set_error(future: asyncio.Future[Any], why: str) -> None:
    if not future.done():
        future.set_exception(StartError(why))
        future.exception()  # whoever gave up waiting need not hear of it
