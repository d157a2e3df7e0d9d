"""A pseudo-terminal with a program in it, watched from outside.

Every chunk of output is stamped as it arrives. What terminals are asked is answered at once, so that no program waits
for a time-out. The screen is not interpreted: control sequences are taken out, and what is left is searched.
"""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks.report import CannotRunError

if sys.platform != "win32":
    import fcntl
    import pty
    import termios

COLUMNS, ROWS = 160, 48

_CONTROL = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS, APC, PM, SOS
    rb"|\x1b[ -/]*[0-OQ-WYZ`-~\\]"  # the two-byte ones
)
_QUERY = re.compile(
    rb"\x1b\[(?:(?P<attributes>0?)c|(?P<secondary>>0?)c|(?P<position>6)n|(?P<status>5)n"
    rb"|\?(?P<mode>\d+)\$p|(?P<size>14|16|18)t|(?P<version>>0?)q)"
)
_TAIL = 256


def require_terminal() -> None:
    """Raise where programs cannot be measured on a terminal."""
    if not sys.platform.startswith("linux"):
        raise CannotRunError(f"needs Linux (pty, inotify, /proc); this is {sys.platform}")


class Terminal:
    """One program on a terminal of its own."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.first_paint: float | None = None
        """When something visible arrived first."""
        self.seen: float | None = None
        """When the marker looked for arrived."""
        self.ended = False
        self._marker = b""
        self._held = b""
        self._tail = b""
        self.started = time.monotonic()
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
                os.chdir(folder)
                os.execve(command[0], list(command), dict(environment))
            finally:
                os._exit(127)

    def look_for(self, marker: str) -> None:
        """Note in `seen` when this text arrives next."""
        self._marker, self.seen = marker.encode(), None

    def wait_until_seen(self, timeout: float) -> float:
        """The moment at which the marker arrived."""
        end = time.monotonic() + timeout
        while self.seen is None:
            if self.ended or time.monotonic() > end:
                raise RuntimeError(f"{self._marker.decode()} never came; the output ends {self._end()!r}")
            pump([self], end)
        return self.seen

    def wait_until_quiet(self, quiet: float, timeout: float) -> None:
        """Until something was painted and nothing came for a while."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and not self.ended:
            if not pump([self], time.monotonic() + quiet) and self.first_paint is not None:
                return
        raise RuntimeError(f"no quiet screen; the output ends {self._end()!r}")

    def read(self) -> None:
        """Take what has arrived."""
        try:
            data = os.read(self.descriptor, 1 << 16)
        except OSError:  # Linux says EIO when the program is gone
            data = b""
        now = time.monotonic()
        if not data:
            self.ended = True
            return
        data = self._held + data
        for query in _QUERY.finditer(data):
            os.write(self.descriptor, _answer(query))
        text = _CONTROL.sub(b"", data)
        cut = text.rfind(b"\x1b")  # a sequence that is not whole yet
        self._held, text = (text[cut:], text[:cut]) if cut >= 0 else (b"", text)
        if self.first_paint is None and text.strip():
            self.first_paint = now
        if self._marker and self.seen is None and self._marker in self._tail + text:
            self.seen = now
        self._tail = (self._tail + text)[-_TAIL:]

    def _end(self) -> str:
        """The end of what was shown, to tell what went wrong."""
        return " ".join(self._tail.decode(errors="replace").split())[-160:]

    def close(self) -> None:
        """End the program."""
        for number, patience in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 10.0)):
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                break
            end = time.monotonic() + patience
            while time.monotonic() < end:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.descriptor)
                    return
                if self.ended or not pump([self], time.monotonic() + 0.01):
                    time.sleep(0.002)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def pump(terminals: Sequence[Terminal], until: float) -> bool:
    """Read what arrives next on any of the terminals; False when nothing did until then."""
    waiting = {terminal.descriptor: terminal for terminal in terminals if not terminal.ended}
    readable, _, _ = select.select(list(waiting), [], [], max(0.0, until - time.monotonic()))
    for descriptor in readable:
        waiting[descriptor].read()
    return bool(readable)


def pump_for(terminals: Sequence[Terminal], seconds: float) -> None:
    """Read on for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pump(terminals, end)


def _answer(query: re.Match[bytes]) -> bytes:
    """What an xterm would say."""
    value = query[query.lastgroup or 0]
    match query.lastgroup:
        case "attributes":
            return b"\x1b[?62;22c"
        case "secondary":
            return b"\x1b[>1;100;0c"
        case "position":
            return b"\x1b[1;1R"
        case "status":
            return b"\x1b[0n"
        case "mode":  # synchronized output is known, in-band resizing and others are not
            return b"\x1b[?%b;%d$y" % (value, 2 if value in (b"2026", b"2004", b"1004", b"1006") else 0)
        case "size" if value == b"18":
            return b"\x1b[8;%d;%dt" % (ROWS, COLUMNS)
        case "size":
            cells = (ROWS * 16, COLUMNS * 8) if value == b"14" else (16, 8)
            return b"\x1b[%d;%d;%dt" % (4 if value == b"14" else 6, *cells)
        case _:
            return b"\x1bP>|benchmark(1)\x1b\\"
