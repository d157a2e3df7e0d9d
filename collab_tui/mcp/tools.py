"""How a method becomes a tool: its docstring is what the model reads, its schema says no more than a model needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations


def tool_of(method: Callable[..., Any], *, is_at_hand: bool = False, only_reads: bool = False) -> Tool:
    """The tool of a method.

    `is_at_hand`: Claude Code shows it to its model from the start, instead of only when that searches for tools.
    """
    tool = Tool.from_function(
        method,
        description=" ".join((method.__doc__ or "").split()),
        annotations=ToolAnnotations(read_only_hint=only_reads, destructive_hint=False, open_world_hint=False),
        meta={"anthropic/alwaysLoad": True} if is_at_hand else None,
        structured_output=False,
    )
    tool.parameters = _plain(tool.parameters)
    return tool


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the arguments without titles, and of optional ones only what they are when they are given."""
    properties = {name: _given(value) for name, value in schema["properties"].items()}
    required = {"required": schema["required"]} if "required" in schema else {}
    return {"type": "object", "properties": properties, **required, "additionalProperties": False}


def _given(value: dict[str, Any]) -> dict[str, Any]:
    told = {name: one for name, one in value.items() if name not in ("title", "default", "anyOf")}
    return next((one for one in value.get("anyOf", ()) if one.get("type") != "null"), {}) | told
