"""Into the background and back, as every program of a terminal: `ctrl+z` or a signal, and then `fg`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.e2e.test_board import board
from tests.events import lines, updates
from tests.program import emit


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(updates("sena", status="in_progress", current_task="metrics v2")))
    return path


def is_stopped(shown: Terminal) -> bool:
    pid, status = os.waitpid(shown.process.pid, os.WNOHANG | os.WUNTRACED)
    return pid != 0 and os.WIFSTOPPED(status)


def test_it_is_painted_again_though_nothing_happened(registry: Path) -> None:
    with board(registry) as shown:
        shown.wait_for("metrics v2")
        shown.wait_for("? keys")
        picture = shown.lines[1:]
        shown.send("\x1a")
        shown.wait_for(lambda: is_stopped(shown))
        shown.wait_for(lambda: "metrics v2" not in shown.text)
        shown.process.send_signal(signal.SIGCONT)
        shown.wait_for(lambda: shown.lines[1:] == picture)


@pytest.mark.parametrize("way", ["ctrl+z", "ctrl+z in a dialog", "SIGTSTP"])
def test_it_gives_the_terminal_back_and_comes_again_with_what_was_missed(registry: Path, way: str) -> None:
    with board(registry) as shown:
        shown.wait_for("metrics v2")
        shown.wait_for("? keys")
        if "dialog" in way:
            shown.wait_for("esc close", press="?")
        for number in range(2):
            if way == "SIGTSTP":
                shown.process.send_signal(signal.SIGTSTP)
            else:
                shown.send("\x1a")
            shown.wait_for(lambda: is_stopped(shown))
            shown.wait_for(lambda: shown.modes - {7, 25} == set() and 25 in shown.modes)
            assert shown.keyboard_modes == 0
            assert shown.settings_now == shown.settings
            emit(registry, f"gitcode{number}", "status_update", "--task", f"what was missed {number}")
            shown.process.send_signal(signal.SIGCONT)
            shown.wait_for(lambda: 1049 in shown.modes and 1000 in shown.modes)
            shown.wait_for(f"{number + 2} agents")
            shown.wait_for("esc close" if "dialog" in way else f"gitcode{number}")
        if "dialog" in way:
            shown.wait_for(lambda: "esc close" not in shown.text, press="\x1b")
        assert shown.quit() == 0
        assert shown.settings_now == shown.settings
