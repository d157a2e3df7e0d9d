"""Writes many_agents.jsonl: 200 agents, an hour of work. The same bytes every time.

python sample_state/make_many_agents.py
"""

from __future__ import annotations

import json
import random
from hashlib import blake2b
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("many_agents.jsonl")
COUNT = 200

_KOREAN = "세나 루빗 깃코드 하나 지우 민준 서연 도윤 하늘 바다 구름 소리 가람 누리 다온 라온 마루 보라 슬기 아라"
_JAPANESE = "さくら ハルト 健太 葵 蓮 ひまわり カエデ 空 ゆき 大和 美咲 つばさ"
_MAKERS = ["claude", "codex", "copilot", "gemini", "qwen", "mistral", "aider", "goose"]
_ROLES = ("implement", "validate", "deploy", "document", "review", "research")
_TASKS = (
    "log parser",
    "information metrics",
    "한국어 태그",
    "テストを書く",
    "release notes",
    "database migration",
    "search index",
    "login page 로그인 화면",
    "translate the guide",
    "remove dead code",
    "measure the start-up time",
    "번역 검토",
)
_NEXT = ("read it again", "write the tests", "ask for a review", "다음 단계", "次の手順", "merge", "measure")
_BLOCKERS = (
    "no credentials for staging",
    "the build machine is full",
    "스테이징 권한이 없음",
    "licence of the new font",
)
_STATUSES = (
    ["in_progress"] * 80
    + ["idle"] * 25
    + ["completed"] * 30
    + ["waiting"] * 12
    + ["waiting_for"] * 12  # somebody, drawn later
    + ["blocked"] * 10
    + ["failed"] * 5
    + ["dreaming", "Ready for Production!", "작업중", "振り返り中"]
    + [None] * 10  # never declares one
    + ["gone"] * 12
)


def names() -> list[str]:
    """200 different names, in three scripts."""
    found = [*_KOREAN.split(), *_JAPANESE.split()]
    number = 0
    while len(found) < COUNT:
        found.append(f"{_MAKERS[number % len(_MAKERS)]}-{number // len(_MAKERS) + 1:02}")
        number += 1
    return found


def events() -> list[dict[str, Any]]:
    """Every event, in the order of time."""
    chance = random.Random(2026)  # noqa: S311 - the same picture every time
    agents = names()
    chance.shuffle(agents)
    drawn: list[tuple[float, dict[str, Any]]] = []
    for number, name in enumerate(agents):
        drawn += _life(chance, name, _STATUSES[number % len(_STATUSES)], number, agents)
    drawn.sort(key=lambda pair: pair[0])
    return [
        {"id": blake2b(b"many agents %d" % number, digest_size=8).hexdigest(), "timestamp": _time(at), **event}
        for number, (at, event) in enumerate(drawn)
    ]


def _life(
    chance: random.Random, name: str, status: str | None, number: int, agents: list[str]
) -> list[tuple[float, dict[str, Any]]]:
    """One agent's hour: it starts, works, and is at the end where its status says."""
    start = chance.uniform(0, 1200)
    last = chance.uniform(3600, 3770) if status in ("in_progress", "waiting_for") else chance.uniform(2400, 3770)
    if number % 37 == 5:
        last = chance.uniform(1300, 1700)  # silent since
    task = _TASKS[number % len(_TASKS)]
    progress = chance.randrange(5, 95)
    opening: dict[str, Any] = {"agent": name, "event": "session_start", "role": _ROLES[number % len(_ROLES)]}
    life = [(start, opening)]
    if status is None:
        return [*life, (last, {"agent": name, "event": "heartbeat"})]
    opening.update(status="in_progress", current_task=task, progress=0)
    for share in (0.3, 0.7):
        at = start + (last - start) * share
        life.append((at, {"agent": name, "event": "status_update", "progress": int(progress * share)}))
    end: dict[str, Any] = {"agent": name, "event": "status_update", "status": status, "progress": progress}
    end["next_action"] = _NEXT[number % len(_NEXT)]
    match status:
        case "waiting_for":
            # Only ever for a name further down: no circle comes about by chance.
            end |= {"status": "waiting", "dependencies": [f"{agents[chance.randrange(number + 1, COUNT)]}_done"]}
        case "waiting":
            end = {"agent": name, "event": "decision_request", "target": "human", "request": f"Go on with {task}?"}
            end |= {"details": "Nothing else is to be done before.", "status": "waiting"}
            if number % 3 == 0:
                end |= {"request": f"How to go on with {task}?", "options": ["small steps", "all at once", "later"]}
        case "blocked":
            end = {"agent": name, "event": "blocker", "blocker": _BLOCKERS[number % len(_BLOCKERS)]}
        case "completed":
            end = {"agent": name, "event": "completion", "result": "done"}
        case "gone":
            end = {"agent": name, "event": "session_end", "reason": "its terminal was closed"}
    return [*life, (last, end)]


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"2026-11-20T{13 + int(minutes) // 60}:{int(minutes) % 60:02}:{int(rest):02}.{int(rest * 1000) % 1000:03}Z"


def content() -> bytes:
    """The whole file."""
    lines = (json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events())
    return "".join(f"{line}\n" for line in lines).encode()


if __name__ == "__main__":
    FILE.write_bytes(content())
