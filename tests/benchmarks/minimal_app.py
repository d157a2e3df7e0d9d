"""The least that a Textual app can do: the reference of what is measured on a terminal.

Without an argument it shows one word. With a file it shows the file's last screenful in one Static, and again at each
change that inotify reports (through ctypes, without any library between). Linux only.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys

from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

_IN_MODIFY = 0x2
_TAIL = 1 << 16


class MinimalApp(App[None]):
    """One Static over the whole screen."""

    CSS = "Static { height: 1fr; }"

    def __init__(self, path: str | None) -> None:
        super().__init__()
        self.path = path
        self.notices = -1

    def compose(self) -> ComposeResult:
        yield Static("ready", markup=False)

    def on_mount(self) -> None:
        if self.path is not None:
            libc = ctypes.CDLL(None, use_errno=True)
            self.notices = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            libc.inotify_add_watch(self.notices, os.fsencode(self.path), _IN_MODIFY)
            asyncio.get_running_loop().add_reader(self.notices, self.changed)
            self.show_end()

    def changed(self) -> None:
        os.read(self.notices, 4096)
        self.show_end()

    def show_end(self) -> None:
        assert self.path is not None
        with open(self.path, "rb") as file:
            file.seek(max(0, os.path.getsize(self.path) - _TAIL))
            lines = file.read().decode(errors="replace").splitlines()[1 - self.size.height :]
        self.query_one(Static).update(Content("\n".join(line[: self.size.width // 2] for line in lines)))


if __name__ == "__main__":
    MinimalApp(sys.argv[1] if len(sys.argv) > 1 else None).run()
