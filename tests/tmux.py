"""tmux for tests: a server of its own, so that nobody's sessions are touched."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.program import PATIENCE, eventually


class Tmux:
    """One private server with one window."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """`env` has a TMUX_TMPDIR with a short path."""
        self._socket = f"collab-tui-{os.getpid()}-{os.urandom(4).hex()}"
        self._env = {"TERM": "xterm-256color", **env}

    def __call__(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, "-f", os.devnull, *arguments]
        done = subprocess.run(command, env=self._env, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def start(
        self, command: Sequence[str], *, cwd: Path, columns: int, rows: int, env: Mapping[str, str] | None = None
    ) -> None:
        """Run a program in a shell that tells how it ended and stays; with `env` it sees nothing else."""
        self("new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(cwd), "sh")
        self("set-option", "-g", "status", "off")
        self("resize-window", "-x", str(columns), "-y", str(rows))
        clean = [] if env is None else ["env", "-i", "TERM=tmux-256color", *(f"{k}={v}" for k, v in env.items())]
        self.type(f"{shlex.join([*clean, *command])}; echo ended with $?", "Enter")

    def type(self, *keys: str) -> None:
        """Press keys, by their names or as text."""
        self("send-keys", *keys)

    def shown(self) -> str:
        """The screen."""
        return self("capture-pane", "-p")

    def value(self, name: str) -> str:
        """What tmux knows by that name."""
        return self("display-message", "-p", f"#{{{name}}}").removesuffix("\n")

    def wait_for(self, *texts: str) -> None:
        """Until all of the texts are on the screen."""
        eventually(lambda: all(text in self.shown() for text in texts), self.shown)

    def end(self) -> None:
        """End the server, with what runs in it."""
        subprocess.run(
            ["tmux", "-L", self._socket, "kill-server"], env=self._env, capture_output=True, timeout=PATIENCE
        )
