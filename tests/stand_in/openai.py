"""The OpenAI Responses API, as much of it as Codex uses."""

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
    items = body["input"] if isinstance(body["input"], list) else []
    return [_text(item["output"]) for item in items if item.get("type") == "function_call_output"]


def _text(output: Any) -> str:
    return output if isinstance(output, str) else "\n".join(block.get("text", "") for block in output)


def answer(move: Move, body: dict[str, Any]) -> Iterator[Event]:
    """The events of one streamed response."""
    response = {"id": _id("resp"), "object": "response", "status": "in_progress", "output": []}
    yield "response.created", {"response": response}
    if isinstance(move, Say):
        item = {
            "type": "message",
            "id": _id("msg"),
            "role": "assistant",
            "content": [{"type": "output_text", "text": move.text, "annotations": []}],
        }
    else:
        namespace, name = _namespace(move.tool, body.get("tools", []))
        item = {
            "type": "function_call",
            "id": _id("fc"),
            "call_id": _id("call"),
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            "arguments": json.dumps(move.arguments),
        }
    yield "response.output_item.added", {"output_index": 0, "item": item}
    yield "response.output_item.done", {"output_index": 0, "item": item}
    usage = {
        "input_tokens": 1,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 1,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 2,
    }
    yield "response.completed", {"response": {**response, "status": "completed", "output": [item], "usage": usage}}


def _namespace(tool: str, offered: list[dict[str, Any]]) -> tuple[str | None, str]:
    """The group of tools in which Codex offers the one of that name, and its name there."""
    for group in offered:
        if group.get("type") == "namespace":
            for one in group.get("tools", []):
                if tool == f"{group['name']}__{one['name']}":
                    return group["name"], one["name"]
    return None, tool


def _id(kind: str) -> str:
    return f"{kind}_{os.urandom(12).hex()}"
