"""What an agent does with a tool, in one short line: never what stands in a file, and no obvious secret."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST = 160
"""Characters of a line."""
_LOOKED_AT = 10_000
"""Characters in which the first line is looked for."""
_READ = 400
"""Of that line: what is left of them when secrets are masked is seldom less than a line."""
_CUT = 24
"""Of these at their end it cannot be told whether a secret begins there."""
_TELLING = ("command", "cmd", "pattern", "query", "url", "file_path", "path", "notebook_path", "absolute_path")
_OF_TOOLS = {"Agent": "description", "Task": "description", "Skill": "skill"}
_PATHS = ("file_path", "path", "notebook_path", "absolute_path")
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)


def told(tool: str, given: object, cwd: str, how: str) -> str:
    """Which tool, and what it works on; `how` is the setting `tool_input`. Empty when nothing is to be told."""
    if how == "off" or not tool:
        return ""
    name = tool.replace("mcp__", "", 1).replace("__", ": ", 1) if tool.startswith("mcp__") else tool
    what = "" if how == "name" else _what(tool, given, cwd)
    return short(f"{name}: {what}" if what else name)


def short(text: str) -> str:
    """The first line of a text, not longer than a line is, without obvious secrets."""
    from collab_tui.model.masking import MASK, mask  # its patterns cost milliseconds, and most hooks tell nothing

    first = " ".join("".join(text.strip()[:_LOOKED_AT].splitlines()[:1]).split())
    line = mask(first[:_READ])
    is_cut = len(first) > _READ
    if is_cut and not line.endswith(MASK):
        line = line[:-_CUT]
    return f"{line[: LONGEST - 3]}..." if is_cut or len(line) > LONGEST else line


def _what(tool: str, given: object, cwd: str) -> str:
    """Other people's tools may be given anything under any name, so nothing of theirs is told."""
    if not isinstance(given, dict) or tool.startswith("mcp__"):
        return ""
    if tool == "apply_patch":
        return ", ".join(
            _near(path.strip(), cwd) for path in _PATCHED.findall(_text(given, "command", "input")[:100_000])
        )
    if tool in _OF_TOOLS:
        return _text(given, _OF_TOOLS[tool])
    name = next((name for name in _TELLING if _text(given, name)), "")
    value = _text(given, name)
    return _near(value, cwd) if name in _PATHS else value


def _text(given: dict[str, Any], *names: str) -> str:
    for name in names:
        value = given.get(name)
        if isinstance(value, list):
            value = " ".join(part for part in value[:100] if isinstance(part, str))
        if isinstance(value, str) and value:
            return value
    return ""


def _near(path: str, cwd: str) -> str:
    """A path as seen from where the agent works."""
    folder = cwd.rstrip("/\\")
    return path[len(folder) + 1 :] if folder and path.startswith((f"{folder}/", f"{folder}\\")) else path
