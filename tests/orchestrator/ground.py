"""A registry of a project, and a user with a key and a state folder of their own, for the groundwork of runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collab_tui.orchestrator.blackboard import Blackboard
from collab_tui.orchestrator.journal import Journal
from collab_tui.orchestrator.values import ValueFiles
from collab_tui.registry.append import append
from collab_tui.registry.jsonl import JsonlRegistry
from tests.program import PATIENCE

RUN = "0a1b2c3d"
AGENT = "run-demo-0a1b"
SEAT = "executor-1-0a1b"
KEY = b"k" * 32


def new_registry(folder: Path) -> Path:
    """The registry of a new project."""
    path = folder / ".collab" / "registry.jsonl"
    path.parent.mkdir(parents=True)
    append(str(path), {"agent": "system", "event": "registry_created", "registry": "ab" * 16})
    return path


def journal_on(path: Path, notices: list[str] | None = None, after: int = 0) -> Journal:
    return Journal(JsonlRegistry(path), RUN, KEY, (notices if notices is not None else []).append, after=after)


def blackboard_on(path: Path, journal: Journal | None = None) -> Blackboard:
    return Blackboard(journal or journal_on(path), ValueFiles(path, RUN))


def lines_of(path: Path, chosen: Callable[[dict[str, Any]], bool] = lambda line: "run" in line) -> list[dict[str, Any]]:
    """The lines of a registry, as written; without what is no JSON."""
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [line for line in found if chosen(line)]


async def until(holds: Callable[[], object]) -> None:
    """Look again and again until it holds: files, and lines of others."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  # nobody tells when
            await asyncio.sleep(0.01)


async def begun(journal: Journal, *tasks: dict[str, Any]) -> None:
    """The first lines of a run."""
    pools = [{"role": "executor", "agent": "function work", "seats": [SEAT]}]
    await journal.write(AGENT, "run_started", name="demo", goal="a goal", pools=pools, host="h", pid=1)
    await journal.write(AGENT, "run_tasks", tasks=[{"role": "executor", **task} for task in tasks])
