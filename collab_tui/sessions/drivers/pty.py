"""A program in a terminal of our own, where tmux is missing. It ends with us, and nobody can attach to it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from collab_tui.processes.identity import Identity, identity_of, signal_group
from collab_tui.processes.output import OutputLog
from collab_tui.sessions.driver import DriverError, Launch, LostError
from collab_tui.sessions.drivers.pane import COLUMNS, ROWS, Key, Pane, Seen
from collab_tui.sessions.terminal_model import BRACKETED_PASTE, Picture, TerminalModel, text_of

_CHUNK: Final = 1 << 14
"""Bytes that are drawn at once: of a flood of output others have their turn between."""
_PATIENCE: Final = 10.0
"""Seconds for which the program may read nothing of what it is given."""
_AFTER_FORCE: Final = 3.0
_KEYS: Final = {Key.ENTER: b"\r", Key.ESCAPE: b"\x1b", Key.INTERRUPT: b"\x03"}
_OWN_TERMINAL: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""What a new process does before it becomes the program: only itself can make a terminal its own."""


class PtyPane(Pane):
    """One pseudo-terminal."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._log = OutputLog(launch.log)
        self._model = TerminalModel(COLUMNS, ROWS)
        self._picture: Picture | None = None
        """Of the model as it is."""
        self._process: asyncio.subprocess.Process | None = None
        self._identity: Identity | None = None
        self._master = -1
        self._unwritten = b""
        self._is_written = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The program."""
        return self._process.pid if self._process is not None else None

    @property
    def handle(self) -> Mapping[str, Any] | None:
        """None: its terminal is gone with us."""
        return None

    @property
    def takes_lines(self) -> bool | None:
        """It asked for marked pastes."""
        return BRACKETED_PASTE in self._model.modes

    async def open(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the program as the leader of a session of its own."""
        if sys.platform == "win32":
            raise DriverError("an agent in a terminal needs a Unix, or WSL: choose one that is talked to by its pipes")
        import fcntl
        import pty
        import struct
        import termios

        self._master, slave = pty.openpty()
        try:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.set_blocking(self._master, False)
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _OWN_TERMINAL, *arguments),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd=self._launch.folder,
                env={**environment, "TERM": "xterm-256color"},
                start_new_session=True,
            )
        except BaseException as error:
            self._close()
            if isinstance(error, OSError):
                raise DriverError(f"cannot start {arguments[0]}: {error.strerror}") from None
            raise
        finally:
            os.close(slave)
        self._identity = identity_of(self._process.pid)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    async def take_up(self, handle: Mapping[str, Any]) -> None:
        """Never: it ended with the monitor that had started it."""
        raise LostError("its terminal ended with the monitor that had started it")

    async def look(self) -> Seen:
        """The screen of the model."""
        if self._process is None:
            raise LostError("it was not started")
        code = self._process.returncode
        if code is not None:
            self._read()  # what it said last
        ended = None if code is None else f"exit {code}" if code >= 0 else f"signal {-code}"
        self._picture = self._picture or self._model.picture()
        return Seen(self._picture, ended)

    async def lines(self, rows: int) -> list[str]:
        """As the program broke them."""
        return [*map(text_of, self._model.scrolled), *self._model.picture().lines[:rows]]

    async def paste(self, text: str) -> None:
        """Between the marks of a paste where the program knows them."""
        data = text.encode()
        if BRACKETED_PASTE in self._model.modes:
            data = b"\x1b[200~" + data + b"\x1b[201~"
        await self._give(data)

    async def press(self, key: Key) -> None:
        """What a terminal sends for it."""
        await self._give(_KEYS[key])

    async def end(self, grace: float) -> str:
        """End its group, then the terminal: that ends what is left in its session."""
        if self._process is None:
            raise LostError("it was not started")
        for hard, limit in ((False, grace), (True, _AFTER_FORCE)):
            if self._process.returncode is None and self._identity is not None:
                signal_group(self._identity, hard=hard)
                with suppress(TimeoutError):
                    async with asyncio.timeout(limit):
                        await self._process.wait()
        ended = (await self.look()).ended
        self._close()
        return ended or "lost: it does not end"

    async def _give(self, data: bytes) -> None:
        if self._master < 0:
            raise LostError("its terminal is closed")
        self._unwritten += data
        self._is_written.clear()
        self._write()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._is_written.wait()
        except TimeoutError:
            self._unwritten = b""
            asyncio.get_running_loop().remove_writer(self._master)
            raise DriverError(f"it reads nothing of what it is given for {_PATIENCE:g} s") from None

    def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._unwritten:
                self._unwritten = self._unwritten[os.write(self._master, self._unwritten) :]
        except BlockingIOError:
            loop.add_writer(self._master, self._write)
            return
        except OSError:
            self._unwritten = b""  # it ended
        loop.remove_writer(self._master)
        self._is_written.set()

    def _read(self) -> None:
        if self._master < 0:
            return
        try:
            data = os.read(self._master, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # nobody has the other end any more
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
            return
        self._log.append(data)
        self._model.feed(data)
        self._picture = None
        answers = "".join(self._model.answers).encode()
        self._model.answers.clear()
        if answers and not self._unwritten:
            self._unwritten = answers
            self._write()

    def _close(self) -> None:
        if self._master < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        os.close(self._master)
        self._master = -1
        self._is_written.set()
