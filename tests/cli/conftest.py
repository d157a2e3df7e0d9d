"""What the tests of the commands share."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest

from collab_tui.cli.main import main
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.presence import AGENT_MARKS
from collab_tui.registry.create import make_registry
from tests.events import asks, lines, says, updates
from tests.signing import install_key

Collab = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings, no registry and no name from around the tests."""
    for name in ("COLLAB_REGISTRY", "NO_COLOR", "FORCE_COLOR", "COLUMNS", *AGENT_MARKS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "user-config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "user-state"))
    monkeypatch.setattr("platformdirs.user_log_dir", lambda *_, **__: str(tmp_path / "user-log"))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def collab(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Collab:
    """Run a command in this process; gives the exit code, standard output and standard error."""

    def run(*arguments: str, stdin: str | bytes | TextIO = b"") -> tuple[int, str, str]:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        opened = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8") if isinstance(data, bytes) else data
        monkeypatch.setattr(sys, "stdin", opened)
        monkeypatch.setattr("collab_tui.cli.STARTED", time.time())
        try:
            code = main(list(arguments))
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    """Standard input of one who sits at a terminal."""
    if not hasattr(os, "openpty"):
        pytest.skip("needs a terminal that a program can make, as only Unix has")
    master, slave = os.openpty()
    with os.fdopen(slave, encoding="utf-8") as opened:
        yield opened
    os.close(master)


@pytest.fixture
def key(tmp_path: Path) -> Keyring:
    """The person has a signing key."""
    return install_key(tmp_path / "user-config")


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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a registry, to run programs in."""
    folder = tmp_path / "work"
    folder.mkdir()
    make_registry(folder)
    return folder


def events(path: Path) -> list[dict[str, Any]]:
    """Everything in a registry."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def last(path: Path) -> dict[str, Any]:
    """The last event, without what every event has."""
    return {name: value for name, value in events(path)[-1].items() if name not in ("id", "timestamp")}
