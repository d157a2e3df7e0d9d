"""The board inside tmux, as most people run agents."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_hostile_text import hostile_lines
from tests.events import asks, lines, updates
from tests.program import PROGRAM, emit, environment, eventually
from tests.signing import install_key_at
from tests.tmux import Tmux

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Board(Tmux):
    """The board in it."""

    def open(self, registry: Path, columns: int, rows: int) -> None:
        self.start([PROGRAM, registry.name], cwd=registry.parent, columns=columns, rows=rows)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Board]:
    with tempfile.TemporaryDirectory(prefix="collab-") as folder:  # a socket's path has to be short
        server = Board(environment(tmp_path, TMUX_TMPDIR=folder))
        try:
            yield server
        finally:
            server.end()


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    install_key_at(tmp_path)
    path = tmp_path / "registry.jsonl"
    path.write_bytes(
        lines(
            updates("sena", status="in_progress", progress=40, current_task="metrics v2"),
            updates("lubit", status="waiting_for_sena", current_task="지표 검증"),
            asks("sena", "r1", request="Approve metrics v2?"),
        )
    )
    return path


def test_wide(tmux: Board, registry: Path) -> None:
    tmux.open(registry, 160, 48)
    tmux.wait_for("Approve metrics v2?", "지표 검증", "2 agents", "1 needs you", "─ Agents ─", "─ Log ─")
    assert tmux.value("alternate_on") == "1"
    assert tmux.value("pane_title") == "(1) collab-tui"


def test_low(tmux: Board, registry: Path) -> None:
    tmux.open(registry, 80, 24)
    tmux.wait_for("Approve metrics v2?", "[ ▲ Needs you 1 ]", "Agents 2", "Log 3")
    assert "지표 검증" not in tmux.shown()
    tmux.type("Tab")
    tmux.wait_for("지표 검증", "[ Agents 2 ]")


def test_narrow(tmux: Board, registry: Path) -> None:
    tmux.open(registry, 60, 40)
    titles = ("─ ▲ Needs you ─", "─ Agents ─", "─ Log ─")
    tmux.wait_for("Approve metrics v2?", "지표 검증", *titles)
    needs, agents, log = map(tmux.shown().index, titles)
    assert needs < agents < log


def test_it_answers_and_follows_the_window(tmux: Board, registry: Path) -> None:
    tmux.open(registry, 160, 48)
    tmux.wait_for("Approve metrics v2?")
    eventually(lambda: tmux.type("a") or "approved by human" in tmux.shown(), tmux.shown)
    assert registry.read_bytes().count(b'"event":"decision"') == 1
    tmux("resize-window", "-x", "60", "-y", "40")
    tmux.wait_for("metrics v2", "? keys")
    emit(registry, "gitcode", "status_update", "--task", "canary")
    tmux.wait_for("canary")
    assert all(len(line) <= 60 for line in tmux.shown().splitlines())


def test_quitting_gives_the_pane_back(tmux: Board, registry: Path) -> None:
    tmux.open(registry, 80, 24)
    tmux.wait_for("Approve metrics v2?")
    tmux.type("q")
    tmux.wait_for("ended with 0")
    state = {name: tmux.value(name) for name in ("alternate_on", "cursor_flag", "mouse_any_flag", "mouse_sgr_flag")}
    assert state == {"alternate_on": "0", "cursor_flag": "1", "mouse_any_flag": "0", "mouse_sgr_flag": "0"}
    tmux.type("echo typed $((6 * 7))", "Enter")  # keys are echoed and lines are read as before
    tmux.wait_for("$((6 * 7))", "typed 42")


def test_events_set_neither_the_title_nor_the_clipboard(tmux: Board, tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(hostile_lines())
    tmux.open(path, 160, 48)
    tmux("set-option", "-g", "set-clipboard", "on")
    tmux.wait_for("mallory", "␛]52")
    tmux.type("n", "End", "Tab", "End", "Tab", "End")
    tmux.wait_for("need you")
    assert tmux.value("pane_title").endswith("collab-tui")
    assert "stolen" not in tmux.value("pane_title") + tmux.value("window_name")
    assert tmux("list-buffers") == ""
    tmux.type("q")
    tmux.wait_for("ended with 0")
