"""A hook as a process of its own, in a session of an agent's program that is played here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hooks.conftest import SESSION, payload
from tests.hooks.real import Project
from tests.program import PATIENCE, PROGRAM, environment
from tests.signing import install_key_at


class Session:
    """One session, of a program that is nothing but a process that runs."""

    def __init__(self, project: Project, home: Path, agent: str = "claude") -> None:
        self.project, self.home, self.agent = project, home, agent
        install_key_at(home)
        waits = [sys.executable, "-c", "import sys; sys.stdin.read()"]
        self.program = subprocess.Popen(waits, stdin=subprocess.PIPE)

    def start(self, name: str, *options: str, **more: Any) -> subprocess.Popen[bytes]:
        """Start the hook for an event."""
        marks = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": SESSION, "CLAUDE_PID": str(self.program.pid)}
        env = environment(self.home, WIN_PD_OVERRIDE_LOCAL_APPDATA=str(self.home), **marks)
        process = subprocess.Popen(
            [PROGRAM, "hook", self.agent, *options],
            cwd=self.project.folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        given = payload(self.agent, name, **{"cwd": str(self.project.folder), **more})
        process.stdin.write(json.dumps(given).encode())
        process.stdin.close()
        process.stdin = None
        return process

    def run(self, name: str, *options: str, **more: Any) -> None:
        """The same from start to end; nothing is said but a brief."""
        process = self.start(name, *options, **more)
        _, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, errors) == (0, b"")

    def kill(self) -> None:
        """End the program without a word."""
        self.program.kill()
        self.program.wait(PATIENCE)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """How a hook ended, and what it said."""
    out, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, out.decode(), errors.decode()


@contextmanager
def session(tmp_path: Path, agent: str = "claude") -> Iterator[Session]:
    """A session that began."""
    home = tmp_path / "home"
    home.mkdir()
    opened = Session(Project(tmp_path / "project"), home, agent)
    try:
        opened.run("session_start")
        yield opened
    finally:
        opened.kill()
        assert opened.program.stdin is not None
        opened.program.stdin.close()
