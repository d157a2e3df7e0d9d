"""Which files a definition becomes: those that its program reads by itself, and no others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from collab_tui.sessions.definitions import Definition, DriverKind

AGENTS_FOLDER: Final = ".claude/agents"
"""Where Claude Code looks for agents, each in a file of its own."""
_AGENTS_MD: Final = "AGENTS.md"
_SHARED: Final = {
    "codex": _AGENTS_MD,
    "codex-acp": _AGENTS_MD,
    "opencode": _AGENTS_MD,
    "cursor-agent": _AGENTS_MD,
    "gemini": "GEMINI.md",
    "copilot": ".github/copilot-instructions.md",
}
"""Program -> the file of instructions that it reads in a project, which is the project's own as well."""
_CLAUDE: Final = frozenset({"claude", "claude-agent-acp"})
_RUNNERS: Final = frozenset({"npx", "bunx", "pnpx", "uvx"})
"""Programs that start the one named after them."""
SHARED_FILES: Final = tuple(dict.fromkeys(_SHARED.values()))
"""Every file in which there may be a block of ours."""
_NOT_YOURS: Final = "From the definition of {}: written anew at each start of its session, and not to be committed."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What has to stand in a worktree."""

    shared: Mapping[str, str]
    """File -> what our block in it says."""
    own: Mapping[str, str]
    """File -> the whole of it."""


def wanted(definition: Definition) -> Wanted:
    """The files of a definition; none where it tells its agent nothing, or its program reads none that we know."""
    body = _body(definition)
    if not body:
        return Wanted({}, {})
    program = _program(definition)
    if program in _CLAUDE:
        return Wanted({}, {f"{AGENTS_FOLDER}/{definition.name}.md": _claude_agent(definition, body)})
    if program in _SHARED:
        note = f"<!-- {_NOT_YOURS.format(definition.name)} -->"
        return Wanted({_SHARED[program]: f"{note}\n\n{body}\n"}, {})
    return Wanted({}, {})


def mark(name: str) -> str:
    """The line by which a file is known as ours."""
    return f"<!-- collab-tui:file {name} -->"


def _program(definition: Definition) -> str:
    """What its program is known by: of one that starts another that one, as in `npx -y @zed-industries/codex-acp@1`."""
    by_driver = {DriverKind.CLAUDE: "claude", DriverKind.CODEX: "codex"}.get(definition.driver)
    names = [_name(word) for word in definition.command if not word.startswith("-")]
    return by_driver or next((name for name in names if name not in _RUNNERS), "")


def _name(word: str) -> str:
    name = PurePath(word).name.partition("@")[0]
    return name.removesuffix(".exe").removesuffix(".cmd")


def _body(definition: Definition) -> str:
    role = f"You are {definition.name}: {definition.role}." if definition.role else ""
    return "\n\n".join(part.strip() for part in (role, definition.instructions or "") if part.strip())


def _claude_agent(definition: Definition, body: str) -> str:
    about = definition.role or f"{definition.name}, as this project defines it"
    head = f"---\nname: {definition.name}\ndescription: {json.dumps(about, ensure_ascii=False)}\n---\n"
    return f"{head}{mark(definition.name)}\n<!-- {_NOT_YOURS.format(definition.name)} -->\n\n{body}\n"
