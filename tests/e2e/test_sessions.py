"""The sessions screen with a real program in a real tmux: what it shows, handing the terminal over, and its end."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collab_tui.registry.kept import kept_for
from tests.cli.sessions import Project, project_in
from tests.e2e.terminal import Terminal, terminal
from tests.program import PROGRAM, eventually
from tests.sessions.drivers.terminals import needs_tmux

TICKER = """\
driver = "terminal"
command = ["sh", "-c", '''
echo ready
while ! test -e begin; do sleep 0.05; done
n=0
while ! test -e end; do n=$((n + 1)); echo "tick $n"; sleep 0.1; done
''']
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with project_in(tmp_path) as made:
        made.define("ticker", TICKER)
        try:
            yield made
        finally:
            (made.folder / "begin").touch()
            (made.folder / "end").touch()


def ticks(shown: Terminal) -> int:
    """The last one that is seen."""
    return max((int(number) for number in re.findall(r"tick (\d+)", shown.text)), default=0)


def grows(shown: Terminal) -> None:
    """What is seen goes on."""
    before = ticks(shown)
    shown.wait_for(lambda: ticks(shown) > before)


def size_of(project: Project) -> str:
    """Of the terminal of the program."""
    kept = project.state / "collab-tui" / "monitor" / kept_for(project.path).name / "sessions" / "ticker"
    handle = json.loads((kept / "record.json").read_bytes())["handle"]
    asked = ["tmux", "-S", handle["socket"], "display-message", "-p", "-t", handle["pane"]]
    size = "#{pane_width}x#{pane_height}"
    told = subprocess.run([*asked, size], env=project.env, capture_output=True, check=True, encoding="utf-8")
    return told.stdout.strip()


@needs_tmux
def test_output_grows_the_terminal_is_handed_over_and_given_back_also_when_the_program_ends(project: Project) -> None:
    assert project.person("session", "start", "ticker", "--no-worktree").code == 0
    with terminal(PROGRAM, cwd=project.folder, env=project.env, columns=80, rows=24) as shown:
        shown.wait_for("Output of ticker", press="s")
        shown.wait_for("ready")
        (project.folder / "begin").touch()
        shown.wait_for("tick ")
        grows(shown)
        shown.wait_for("ctrl+b d: back", press="a")
        eventually(lambda: size_of(project) == "80x23")
        shown.send("\x02\x1a")  # which would stop the client, and leave nobody to bring it back
        grows(shown)
        shown.wait_for("Output of ticker", press="\x02d")
        eventually(lambda: size_of(project) == "160x48")
        grows(shown)
        shown.wait_for("ctrl+b d: back", press="a")
        (project.folder / "end").touch()
        shown.wait_for("Output of ticker")
        shown.wait_for(lambda: "ticker  stopped" in shown.text or "ticker  failed" in shown.text)
        assert "ended with" not in shown.text
        shown.send("q")
        assert shown.wait() == 0
