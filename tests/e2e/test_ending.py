"""Told to end, or left without a terminal: the board gives back what it took and goes."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.test_board import board
from tests.events import lines, updates
from tests.program import PATIENCE, PROGRAM, emit, environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are of Unix")


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(updates("sena", status="in_progress", current_task="metrics v2")))
    return path


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_ends_it_and_gives_the_terminal_back(registry: Path, name: str) -> None:
    number = signal.Signals[name]
    with board(registry) as shown:
        shown.wait_for("metrics v2")
        shown.process.send_signal(number)
        assert shown.wait() == 128 + number
        assert shown.modes - {7, 25} == set()
        assert 25 in shown.modes
        assert shown.keyboard_modes == 0
        assert shown.settings_now == shown.settings
        assert b"Traceback" not in shown.raw


def test_without_its_terminal_it_ends_though_hang_ups_are_ignored(registry: Path) -> None:
    """As under nohup: nothing tells it, and reading a dead terminal for ever would take a whole core."""
    master, slave = pty.openpty()
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", ignoring, str(PROGRAM), str(registry)]
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment(registry.parent), start_new_session=True
    )
    os.close(slave)
    try:
        painted = b""
        while b"metrics" not in painted:
            painted += os.read(master, 65536)
        emit(registry, "lubit", "status_update", "--task", "a second look")
        while b"second look" not in painted:  # it is there as long as the terminal is
            painted += os.read(master, 65536)
        os.close(master)
        process.wait(PATIENCE)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert process.returncode is not None
