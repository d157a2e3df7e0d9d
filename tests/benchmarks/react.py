"""From the append of an event to the append of the message that a rule sends because of it; and what waiting costs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from collab_tui.registry.append import append
from tests.benchmarks.pairs import percentile, seconds
from tests.benchmarks.processes import cpu_seconds
from tests.benchmarks.programs import collab_tui, surroundings
from tests.benchmarks.registry import make_registry
from tests.benchmarks.report import CannotRunError, Goal, Row

_LINES = 1_000
_SAMPLES = 100
_REST = 10.0
_PATIENCE = 20.0
_LOOK = 0.0002
"""Seconds between two looks at the file."""
_EVENT = {"agent": "sena", "event": "ready"}
_RULE = """
[[rule]]
name = "wake"
on = true
when = { event = "ready" }
then = { message = "lubit", text = "{from} is ready" }
cool_down = "0s"
per_hour = 1000
"""


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """One monitor with one rule; the reference is an append as it makes them."""
    if sys.platform != "linux":
        raise CannotRunError("the processor time of another process is read from /proc")
    folder = work / "react"
    folder.mkdir()
    path = folder / "registry.jsonl"
    path.write_bytes(make_registry(work, _LINES).read_bytes())
    environment = surroundings(folder / "home")
    settings = folder / "home" / ".config" / "collab-tui"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text(_RULE, encoding="utf-8")
    command = collab_tui("monitor", "--json", "--registry", path)
    with subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE) as monitor:
        try:
            if monitor.stdout is None or b"wake" not in monitor.stdout.readline():
                raise RuntimeError("the monitor did not begin")
            percent = _rest(monitor.pid)
            pairs = [(_reaction(path), _append(folder / "bare.jsonl")) for _ in range(_SAMPLES)]
        finally:
            monitor.terminate()
    yield Row("CPU at rest", f"{percent:.2f} %", "", percent, "%", Goal(1), f"of a core, {_REST:g} s, {_LINES} lines")
    for name, share, limit in (("p50", 0.50, 10), ("p99", 0.99, 50)):
        mine, bare = (percentile(found, share) for found in zip(*pairs, strict=True))
        yield Row(
            f"event to message, {name}",
            f"{mine * 1e3:.1f} ms",
            f"{bare * 1e3:.1f} ms",
            mine * 1e3,
            "ms",
            Goal(limit),
            f"written event to the message about it in the file vs one append; both wait for the disk; {_SAMPLES} each",
        )


def _rest(pid: int) -> float:
    """Per cent of a core while nothing happens."""
    start, before = time.monotonic(), cpu_seconds(pid)
    time.sleep(_REST)
    return 100 * (cpu_seconds(pid) - before) / (time.monotonic() - start)


def _append(path: Path) -> float:
    return seconds(lambda: append(str(path), _EVENT))


def _reaction(path: Path) -> float:
    """From an event, itself not synced, to the message about it; ends when its activation is there too."""
    size = path.stat().st_size
    start = time.perf_counter()
    append(str(path), _EVENT, durable=False)
    took = _until(path, size, b'"event":"message"') - start
    _until(path, size, b'"outcome":"sent"')
    return took


def _until(path: Path, size: int, sign: bytes) -> float:
    """When it stood behind the first so many bytes."""
    end = time.perf_counter() + _PATIENCE
    while time.perf_counter() < end:
        with path.open("rb") as file:
            file.seek(size)
            if sign in file.read():
                return time.perf_counter()
        time.sleep(_LOOK)
    raise RuntimeError("the monitor did not react")
