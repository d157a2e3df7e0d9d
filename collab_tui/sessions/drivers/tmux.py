"""A program in tmux, on a server and socket of its own: it outlives us, and a person can attach to it.

No shell reads anything here, and nothing is typed but three keys: all text is pasted from a buffer. tmux expands `#`
and splits at a `;` that ends a word, so both are doubled or escaped where a word is not ours.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import stat
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from collab_tui.model.text import clean, one_line
from collab_tui.processes.identity import Identity, identity_of, is_alive, signal_group
from collab_tui.sessions.driver import DriverError, Launch, LostError
from collab_tui.sessions.drivers.pane import COLUMNS, ROWS, Key, Pane, Seen
from collab_tui.sessions.terminal_model import HISTORY, MAX_SIDE, captured

_LONGEST_SOCKET: Final = 100
"""Bytes: macOS takes 103."""
_PATIENCE: Final = 10.0
"""Seconds for one command of tmux."""
_AFTER_FORCE: Final = 3.0
"""Seconds until a program that was made to end has to be seen as ended."""
_POLL: Final = 0.05
_MOST_ASKED: Final = 20
_LOOK: Final = (
    "#{pane_dead} #{pane_pid} #{pane_width} #{cursor_y} #{cursor_x} #{pane_in_mode} #{@collab_run} #{pid} "
    "s#{pane_dead_status} s#{pane_dead_signal}"
)
_OPTIONS: Final = {
    "remain-on-exit": "on",
    "remain-on-exit-format": "",
    "history-limit": str(HISTORY),
    "update-environment": "",
    "set-clipboard": "off",
    "allow-rename": "off",
    "automatic-rename": "off",
    "set-titles": "off",
    "focus-events": "on",
    "escape-time": "50",
    "status-right": " ctrl+b d: back ",
}


def is_there(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether tmux is installed."""
    return os.name == "posix" and shutil.which("tmux", path=environment.get("PATH")) is not None


def attach_command(handle: Mapping[str, Any]) -> list[str]:
    """The words by which a person attaches to it in a terminal, also from inside another tmux."""
    return [
        "env",
        "-u",
        "TMUX",
        "tmux",
        "-u",
        "-S",
        str(handle["socket"]),
        "attach-session",
        "-t",
        f"={handle['name']}",
    ]


class TmuxPane(Pane):
    """One pane, the only one of its server."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._handle: dict[str, Any] | None = None
        self._is_in_mode = False

    @property
    def pid(self) -> int | None:
        """The program, which tmux starts without anything between."""
        return self._handle["pid"] if self._handle is not None else None

    @property
    def handle(self) -> Mapping[str, Any] | None:
        """Where its server listens, and which process of which session it is."""
        return self._handle

    async def open(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a server that knows no environment but the given, and the program in it."""
        name, run = self._launch.name, self._launch.run
        socket = await asyncio.to_thread(_socket, self._launch.private, run)
        chosen = {**_OPTIONS, "@collab_run": run, "@collab_name": name}
        options = [word for option, value in chosen.items() for word in ("set-option", "-gq", option, value, ";")]
        folder = str(self._launch.folder).replace("#", "##")
        # One word alone would be given to a shell.
        words = list(arguments) if len(arguments) > 1 else ["env", *arguments]
        if "=" in words[0] or (len(arguments) == 1 and "=" in arguments[0]):
            raise DriverError(f"tmux cannot start a program with = in its path: {arguments[0]}")
        started = await _tmux(
            socket,
            *options,
            *("new-session", "-d", "-P", "-F", "#{pane_id} #{pane_pid}", "-s", name),
            *("-x", str(COLUMNS), "-y", str(ROWS), "-c", _word(folder), "--", *map(_word, words)),
            environment=environment,
        )
        pane, _, process = started.strip().partition(" ")
        pid = int(process)
        identity = identity_of(pid)
        self._handle = {
            "socket": str(socket),
            "pane": pane,
            "name": name,
            "run": run,
            "pid": pid,
            "started": identity.started if identity is not None else "",
        }

    async def take_up(self, handle: Mapping[str, Any]) -> None:
        """Find the pane again, and be sure that it is that very one."""
        given = {name: handle.get(name) for name in ("socket", "pane", "name", "run", "pid", "started")}
        texts = (given["socket"], given["pane"], given["name"], given["run"], given["started"])
        if not all(isinstance(text, str) for text in texts) or not isinstance(given["pid"], int):
            raise LostError("what was kept of its terminal cannot be understood")
        if not re.fullmatch("%[0-9]{1,9}", str(given["pane"])):
            raise LostError(f"it has no pane that tmux would know: {given['pane']!a}")
        self._handle = given
        seen = await self.look()
        if seen.ended is not None:
            await self._end_server()
            raise LostError(f"it ended while nobody looked: {seen.ended}")
        if not is_alive(Identity(given["pid"], str(given["started"]))):
            raise LostError(f"process {given['pid']} is another one now")

    async def look(self) -> Seen:
        """The screen with its styles, and whether its program runs."""
        seen, self._is_in_mode = await _look(self._reachable())
        return seen

    async def lines(self, rows: int) -> list[str]:
        """Lines that were too long for the screen are whole again."""
        handle = self._reachable()
        words = ("capture-pane", "-p", "-J", "-t", handle["pane"], "-S", "-", "-E", str(rows - 1))
        return [clean(line).rstrip() for line in (await _tmux(handle["socket"], *words)).split("\n")[:-1]]

    async def paste(self, text: str) -> None:
        """From a buffer of its own, which is gone afterwards."""
        handle = self._reachable()
        buffer = f"collab-{os.urandom(8).hex()}"
        target = ("-t", handle["pane"])
        leave = ("send-keys", "-X", *target, "cancel", ";") if self._is_in_mode else ()
        load = ("load-buffer", "-b", buffer, "-", ";")
        paste = ("paste-buffer", "-p", "-r", "-d", "-b", buffer, *target)
        await _tmux(handle["socket"], *leave, *load, *paste, stdin=text.encode())

    async def press(self, key: Key) -> None:
        """By its name, which is ours."""
        handle = self._reachable()
        await _tmux(handle["socket"], "send-keys", "-t", handle["pane"], key.value)

    async def end(self, grace: float) -> str:
        """End the program's group, then the server. That very program ends also where its terminal is out of reach."""
        handle = self._reachable()
        identity = Identity(handle["pid"], handle["started"])
        try:
            ended = None
            for hard, limit in ((False, grace), (True, _AFTER_FORCE)):
                if ended is None:
                    signal_group(identity, hard=hard)
                    ended = await self._ended_within(limit)
            return ended or "lost: it does not end"
        except LostError as error:
            signal_group(identity, hard=True)
            return f"lost: {error}"
        finally:
            await self._end_server()

    async def _ended_within(self, limit: float) -> str | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while True:
                    if (ended := (await self.look()).ended) is not None:
                        return ended
                    await asyncio.sleep(_POLL)
        return None

    async def _end_server(self) -> None:
        """It has this one pane, and no use without."""
        socket = Path(self._reachable()["socket"])
        with suppress(LostError):
            await _tmux(socket, "kill-server")
        with suppress(OSError):
            _remove(socket, self._launch.private)

    def _reachable(self) -> dict[str, Any]:
        if self._handle is None:
            raise LostError("it was not started")
        return self._handle


async def look(handle: Mapping[str, Any]) -> Seen:
    """The screen of a session, from any process of its user. Raises `LostError` where it is gone."""
    return (await _look(handle))[0]


async def _look(handle: Mapping[str, Any]) -> tuple[Seen, bool]:
    """And whether a person scrolls in it, which keeps from the program whatever is pasted."""
    for _ in range(_MOST_ASKED):
        told = await _tmux(
            *(handle["socket"], "display-message", "-p", "-t", handle["pane"], _LOOK, ";"),
            *("capture-pane", "-p", "-e", "-t", handle["pane"]),
        )
        first, _, screen = told.partition("\n")
        known = first.split(" ")
        if len(known) != 10 or known[6] != handle["run"]:
            raise LostError("another session has its terminal")
        dead, process, width, row, column, mode, _, server, status, killed = known
        if dead == "0" or (status, killed) != ("s", "s"):
            break
        # 3.3a was seen to miss that its child ended, until it hears the signal once more; others ignore that one.
        with suppress(ProcessLookupError, PermissionError):
            os.kill(int(server), signal.SIGCHLD)
        await asyncio.sleep(_POLL)
    if dead != "1" and process != str(handle["pid"]):
        raise LostError("another program has its terminal")
    picture = captured(screen, min(int(width), MAX_SIDE), (int(row), int(column)))
    return Seen(picture, _ended(status[1:], killed[1:]) if dead == "1" else None), mode == "1"


async def _tmux(
    socket: str | Path, *words: str, stdin: bytes | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """What tmux says to a command. Raises `LostError` where it refuses: then there is no such server, or pane.

    `environment` is the whole that a server has which this starts.
    """
    known = {"PATH": os.environ.get("PATH", os.defpath)} if environment is None else dict(environment)
    try:
        process = await asyncio.create_subprocess_exec(
            *("tmux", "-u", "-S", str(socket), "-f", os.devnull, *words),
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=known,
        )
    except OSError as error:
        raise DriverError(f"tmux does not start: {error.strerror}") from None
    try:
        async with asyncio.timeout(_PATIENCE):
            told, complaint = await process.communicate(stdin)
    except TimeoutError:
        raise LostError(f"its terminal does not answer within {_PATIENCE:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        why = one_line(clean(complaint.decode("utf-8", "replace")))[:200]
        raise LostError(f"its terminal is gone: {why or 'tmux does not say why'}")
    return told.decode("utf-8", "replace")


def _word(word: str) -> str:
    """A word of others for tmux, which takes a `;` at its end for the end of a command."""
    return f"{word[:-1]}\\;" if word.endswith(";") else word


def _socket(private: Path, run: str) -> Path:
    """Where the server listens: in the session's own folder, else, where that path is too long, in one in the
    system's temporary folder that only this user can enter. Raises `DriverError`.
    """
    wanted = private / "tmux"
    if len(os.fsencode(wanted)) <= _LONGEST_SOCKET:
        wanted.unlink(missing_ok=True)  # the session before ended without us
        return wanted
    folder = Path(tempfile.gettempdir(), f"collab-tui-{os.getuid() if os.name == 'posix' else 0}", run)
    try:
        for place in (folder.parent, folder):
            with suppress(FileExistsError):
                place.mkdir(mode=0o700)
            found = place.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
                raise DriverError(f"{place} is not this user's alone, so no terminal is opened there: remove it")
    except OSError as error:
        raise DriverError(f"cannot make {folder}: {error.strerror}") from None
    return folder / "tmux"


def _remove(socket: Path, private: Path) -> None:
    """What a server leaves behind."""
    socket.unlink(missing_ok=True)
    if socket.parent != private:
        socket.parent.rmdir()


def _ended(status: str, killed: str) -> str:
    """How a program ended, by what tmux knows of it."""
    if status.isdigit():
        return f"exit {status}"
    if killed.isdigit():
        return f"signal {killed}"
    number = getattr(signal, f"SIG{killed}", None) if killed else None
    return f"signal {int(number)}" if number is not None else "lost: tmux does not know how it ended"
