"""What a tool is given, laid out for a person who is to allow it.

An agent's model wrote all of it, also to be believed: the order is ours, and every line of a value that has several is
indented, so that none can pass for a label or come before the command.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from itertools import islice
from typing import Any, Final

from collab_tui.model.masking import mask
from collab_tui.model.text import clean, one_line
from collab_tui.model.tool_lines import told

LONGEST: Final = 100_000
"""Characters of what a tool is given: nobody judges more than that on a board."""
_COMMANDS: Final = ("command", "cmd")
_PLACES: Final = ("file_path", "path", "notebook_path", "absolute_path", "url")
_FIRST: Final = (*_COMMANDS, *_PLACES)
_LAST: Final = "description"
"""What the model says of it: never before what it does."""
_FILES: Final = frozenset({"content", "new_source", "file_text"})
"""What becomes a whole file."""
_CHANGED: Final = (("old_string", "new_string"), ("old_str", "new_str"))
_MOST: Final = 60
"""Lines that are shown of what is not shown in full."""
_WIDEST: Final = 200
"""Characters of such a line, and of a value that stands beside its name."""
_MOST_COMPARED: Final = 1000
"""Lines on one side of a change whose difference is looked for."""
_SECRET_FILE: Final = re.compile(
    r"^\.env|\.(pem|key|p12|pfx|jks|keystore)$|^id_[a-z0-9]+$|^\.(netrc|pgpass|npmrc|pypirc|htpasswd)$"
    r"|credential|secret|passw|token",
    re.IGNORECASE,
)
"""Names of files that are there for their secrets."""


class TooLongError(Exception):
    """It cannot be shown so that a person could judge it."""


def size_of(value: object, most: int) -> int:
    """How many characters all texts in a value have together, counted until there are more than so many."""
    size, left = 0, [value]
    while left and size <= most:
        part = left.pop()
        size += len(part) if isinstance(part, str) else 1
        if isinstance(part, dict):
            left += [*part, *part.values()]
        elif isinstance(part, list):
            left += part
    return size


def title_of(tool: str, given: dict[str, Any], cwd: str) -> str:
    """The tool, and what it works on: of a command the first line that does something, and how many more there are."""
    command = given.get("command")
    lines = [line for line in (command if isinstance(command, str) else "").splitlines() if line.strip()]
    if len(lines) < 2 or tool == "apply_patch":
        return told(tool, given, cwd, "summary")
    first = next((line for line in lines if not line.lstrip().startswith("#")), lines[0])
    more = f" ... and {len(lines) - 1} more line{'s' if len(lines) > 2 else ''}"
    return told(tool, {**given, "command": first}, cwd, "summary") + more


def fields_of(tool: str, given: dict[str, Any], *, is_part_shown: bool) -> list[str]:
    """The lines that tell it. Commands are told in full; of other texts that are long, how much and perhaps a part."""
    given = dict(given)
    is_part_shown = is_part_shown and not any(_is_secret_file(given.get(name)) for name in _PLACES)
    fulls = () if tool == "apply_patch" else _COMMANDS
    lines: list[str] = []
    for name in sorted(given, key=_rank):
        change = next(((name, new) for old, new in _CHANGED if old == name and new in given), None)
        if change is not None:
            lines += _change(given[change[0]], given[change[1]], is_part_shown)
        elif not any(name == new and old in given for old, new in _CHANGED):
            lines += _field(name, given[name], name in fulls, is_part_shown)
    return lines


def in_full(label: str, text: str) -> list[str]:
    """The lines that tell all of one text."""
    lines = text.splitlines()
    return [f"{label}: {text.strip()}"] if len(lines) < 2 else [f"{label}:", *_indented(lines)]


def _rank(name: str) -> int:
    if name in _FIRST:
        return _FIRST.index(name)
    return len(_FIRST) + (name == _LAST)


def _field(name: str, value: object, is_full: bool, is_part_shown: bool) -> Iterator[str]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    label = one_line(clean(name))[:_WIDEST]
    lines = text.splitlines()
    is_short = len(lines) < 2 and len(text) <= _WIDEST and name not in _FILES
    if is_full or name in _PLACES or (is_short and (is_part_shown or not isinstance(value, str))):
        yield from in_full(label, text)
        return
    if not is_part_shown and name not in _FILES:
        yield f"{label}: {len(text):,} characters, not recorded"
        return
    yield f"{label}: {_size(text)}"
    if is_part_shown:
        yield from _part(lines, len(lines) // 2 if name in _FILES else len(lines))


def _change(old: object, new: object, is_part_shown: bool) -> Iterator[str]:
    """A change of a text, as its difference."""
    before, after = (value if isinstance(value, str) else json.dumps(value) for value in (old, new))
    yield f"before: {_size(before)}"
    yield f"after: {_size(after)}"
    one, other = before.splitlines(), after.splitlines()
    if not is_part_shown:
        return
    if max(len(one), len(other)) > _MOST_COMPARED:
        yield from _part([*(f"-{line}" for line in one[:_MOST]), *(f"+{line}" for line in other)], _MOST)
        return
    yield "change:"
    difference = list(islice(unified_diff(one, other, lineterm=""), 2, None))
    yield from _part(difference, len(difference))


def _part(lines: list[str], most: int) -> Iterator[str]:
    """The first lines, without secrets that are plain to see, and how many more there are."""
    if any("PRIVATE KEY-----" in line for line in lines):
        yield "  a private key, not recorded"
        return
    most = min(most, _MOST)
    yield from _indented(mask(line[:_WIDEST]) + ("..." if len(line) > _WIDEST else "") for line in lines[:most])
    if len(lines) > most:
        yield f"  ... and {len(lines) - most:,} more, not recorded"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _size(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    lines = len(text.splitlines())
    digest = hashlib.sha256(data).hexdigest()
    return f"{lines:,} line{'' if lines == 1 else 's'}, {len(data):,} bytes, SHA-256 {digest}"


def _is_secret_file(path: object) -> bool:
    return isinstance(path, str) and _SECRET_FILE.search(re.split(r"[\\/]", path)[-1]) is not None
