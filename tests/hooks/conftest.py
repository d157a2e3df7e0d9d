"""What the tests of the hooks share."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from collab_tui.cli.main import main
from collab_tui.hooks import places
from collab_tui.protocol.presence import AGENT_MARKS
from tests.events import lines, says

PAYLOADS = Path(__file__).parent / "payloads"
SESSION = "11111111-2222-3333-4444-555555555555"
AROUND = ("COLLAB_REGISTRY", "CLAUDE_CODE_SESSION_ID", "CLAUDE_PID", *AGENT_MARKS)
"""What may be in the environment of the tests and would be taken for the hooks' own."""


def payload(agent: str, name: str, **more: Any) -> dict[str, Any]:
    """One as the agent's program wrote it."""
    return {**json.loads((PAYLOADS / agent / f"{name}.json").read_text("utf-8")), **more}


class Hooks:
    """Hooks that run in this process, one after the other, of agents that work in one project."""

    def __init__(
        self, project: Path, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.project = project
        self.registry = project / "COLLABORATION_STATE.jsonl"
        self.registry.write_bytes(lines(says("system", "registry_created", registry="abcdef")))
        self.state = state
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.set("XDG_STATE_HOME", str(state))
        self.set("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(state))
        self.as_claude(SESSION)

    def set(self, name: str, value: str) -> None:
        """A variable of the agent's program."""
        self._monkeypatch.setenv(name, value)

    def as_claude(self, session: str, process: int = os.getpid()) -> None:
        """The environment of a hook of Claude Code, which runs as this process."""
        for name, value in (("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", session), ("CLAUDE_PID", str(process))):
            self.set(name, value)

    def as_another(self) -> None:
        """The environment of the other programs' hooks."""
        for name in AROUND:
            self._monkeypatch.delenv(name, raising=False)

    def __call__(self, agent: str, given: str | bytes | dict[str, Any], *options: str, **more: Any) -> str:
        """One hook, with a payload by its name or as it is; gives what it said."""
        if isinstance(given, str):
            given = payload(agent, given, **{"cwd": str(self.project), **more})
        data = given if isinstance(given, bytes) else json.dumps(given).encode()
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        assert main(["hook", agent, *options]) == 0
        told = self._capsys.readouterr()
        assert told.err == ""
        return told.out

    def events(self) -> list[dict[str, Any]]:
        """What was recorded, without what every event has."""
        read = [json.loads(line) for line in self.registry.read_bytes().splitlines()[1:]]
        return [{k: v for k, v in event.items() if k not in ("id", "timestamp", "session")} for event in read]

    def last(self) -> dict[str, Any]:
        """The last of them."""
        return self.events()[-1]

    def log(self) -> str:
        """What went wrong."""
        path = Path(places.folder()) / "log"
        return path.read_text("utf-8") if path.exists() else ""


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Hooks:
    """No settings and nothing of an agent from around the tests."""
    for name in AROUND:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "user-config"))
    project = tmp_path / "project"
    project.mkdir()
    return Hooks(project, tmp_path / "state", monkeypatch, capsys)
