"""Our entries: what an agent's program is told to run at which of its events, and by what we know them again.

An entry is one handler in the agent's configuration. Ours are known by their command alone, `collab-tui hook AGENT`,
wherever somebody moved them and whatever else was changed about them.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from collab_tui.protocol.installed import PROGRAM_NAME
from collab_tui.registry.append import UnusableError

_LONG: Final = 86_400
"""Seconds: a day, which Claude Code takes; somebody answers, or the session ends before."""
_CODEX_PERMISSION: Final = 60
"""Seconds: meanwhile nobody can answer at Codex itself."""
_CODEX_END: Final = 3
"""Seconds: the most that Codex gives to what runs at an end."""
_SHORT: Final = 30
"""Seconds for what only writes or reads a few lines; it takes milliseconds unless a disk hangs."""

IN_SESSION: Final = "--session"
"""The word of hooks that a session gave its program."""

Entries = Mapping[str, Sequence[Mapping[str, Any]]]
"""Event of an agent's program -> our handlers there."""


@dataclass(frozen=True, slots=True)
class Call:
    """How our program is to be run."""

    program: str
    """Its absolute path."""
    name: str | None = None
    """What the agent is called on the board; None: what the hook calls it by itself."""
    registry: str | None = None
    """The registry's absolute path where it would not be found from the agent's folder."""
    is_session: bool = False
    """It belongs to one session of ours, which gives its program our hooks whether it is connected or not."""

    def words(self, agent: str, *more: str) -> list[str]:
        """The command of a hook, word by word."""
        session = [IN_SESSION] if self.is_session else []
        return [self.program, "hook", agent, *self._options(self.name), *session, *more]

    def server_words(self, agent: str) -> list[str]:
        """The command of our MCP server for the same agent, word by word."""
        return [self.program, "mcp", *self._options(self.name or agent)]

    def _options(self, name: str | None) -> list[str]:
        as_name = ["--as", name] if name is not None else []
        registry = ["--registry", self.registry] if self.registry is not None else []
        return [*as_name, *registry]


def claude_entries(call: Call) -> Entries:
    """What Claude Code runs; it takes the command word by word, so nothing needs quotes."""

    def handler(*more: str, **options: Any) -> dict[str, Any]:
        program, *arguments = call.words("claude", *more)
        return {"type": "command", "command": program, "args": arguments, **options}

    status = [handler(**{"async": True, "timeout": _SHORT})]
    # Not `async` as well: `claude -p` was then seen to end before its Stop was told.
    inbox = handler("--inbox", asyncRewake=True, timeout=_LONG)
    return {
        "SessionStart": [handler(timeout=_SHORT), inbox],
        "UserPromptSubmit": status,
        "PreToolUse": status,
        "PermissionRequest": [handler(timeout=_LONG, statusMessage="waiting for an answer, here or on the board")],
        "PermissionDenied": status,
        "PostToolUse": status,
        "PostToolUseFailure": status,
        "SubagentStart": status,
        "SubagentStop": status,
        "Notification": status,
        "TaskCreated": status,
        "TaskCompleted": status,
        "Stop": [*status, inbox],
        "StopFailure": status,
        "SessionEnd": [handler()],
    }


def codex_entries(call: Call) -> Entries:
    """What Codex runs; it gives the command to a shell."""

    def handler(*more: str, **options: Any) -> dict[str, Any]:
        return {"type": "command", "command": quoted(call.words("codex", *more)), **options}

    status = [handler(**{"async": True, "timeout": _SHORT})]
    return {
        "SessionStart": [handler(timeout=_SHORT), handler("--inbox", **{"async": True, "timeout": _LONG})],
        "UserPromptSubmit": [handler(timeout=_SHORT)],
        "PreToolUse": status,
        "PermissionRequest": [handler(timeout=_CODEX_PERMISSION, statusMessage="asked on the board of collab-tui")],
        "PostToolUse": status,
        "SubagentStart": status,
        "SubagentStop": status,
        "Stop": [handler(timeout=_SHORT)],
        "Interrupt": [handler(timeout=_CODEX_END)],
        "SessionEnd": [handler(timeout=_CODEX_END)],
    }


def as_json(entries: Entries) -> dict[str, object]:
    """Entries as the value of `hooks` in an agent's configuration."""
    return {event: [{"hooks": list(handlers)}] for event, handlers in entries.items()}


def quoted(words: Sequence[str]) -> str:
    """A command for the shell that Codex gives it to. Raises `UnusableError` for words it would not arrive with."""
    if os.name == "nt":
        # Codex quotes the whole for cmd.exe, which does not know quotes within quotes.
        odd = [word for word in words if not re.fullmatch(r"[\w.:\\/=+@-]+", word)]
        if odd:
            raise UnusableError(
                f"Codex runs hooks through cmd.exe, and {odd[0]!r} would not arrive there as it is; "
                "give it a name, or install collab-tui in a folder, of letters and digits only"
            )
        return " ".join(words)
    return shlex.join(words)


def shown(words: Sequence[str]) -> str:
    """A command as a person types it."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def words_of(handler: object) -> list[str]:
    """The command of a handler word by word; empty where it is none, or none that can be told."""
    command = handler.get("command") if isinstance(handler, dict) else None
    if not isinstance(command, str):
        return []
    arguments = handler.get("args") if isinstance(handler, dict) else None
    if isinstance(arguments, list):
        return [command, *map(str, arguments)]
    if os.name == "nt":
        return [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)]
    try:
        return shlex.split(command)
    except ValueError:  # quotes that do not end
        return []


def is_ours(handler: object, agent: str) -> bool:
    """The handler runs `collab-tui hook AGENT`."""
    program, *rest = words_of(handler) or [""]
    name = re.split(r"[\\/]", program)[-1].casefold().removesuffix(".exe")
    return name == PROGRAM_NAME and rest[:2] == ["hook", agent]


def is_inbox(handler: object) -> bool:
    """It waits for what others send, where other handlers tell what happens."""
    return "--inbox" in words_of(handler)


def call_of(handler: object) -> Call:
    """How one of our handlers runs our program."""
    program, *rest = words_of(handler)
    given = dict(_options(rest))
    return Call(program, given.get("--as"), given.get("--registry"))


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if equals:
            yield name, value
        elif place + 1 < len(words):
            yield word, words[place + 1]
