"""Opening a registry: until there is something on the screen, and until its last event is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.pairs import of_pairs
from tests.benchmarks.programs import collab_tui, minimal_app, surroundings
from tests.benchmarks.registry import END, make_registry
from tests.benchmarks.report import Goal, Row
from tests.benchmarks.terminal import Terminal, require_terminal

_RUNS = 7
_SIZES = {"1k": 1_000, "100k": 100_000}


class Opening(NamedTuple):
    """Seconds from the start of the process."""

    first: float
    last: float


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """Open small and large registries in turn with the minimal app."""
    require_terminal()
    paths = {name: make_registry(work, lines) for name, lines in _SIZES.items()}
    commands = {"minimal": (minimal_app(), "ready")} | {name: (collab_tui(path), END) for name, path in paths.items()}
    openings: dict[str, list[Opening]] = {name: [] for name in commands}
    for number in range(_RUNS + 1):
        for name, (command, marker) in commands.items():
            opening = open_once(command, marker, work)
            if number:  # the first round only warms up
                openings[name].append(opening)
    for name in _SIZES:
        mine, other, ratio = of_pairs(
            [(ours.first, bare.first) for ours, bare in zip(openings[name], openings["minimal"], strict=True)]
        )
        yield Row(
            f"first paint, {name} lines",
            f"{mine * 1e3:.0f} ms",
            f"{other * 1e3:.0f} ms",
            ratio,
            goal=Goal(1.5),
            note=f"process start to the first non-blank screen vs a Textual app with nothing to read; {_RUNS} rounds",
        )
    for name in _SIZES:
        mine, other, ratio = of_pairs(
            [(ours.last, bare.first) for ours, bare in zip(openings[name], openings["minimal"], strict=True)]
        )
        yield Row(
            f"last event, {name} lines",
            f"{mine * 1e3:.0f} ms",
            f"{other * 1e3:.0f} ms",
            ratio,
            goal=Goal(3),
            note="process start to the last event on the screen vs the first paint of that app",
        )


def open_once(command: list[str], marker: str, work: Path, timeout: float = 60) -> Opening:
    """Start the program, wait for the marker, end it."""
    with Terminal(command, surroundings(work / "home"), work) as terminal:
        terminal.look_for(marker)
        seen = terminal.wait_until_seen(timeout)
        return Opening((terminal.first_paint or seen) - terminal.started, seen - terminal.started)
