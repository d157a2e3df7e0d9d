"""Starting a program under a supervisor of its own, which leads its group and ends it when we are gone.

One way for all programs that are started with pipes: no shell, no descriptor of ours but those, the environment that is
given and nothing else. A thread of its own hears how it ends; the few that the loop has must not all wait for programs.
It is the supervisor that asks a program to end and makes it, for it alone knows all that the program started; it is
killed itself only where it does not do that.
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

from collab_tui.processes.finding import find_program, why_not_in_batch

_SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")
_PATIENCE: Final = 5.0
"""Seconds for which a supervisor may take to make its program end."""
_OURS: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
"""What our Python may need to start, and the program gets only where it is allowed to."""
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
        ends_all: bool = True,
    ) -> None:
        """Begin to start it. Raises `StartError`; what hinders the program itself is said by `started`.

        `errors` is what `subprocess` calls `stderr`. `held` is a descriptor that stays open for as long as the program
        runs, also when this process is gone; a lock that it holds stays held, but not on Windows. With `ends_all`, what
        it leaves behind ends with it; whatever is ended from here ends with all that it started.
        """
        self._name = arguments[0]
        if sys.platform == "win32":
            arguments = _for_windows(arguments, environment, folder)
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[int] = loop.create_future()
        """Its process. Raises `StartError`."""
        self.ended: asyncio.Future[str] = loop.create_future()
        """`exit N`, `signal N`, or `failed: why` where it never started. What it left is dealt with by then."""
        self._loop = loop
        self._reaping = threading.Lock()
        self._is_reaped = False
        self._obeys = False
        """Its supervisor runs it, and listens."""
        about = {"arguments": list(arguments), "environment": dict(environment), "folder": str(folder)}
        said = json.dumps({**about, "ends_all": ends_all}).encode() + b"\n"
        self.process, self._owning, told = _popen(environment, errors, held)
        threading.Thread(target=self._watch, args=(said, told), daemon=True).start()

    def end(self, *, hard: bool) -> None:
        """Ask the program's group to end, or make it and all that it started; nothing once it did."""
        with self._reaping:
            if self._is_reaped:
                return
            if not self._obeys:
                self._kill()
                return
            _write(self._owning, b"!" if hard else b"?")
        if hard:
            with suppress(RuntimeError):  # the loop is closed: then we end soon, and it hears of that
                self._loop.call_later(_PATIENCE, self._kill_late)

    def _kill_late(self) -> None:
        with self._reaping:
            if not self._is_reaped:
                self._kill()

    def _kill(self) -> None:
        """Without its supervisor, which dies too. It is not reaped: so its number is nobody else's."""
        with suppress(ProcessLookupError, PermissionError):  # nobody is left in the group
            if sys.platform == "win32":
                self.process.kill()
            else:
                os.killpg(self.process.pid, signal.SIGKILL)

    def _watch(self, said: bytes, told: int) -> None:
        """Say what to run, and hear what becomes of it. Our end of the pipe is open until then, for we live."""
        with open(told, "rb") as status:
            _write(self._owning, said)
            begun = _read(status.readline())
            with self._reaping:
                self._obeys = "pid" in begun
            self._tell_started(begun)
            last = _read(status.readline()) if "pid" in begun else begun
            status.read()  # at its end so is the supervisor, with what was left
        with self._reaping:
            if not last:  # its supervisor was made to end: so is what that should have watched
                self._kill()
            self.process.wait()
            self._is_reaped = True
            os.close(self._owning)
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
    ours: list[int] = []
    theirs: list[int] = []
    try:
        said, owning = os.pipe()
        theirs.append(said)
        ours.append(owning)
        told, telling = os.pipe()
        theirs.append(telling)
        ours.append(told)
        how, names = _handed_on(said, telling, held)
        process = Popen(
            [sys.executable, "-I", "-S", str(_SUPERVISOR), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            env={**environment, **{name: os.environ[name] for name in _OURS if name in os.environ}},
            **how,
        )
    except (OSError, ValueError) as error:
        for descriptor in ours:
            os.close(descriptor)
        raise StartError(f"{sys.executable}: {error}") from None
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    return process, owning, told


def _handed_on(said: int, telling: int, held: int | None) -> tuple[dict[str, Any], list[str]]:
    """How the supervisor gets the two descriptors, and what it calls them."""
    names = [said, telling]
    how: dict[str, Any] = {"start_new_session": True, "pass_fds": names if held is None else [*names, held]}
    if sys.platform == "win32":
        import msvcrt

        given = [msvcrt.get_osfhandle(descriptor) for descriptor in how["pass_fds"]]
        for handle in given:
            os.set_handle_inheritable(handle, True)
        names = given[:2]
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": given})
        # a console of its own, which the program shares: there a whole group can be asked to end
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        how = {"startupinfo": startup, "creationflags": flags}
    return how, list(map(str, names))


def _for_windows(arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> list[str]:
    """Whole path first: by itself Windows finds no more than an `.exe`, also one that lies where we happen to be."""
    name, *rest = arguments
    path = find_program(name, environment, folder)
    if path is None:
        raise StartError(f"{name}: there is no such program")
    if path.lower().endswith((".bat", ".cmd")) and (why := why_not_in_batch(path, rest)):
        raise StartError(f"{name}: {why}")
    return [path, *rest]


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
