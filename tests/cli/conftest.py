"""What the tests of the commands share."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collab_tui.cli.main import main
from tests.events import asks, lines, says, updates

Collab = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings, no registry and no name from around the tests."""
    for name in ("COLLAB_REGISTRY", "COLLAB_AGENT", "AGENT", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "user-config"))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def collab(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Collab:
    """Run a command in this process; gives the exit code, standard output and standard error."""

    def run(*arguments: str, stdin: str | bytes = b"") -> tuple[int, str, str]:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        try:
            code = main(list(arguments))
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A day with something of everything; found from the working directory."""
    path = tmp_path / "project" / "COLLABORATION_STATE.jsonl"
    path.write_bytes(
        lines(
            says("system", "registry_created", registry="abcdef"),
            updates("sena", status="in_progress", progress=40, current_task="metrics v2", next_action="샘플 작성"),
            updates("gitcode", status="blocked", blockers=["no credentials for staging", "no disk", "lubit_decision"]),
            asks("sena", "aaaa0001", request="Approve metrics v2?", target="human"),
            asks(
                "lubit", "aaaa0002", request="Which first?", options=["rules", "model"], deadline="2025-01-01T00:00:00Z"
            ),
            asks("gitcode", "bbbb0001", request="Ready to deploy?", target="lubit"),
            asks("sena", "cccc0001", request="Too late?", expires="2025-01-01T00:00:00Z"),
        )
    )
    return path


def events(path: Path) -> list[dict[str, Any]]:
    """Everything in a registry."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def last(path: Path) -> dict[str, Any]:
    """The last event, without what every event has."""
    return {name: value for name, value in events(path)[-1].items() if name not in ("id", "timestamp")}
