"""Registries to measure with, the same at every run: about 310 bytes a line.

Half of the agents write as `collab-tui emit` does (with an id), half as scripts in the wild do. They work through
tasks, ask for decisions that others or the person give, meet blockers and lose them. One line in some thousands is
not clean or not JSON at all: a real registry is never quite in order.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

END = "MARKEOF"
"""What only the last line of a registry says."""

_START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_EMITTING = ("sena", "lubit", "gitcode", "planner", "릴리스", "reviewer")
_WILD = ("maestro", "tester", "docs-bot", "infra", "데이터", "frontend")
_TASKS = (
    "정보이론 메트릭 구현과 검증",
    "Follow the registry without reading a byte twice",
    "배포 파이프라인 준비",
    "Property tests for the fold",
    "레지스트리 교체 감지 🔍",
    "Write the migration guide",
    "Integrated dataset, second pass",
)
_NEXT = ("Lubit 검증 대기 후 배포", "run the whole suite once more", "문서 갱신", "ask for the staging credentials")
_SAID = (
    "p50 went from 41 ms to 14 ms, p99 is unchanged; the rest is one full paint 📈",
    "메트릭 3개 중 2개 통과 ✅ 나머지는 표본이 부족하여 다시 측정합니다",
    'the test "replaced while reading" fails one time in 400, looking into the fingerprint',
    "Sena의 결과와 일치합니다. 다음 단계로 진행해도 좋습니다 👍",
)
_BLOCKERS = ("no credentials for staging", "lubit_decision", "테스트 데이터 없음", "gitcode_ready")


def make_registry(folder: Path, lines: int) -> Path:
    """A registry of so many lines, the last one with the marker `END`. Made once per folder."""
    path = folder / f"registry-{lines}.jsonl"  # the name stands on the screen: no marker in it
    if not path.exists():
        with path.open("wb") as file:
            file.writelines(registry_lines(lines - 1))
            file.write(live_line(lines, END))
    return path


def live_line(number: int, marker: str, agent: str = "sena") -> bytes:
    """A progress update of this moment; the marker is what to look for on the screen, so it stands far left."""
    return _line(
        {
            "timestamp": _stamp(datetime.now(UTC)),
            "current_task": f"{marker} {_TASKS[number % len(_TASKS)]}",
            "agent": agent,
            "event": "status_update",
            "status": "in_progress",
            "progress": number % 100,
            "next_action": _NEXT[number % len(_NEXT)],
            "message": _SAID[number % len(_SAID)],
        }
    )


def registry_lines(lines: int, seed: int = 20261120) -> Iterator[bytes]:
    """Lines of a registry, deterministic."""
    chance = random.Random(seed)
    now = _START
    asked: deque[tuple[str, str]] = deque()
    blocked: deque[tuple[str, str]] = deque()
    progress = dict.fromkeys((*_EMITTING, *_WILD), 0)
    for number in range(lines):
        now += timedelta(milliseconds=chance.randrange(200, 4000))
        if number % 9973 == 5000:
            yield b'{"timestamp":"2026-01-05T08:00:00Z","agent":"tester","event":"status_upd\n'
            continue
        agent = chance.choice(_EMITTING if chance.random() < 0.5 else _WILD)
        event: dict[str, Any] = {"id": f"{chance.getrandbits(64):016x}"} if agent in _EMITTING else {}
        event |= {"timestamp": _stamp(now), "agent": agent}
        roll = chance.random()
        if roll < 0.01:
            event |= _request(chance, asked, event.setdefault("id", f"r{number}"))
        elif roll < 0.02 and len(asked) > 3:
            event |= _decision(chance, asked, event)
        elif roll < 0.03:
            blocked.append((agent, chance.choice(_BLOCKERS)))
            event |= {"event": "blocker", "blocker": blocked[-1][1], "reason": chance.choice(_SAID)}
        elif roll < 0.04 and len(blocked) > 3:
            whose, what = blocked.popleft()
            event |= {"event": "blocker_resolved", "blocker": what, "target": whose, "comment": chance.choice(_SAID)}
        elif roll < 0.07:
            event |= {"event": "message", "target": chance.choice(_EMITTING), "message": chance.choice(_SAID)}
        else:
            progress[agent] = (progress[agent] + chance.randrange(9)) % 101
            event |= _update(chance, progress[agent], number)
        if number % 4001 == 2000:
            event["message"] = "log \x1b[31mred\x1b[0m \u200bcopied from a terminal"
        yield _line(event)


def _update(chance: random.Random, progress: int, number: int) -> dict[str, Any]:
    update: dict[str, Any] = {
        "event": "status_update" if number % 11 else "validation_started",
        "status": chance.choice(("in_progress", "in_progress", "working", "waiting_for_lubit_decision")),
        "current_task": chance.choice(_TASKS),
        "progress": progress,
        "next_action": chance.choice(_NEXT),
        "message": chance.choice(_SAID),
    }
    if number % 4 == 0:
        del update["message"]
        update["dependencies"] = [chance.choice(_BLOCKERS)]
    if number % 5 == 0:
        update["blockers"] = []
    return update


def _request(chance: random.Random, asked: deque[tuple[str, str]], request_id: str) -> dict[str, Any]:
    target = chance.choice(("human", "lubit", "sena"))
    asked.append((request_id, target))
    return {
        "event": "decision_request",
        "request": chance.choice(("Deploy to staging?", "어느 데이터셋을 먼저 처리할까요?", "Merge the branch?")),
        "target": target,
        "options": ["now", "after the tests", "내일"],
        "details": chance.choice(_SAID),
    }


def _decision(chance: random.Random, asked: deque[tuple[str, str]], event: dict[str, Any]) -> dict[str, Any]:
    request_id, target = asked.popleft()
    return {
        "agent": target,
        "event": "decision",
        "request_id": request_id,
        "verdict": chance.choice(("approved", "approved", "rejected")),
        "comment": chance.choice(_SAID),
    }


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(event: dict[str, Any]) -> bytes:
    return orjson.dumps(event) + b"\n"
