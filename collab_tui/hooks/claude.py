"""Claude Code: what its hooks tell, and how it is answered. Measured with 2.1.328."""

from __future__ import annotations

import json
import os
import re

from collab_tui.hooks import happening as told
from collab_tui.hooks.happening import ForeignError, Happening, listed, number_of, text_of
from collab_tui.model.ours import FROM_US

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

DRIVER = "Claude Code"
_WAIT = 86_000.0
"""Seconds for which a request may wait: less than the time limit with which the hook is wired. Its own dialog is open
meanwhile.
"""
_UNATTENDED = 600.0
"""Seconds in `claude -p`, which has no dialog, and which nobody may be watching."""

_STATES = {"pending": told.PENDING, "in_progress": told.DOING, "completed": told.DONE, "deleted": told.DROPPED}
_SOURCES = {"startup": told.BEGAN, "fork": told.BEGAN, "resume": told.RETURNED, "clear": told.CLEARED}
_TOOL_EVENTS = {
    "PreToolUse": told.USES,
    "PostToolUse": told.USED,
    "PermissionRequest": told.ASKS,
    "PermissionDenied": told.DENIED,
}
_NOTIFIED = {"permission_prompt", "elicitation_dialog", "agent_needs_input"}


def read(payload: Mapping[str, Any], environment: Mapping[str, str]) -> Happening | None:
    """What happened; None for what says nothing to us. Raises `ForeignError` for another program's payload."""
    if not _is_its_own(payload, environment):
        raise ForeignError("the payload is another program's that runs the hooks of Claude Code")
    return read_claude_like(payload, process=number_of(environment.get("CLAUDE_PID", "")))


def _is_its_own(payload: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    """Copilot and VS Code run the hooks in Claude Code's settings too, with payloads that look much the same."""
    if environment.get("CLAUDE_CODE_SESSION_ID") == text_of(payload, "session_id") != "":
        return True
    is_others = "timestamp" in payload or "hookEventName" in payload or "COPILOT_CLI" in environment
    return not is_others and "CLAUDECODE" in environment


def read_claude_like(payload: Mapping[str, Any], *, process: int = 0) -> Happening | None:
    """The same for any program that writes its payloads as Claude Code does."""
    event = text_of(payload, "hook_event_name")
    kind, text = _TOOL_EVENTS.get(event, ""), ""
    plan: tuple[tuple[str, str, str], ...] = ()
    match event:
        case "SessionStart":
            kind = _SOURCES.get(text_of(payload, "source"), told.COMPACTED)
        case "SessionEnd":
            text = text_of(payload, "reason")
            kind = told.LEFT if text in ("clear", "resume") else told.ENDED
            text = "" if text == "other" else text
        case "UserPromptSubmit":
            kind, text = told.PROMPTED, _persons_words(payload)
        case "PreToolUse" if text_of(payload, "tool_name") in ("AskUserQuestion", "ExitPlanMode"):
            kind, text = told.WAITS, _question(payload.get("tool_input"))
        case "PostToolUse":
            kind, plan = _used(payload)
        case "PostToolUseFailure":
            kind = told.INTERRUPTED if payload.get("is_interrupt") is True else told.TOOL_FAILED
        case "TaskCreated" | "TaskCompleted":
            kind = told.TASK
            state = told.DONE if event == "TaskCompleted" else told.PENDING
            plan = ((text_of(payload, "task_id"), text_of(payload, "task_subject"), state),)
        case "Notification" if text_of(payload, "notification_type") in _NOTIFIED:
            kind, text = told.WAITS, text_of(payload, "message")
        case "Stop":
            running = _running(payload)
            kind = told.BUSY if running else told.STOPPED
            text = running or text_of(payload, "last_assistant_message")
        case "StopFailure":
            kind = told.BROKE
            text = ": ".join(filter(None, (text_of(payload, "error"), text_of(payload, "error_details"))))
        case "SubagentStart" | "SubagentStop":
            kind = told.HELPER_BEGAN if event == "SubagentStart" else told.HELPER_ENDED
    return Happening(kind, payload, text=text, plan=plan, process=process) if kind else None


def _persons_words(payload: Mapping[str, Any]) -> str:
    """What a person typed; we prompt it too, and it prompts itself, when something ends that ran beside it."""
    prompt = text_of(payload, "prompt")
    is_nobodys = text_of(payload, "source") not in ("", "user", "sdk")
    is_nobodys = is_nobodys or prompt.startswith((FROM_US, "<task-notification>"))
    return "" if is_nobodys else re.sub(r"</?pasted_content[^>]*>", " ", prompt[:10_000])


def _question(tool_input: object) -> str:
    questions = tool_input.get("questions") if isinstance(tool_input, dict) else None
    first = questions[0] if isinstance(questions, list) and questions else None
    return text_of(first, "question") or "its plan"


def _used(payload: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    given = payload.get("tool_input")
    match text_of(payload, "tool_name"):
        case "TodoWrite" if isinstance(given, dict):
            plan = listed(given.get("todos"), "content", "status", _STATES)
            return (told.PLANNED, plan) if plan else (told.USED, ())
        case "TaskUpdate" if isinstance(given, dict):
            state = _STATES.get(text_of(given, "status"), "")
            return (told.TASK, ((text_of(given, "taskId"), text_of(given, "subject"), state),))
        case _:
            return told.USED, ()


def _running(payload: Mapping[str, Any]) -> str:
    """What still runs beside it; empty when nothing does."""
    tasks = payload.get("background_tasks")
    running = [task for task in tasks if text_of(task, "status") == "running"] if isinstance(tasks, list) else []
    return ", ".join(text_of(task, "description") or text_of(task, "type") for task in running)[:1000] or (
        "something in the background" if running else ""
    )


def decision(is_allowed: bool, why: str) -> dict[str, Any]:
    """The answer to a request for permission."""
    answer = {"behavior": "allow"} if is_allowed else {"behavior": "deny", "message": why}
    return {"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": answer}}


def context(text: str) -> dict[str, Any]:
    """What is told to it at the start of its session."""
    return {"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": text}}


def longest_wait(environment: Mapping[str, str]) -> float:
    """Seconds for which a request may wait for its answer."""
    return _WAIT if can_be_woken(environment) else _UNATTENDED


def can_be_woken(environment: Mapping[str, str]) -> bool:
    """Somebody sits at it: `claude -p` does not end before every hook that runs beside it has ended."""
    is_attended = environment.get("CLAUDE_CODE_SESSION_ATTENDED", "")
    is_headless = environment.get("CLAUDE_CODE_ENTRYPOINT", "").startswith("sdk")
    return is_attended != "0" if is_attended else not is_headless


def state_of(process: int) -> str:
    """What it says of itself, as `claude agents --json` tells it: `busy`, `waiting` or `idle`; empty where unknown.

    From the file behind that command: running the command every so often would cost a processor.
    """
    folder = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.join(os.path.expanduser("~"), ".claude")
    try:
        with open(os.path.join(folder, "sessions", f"{process}.json"), encoding="utf-8") as file:
            return text_of(json.load(file), "status")
    except (OSError, ValueError, RecursionError):
        return ""
