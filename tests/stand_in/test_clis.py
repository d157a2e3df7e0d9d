"""The real CLIs take part in a conversation with the stand-in: what tests that need them stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stand_in.clis import Claude, Codex
from tests.stand_in.fixtures import claude, codex, tmux
from tests.stand_in.script import Call, Say
from tests.stand_in.server import StandIn
from tests.tmux import Tmux

__all__ = ["claude", "codex", "tmux"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    (path / "said.txt").write_text("it was read\n", encoding="utf-8")
    return path


def test_claude_uses_a_tool_and_says_the_end(claude: Claude, project: Path) -> None:
    model = StandIn([Call("Read", {"file_path": str(project / "said.txt")}), Say("that was all")])
    with model.serving():
        done = claude.run("read it", model, cwd=project)
    assert (done.returncode, done.stdout) == (0, b"that was all\n")
    (result,) = model.results
    assert "it was read" in result
    assert model.others == []


def test_codex_uses_a_tool_and_says_the_end(codex: Codex, project: Path) -> None:
    model = StandIn([Call("exec_command", {"cmd": "cat said.txt"}), Say("that was all")])
    with model.serving():
        done = codex.run("read it", model, "--sandbox", "danger-full-access", cwd=project)
    assert done.returncode == 0, done
    assert b'"text":"that was all"' in done.stdout
    (result,) = model.results
    assert "it was read" in result


def test_the_screen_of_claude_answers(claude: Claude, project: Path, tmux: Tmux) -> None:
    model = StandIn([Say("hello from the stand-in")])
    with model.serving():
        command = claude.interactive(model, project, "say hello")
        tmux.start(command, cwd=project, columns=100, rows=40, env=claude.environment(model))
        tmux.wait_for("hello from the stand-in")


def test_the_screen_of_codex_answers(codex: Codex, project: Path, tmux: Tmux) -> None:
    model = StandIn([Say("hello from the stand-in")])
    with model.serving():
        command = codex.interactive(model, project, "say hello")
        tmux.start(command, cwd=project, columns=100, rows=40, env=codex.environment(model))
        tmux.wait_for("hello from the stand-in")
