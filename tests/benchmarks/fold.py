"""From bytes to the state: reading, cleaning, provenance, against a loop that only decodes the same lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from collab_tui.model.fold import Fold
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.benchmarks.pairs import paired, processor_seconds
from tests.benchmarks.registry import make_registry
from tests.benchmarks.report import Goal, Row

_LINES = 100_000
_RUNS = 7


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """Fold a registry as a whole."""
    path = make_registry(work, _LINES)
    ours, bare, ratio = paired(
        lambda: processor_seconds(lambda: fold_file(path)), lambda: processor_seconds(lambda: load(path)), _RUNS
    )
    size = path.stat().st_size
    yield Row(
        "fold rate, 100k lines",
        f"{ours / _LINES * 1e6:.2f} µs/line",
        f"{bare / _LINES * 1e6:.2f} µs/line",
        1 / ratio,
        goal=Goal(0.25, at_least=True),
        note=f"bytes to Fold vs bare orjson.loads, processor time; {size / _LINES:.0f} bytes a line, {_RUNS} pairs",
    )


def fold_file(path: Path) -> Fold:
    """What opening a registry does before anything is shown."""
    fold = Fold()
    read_to_end(JsonlRegistry(path), fold)
    return fold


def load(path: Path) -> None:
    """The bare loop."""
    with path.open("rb") as file:
        for line in file:
            try:
                orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
