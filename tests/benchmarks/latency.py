"""From the write of an event to its text on the screen."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.pairs import percentile
from tests.benchmarks.programs import collab_tui, minimal_app, surroundings
from tests.benchmarks.registry import live_line, make_registry
from tests.benchmarks.report import Goal, Row
from tests.benchmarks.terminal import Terminal, pump, require_terminal

_LINES = 1_000
_SAMPLES = 120


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """Write to ours and to the minimal app in turn, while both run."""
    require_terminal()
    folders = {name: work / f"latency-{name}" for name in ("ours", "bare")}
    paths = {name: _copy(work, folder) for name, folder in folders.items()}
    environment = surroundings(work / "home")
    with (
        Terminal(collab_tui(paths["ours"]), environment, work) as ours,
        Terminal(minimal_app(paths["bare"]), environment, work) as bare,
    ):
        found = _sample({"ours": ours, "bare": bare}, paths)
    for name, share, limit in (("p50", 0.50, 2.0), ("p99", 0.99, 1.5)):
        mine, other = (percentile(found[who], share) for who in ("ours", "bare"))
        yield Row(
            f"append to screen, {name}",
            f"{mine * 1e3:.1f} ms",
            f"{other * 1e3:.1f} ms",
            mine / other,
            goal=Goal(limit),
            note=f"write to its text on the screen vs a Textual app of raw inotify and one Static; {_SAMPLES} each",
        )


def _copy(work: Path, folder: Path) -> Path:
    """A registry in a folder of its own: a watcher of one must not wake the other."""
    folder.mkdir(exist_ok=True)
    path = folder / "registry.jsonl"
    path.write_bytes(make_registry(work, _LINES).read_bytes())
    return path


def _sample(terminals: dict[str, Terminal], paths: dict[str, Path]) -> dict[str, list[float]]:
    chance = random.Random(7)
    found: dict[str, list[float]] = {name: [] for name in terminals}
    for terminal in terminals.values():
        terminal.wait_until_quiet(0.4, 20)
    for number in range(_SAMPLES + 5):
        for name, terminal in terminals.items():
            end = time.monotonic() + chance.uniform(0.06, 0.18)
            while time.monotonic() < end:
                pump(list(terminals.values()), end)
            marker = f"MK{chance.randrange(16**8):08X}"
            line = live_line(number, marker)
            terminal.look_for(marker)
            descriptor = os.open(paths[name], os.O_WRONLY | os.O_APPEND)
            start = time.monotonic()
            os.write(descriptor, line)
            os.close(descriptor)
            took = terminal.wait_until_seen(10) - start
            if number >= 5:  # the first ones only warm up
                found[name].append(took)
    return found
