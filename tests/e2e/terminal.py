"""A terminal for tests: the program runs on a real pty, and what it paints is kept as bytes and as a screen.

It behaves as a modern terminal does: it answers what programs ask of one, and knows which modes are on.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyte

from tests.program import PATIENCE

TOKEN = re.compile(
    r"\x1b\[(?P<csi>[<=>?]?[0-9;:]*[ -/]*[@-~])"
    r"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b[PX^_](?P<string>[^\x1b]*)\x1b\\"
    r"|\x1b(?P<escape>[ -/]*[0-OQ-WYZ\\`-~])"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
)
"""What a terminal reads: control sequences, strings, control characters, text."""
_ANSWERS = {"c": "\x1b[?62;22c", ">c": "\x1b[>1;10;0c", "5n": "\x1b[0n", "?u": "\x1b[?0u", "?2026$p": "\x1b[?2026;2$y"}
_RESUME = 0.5
"""Seconds after which a key that had no effect yet is pressed again, each time twice as many: faster than the program
takes them, keys that open and close would undo each other for ever.
"""
_OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """One program on one pty."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        columns: int = 160,
        rows: int = 48,
        encoding: str = "utf-8",
    ) -> None:
        self.raw = b""
        self.titles: list[str] = []
        self.bells = 0
        """How often it rang."""
        self.modes: set[int] = set()
        """Private modes that are on now: 1049 is the alternate screen, 1000 to 1016 are mouse modes, ..."""
        self.keyboard_modes = 0
        """How many kitty keyboard modes were pushed and not popped."""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._unread = ""
        self._master, self._slave = pty.openpty()
        self._set_size(columns, rows)
        self.settings = termios.tcgetattr(self._slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _OWN_TERMINAL, *command],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            cwd=cwd,
            env={"TERM": "xterm-256color", "COLORTERM": "truecolor", **env},
            start_new_session=True,
        )

    @property
    def lines(self) -> list[str]:
        """The screen as it is now."""
        columns = range(self._screen.columns)  # not its `display`, which fails on half of a wide character
        return [
            "".join(self._screen.buffer[row][column].data for column in columns) for row in range(self._screen.lines)
        ]

    @property
    def text(self) -> str:
        """The screen in one piece."""
        return "\n".join(line.rstrip() for line in self.lines)

    @property
    def colours(self) -> set[tuple[str, str]]:
        """Foreground and background of whatever can be seen."""
        buffer = self._screen.buffer
        cells = (buffer[row][column] for row in range(self._screen.lines) for column in range(self._screen.columns))
        return {(cell.fg, cell.bg) for cell in cells if cell.data.strip()}

    def row(self, text: str) -> str:
        """The line of the screen that holds the text; empty when none does."""
        return next((line for line in self.lines if text in line), "")

    @property
    def settings_now(self) -> list[object]:
        """What the kernel does with keys and output now; `settings` is how it was at the start."""
        return termios.tcgetattr(self._slave)

    def wait_for(self, wanted: str | Callable[[], object], *, press: str = "") -> None:
        """Read on until the text is on the screen or the condition holds.

        `press` is sent at once and, as long as it does not hold, again and again, see `_RESUME`.
        """
        holds = (lambda: wanted in self.text) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + PATIENCE
        next_press, pause = 0.0, _RESUME
        while not holds():
            now = time.monotonic()
            assert now < deadline, f"never came: {wanted}\n{self.text}"
            assert self.process.poll() is None or self._read(), f"ended: {self.process.returncode}\n{self.text}"
            if press and now >= next_press:
                self.send(press)
                next_press, pause = now + pause, 2 * pause
            self._read()

    def send(self, keys: str) -> None:
        """Type."""
        self.send_bytes(keys.encode())

    def send_bytes(self, data: bytes) -> None:
        """Send what no keyboard may have made."""
        os.write(self._master, data)

    def resize(self, columns: int, rows: int) -> None:
        """Another size; the kernel tells the program."""
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def wait(self) -> int:
        """Read on to the end of the program; gives its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end\n{self.text}"
            self._read()
        while self._read():
            pass
        return self.process.returncode

    def quit(self) -> int:
        """Press q until the program gives the terminal back, as one right behind an escape is another key; gives its
        exit code. Once the terminal is as it was, a q would be echoed into what is still painted.
        """
        self.wait_for(lambda: self.process.poll() is not None or self.settings_now == self.settings, press="q")
        return self.wait()

    def close(self) -> None:
        """End the program if it still runs."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)  # it leads a session of its own
        os.close(self._master)
        os.close(self._slave)
        self.process.wait(PATIENCE)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self) -> bool:
        if not select.select([self._master], [], [], 0.05)[0]:
            return False
        data = os.read(self._master, 1 << 16)
        self.raw += data
        self._take(self._unread + self._decoder.decode(data))
        return True

    def _take(self, told: str) -> None:
        place = 0
        while place < len(told) and (token := TOKEN.match(told, place)):
            place = token.end()
            if token["csi"] is not None:
                self._control(token["csi"], token[0])
            elif token["osc"] is not None:
                kind, _, value = token["osc"].partition(";")
                if kind in ("0", "2"):
                    self.titles.append(value)
            elif token["control"] == "\a":
                self.bells += 1
            elif token["text"] is not None or token["control"] in ("\r", "\n", "\b", "\t"):
                self._stream.feed(token[0])
        self._unread = told[place:]  # the rest of a sequence that did not come yet

    def _control(self, sequence: str, raw: str) -> None:
        modes = re.fullmatch(r"\?([0-9;]+)([hl])", sequence)
        if modes:
            numbers = {int(number) for number in modes[1].split(";")}
            if 1049 in numbers:
                self._screen.erase_in_display(2)  # the other screen is another one
            self.modes = self.modes | numbers if modes[2] == "h" else self.modes - numbers
        elif sequence in _ANSWERS:
            self.send(_ANSWERS[sequence])
        elif sequence == "6n":
            self.send(f"\x1b[{self._screen.cursor.y + 1};{self._screen.cursor.x + 1}R")
        elif sequence.endswith("$p"):
            self.send(f"\x1b[{sequence[:-2]};0$y")
        elif sequence.endswith("u"):
            self.keyboard_modes += {">": 1, "<": -1}.get(sequence[0], 0)
        elif sequence[0] not in "<=>?" and not set(sequence) & set(" !\"#$%&'"):
            self._stream.feed(raw)


@contextmanager
def terminal(
    *command: str, cwd: Path, env: Mapping[str, str], columns: int = 160, rows: int = 48, encoding: str = "utf-8"
) -> Iterator[Terminal]:
    """The program while it runs; ended afterwards whatever happens."""
    opened = Terminal(command, cwd=cwd, env=env, columns=columns, rows=rows, encoding=encoding)
    try:
        yield opened
    finally:
        opened.close()


def strange_tokens(raw: bytes, titles: str) -> list[str]:
    """What a program painted that is neither text nor of the few sequences that Textual uses, each in its place.

    `titles` is a pattern of the window titles that may be set.
    """
    usual = re.compile(
        r"\x1b\[[0-9;]*[mH]"  # colours and places
        r"|\x1b\[\?(?:1000|1002|1003|1004|1006|1015|1016|1049|2004|2048)h|\x1b\[\?(?:25|7)l|\x1b\[\?2026[hl]"
        r"|\x1b\[\?(?:2026|2048)\$p|\x1b\[>25u"
        r"|\x1b\]22;[a-z-]+\x07"  # the shape of the mouse pointer
        r"|\x1b\[2[23];0t"  # its title is kept, and given back
        rf"|\x1b\]0;(?:{titles})\x07"
        r"|[\r\n]"
        r"|[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\u2028\u2029]+"
    )
    at_the_end = re.compile(r"\x1b\[\?(?:1000|1003|1004|1006|1015|1016|1049|2004|2048)l|\x1b\[\?(?:25|7)h|\x1b\[<u")
    told = raw.decode("utf-8")
    end = told.rfind("\x1b[?2004l")  # what it does first when it gives the terminal back
    strange, place = [], 0
    while place < len(told):
        token = TOKEN.match(told, place)
        found = token[0] if token else told[place]
        if not usual.fullmatch(found) and not (0 <= end <= place and at_the_end.fullmatch(found)):
            strange.append(found)
        place += len(found)
    return strange
