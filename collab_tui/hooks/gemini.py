"""Gemini CLI: what its hooks tell. They cannot allow anything.

From its documentation, not measured: it needs a login.
"""

from __future__ import annotations

from collab_tui.hooks import happening as told
from collab_tui.hooks.claude import context
from collab_tui.hooks.happening import Happening, parent_process, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["DRIVER", "context", "read"]

DRIVER = "Gemini CLI"

_SOURCES = {"startup": told.BEGAN, "resume": told.RETURNED, "clear": told.CLEARED}


def read(payload: Mapping[str, Any], environment: Mapping[str, str]) -> Happening | None:
    """What happened; None for what says nothing to us."""
    kind = text = ""
    match text_of(payload, "hook_event_name"):
        case "SessionStart":
            kind = _SOURCES.get(text_of(payload, "source"), told.BEGAN)
        case "SessionEnd":
            text = text_of(payload, "reason")
            kind = told.LEFT if text == "clear" else told.ENDED
        case "BeforeAgent":
            kind, text = told.PROMPTED, text_of(payload, "prompt")
        case "AfterAgent":
            kind, text = told.STOPPED, text_of(payload, "prompt_response")
        case "BeforeTool":
            kind = told.USES
        case "AfterTool":
            kind = told.USED
        case "Notification" if text_of(payload, "notification_type") == "ToolPermission":
            kind, text = told.WAITS, text_of(payload, "message")
    return Happening(kind, payload, text=text, process=parent_process()) if kind else None
