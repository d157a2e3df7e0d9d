"""Scenes: registries that a test of the board starts from. Times are told in minutes before `NOW`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2025, 10, 20, 14, 3, 30, tzinfo=UTC)
"""What the clock of every test shows."""

Event = dict[str, Any]
Scene = list[Event]


def at(ago: float) -> str:
    """The time so many minutes before now, as we write it."""
    return (NOW - timedelta(minutes=ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told(agent: str, event: str, /, ago: float = 0, **fields: Any) -> Event:
    """One event."""
    return {"timestamp": at(ago), "agent": agent, "event": event, **fields}


def updates(agent: str, ago: float = 0, /, **fields: Any) -> Event:
    """A `status_update`."""
    return told(agent, "status_update", ago, **fields)


def asks(agent: str, request_id: str, request: str, /, ago: float = 1, **fields: Any) -> Event:
    """A `decision_request`."""
    return {"id": request_id} | told(agent, "decision_request", ago, request=request, **fields)


def decides(agent: str, request_id: str, verdict: str, /, ago: float = 0, **fields: Any) -> Event:
    """A `decision`."""
    return told(agent, "decision", ago, request_id=request_id, verdict=verdict, **fields)


def line(event: Event, *, ascii_only: bool = False) -> str:
    """One line of a registry, with its newline."""
    return json.dumps(event, ensure_ascii=ascii_only) + "\n"


def good_day() -> Scene:
    """Five agents at work: an approval that holds up two, a choice and a question for the person, one for an agent."""
    return [
        told("maestro", "session_start", 62, role="orchestrate", status="in_progress", current_task="릴리스 4 release"),
        told("sena", "session_start", 61, role="implement", status="idle"),
        told("lubit", "session_start", 61, role="validate", status="idle"),
        told("gitcode", "session_start", 60, role="deploy", status="ready"),
        told("하나", "session_start", 59, role="document", status="in_progress", current_task="사용자 안내서 📘 guide"),
        updates("sena", 50, status="in_progress", current_task="情報メトリクス information metrics", progress=40),
        updates("lubit", 45, status="in_progress", current_task="validate metrics", progress=30),
        updates("gitcode", 36, status="in_progress", current_task="phase 4 deployment", progress=78),
        told("gitcode", "blocker", 35, blocker="no credentials for staging", reason="the token ended at 13:00"),
        told("gitcode", "blocker", 34.5, blocker="quota of the build cache"),
        asks(
            "gitcode",
            "go-canary",
            "GO for canary 5 % at 14:30?",
            34,
            target="human",
            urgency="high",
            details="Smoke test: 40 of 40 🎉\nRolling back takes 40 seconds, rehearsed twice.",
            evidence=["deploy/plan-phase-4.md", "deploy/smoke-test.log"],
            deadline=at(-26.5),
        ),
        updates("maestro", 20, status="waiting_for_gitcode", progress=55),
        asks("sena", "metrics-v2", "Approve metrics v2?", 12, target="lubit", evidence=["notes/metrics-v2.md"]),
        updates("lubit", 11, status="waiting_for_sena", next_action="validate metrics v2 when the draft is there"),
        asks(
            "sena",
            "tagger",
            "Which tagger first? 어느 태거?",
            6,
            options=["rules", "model 한국어", "both"],
            default="rules",
            details="Rules are ready today. The model reads 한국어 better and needs a day.",
            status="in_progress",
        ),
        asks("하나", "title", "What is the guide called?", 3, kind="question", status="in_progress"),
        told("maestro", "message", 2, target="all", message="안녕하세요 👋 the canary goes out after the GO"),
        updates("sena", 0.2, progress=72, next_action="build the log parsing pipeline"),
    ]


def calm() -> Scene:
    """Two agents; one asks the person for one approval, nothing else is asked."""
    return [
        updates("sena", 9, status="in_progress", current_task="write the parser", progress=20),
        updates("gitcode", 8, status="in_progress", current_task="deploy", progress=60),
        asks("gitcode", "go", "GO for the canary?", 4, target="human"),
    ]


def critical() -> Scene:
    """One approval that its asker calls critical."""
    return [
        updates("gitcode", 8, status="in_progress", current_task="clean up the disk"),
        asks("gitcode", "wipe", "Delete the old volumes?", 4, target="human", urgency="critical"),
    ]


def deadlock() -> Scene:
    """Three agents wait politely for each other in silence; an approval would break it. A fourth is blocked."""
    return [
        told("sena", "session_start", 80, role="implement", status="in_progress", current_task="log parser 로그 파서"),
        told("lubit", "session_start", 80, role="validate", status="in_progress", current_task="validate the parser"),
        told("gitcode", "session_start", 80, role="deploy", status="in_progress", current_task="phase 4 deployment"),
        told("maestro", "session_start", 79, role="orchestrate", status="in_progress", current_task="staging"),
        told("maestro", "blocker", 50, blocker="no credentials for staging", reason="only you can renew the token"),
        asks("sena", "contract", "Sign the parser contract?", 46, target="lubit", status="waiting_for_lubit"),
        updates("lubit", 41, status="waiting_for_gitcode", progress=38),
        updates("gitcode", 33, status="waiting", dependencies=["sena_done"], progress=60),
        told("maestro", "message", 3, target="all", message="does anybody move?"),
    ]


def many(count: int = 200) -> Scene:
    """So many agents, of every kind, and two requests."""
    words = ("in_progress", "waiting", "blocked", "failed", "completed", "idle", "pondering deeply")
    scene = [
        updates(
            f"agent-{number:03}", 25, status=words[number % len(words)], progress=number % 101, current_task="shard"
        )
        for number in range(count)
    ]
    return [
        *scene,
        asks("agent-007", "seven", "May seven go on?", 5, target="human"),
        asks("agent-042", "answer", "What is the answer?", 4, kind="question"),
    ]


HOSTILE_TEXTS = {
    "closing": "x [/] y [/bold] [/nope] [[",
    "link": "[@click=app.quit]press me[/] [link=https://example.com]x[/link]",
    "bold": "[bold]loud[/bold] [$error]red[/] [WIP] \\[",
    "control": "\x1b[2J\x1b]0;PWNED\x07 \x9b31m \x00\x07\x08\x7f\x85 end",
    "bidi": "invoice_\u202egpj.exe\u202c \u2067right\u2069 \u200f\u061c\u200e\u2028\u2029 end",
    "long": "긴 글 never ending 📜 " * 300,
    "lines": "one\ntwo\r\nthree\rfour\ttab\n\n\nfive",
}
"""What a text may try, by its name."""


# fmt: off
EVERY_FIELD = (
    "current_task", "progress", "next_action", "role", "message", "details", "default", "urgency", "comment", "reason",
    "result", "error", "host", "estimated_completion",
)
# fmt: on


def hostile(text: str) -> Scene:
    """A registry whose every field holds this text."""
    everything = dict.fromkeys(EVERY_FIELD, text)
    lists = {name: [text, text + "!"] for name in ("blockers", "dependencies", "evidence")}
    asked = {"request": text, **everything, "evidence": [text, text]}
    return [
        told(text, "session_start", 20, status="blocked", **everything, **lists),
        told("mallory", "status_update", 19, status=text, **everything, **lists),
        {"id": text} | told("mallory", "decision_request", 18, **asked, kind="approval"),
        {"id": "h-choice"} | told("mallory", "decision_request", 17, **asked, options=[text, f"not {text}"]),
        {"id": "h-question"} | told("mallory", "decision_request", 16, **asked, kind="question"),
        {"id": "h-other"} | told("mallory", "decision_request", 15, **asked, target=text),
        told("mallory", "blocker", 14, blocker=text, reason=text, status="blocked"),
        told(text, "decision", 13, request_id="h-choice", answer=text, comment=text),
        told("mallory", text, 12, **{text: {text: [text]}}),
        told("mallory", "message", 11, target=text, message=text),
        told("mallory", "decision", 10, request_id=f"no such {text}", verdict=text),
    ]
