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
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from collab_tui.model.text import clean
from collab_tui.processes.identity import Identity, identity_of, signal_group
from collab_tui.processes.programs import GRACE
from collab_tui.sessions.driver import DriverError, Launch, LostError, UnreachableError
from collab_tui.sessions.drivers.pane import COLUMNS, ROWS, Key, Pane, Seen
from collab_tui.sessions.drivers.tmux_server import Server, gone_within
from collab_tui.sessions.terminal_model import HISTORY, MAX_SIDE, captured

_LONGEST_SOCKET: Final = 100
"""Bytes: macOS takes 103."""
_AFTER_FORCE: Final = 3.0
"""Seconds until a program that was made to end has to be seen as ended, and until tmux tells how."""
_POLL: Final = 0.05
_MOST_ASKED: Final = 20
_FIRST: Final = "%0"
"""What a server calls its first pane, the one that we made."""
_LOOK: Final = (
    "#{pane_dead} #{pane_pid} #{pane_width} #{cursor_y} #{cursor_x} #{pane_in_mode} #{@collab_run} #{pid} "
    "s#{pane_dead_status} s#{pane_dead_signal} p#{bracket_paste_flag}"
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
}


def is_there(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether tmux is installed."""
    return os.name == "posix" and shutil.which("tmux", path=environment.get("PATH")) is not None


def attach_command(handle: Mapping[str, Any]) -> list[str]:
    """The words by which a person attaches to it in a terminal, also from inside another tmux.

    They cannot stop the client, which nobody could bring back, and when the last one leaves it has its size again.
    """
    size = f"resize-window -t {_FIRST} -x {COLUMNS} -y {ROWS}"
    keys = "ctrl+b ctrl+b d" if "TMUX" in os.environ else "ctrl+b d"
    return [
        "env",
        "-u",
        "TMUX",
        "tmux",
        "-u",
        "-S",
        str(handle["socket"]),
        *("unbind-key", "-q", "C-z", ";"),
        *("set-option", "-gq", "status-right", f" {keys}: back ", ";"),
        *("set-hook", "-g", "client-detached", f"if-shell -F '#{{==:#{{session_attached}},0}}' '{size}'", ";"),
        *("set-option", "-wq", "-t", _FIRST, "window-size", "latest", ";"),
        "attach-session",
        "-t",
        f"={handle['name']}",
    ]


class TmuxPane(Pane):
    """One pane, the only one of its server."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._server = Server(_socket(launch))
        self._handle: dict[str, Any] = dict(launch.handle or {})
        if launch.handle is None:
            self._handle = {"socket": str(self._server.socket), "name": launch.name, "run": launch.run}
        self._opening: asyncio.Task[None] | None = None
        self._told: tuple[list[str], str] | None = None
        """What tmux said at the last look."""
        self._seen: Seen | None = None
        """What that shows."""

    @property
    def pid(self) -> int | None:
        """The program, which tmux starts without anything between."""
        return self._handle.get("pid")

    @property
    def handle(self) -> Mapping[str, Any] | None:
        """Where its server listens, and, once that is known, which process of which server it is."""
        return self._handle

    @property
    def takes_lines(self) -> bool | None:
        """As of the last look; older ones than 3.7 do not tell."""
        told = self._told[0][10] if self._told is not None else "p"
        return {"p1": True, "p0": False}.get(told)

    async def open(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a server that knows no environment but the given, and the program in it. Once begun it is not left
        half done: `end` waits for it.
        """
        # One word alone would be given to a shell.
        words = list(arguments) if len(arguments) > 1 else ["env", *arguments]
        if "=" in words[0] or (len(arguments) == 1 and "=" in arguments[0]):
            raise DriverError(f"tmux cannot start a program with = in its path: {arguments[0]}")
        self._opening = asyncio.create_task(self._open(words, environment))
        await asyncio.shield(self._opening)

    async def _open(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        socket, name, run = self._server.socket, self._launch.name, self._launch.run
        if socket.parent != self._launch.private:
            await asyncio.to_thread(_make_private, socket.parent)
        await self._end_older()
        chosen = {**_OPTIONS, "@collab_run": run, "@collab_name": name}
        options = [word for option, value in chosen.items() for word in ("set-option", "-gq", option, value, ";")]
        folder = str(self._launch.folder).replace("#", "##")
        told = await self._server.start(
            *options,
            *("new-session", "-d", "-P", "-F", "#{pane_id} #{pane_pid} #{pid}", "-s", name),
            *("-x", str(COLUMNS), "-y", str(ROWS), "-c", _word(folder), "--", *map(_word, words)),
            environment=environment,
        )
        await self._know(*told.split())

    async def _end_older(self) -> None:
        """A session of this name that ended without us may have left its terminal where ours is to be."""
        if not self._server.socket.exists():
            return
        older = TmuxPane(self._launch)
        try:
            name, _ = await older._find()
            if name == self._launch.name:
                await older.end(GRACE)
        except LostError:
            pass  # nobody listens there
        except UnreachableError as error:
            raise DriverError(f"the terminal that it had before stands in the way: {error}") from None
        try:
            self._server.socket.unlink(missing_ok=True)
        except OSError as error:
            raise DriverError(f"cannot remove {self._server.socket}: {error.strerror}") from None

    async def _find(self) -> tuple[str, str]:
        """Learn from the server what runs in it; gives whose session that is, and its run. Raises as `command`."""
        asked = "#{pane_id} #{pane_pid} #{pid} #{@collab_name} #{@collab_run}"
        told = await self._server.command("display-message", "-p", "-t", _FIRST, asked)
        pane, process, server, name, run, *_ = [*told.rstrip("\n").split(" "), "", "", "", "", ""]
        if not (process.isdigit() and server.isdigit()):
            raise LostError("its terminal is gone")
        await self._know(pane, process, server)
        return name, run

    async def _know(self, pane: str, process: str, server: str) -> None:
        program = await asyncio.to_thread(identity_of, int(process))
        self._server.identity = await asyncio.to_thread(identity_of, int(server))
        self._handle = {
            **self._handle,
            "pane": pane,
            "pid": int(process),
            "started": program.started if program is not None else "",
            "server": int(server),
            "server_started": self._server.identity.started if self._server.identity is not None else "",
        }

    async def take_up(self, handle: Mapping[str, Any]) -> None:
        """Find the pane again, and be sure that it is that very one."""
        self._handle = _understood(handle)
        self._server = _server_of(self._handle)
        if self.pid is None and (await self._find())[1] != self._handle["run"]:
            raise LostError("another session has its terminal")
        try:
            seen = await self.look()
        except LostError:
            if not await self._server.is_alive():
                await self.end(GRACE)
            raise
        runs = await asyncio.to_thread(identity_of, self._program.pid)
        if seen.ended is not None or runs is None:
            how = seen.ended or await self._how_it_ended()
            await self._end_server()
            raise LostError(f"it ended while nobody looked: {how}")
        if runs != self._program:
            raise LostError(f"process {self.pid} is another one now")

    async def look(self) -> Seen:
        """The screen with its styles, and whether its program runs."""
        told = await _told(self._server, self._known)
        if self._seen is None or told != self._told:
            self._told, self._seen = told, _seen(*told)
        return self._seen

    async def lines(self, rows: int) -> list[str]:
        """Lines that were too long for the screen are whole again."""
        words = ("capture-pane", "-p", "-J", "-t", self._known["pane"], "-S", "-", "-E", str(rows - 1))
        return [clean(line).rstrip() for line in (await self._server.command(*words)).split("\n")[:-1]]

    async def paste(self, text: str) -> None:
        """From a buffer of its own, which is gone afterwards."""
        buffer = f"collab-{os.urandom(8).hex()}"
        target = ("-t", self._known["pane"])
        is_scrolled = self._told is not None and self._told[0][5] == "1"  # a person scrolls, and would get the text
        leave = ("send-keys", "-X", *target, "cancel", ";") if is_scrolled else ()
        load = ("load-buffer", "-b", buffer, "-", ";")
        paste = ("paste-buffer", "-p", "-r", "-d", "-b", buffer, *target)
        await self._server.command(*leave, *load, *paste, stdin=text.encode())

    async def press(self, key: Key) -> None:
        """By its name, which is ours."""
        await self._server.command("send-keys", "-t", self._known["pane"], key.value)

    async def end(self, grace: float) -> str:
        """End the program's group, then the server. Neither is asked by tmux, which may not answer."""
        if self._opening is not None:
            with suppress(DriverError):
                await self._opening
            if self.pid is None:
                with suppress(DriverError):
                    await self._find()
        how = "lost: it does not end"
        if await self._end_program(grace):
            how = await self._how_it_ended()
        await self._end_server()
        return how

    async def _end_program(self, grace: float) -> bool:
        """Whether it is gone; by force after the grace."""
        for is_hard, limit in ((False, grace), (True, _AFTER_FORCE)):
            await asyncio.to_thread(signal_group, self._program, hard=is_hard)
            if await gone_within(self._program, limit):
                return True
        return False

    async def _how_it_ended(self) -> str:
        try:
            async with asyncio.timeout(_AFTER_FORCE):
                while True:
                    if (ended := (await self.look()).ended) is not None:
                        return ended
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            return "lost: its terminal does not tell how it ended"
        except DriverError as error:
            return f"lost: {error}"

    async def _end_server(self) -> None:
        """It has this one pane, and no use without."""
        await self._server.end()
        with suppress(OSError):
            _remove(self._server.socket, self._launch.private)

    @property
    def _known(self) -> dict[str, Any]:
        """The handle of what was started."""
        if self.pid is None:
            raise LostError("it was not started")
        return self._handle

    @property
    def _program(self) -> Identity:
        known = self._known
        return Identity(known["pid"], known["started"])


async def look(handle: Mapping[str, Any]) -> Seen:
    """The screen of a session, from any process of its user. Raises `LostError`, `UnreachableError`."""
    known = _understood(handle)
    return _seen(*await _told(_server_of(known), known))


async def pulse(handle: Mapping[str, Any]) -> tuple[str, bool]:
    """What differs once something was drawn on the screen, and whether the second of which it tells is over: within
    one more may have been drawn. Raises as `look`.
    """
    known = _understood(handle)
    asked = "#{window_activity} #{pane_width} #{pane_height} #{pane_dead} #{@collab_run}"
    told = (await _server_of(known).command("display-message", "-p", "-t", known.get("pane", _FIRST), asked)).strip()
    drawn_at, *_, run = told.split(" ")
    if run != known["run"]:
        raise LostError("another session has its terminal")
    return told, drawn_at.isdigit() and int(drawn_at) < int(time.time())


def _understood(handle: Mapping[str, Any]) -> dict[str, Any]:
    """A handle as it was kept; of one whose start was not seen to its end it says where that was to be."""
    texts = ("socket", "name", "run", *(("pane", "started") if "pid" in handle else ()))
    numbers = ("pid", *(("server",) if "server" in handle else ())) if "pid" in handle else ()
    is_whole = all(isinstance(handle.get(name), str) for name in texts)
    if not is_whole or not all(isinstance(handle.get(name), int) for name in numbers):
        raise LostError("what was kept of its terminal cannot be understood")
    if not re.fullmatch("%[0-9]{1,9}", handle.get("pane", _FIRST)):
        raise LostError(f"it has no pane that tmux would know: {handle['pane']!a}")
    return dict(handle)


def _server_of(known: Mapping[str, Any]) -> Server:
    identity = Identity(known["server"], str(known.get("server_started"))) if "server" in known else None
    return Server(Path(known["socket"]), identity)


async def _told(server: Server, known: Mapping[str, Any]) -> tuple[list[str], str]:
    """What tmux knows of a pane, as of `_LOOK`, and its screen."""
    pane = known.get("pane", _FIRST)
    for _ in range(_MOST_ASKED):
        told = await server.command(
            *("display-message", "-p", "-t", pane, _LOOK, ";"), *("capture-pane", "-p", "-e", "-t", pane)
        )
        first, _, screen = told.partition("\n")
        found = first.split(" ")
        if len(found) != 11 or found[6] != known["run"]:
            raise LostError("another session has its terminal")
        dead, process, ends, its_server = found[0], found[1], found[8:10], found[7]
        if dead == "0" or ends != ["s", "s"]:
            break
        # 3.3a was seen to miss that its child ended, until it hears the signal once more; others ignore that one.
        with suppress(ProcessLookupError, PermissionError):
            os.kill(int(its_server), signal.SIGCHLD)
        await asyncio.sleep(_POLL)
    if dead != "1" and process != str(known.get("pid", process)):
        raise LostError("another program has its terminal")
    return found, screen


def _seen(found: Sequence[str], screen: str) -> Seen:
    dead, _, width, row, column, *_ = found
    picture = captured(screen, min(int(width), MAX_SIDE), (int(row), int(column)))
    return Seen(picture, _ended(found[8][1:], found[9][1:]) if dead == "1" else None)


def _word(word: str) -> str:
    """A word of others for tmux, which takes a `;` at its end for the end of a command."""
    return f"{word[:-1]}\\;" if word.endswith(";") else word


def _socket(launch: Launch) -> Path:
    """Where the server listens: in the session's own folder, else, where that path is too long, in one in the
    system's temporary folder that only this user can enter.
    """
    wanted = launch.private / "tmux"
    if len(os.fsencode(wanted)) <= _LONGEST_SOCKET:
        return wanted
    whose = os.getuid() if os.name == "posix" else 0
    return Path(tempfile.gettempdir(), f"collab-tui-{whose}", launch.run, "tmux")


def _make_private(folder: Path) -> None:
    """Make it and the folder above. Raises `DriverError` where one of them is not this user's alone."""
    try:
        for place in (folder.parent, folder):
            with suppress(FileExistsError):
                place.mkdir(mode=0o700)
            found = place.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
                raise DriverError(f"{place} is not this user's alone, so no terminal is opened there: remove it")
    except OSError as error:
        raise DriverError(f"cannot make {folder}: {error.strerror}") from None


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
