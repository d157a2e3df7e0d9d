"""Peak memory of a long registry on the screen; with --large of a million lines, and how soon its board is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.fold import load
from tests.benchmarks.pairs import of_pairs, seconds
from tests.benchmarks.processes import peak_mib
from tests.benchmarks.programs import collab_tui, minimal_app, surroundings
from tests.benchmarks.registry import END, make_registry
from tests.benchmarks.report import Goal, Row
from tests.benchmarks.terminal import Terminal, pump_for, require_terminal

_RUNS_LARGE = 3


class Held(NamedTuple):
    """What showing a registry took."""

    mib: float
    seconds: float
    """From the start of the process to the last event on the screen."""


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """Show the registry, wait for its end, ask the system."""
    require_terminal()
    bare = _hold(minimal_app(), "ready", work)
    ours = _hold(collab_tui(make_registry(work, 100_000)), END, work)
    yield Row(
        "peak memory, 100k lines",
        f"{ours.mib:.0f} MiB",
        f"{bare.mib:.0f} MiB",
        ours.mib / bare.mib,
        note="resident, at its highest; vs the minimal app",
    )
    if not large:
        return
    path = make_registry(work, 1_000_000)
    load(path)
    pairs, peaks = [], []
    for _ in range(_RUNS_LARGE):
        reference = seconds(lambda: load(path))
        held = _hold(collab_tui(path), END, work)
        pairs.append((held.seconds, reference))
        peaks.append(held.mib)
    peak = max(peaks)
    yield Row("peak memory, 1M lines", f"{peak:.0f} MiB", f"{bare.mib:.0f} MiB", peak, "MiB", Goal(120), "the same")
    mine, reference, ratio = of_pairs(pairs)
    yield Row(
        "board right, 1M lines",
        f"{mine:.2f} s",
        f"{reference:.2f} s",
        ratio,
        goal=Goal(4),
        note=f"process start to the last event on the screen vs a bare orjson.loads loop; {_RUNS_LARGE} pairs",
    )


def _hold(command: list[str], marker: str, work: Path) -> Held:
    with Terminal(command, surroundings(work / "home"), work) as terminal:
        terminal.look_for(marker)
        took = terminal.wait_until_seen(120) - terminal.started
        pump_for([terminal], 0.3)
        return Held(peak_mib(terminal.pid), took)
