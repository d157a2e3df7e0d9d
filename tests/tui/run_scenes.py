"""Runs for the tests of their screen, and what is seen there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from collab_tui.tui.screens.runs import RunsScreen
from tests.tui.scenes import told
from tests.tui.seat import Seat

LOGIN, REVIEW, REFINE = "3f9a1c27", "b82d4e60", "71c0aa35"
LEAD = f"run-login-page-{LOGIN[:4]}"


def rows(seat: Seat) -> list[str]:
    """The lines of the list, without what stands beside it."""
    return [text[1:79].strip() for text in seat.lines]


def screen(seat: Seat) -> RunsScreen:
    assert isinstance(seat.app.screen, RunsScreen)
    return seat.app.screen


def keep(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


async def on_runs(seat: Seat) -> None:
    await seat.until(lambda: seat.screen == "RunsScreen", "the runs without a dialog")


def team(count: int, run: str = "0123abcd") -> list[dict[str, Any]]:
    """A run of so many tasks that need nothing but the first one."""
    pools = [{"role": "worker", "agent": "claude", "seats": [f"worker-1-{run[:4]}"]}]
    tasks = [{"key": f"t{n}", "role": "worker"} | ({"needs": ["t0"]} if n else {}) for n in range(count)]
    return [
        told("lead", "run_started", 9, run=run, name="large", goal="a lot", pools=pools),
        told("lead", "run_tasks", 9, run=run, tasks=tasks),
    ]


def task(key: str, state: str, run: str = "0123abcd", **fields: Any) -> dict[str, Any]:
    return told(f"worker-1-{run[:4]}", "run_task", 0, run=run, task=key, state=state, **fields)
