"""A project with agents of its own, and a person who gives commands to their sessions at a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from collab_tui.model.event import decode
from collab_tui.model.fold import Fold
from collab_tui.model.sessions import Session
from collab_tui.monitor.acting import Acting, ask_to_end, has_ended, who_acts
from collab_tui.registry.append import append
from collab_tui.registry.kept import kept_for
from tests.program import PATIENCE, PROGRAM, environment, run
from tests.signing import install_key_at

ECHO = """\
driver = "command"
command = ["sh", "-c", '''
prompt=$(cat)
case $prompt in
  fail*) exit 3;;
  wait*) while ! test -e go; do sleep 0.05; done;;
  write*) echo hello > made; git add made; git commit -qm made; echo more > draft;;
esac
echo "you said: $prompt"
''']
"""


class Told(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Project:
    """What a test has in hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.path = self.folder / ".collab" / "registry.jsonl"
        self.home = folder / "home"
        self.state = self.home / "state"
        self.env = environment(self.home, XDG_STATE_HOME=str(self.state), COLUMNS="80")
        self.path.parent.mkdir(parents=True)
        append(str(self.path), {"agent": "system", "event": "registry_created", "registry": "abcdef"})
        settings = self.home / ("Library/Application Support" if sys.platform == "darwin" else "config")
        self.settings = settings / "collab-tui"
        install_key_at(self.home)
        self.define("echo", ECHO)

    def define(self, name: str, text: str) -> None:
        """The user's own definition of an agent."""
        file = self.settings / "agents" / f"{name}.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def person(self, *arguments: str, typed: str = "") -> Told:
        """What the person runs at a terminal, and types there."""
        master, slave = os.openpty()
        try:
            os.write(master, typed.encode())
            done = self._run(arguments, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        finally:
            os.close(slave)
            os.close(master)
        return Told(done.returncode, done.stdout.decode(), done.stderr.decode())

    def piped(self, *arguments: str, text: bytes) -> Told:
        """The same with something piped into it: standard error is the terminal."""
        master, slave = os.openpty()
        try:
            done = self._run(arguments, input=text, stdout=subprocess.PIPE, stderr=slave)
        finally:
            os.close(slave)
            os.close(master)
        return Told(done.returncode, done.stdout.decode(), "")

    def anybody(self, *arguments: str, **more: str) -> Told:
        """What a program runs, away from any terminal."""
        done = run(*arguments, cwd=self.folder, env={**self.env, **more})
        return Told(done.returncode, done.stdout.decode(), done.stderr.decode())

    def _run(self, arguments: tuple[str, ...], **how: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([PROGRAM, *arguments], cwd=self.folder, env=self.env, timeout=PATIENCE, **how)

    def sessions(self) -> dict[str, dict[str, Any]]:
        """What is listed, by name."""
        return {each["session"]: each for each in self.anybody("session", "list", "--json").json}

    def told(self, name: str) -> Session:
        """What the registry tells of a session."""
        fold = Fold()
        fold.extend(decode(self.path.read_bytes(), 0))
        session = fold.board().session(name)
        assert session is not None
        return session

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What stands in the registry, of a kind."""
        whole = [json.loads(line) for line in self.path.read_bytes().splitlines()]
        return [event for event in whole if event["event"] == kind]

    def acts(self) -> Acting | None:
        """The monitor that acts."""
        return who_acts(self.state / "collab-tui" / "monitor" / kept_for(self.path).name)

    def end(self) -> None:
        """End the monitor, and with it what it runs."""
        if (acting := self.acts()) is not None:
            ask_to_end(acting)
            assert has_ended(acting, PATIENCE)


@contextmanager
def project_in(folder: Path) -> Iterator[Project]:
    """A project whose monitor is ended afterwards, whatever happens."""
    project = Project(folder)
    try:
        yield project
    finally:
        project.end()


def git(folder: Path, *arguments: str) -> str:
    """What git says, with nobody's settings but a name to commit under."""
    who = {f"GIT_{role}_{what}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **who}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=env, capture_output=True, check=True, text=True, encoding="utf-8"
    )
    return done.stdout
