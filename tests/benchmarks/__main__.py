"""Run every subject, or those that are named, and print one table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from rich.console import Console

from tests.benchmarks.report import CannotRunError, Row, print_table

_SUBJECTS = (
    *("fold", "seek", "append", "emit", "ask", "hook", "paint", "latency", "cpu", "crowd", "react", "session"),
    *("run", "memory"),
)
"""Each is a module here with `run(work, large=...)`, which yields rows."""
_WIDTH = 170


def main() -> None:
    """Measure and print; a missed goal is said, not an error."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"one of {', '.join(_SUBJECTS)}; else all")
    parser.add_argument("--large", action="store_true", help="also with a million lines (a minute more)")
    options = parser.parse_args()
    if unknown := set(options.subjects).difference(_SUBJECTS):
        parser.error(f"no such subject: {', '.join(sorted(unknown))}; there are {', '.join(_SUBJECTS)}")
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    rows: list[tuple[str, Row]] = []
    start = time.monotonic()
    console.print(f"CPython {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, {_load()}")
    with tempfile.TemporaryDirectory(prefix="collab-tui-bench-") as folder:
        for subject in options.subjects or _SUBJECTS:
            console.print(f"measuring {subject} ...", style="dim")
            rows += ((subject, row) for row in _measure(subject, Path(folder), options.large))
    print_table(console, rows)
    console.print(f"{time.monotonic() - start:.0f} s, {_load()}")
    if any(row.what == "failed" for _, row in rows):
        sys.exit(1)


def _measure(subject: str, work: Path, large: bool) -> list[Row]:
    try:
        return list(import_module(f"tests.benchmarks.{subject}").run(work, large=large))
    except CannotRunError as why:
        return [Row("cannot run here", "", note=str(why))]
    except Exception as error:  # the other subjects have their say all the same
        return [Row("failed", "", note=f"{type(error).__name__}: {error}")]


def _load() -> str:
    """How busy the machine is: what else runs moves absolute figures, ratios less."""
    return f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"


if __name__ == "__main__":
    main()
