"""Processor time at rest and while events stream in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.processes import cpu_seconds
from tests.benchmarks.programs import collab_tui, minimal_app, surroundings
from tests.benchmarks.registry import live_line, make_registry
from tests.benchmarks.report import Goal, Row
from tests.benchmarks.terminal import Terminal, pump, pump_for, require_terminal

_LINES = 1_000
_REST = 10.0
_STREAM = 8.0
_RATES = {100: 25.0, 1000: 50.0}
_AGENTS = ("sena", "lubit", "gitcode", "maestro", "planner", "reviewer")


class Stream(NamedTuple):
    """What a stream of events cost."""

    percent: float
    lag: float
    """Seconds from the last write to its text on the screen."""
    rate: float
    """Events a second that were really written."""


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """At rest both at once; then each rate, one program after the other."""
    require_terminal()
    paths, environment = {}, surroundings(work / "home")
    for name in ("ours", "bare"):
        folder = work / f"cpu-{name}"
        folder.mkdir(exist_ok=True)
        paths[name] = folder / "registry.jsonl"
        # Lines of this moment at the end: their ages on the screen go on counting while nothing happens.
        fresh = b"".join(live_line(number, "fresh", agent) for number, agent in enumerate(_AGENTS))
        paths[name].write_bytes(make_registry(work, _LINES).read_bytes() + fresh)
    with (
        Terminal(collab_tui(paths["ours"]), environment, work) as ours,
        Terminal(minimal_app(paths["bare"]), environment, work) as bare,
    ):
        pump_for([ours, bare], 3.0)
        mine, other = _rest(ours, bare)
        yield Row(
            "CPU at rest",
            f"{mine:.2f} %",
            f"{other:.2f} %",
            mine,
            "%",
            Goal(1),
            f"of a core, user and system, whole tree, {_REST:g} s; agents seconds old, so ages tick",
        )
        for rate, limit in _RATES.items():
            reference = _stream(bare, paths["bare"], rate)
            found = _stream(ours, paths["ours"], rate)
            yield Row(
                f"CPU at {rate} events/s",
                f"{found.percent:.1f} %",
                f"{reference.percent:.1f} %",
                found.percent,
                "%",
                Goal(limit),
                f"{_STREAM:g} s, {found.rate:.0f} events/s written; the minimal app paints at each notice",
            )
            yield Row(
                f"lag after {rate} events/s",
                f"{found.lag * 1e3:.0f} ms",
                f"{reference.lag * 1e3:.0f} ms",
                found.lag * 1e3,
                "ms",
                Goal(100),
                "the stream's last write to its text on the screen",
            )


def _rest(ours: Terminal, bare: Terminal) -> tuple[float, float]:
    """Per cent of a core of each while nothing happens."""
    programs = (ours, bare)
    start, before = time.monotonic(), [cpu_seconds(program.pid) for program in programs]
    pump_for(programs, _REST)
    after, took = [cpu_seconds(program.pid) for program in programs], time.monotonic() - start
    mine, other = (100 * (later - earlier) / took for earlier, later in zip(before, after, strict=True))
    return mine, other


def _stream(terminal: Terminal, path: Path, rate: int) -> Stream:
    """Write at an even rate, reading the screen all the while."""
    pump_for([terminal], 0.5)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    start, before, written = time.monotonic(), cpu_seconds(terminal.pid), 0
    while (now := time.monotonic()) < start + _STREAM:
        while written < (now - start) * rate:
            os.write(descriptor, live_line(written, f"S{written}", _AGENTS[written % len(_AGENTS)]))
            written += 1
        pump([terminal], start + written / rate)
    took = time.monotonic() - start
    cpu = cpu_seconds(terminal.pid) - before
    marker = f"MKLAST{rate}"
    terminal.look_for(marker)
    last = time.monotonic()
    os.write(descriptor, live_line(written, marker))
    os.close(descriptor)
    lag = terminal.wait_until_seen(20) - last
    return Stream(100 * cpu / took, lag, written / took)
