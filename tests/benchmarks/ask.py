"""From the answer of the person to the asker that goes on: `collab-tui ask --wait`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from collab_tui.registry.append import append
from tests.benchmarks.pairs import percentile
from tests.benchmarks.programs import collab_tui, surroundings
from tests.benchmarks.registry import make_registry
from tests.benchmarks.report import CannotRunError, Goal, Row
from tests.signing import install_key_at, signed

_LINES = 10_000
_SAMPLES = 30
_LIMIT = 100.0
"""Milliseconds."""
_PATIENCE = 30.0
_BARE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
notices = libc.inotify_init1(0)
libc.inotify_add_watch(notices, os.fsencode(sys.argv[1]), 2)
os.write(1, b"ready\\n")
os.read(notices, 4096)
os.write(1, b"changed\\n")
"""


class _Took(NamedTuple):
    """Seconds since the write of the decision began."""

    printed: float
    ended: float


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """Ours and a program that only waits for inotify, in turn."""
    if sys.platform != "linux":
        raise CannotRunError("the reference needs inotify, of Linux")
    home = work / "ask"
    environment = surroundings(home)
    path = home / "registry.jsonl"
    path.write_bytes(make_registry(work, _LINES).read_bytes())
    install_key_at(home)
    environment["XDG_CONFIG_HOME"] = str(home / "config")
    ours, bare = [], []
    for number in range(_SAMPLES + 2):
        mine, other = _ours(path, environment), _bare(path, environment)
        if number >= 2:  # the first ones only warm up
            ours.append(mine)
            bare.append(other)
    for what, ends, goal in (("answer printed", "printed", Goal(_LIMIT)), ("process ended", "ended", None)):
        for name, share in (("p50", 0.50), ("p99", 0.99)):
            mine = percentile([getattr(took, ends) for took in ours], share) * 1e3
            other = percentile([getattr(took, ends) for took in bare], share) * 1e3
            yield Row(
                f"signed decision to {what}, {name}",
                f"{mine:.1f} ms",
                f"{other:.1f} ms",
                mine,
                unit="ms",
                goal=goal,
                note=f"ask --wait on {_LINES:,} lines vs a process that waits for raw inotify; {_SAMPLES} each",
            )


def _ours(path: Path, environment: Mapping[str, str]) -> _Took:
    command = collab_tui("ask", "Deploy?", "--agent", "sena", "--wait", "--registry", path)
    with _started(command, environment) as asker:
        assert asker.stderr is not None
        request_id = asker.stderr.readline().split()[-1].decode()
        decision = {"id": os.urandom(8).hex(), "agent": "human", "event": "decision", "request_id": request_id}
        decision |= {"timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"), "verdict": "approved"}
        event = signed(decision, path.read_bytes())
        time.sleep(0.5)  # it waits by now
        return _after(asker, path, event)


def _bare(path: Path, environment: Mapping[str, str]) -> _Took:
    with _started([sys.executable, "-c", _BARE, str(path)], environment) as waiter:
        assert waiter.stdout is not None
        waiter.stdout.readline()
        return _after(waiter, path, {"agent": "lubit", "event": "progress", "progress": 1})


def _started(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _after(process: subprocess.Popen[bytes], path: Path, event: Mapping[str, Any]) -> _Took:
    start = time.monotonic()
    append(str(path), event)
    output: IO[bytes] | None = process.stdout
    assert output is not None
    assert output.readline()
    printed = time.monotonic() - start
    assert process.wait(_PATIENCE) == 0
    return _Took(printed, time.monotonic() - start)
