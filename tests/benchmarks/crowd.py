"""Two hundred agents that write a hundred events a second: what it costs, and whether the screen keeps moving."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.processes import cpu_seconds
from tests.benchmarks.programs import collab_tui, surroundings
from tests.benchmarks.registry import live_line
from tests.benchmarks.report import Goal, Row
from tests.benchmarks.terminal import Terminal, pump, pump_for, require_terminal

_AGENTS = tuple(f"agent-{number:03}" for number in range(200))
_RATE = 100
_SECONDS = 10.0
_EVERY = 16
"""One event in so many carries a marker that is looked for."""


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """A board of two hundred agents while all of them write."""
    require_terminal()
    folder = work / "crowd"
    folder.mkdir(exist_ok=True)
    path = folder / "registry.jsonl"
    path.write_bytes(b"".join(live_line(number, "here", agent) for number, agent in enumerate(_AGENTS)))
    with Terminal(collab_tui(path), surroundings(work / "home"), work) as terminal:
        pump_for([terminal], 3.0)
        percent, still, lags = _stream(terminal, path)
    yield Row(
        "CPU, 200 agents, 100 events/s",
        f"{percent:.1f} %",
        value=percent,
        unit="%",
        goal=Goal(25),
        note=f"of a core, whole tree, {_SECONDS:g} s; every agent writes in turn",
    )
    yield Row(
        "longest stand-still",
        f"{still * 1e3:.0f} ms",
        value=still * 1e3,
        unit="ms",
        goal=Goal(100),
        note="between two paints while events come: a frame that takes longer would show here",
    )
    yield Row(
        "write to screen, worst",
        f"{max(lags) * 1e3:.0f} ms",
        value=max(lags) * 1e3,
        unit="ms",
        note=f"of {len(lags)} events on the way",
    )


def _stream(terminal: Terminal, path: Path) -> tuple[float, float, list[float]]:
    """Per cent of a core, the longest time without a paint, and how long marked events took to the screen; seconds."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    start, before, written = time.monotonic(), cpu_seconds(terminal.pid), 0
    painted, still, lags = start, 0.0, list[float]()
    marked: float | None = None
    while (now := time.monotonic()) < start + _SECONDS:
        while written < (now - start) * _RATE:
            marker = f"S{written}"
            if marked is None and written % _EVERY == 0:
                marker = f"MK{written:06}"
                terminal.look_for(marker)
                marked = time.monotonic()
            os.write(descriptor, live_line(written, marker, _AGENTS[written % len(_AGENTS)]))
            written += 1
        if pump([terminal], start + written / _RATE):
            arrived = time.monotonic()
            still, painted = max(still, arrived - painted), arrived
        if marked is not None and terminal.seen is not None:
            lags.append(terminal.seen - marked)
            marked = None
    took = time.monotonic() - start
    os.close(descriptor)
    return 100 * (cpu_seconds(terminal.pid) - before) / took, still, lags
