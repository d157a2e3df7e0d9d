"""The whole process of `collab-tui emit`, against an interpreter that does nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.pairs import paired, seconds
from tests.benchmarks.programs import collab_tui, surroundings
from tests.benchmarks.report import Goal, Row

_RUNS = 40


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """Emit as a hook does it."""
    environment = surroundings(work / "home")
    emit = collab_tui("emit", "status_update", "--agent", "sena", "--status", "in_progress", "--progress", "40")
    emit += ["--task", "메트릭 검증", "--no-sync", "--registry", str(work / "emit.jsonl")]

    def start(command: list[str]) -> float:
        return seconds(lambda: subprocess.run(command, env=environment, cwd=work, check=True))

    ours, bare, ratio = paired(lambda: start(emit), lambda: start([sys.executable, "-c", "pass"]), _RUNS)
    yield Row(
        "emit, whole process",
        f"{ours * 1e3:.1f} ms",
        f"{bare * 1e3:.1f} ms",
        ratio,
        goal=Goal(3.5),
        note=f"collab-tui emit --no-sync vs python -c pass, same interpreter; {_RUNS} pairs",
    )
