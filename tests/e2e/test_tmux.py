"""The board inside tmux, as most people run agents: on a server of its own, so that nobody's sessions are touched."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_hostile_text import hostile_lines
from tests.events import asks, lines, updates
from tests.program import PATIENCE, PROGRAM, emit, environment, eventually
from tests.signing import install_key_at

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Tmux:
    """One private server with one window."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._socket = f"collab-tui-{os.getpid()}-{os.urandom(4).hex()}"
        self._env = environment(home, TMUX_TMPDIR=str(folder), TERM="xterm-256color")

    def __call__(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, "-f", os.devnull, *arguments]
        done = subprocess.run(command, env=self._env, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def start(self, registry: Path, columns: int, rows: int) -> None:
        """Run the board in a shell that tells how it ended and stays."""
        self("new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(registry.parent), "sh")
        self("set-option", "-g", "status", "off")
        self("resize-window", "-x", str(columns), "-y", str(rows))
        self.type(f"{shlex.join([PROGRAM, registry.name])}; echo ended with $?", "Enter")

    def type(self, *keys: str) -> None:
        self("send-keys", *keys)

    def shown(self) -> str:
        return self("capture-pane", "-p")

    def value(self, name: str) -> str:
        return self("display-message", "-p", f"#{{{name}}}").removesuffix("\n")

    def wait_for(self, *texts: str) -> None:
        eventually(lambda: all(text in self.shown() for text in texts), self.shown)

    def end(self) -> None:
        subprocess.run(
            ["tmux", "-L", self._socket, "kill-server"], env=self._env, capture_output=True, timeout=PATIENCE
        )


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    with tempfile.TemporaryDirectory(prefix="collab-") as folder:  # a socket's path has to be short
        server = Tmux(Path(folder), tmp_path)
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


def test_wide(tmux: Tmux, registry: Path) -> None:
    tmux.start(registry, 160, 48)
    tmux.wait_for("Approve metrics v2?", "지표 검증", "2 agents", "1 needs you", "─ Agents ─", "─ Log ─")
    assert tmux.value("alternate_on") == "1"
    assert tmux.value("pane_title") == "(1) collab-tui"


def test_low(tmux: Tmux, registry: Path) -> None:
    tmux.start(registry, 80, 24)
    tmux.wait_for("Approve metrics v2?", "[ ▲ Needs you 1 ]", "Agents 2", "Log 3")
    assert "지표 검증" not in tmux.shown()
    tmux.type("Tab")
    tmux.wait_for("지표 검증", "[ Agents 2 ]")


def test_narrow(tmux: Tmux, registry: Path) -> None:
    tmux.start(registry, 60, 40)
    titles = ("─ ▲ Needs you ─", "─ Agents ─", "─ Log ─")
    tmux.wait_for("Approve metrics v2?", "지표 검증", *titles)
    needs, agents, log = map(tmux.shown().index, titles)
    assert needs < agents < log


def test_it_answers_and_follows_the_window(tmux: Tmux, registry: Path) -> None:
    tmux.start(registry, 160, 48)
    tmux.wait_for("Approve metrics v2?")
    eventually(lambda: tmux.type("a") or "approved by human" in tmux.shown(), tmux.shown)
    assert registry.read_bytes().count(b'"event":"decision"') == 1
    tmux("resize-window", "-x", "60", "-y", "40")
    tmux.wait_for("metrics v2", "? keys")
    emit(registry, "gitcode", "status_update", "--task", "canary")
    tmux.wait_for("canary")
    assert all(len(line) <= 60 for line in tmux.shown().splitlines())


def test_quitting_gives_the_pane_back(tmux: Tmux, registry: Path) -> None:
    tmux.start(registry, 80, 24)
    tmux.wait_for("Approve metrics v2?")
    tmux.type("q")
    tmux.wait_for("ended with 0")
    state = {name: tmux.value(name) for name in ("alternate_on", "cursor_flag", "mouse_any_flag", "mouse_sgr_flag")}
    assert state == {"alternate_on": "0", "cursor_flag": "1", "mouse_any_flag": "0", "mouse_sgr_flag": "0"}
    tmux.type("echo typed $((6 * 7))", "Enter")  # keys are echoed and lines are read as before
    tmux.wait_for("$((6 * 7))", "typed 42")


def test_events_set_neither_the_title_nor_the_clipboard(tmux: Tmux, tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(hostile_lines())
    tmux.start(path, 160, 48)
    tmux("set-option", "-g", "set-clipboard", "on")
    tmux.wait_for("mallory", "␛]52")
    tmux.type("n", "End", "Tab", "End", "Tab", "End")
    tmux.wait_for("need you")
    assert tmux.value("pane_title").endswith("collab-tui")
    assert "stolen" not in tmux.value("pane_title") + tmux.value("window_name")
    assert tmux("list-buffers") == ""
    tmux.type("q")
    tmux.wait_for("ended with 0")
