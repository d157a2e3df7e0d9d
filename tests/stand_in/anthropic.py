"""The Anthropic Messages API, as much of it as Claude Code uses."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from tests.stand_in.script import Move, Say

Event = tuple[str, dict[str, Any]]


def is_the_agents(body: dict[str, Any]) -> bool:
    """The request continues the session; those without tools are for titles and the like."""
    return bool(body.get("tools"))


def results(body: dict[str, Any]) -> list[str]:
    """What the tools gave back, in order."""
    blocks = [
        block for message in body["messages"] if isinstance(message["content"], list) for block in message["content"]
    ]
    return [_text(block.get("content", "")) for block in blocks if block["type"] == "tool_result"]


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(block.get("text", "") for block in content)


def answer(move: Move, body: dict[str, Any]) -> Iterator[Event]:
    """The events of one streamed message."""
    message = {"id": _id("msg"), "type": "message", "role": "assistant", "model": body.get("model", "stand-in")}
    usage = {"input_tokens": 1, "output_tokens": 1}
    yield (
        "message_start",
        {"message": {**message, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}},
    )
    if isinstance(move, Say):
        block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": move.text}
        stop = "end_turn"
    else:
        block = {"type": "tool_use", "id": _id("toolu"), "name": move.tool, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(move.arguments)}
        stop = "tool_use"
    yield "content_block_start", {"index": 0, "content_block": block}
    yield "content_block_delta", {"index": 0, "delta": delta}
    yield "content_block_stop", {"index": 0}
    yield "message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 1}}
    yield "message_stop", {}


def _id(kind: str) -> str:
    return f"{kind}_{os.urandom(12).hex()}"
