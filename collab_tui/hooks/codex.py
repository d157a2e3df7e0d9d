"""Codex: what its hooks tell, and how it is answered. Measured with 0.169.0."""

from __future__ import annotations

from collab_tui.hooks import happening as told
from collab_tui.hooks.claude import context, decision, read_claude_like
from collab_tui.hooks.happening import ForeignError, Happening, listed, parent_process, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["DRIVER", "can_be_woken", "context", "decision", "go_on", "longest_wait", "read", "send"]

DRIVER = "Codex"
_WAIT = 55.0
"""Seconds for which a request may wait: nobody can answer at its own terminal until the hook is done."""

_STATES = {"pending": told.PENDING, "in_progress": told.DOING, "completed": told.DONE}


def read(payload: Mapping[str, Any], environment: Mapping[str, str]) -> Happening | None:
    """What happened; None for what says nothing to us. Its payloads are those of Claude Code, and some of its own."""
    if "timestamp" in payload or "hookEventName" in payload:
        raise ForeignError("the payload is not Codex's")
    process = parent_process()
    event, given = text_of(payload, "hook_event_name"), payload.get("tool_input")
    if event == "Interrupt":
        return Happening(told.INTERRUPTED, payload, process=process)
    if event == "PostToolUse" and text_of(payload, "tool_name") == "update_plan" and isinstance(given, dict):
        plan = listed(given.get("plan"), "step", "status", _STATES)
        return Happening(told.PLANNED if plan else told.USED, payload, plan=plan, process=process)
    return read_claude_like(payload, process=process)


def longest_wait(environment: Mapping[str, str]) -> float:
    """Seconds for which a request may wait for its answer."""
    return _WAIT


def go_on(text: str) -> dict[str, Any]:
    """Instead of ending its turn it reads this."""
    return {"decision": "block", "reason": text}


def can_be_woken(environment: Mapping[str, str]) -> bool:
    """Somebody sits at it: `codex exec` takes no prompt any more."""
    from collab_tui.hooks.codex_queue import is_interactive

    return is_interactive(parent_process())


def send(text: str, session: str, process: int) -> bool:
    """Put a prompt into its session, idle or not; False when that did not work."""
    from collab_tui.hooks.codex_queue import queue

    return queue(text, session, process)
