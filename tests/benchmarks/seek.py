"""Going to any moment of a registry: how long the board there takes, with few agents and with many."""

from __future__ import annotations

import gc
import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from collab_tui.model.timeline import Timeline
from collab_tui.registry.jsonl import JsonlRegistry
from tests.benchmarks.pairs import percentile, processor_seconds
from tests.benchmarks.report import Goal, Row, times

_LINES = 100_000
_SEEKS = 200
_CROWDS = ((20, 100), (200, 100), (200, 3000))
"""How many agents, and how many of their requests are open once there are so many."""
_START = datetime(2026, 1, 5, 8, tzinfo=UTC)


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """Random positions, one after the other."""
    for agents, unanswered in _CROWDS:
        path = work / f"seek-{agents}-{unanswered}.jsonl"
        with path.open("wb") as file:
            file.writelines(_lines(agents, unanswered))
        taken = _seek(path)
        p95 = percentile(taken, 0.95)
        yield Row(
            f"seek in 100k lines, {agents} agents, {unanswered} open requests",
            f"p95 {times(p95)}",
            value=p95 * 1e3,
            unit="ms",
            goal=Goal(50),
            note=f"p50 {times(percentile(taken, 0.5))}, max {times(max(taken))}; {_SEEKS} positions, processor time",
        )


def _seek(path: Path) -> list[float]:
    """Seconds that each board takes."""
    registry = JsonlRegistry(path)
    timeline = Timeline(registry.items)
    gc.disable()  # as a visit to the past reads: what stays is not looked through
    try:
        while (news := registry.read_next(final=True)).items:
            timeline.extend(news.items)
        gc.freeze()
    finally:
        gc.enable()
    if len(timeline) != _LINES:
        raise RuntimeError(f"only {len(timeline)} of {_LINES} lines were read: {news.detail}")
    chance = random.Random(2)
    positions = [chance.randrange(_LINES + 1) for _ in range(_SEEKS)]
    try:
        return [processor_seconds(lambda position=position: timeline.board_at(position)) for position in positions]
    finally:
        gc.unfreeze()


def _lines(agents: int, unanswered: int) -> Iterator[bytes]:
    """Lines of so many agents that report, ask each other and the person, are answered, wait and are blocked."""
    chance = random.Random(agents)
    names = [f"agent-{number:03}" for number in range(agents)]
    asked: deque[tuple[str, str]] = deque()
    for number in range(_LINES):
        event: dict[str, Any] = {
            "id": f"{number:016x}",
            "timestamp": (_START + timedelta(seconds=number)).isoformat(),
            "agent": chance.choice(names),
        }
        roll = chance.random()
        if roll < 0.03:
            target = chance.choice((*names, "human"))
            asked.append((event["id"], target))
            event |= {"event": "decision_request", "request": f"May I go on with {number}?", "target": target}
        elif roll < 0.08 and len(asked) > unanswered:
            request, target = asked.popleft()
            event |= {"event": "decision", "agent": target, "request_id": request, "verdict": "approved"}
        elif roll < 0.10:
            event |= {"event": "status_update", "status": f"waiting_for_{chance.choice(names)}"}
        elif roll < 0.12:
            event |= {"event": "blocker", "blocker": f"step {number % agents}"}
        elif roll < 0.13:
            event |= {"event": "blocker_resolved", "blocker": f"step {chance.randrange(agents)}"}
        else:
            task, progress = f"step {number % 97}", number % 100
            event |= {"event": "status_update", "status": "in_progress", "current_task": task, "progress": progress}
        yield orjson.dumps(event) + b"\n"
