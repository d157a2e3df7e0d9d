"""What a run of the orchestrator gains, and what it costs: waits that need each other or do not, and empty tasks."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

from collab_tui.orchestrator import Assignment, Orchestrator, Pipeline, Policy, Role, Task
from collab_tui.orchestrator.agents import as_agent
from collab_tui.registry.jsonl import JsonlRegistry
from tests.benchmarks.pairs import percentile
from tests.benchmarks.report import Goal, Row

_WAIT = 1.0
"""Seconds for which an agent of the first rows takes to do its work."""
_SEATS = 4
_TASKS = 1000
_LINKS = 20
_LOOK = 0.05
"""Seconds between two looks of the threads that poll, as those of the seeds do."""
_ROUNDS = 3


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """Each figure beside its reference of the same moment."""
    folder = work / "run"
    folder.mkdir()
    with patch.dict(os.environ, XDG_STATE_HOME=str(folder / "state")):
        yield from _rows(folder)


def _rows(folder: Path) -> Iterator[Row]:
    alone, team = zip(*[(_waits(folder, 1), _waits(folder, _SEATS)) for _ in range(_ROUNDS)], strict=True)
    one, four = _median(alone), _median(team)
    yield Row(
        f"{_SEATS} waits of {_WAIT:g} s",
        f"{four:.3f} s",
        f"{one:.3f} s",
        one / four,
        "x as fast",
        Goal(3.9, at_least=True),
        f"{_SEATS} agents at once vs one after the other, the whole run",
    )
    for seats in (_SEATS, 64):
        ours, bare = zip(*[(_empty_tasks(folder, seats), _bare_tasks(seats)) for _ in range(_ROUNDS)], strict=True)
        mine, reference = _median(ours), _median(bare)
        yield Row(
            f"{_TASKS} empty tasks, {seats} seats",
            f"{mine * 1e3:.0f} ms",
            f"{reference * 1e3:.1f} ms",
            (mine - reference) / _TASKS * 1e3,
            "ms a task",
            Goal(2.0),
            "every start and end on the disk before it counts, vs a bare asyncio.gather",
        )
    chains = [(_chain(folder), _polled_chain()) for _ in range(_ROUNDS)]
    mine, polled = (_median(found) for found in zip(*chains, strict=True))
    yield Row(
        f"{_LINKS} tasks in a chain",
        f"{mine * 1e3:.0f} ms",
        f"{polled * 1e3:.0f} ms",
        mine / polled,
        "x",
        Goal(0.25),
        f"vs threads that look at a shared dict every {_LOOK * 1e3:.0f} ms",
    )


def _median(found: Sequence[float]) -> float:
    return percentile(list(found), 0.5)


def _timed(folder: Path, tasks: Sequence[Task], roles: Sequence[Role]) -> float:
    """Seconds for a run of all of it in a registry of its own."""
    registry = folder / f"{time.monotonic_ns()}" / "registry.jsonl"
    registry.parent.mkdir()
    JsonlRegistry(registry).append({"agent": "bench", "event": "registry_created"})
    began = time.perf_counter()
    result = Orchestrator(registry, policy=Policy()).run_all(
        Pipeline("bench", tasks, {role.name: role for role in roles})
    )
    took = time.perf_counter() - began
    if len(result.results) != len(tasks):
        raise RuntimeError(f"only {len(result.results)} of {len(tasks)} tasks are done")
    return took


async def _wait(assignment: Assignment) -> None:
    await asyncio.sleep(_WAIT)


async def _nothing(assignment: Assignment) -> None:
    """An agent that has nothing to do."""


def _waits(folder: Path, seats: int) -> float:
    tasks = [Task(f"wait-{number}", "waiter") for number in range(_SEATS)]
    return _timed(folder, tasks, [Role("waiter", as_agent(_wait), seats)])


def _empty_tasks(folder: Path, seats: int) -> float:
    tasks = [Task(f"task-{number}", "worker") for number in range(_TASKS)]
    return _timed(folder, tasks, [Role("worker", as_agent(_nothing), seats)])


def _bare_tasks(seats: int) -> float:
    async def one(places: asyncio.Semaphore) -> None:
        async with places:
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        places = asyncio.Semaphore(seats)
        await asyncio.gather(*(one(places) for _ in range(_TASKS)))

    began = time.perf_counter()
    asyncio.run(all_of_them())
    return time.perf_counter() - began


def _chain(folder: Path) -> float:
    keys = [f"link-{number}" for number in range(_LINKS)]
    tasks = [Task(key, "worker", needs=(keys[place - 1],) if place else ()) for place, key in enumerate(keys)]
    return _timed(folder, tasks, [Role("worker", as_agent(_nothing), _SEATS)])


def _polled_chain() -> float:
    """Threads that each look again and again whether what they need is in a dict."""
    board: dict[int, bool] = {-1: True}

    def link(number: int) -> None:
        while number - 1 not in board:
            time.sleep(_LOOK)
        board[number] = True

    threads = [threading.Thread(target=link, args=(number,)) for number in reversed(range(_LINKS))]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began
