"""Codex: what its hooks tell, and how it is answered. Measured with 0.169.0.

A plain `codex` is only a screen: its sessions live in an app server that all share, which also runs their hooks.
Closing the screen ends none of them and runs no hook, and nothing tells which session has a screen. So such a session
has no process of its own here, and is not woken: it might work, and cost, with nobody there.
"""

from __future__ import annotations

from collab_tui.hooks import happening as told
from collab_tui.hooks.claude import context, decision, read_claude_like
from collab_tui.hooks.happening import ForeignError, Happening, listed, parent_process, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["DRIVER", "at_prompt", "can_be_woken", "context", "decision", "go_on", "longest_wait", "read", "send"]

DRIVER = "Codex"
_WAIT = 55.0
"""Seconds for which a request may wait: nobody can answer at its own terminal until the hook is done."""

_NAMED_BY = (*told.STARTS, told.PROMPTED, told.ASKS)
"""What opens a session, or waits: here the process counts. To look at it takes a program where there is no /proc."""
_STATES = {"pending": told.PENDING, "in_progress": told.DOING, "completed": told.DONE}


def read(payload: Mapping[str, Any], environment: Mapping[str, str]) -> Happening | None:
    """What happened; None for what says nothing to us. Its payloads are those of Claude Code, and some of its own."""
    if "timestamp" in payload or "hookEventName" in payload:
        raise ForeignError("the payload is not Codex's")
    event, given = text_of(payload, "hook_event_name"), payload.get("tool_input")
    if event == "Interrupt":
        return Happening(told.INTERRUPTED, payload)
    if event == "PostToolUse" and text_of(payload, "tool_name") == "update_plan" and isinstance(given, dict):
        plan = listed(given.get("plan"), "step", "status", _STATES)
        return Happening(told.PLANNED if plan else told.USED, payload, plan=plan)
    happening = read_claude_like(payload)
    if happening is not None and happening.kind in _NAMED_BY:
        happening.process = _own_process()
    return happening


def _own_process() -> int:
    """The process that is this session's alone; 0 for what many share."""
    from collab_tui.hooks.codex_queue import is_shared

    process = parent_process()
    return 0 if not process or is_shared(process) else process


def longest_wait(environment: Mapping[str, str]) -> float:
    """Seconds for which a request may wait for its answer."""
    return _WAIT


def go_on(text: str) -> dict[str, Any]:
    """Instead of ending its turn it reads this."""
    return {"decision": "block", "reason": text}


def at_prompt(text: str) -> dict[str, Any]:
    """Beside what it was asked it reads this."""
    return {"hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "additionalContext": text}}


def can_be_woken(environment: Mapping[str, str]) -> bool:
    """Somebody sits at it: `codex exec` takes no prompt any more, and the app server runs on without a screen."""
    from collab_tui.hooks.codex_queue import is_interactive

    return is_interactive(parent_process())


def send(text: str, session: str, process: int) -> bool:
    """Put a prompt into its session, idle or not; False when that did not work."""
    from collab_tui.hooks.codex_queue import queue

    return queue(text, session, process)
