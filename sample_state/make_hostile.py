r"""Writes hostile.jsonl: every field of every event with text that means harm. The same bytes every time.

Everything but plain ASCII is written as `\uXXXX`, so that the file itself can be looked at in a terminal.

python sample_state/make_hostile.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("hostile.jsonl")
HUGE = 900_000
"""Characters of the longest text, as written."""

TEXTS = {
    "colours": "\x1b[31mred \x1b[1;5mblinking\x1b[0m plain",
    "clear": "before\x1b[2J\x1b[H\x1b[3J\x1bcafter",
    "title": "\x1b]0;you were here\x07\x1b]2;and here\x1b\\",
    "link": "\x1b]8;;https://example.com/steal\x1b\\click me\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07paste me",
    "strings": "\x1bP1$r0m\x1b\\\x1b_apc\x1b\\\x1b^pm\x1b\\\x1b[6n\x1b[c",
    "c0": "".join(map(chr, range(1, 32))) + "\x7f\x00end",
    "c1": "\x9b31mred\x9d0;title\x9c\x90dcs\x9c\x85next\x84line",
    "bidi": "invoice_\u202egpj.exe\u202c \u2067right\u2069 \u200f\u061c\u200e end",
    "invisible": "ad\u200bmin\u200d\u2060\ufeff\u00ad\u180e\u3164\uffa0\u115f \U000e0041\U000e0042\U000e007f",
    "markup": "[@click=app.quit]press me[/] [bold red]loud[/bold red] [link=https://example.com]x[/link] [/] [[ \\[",
    "handlers": "[@click='app.bell'][on red]{0}%s%n$(reboot)`reboot`{{7*7}}<script>alert(1)</script>",
    "zalgo": "Z" + "\u0335\u0321\u0322\u0327\u0300\u0301\u0302\u0303" * 2 + "algo",
    "separators": "one\u2028two\u2029three\rfour\r\nfive\x0bsix\x0cseven\ttab\n\n\n\neight",
    "wide": "\u1112\u1161\u11ab\uae00\ud55c\uae00\u65e5\u672c\u8a9e\uff37\uff29\uff24\uff25\U0001f469\u200d\U0001f4bb"
    "\U0001f1f0\U0001f1f7\U0001f44d\U0001f3fd",
    "broken": "half \ud83d and \udc00 and \ufffe\uffff",
    "long word": "x" * 100,
    "lines": "line\n" * 12,
    "empty": " \t\n ",
}
"""What to write where, by what it tries."""

LONG = {
    "long word": "x" * 1000,
    "long text": "never ending " * 60,
    "long wide": "\uae34" * 150,
    "many lines": "line\n" * 100,
    "many marks": "a" + "\u0301" * 100,
}
"""Texts that are too long for any place; not in every field, to keep the file small."""

FIELDS: dict[str, tuple[str, ...]] = {
    "registry_created": ("registry",),
    "session_start": (
        "role",
        "current_task",
        "status",
        "next_action",
        "pid",
        "host",
        "cwd",
        "branch",
        "session",
        "driver",
    ),
    "session_end": ("status", "reason"),
    "status_update": (
        "status",
        "current_task",
        "progress",
        "blockers",
        "dependencies",
        "next_action",
        "estimated_completion",
        "message",
    ),
    "decision_request": (
        "request",
        "kind",
        "details",
        "options",
        "default",
        "target",
        "deadline",
        "expires",
        "urgency",
        "evidence",
        "key",
    ),
    "decision": (
        "request_id",
        "verdict",
        "answer",
        "comment",
        "resolved_blockers",
        "signature",
        "key_id",
        "request_digest",
        "decision_for",
    ),
    "request_withdrawn": ("request_id", "reason"),
    "blocker": ("blocker", "reason"),
    "blocker_resolved": ("blocker", "target", "comment"),
    "completion": ("current_task", "result"),
    "message": ("target", "message"),
    "activation": ("rule", "cause", "target", "outcome", "took_ms"),
    "command": ("command_type", "target", "payload"),
    "command_result": ("command_id", "state", "reason"),
}
"""Event -> its fields, as the design lists them."""

_LISTS = frozenset({"blockers", "dependencies", "options", "evidence", "resolved_blockers"})


def events() -> Iterator[dict[str, Any]]:
    """Every event, in order."""
    for text in TEXTS.values():
        for kind, fields in FIELDS.items():
            yield {"agent": "mallory", "event": kind} | {field: _value(field, text) for field in fields}
    for name, text in (TEXTS | LONG).items():
        yield {"id": f"{text}#{name}", "agent": text, "event": "session_start", "status": "in_progress"}
        # Requests to the person and a blocker that show the text, from an agent with a plain name.
        yield {"agent": "trudy", "event": "decision_request", "request": text, "details": text, "evidence": [text]}
        yield {"agent": "trudy", "event": "decision_request", "request": text, "options": [text, f"not {text}"]}
        yield {"agent": "eve", "event": "blocker", "blocker": text, "reason": text, "status": "blocked"}
        yield {"agent": "oscar", "event": text, text: text, "nested": {text: [text, {text: None}]}}
        yield {"agent": "oscar", "event": "status_update", "timestamp": text, "progress": text}
    odd: tuple[Any, ...] = (None, True, -1, 1e308, [], {}, [[[]]], {"text": {"text": 1}}, "nan", 10**40)
    for value in odd:
        for kind, fields in FIELDS.items():
            yield {"agent": "types", "event": kind} | dict.fromkeys(fields, value)
    deep: Any = "bottom"
    for _ in range(400):
        deep = [deep]
    yield {"agent": "oscar", "event": "status_update", "current_task": deep}
    yield {"agent": "oscar", "event": "status_update", "status": "in_progress"} | {f"f{n}": n for n in range(400)}
    yield {"agent": "huge", "event": "status_update", "status": "in_progress", "current_task": _huge()}
    yield {"agent": "alice", "event": "session_start", "status": "in_progress", "current_task": "the only honest one"}


def _value(field: str, text: str) -> Any:
    return [text, text] if field in _LISTS else text


def _huge() -> str:
    piece = "[@click=app.quit]\x1b[2J never ending "
    return piece * (HUGE // (len(json.dumps(piece)) - 2))


def content() -> bytes:
    """The whole file."""
    lines = []
    for number, event in enumerate(events()):
        stamp = f"2026-11-20T13:{number // 60 % 60:02}:{number % 60:02}.000Z"
        head = {"id": blake2b(b"hostile %d" % number, digest_size=8).hexdigest(), "timestamp": stamp}
        line = json.dumps(head | event, separators=(",", ":"))
        lines.append(line.replace("\x7f", "\\u007f"))
    return "".join(f"{line}\n" for line in lines).encode("ascii")


if __name__ == "__main__":
    FILE.write_bytes(content())
