"""An error that is ours, wherever it comes from: the terminal is given back, one line is said, a report is written."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.terminal import strange_tokens, terminal
from tests.e2e.test_board import TITLES, board
from tests.events import lines, updates
from tests.program import environment

SECRET = "hunter2"
"""The value of a variable where the error happens; as if it came from an event."""
FAULTS = {
    "handler": ("collab_tui.tui.screens.board.BoardScreen.action_message", "m"),
    "compose": ("collab_tui.tui.screens.keys.KeysScreen.body", "?"),
    "worker": ("collab_tui.tui.follower.Follower._absorb", ""),
    "worker of a dialog": ("collab_tui.registry.jsonl.JsonlRegistry.place_of", "e"),
    "paint": ("collab_tui.tui.widgets.key_bar.KeyBar.render_line", ""),
    "timer": ("collab_tui.tui.app.BoardApp._tick", ""),
    "message of the registry": ("collab_tui.tui.app.BoardApp.draw", ""),
    "mount": ("collab_tui.tui.screens.board.BoardScreen.compose", ""),
}
"""Where it happens -> what fails, and the keys that lead there."""
BROKEN = """
import sys
from importlib import import_module

module, owner, method = sys.argv[1].rsplit(".", 2)
secret = sys.argv[2]

def fail(*arguments, **keywords):
    password = secret
    raise ValueError("no such thing: \\x1b]52;c;c3RvbGVu\\x07[@click=app.quit]" + "x" * 5000)

broken = getattr(import_module(module), owner)
getattr(broken, method)
setattr(broken, method, fail)
del sys.argv[1:3]
from collab_tui.cli.main import run
run()
"""


def broken(fault: str) -> tuple[str, ...]:
    return (sys.executable, "-c", BROKEN, fault, SECRET)


def reports(home: Path) -> list[Path]:
    return sorted((home / ".local" / "state" / "collab-tui" / "log").glob("crash-*.txt"))


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(updates("sena", status="in_progress", current_task="metrics v2")))
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="where reports are kept")
@pytest.mark.parametrize("where", FAULTS)
def test_the_board_ends_and_says_where_the_report_is(registry: Path, where: str) -> None:
    fault, keys = FAULTS[where]
    home = registry.parent
    with terminal(*broken(fault), str(registry), cwd=home, env=environment(home)) as shown:
        if keys:
            shown.wait_for("metrics v2")
            shown.wait_for("? keys")
            if keys == "e":
                shown.wait_for("e explain", press="\t")
            shown.send(keys)
        assert shown.wait() == 70
        assert shown.modes - {7, 25} == set()
        assert 25 in shown.modes
        assert shown.keyboard_modes == 0
        assert shown.settings_now == shown.settings
        (report,) = reports(home)
        said = shown.raw.decode().rpartition("\x1b")[2].partition("\n")
        assert said[0].rstrip().endswith(f"collab-tui: an error that is ours: ValueError; the report is in {report}")
        assert said[2] == ""
        assert strange_tokens(shown.raw, TITLES) == []
        assert SECRET not in shown.raw.decode()
    told = report.read_text(encoding="utf-8")
    assert "ValueError: no such thing: ␛]52;c;c3RvbGVu␇[@click=app.quit]xxx" in told
    assert "Traceback (most recent call last):" in told
    assert SECRET not in told
    assert max(map(len, told.splitlines())) <= 2000
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="where reports are kept")
def test_a_command_says_one_line_and_few_reports_are_kept(registry: Path) -> None:
    home = registry.parent
    for _ in range(7):
        done = subprocess.run(
            [*broken("collab_tui.cli.status._Report.print"), "status", "--registry", str(registry)],
            capture_output=True,
            env=environment(home),
            cwd=home,
        )
        assert done.returncode == 70
        assert done.stdout == b""
        assert done.stderr.decode().endswith(f"ValueError; the report is in {reports(home)[-1]}\n")
        assert done.stderr.count(b"\n") == 1
    assert len(reports(home)) == 5
    assert "command status" in reports(home)[-1].read_text(encoding="utf-8")


def test_where_no_report_can_be_written_the_place_is_said(registry: Path) -> None:
    home = registry.parent
    (home / ".local").write_text("not a folder", encoding="utf-8")
    done = subprocess.run(
        [*broken("collab_tui.cli.status._Report.print"), "status", "--registry", str(registry)],
        capture_output=True,
        env=environment(home),
    )
    assert done.returncode == 70
    assert done.stderr == (
        b"collab-tui: an error that is ours: ValueError at <string>:10; no report could be written: Not a directory\n"
    )


def test_bytes_that_are_no_text_are_no_error(registry: Path) -> None:
    """A stray byte of a serial line, or a key on a terminal of another encoding."""
    with board(registry) as shown:
        shown.wait_for("metrics v2")
        shown.send_bytes(b"\xff\xb0\xa1")
        shown.wait_for("esc cancel", press="m")
        shown.wait_for(lambda: "esc cancel" not in shown.text, press="\x1b")
        assert shown.quit() == 0
