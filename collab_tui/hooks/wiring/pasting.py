"""Agents that are set up by hand: what to paste where, and what they cannot do. From their documentation, not run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from collab_tui.hooks import copilot, gemini
from collab_tui.protocol.hook_entries import Call, quoted

_SECONDS: Final = 30

Pieces = Mapping[str, Mapping[str, Any]]
"""The file, and more of what to do with it -> what goes into it."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """An agent's program whose configuration we leave to the person."""

    id: str
    title: str
    pieces: Callable[[Call], Pieces]
    limits: tuple[str, ...]
    """What it cannot do."""

    def texts(self, call: Call) -> Iterator[tuple[str, str]]:
        """Where something goes, and what."""
        for place, content in self.pieces(call).items():
            yield place, json.dumps(content, indent=2, ensure_ascii=False)


def _gemini(call: Call) -> Pieces:
    handler = {"type": "command", "command": quoted(call.words("gemini")), "timeout": _SECONDS * 1000}
    events = ("SessionStart", "BeforeAgent", "AfterTool", "Notification", "AfterAgent", "SessionEnd")
    program, *arguments = call.server_words("gemini")
    return {
        ".gemini/settings.json of the project, or ~/.gemini/settings.json": {
            "hooks": {event: [{"hooks": [handler]}] for event in events},
            "mcpServers": {"collab": {"command": program, "args": arguments}},
        }
    }


def _copilot(call: Call) -> Pieces:
    handler = {"type": "command", "bash": quoted(call.words("copilot")), "timeoutSec": _SECONDS}
    events = ("SessionStart", "UserPromptSubmit", "PostToolUse", "PostToolUseFailure", "Stop", "SessionEnd")
    program, *arguments = call.server_words("copilot")
    return {
        "~/.copilot/hooks/collab-tui.json, a file of its own": {
            "version": 1,
            "hooks": {event: [handler] for event in events},
        },
        "~/.copilot/mcp-config.json, for the tools": {
            "mcpServers": {"collab": {"type": "local", "command": program, "args": arguments, "tools": ["*"]}}
        },
    }


PASTED: Final = {
    each.id: each
    for each in (
        Pasted(
            "gemini",
            gemini.DRIVER,
            _gemini,
            (
                "It cannot be approved from the board: its hooks may refuse a tool, never allow one. The board shows "
                "that it waits, and you answer in its own terminal.",
                "It cannot be woken while it is idle, and it waits for every hook. Their time limits are milliseconds.",
            ),
        ),
        Pasted(
            "copilot",
            copilot.DRIVER,
            _copilot,
            (
                "It is not approved from the board: its permission hook comes before its own rules, also for what they "
                "allow, and after 30 s it goes on as if there were no hook (it fails open).",
                "It cannot be woken while it is idle.",
                "It runs the hooks in a project's .claude/settings.json too. Ours for Claude Code stand in another "
                "file, .claude/settings.local.json, and take nothing that is Copilot's.",
            ),
        ),
    )
}
"""By id."""
