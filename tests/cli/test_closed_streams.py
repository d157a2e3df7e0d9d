"""Streams that are closed, full or nobody's: an exit code and at most one line, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.events import asks, lines, updates
from tests.program import PROGRAM, environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="closed descriptors of Unix shells")
COMMANDS = {
    "status": 0,
    "status --json": 0,
    "log": 0,
    "log --json": 0,
    "emit x --agent sena": 0,
    "decide r1 --answer 1 --agent lubit": 0,
    "unblock sena disk --agent lubit": 0,
    "init": 0,
    "config": 0,
    "doctor": 0,
    "key": 2,
    "replay": 2,
    "--version": 0,
    "--help": 0,
    "nonsense": 2,
    "": 2,
}
"""Command -> its exit code where nothing is wrong but the streams."""


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "COLLABORATION_STATE.jsonl"
    path.write_bytes(
        lines(
            updates("sena", status="blocked", blockers=["disk"]),
            asks("sena", "r1", request="Which?", options=["a", "b"], target="lubit"),
        )
    )
    return path


def shell(registry: Path, script: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-c", script, PROGRAM],
        cwd=registry.parent,
        env=environment(registry.parent),
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(registry: Path, closed: str) -> None:
    for command, code in COMMANDS.items():
        before = registry.read_bytes()
        done = shell(registry, f'"$0" {command} {closed}')
        assert b"Traceback" not in done.stderr, command
        assert b"Error" not in done.stderr, command
        assert done.returncode == code, (command, done.stderr)
        registry.write_bytes(before)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
@pytest.mark.parametrize("command", ["status", "status --json", "log", "log --json"])
def test_a_full_disk_behind_the_output_is_one_line(registry: Path, command: str) -> None:
    done = shell(registry, f'"$0" {command} > /dev/full')
    assert done.returncode == 74
    assert done.stderr == b"collab-tui: the output could not be written: No space left on device\n"


def test_nothing_is_written_into_a_registry_that_took_the_number_of_a_closed_stream(registry: Path) -> None:
    """What the interpreter itself says goes to number 2, whatever is open there."""
    script = (
        "import os, sys; from collab_tui.cli import main; from collab_tui.registry import append;"
        "genuine = append._sync;"
        "append._sync = lambda *a: (os.write(2, b'Fatal Python error'), genuine(*a));"
        "sys.argv[1:] = ['emit', 'x', '--agent', 'sena']; main.run()"
    )
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, script],
        cwd=registry.parent,
        env=environment(registry.parent),
    )
    assert done.returncode == 0
    assert b"Fatal" not in registry.read_bytes()
    assert registry.read_bytes().count(b"\n") == 3
