"""A monitor that is killed at any moment: each event is decided on, and no work is ever begun twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from collab_tui.registry.append import append
from tests.program import environment, eventually

ROOT = Path(__file__).parent.parent.parent
EVENTS = 6
KILLS = 5


def started(folder: Path, registry: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.workers.killed", str(registry), str(folder / "notes")],
        cwd=ROOT,
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def states(registry: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in map(json.loads, registry.read_text(encoding="utf-8").splitlines()):
        if line["event"] == "worker":
            found.setdefault(line["task"], []).append(f"{line['kind']} {line['state']}")
    return found


def test_killed_at_any_moment_every_event_is_decided_on_and_no_work_begun_twice(tmp_path: Path) -> None:
    registry = tmp_path / "registry.jsonl"
    append(str(registry), {"agent": "system", "event": "registry_created", "registry": "ab" * 16})
    events = [{"event_id": f"e{n}", "task": f"t{n}", "status": "done"} for n in range(EVENTS)]
    chance = random.Random(5)
    for _ in range(KILLS):
        process = started(tmp_path, registry)
        assert process.stdout.readline() == "ready\n"
        for event in chance.sample(events, k=chance.randint(1, EVENTS)):
            process.stdin.write(json.dumps(event) + "\n")
            process.stdin.flush()
            if chance.random() < 0.5:
                assert process.stdout.readline() == "taken\n"
        process.kill()
        process.communicate()
    process = started(tmp_path, registry)
    for event in events:
        process.stdin.write(json.dumps(event) + "\n")
    process.stdin.flush()
    over = {"decision done", "decision failed"}
    eventually(
        lambda: (
            len(told := [s for t, s in states(registry).items() if t.startswith("t")]) == EVENTS
            and all(over & set(one) for one in told)
        ),
        lambda: str(states(registry)),
    )
    process.kill()
    process.communicate()
    begun = Counter((tmp_path / "notes").read_text(encoding="utf-8").splitlines())
    assert all(count <= (2 if line.startswith("judge ") else 1) for line, count in begun.items()), begun
    for line in map(json.loads, registry.read_text(encoding="utf-8").splitlines()):
        assert line["event"] != "stream_event" or line["outcome"] == "queued"
    taken = [line for line in registry.read_text(encoding="utf-8").splitlines() if '"stream_event"' in line]
    assert len(taken) == EVENTS
    assert all(one.count("decision done") + one.count("decision failed") <= 1 for one in states(registry).values())
