"""Changes of a JSON text that leave every other byte of it as it is, and look as if its writer had made them.

What was put into a container last is taken out without a trace: an empty container keeps the space it held.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from collab_tui.hooks.wiring.json_text import Node, parse

_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class _Style:
    """How the writer of a text lays it out."""

    newline: str
    indent: str
    """What each level stands further to the right by."""
    colon: str
    comma: str
    is_pretty: bool
    """Values stand on lines of their own."""


def append(text: str, node: Node, value: Any, key: str | None = None) -> str:
    """The text with one more element at the end of an array, or one more member, of that key, of an object."""
    style = _style(text)
    if not node.items:
        return _fill(text, node, value, key, style)
    last = node.items[-1]
    is_alone = len(node.items) == 1
    gap = text[node.start + 1 : last.outer] if is_alone else text[node.items[-2].end : last.outer].partition(",")[2]
    if "\n" in gap:
        indent = gap.rpartition("\n")[2]
    else:
        indent = _line_indent(text, last.outer)
        gap = style.comma[1:] if is_alone else gap
    added = _rendered(value, key, indent, style)
    return f"{text[: last.end]},{gap}{added}{text[last.end :]}"


def remove(text: str, node: Node, index: int) -> str:
    """The text without that element of an array, or that member of an object."""
    item = node.items[index]
    if len(node.items) == 1:
        space = text[node.start + 1 : item.outer]
        if "\n" in space:
            space = space[: space.rindex("\n")].removesuffix("\r")
        return text[: node.start + 1] + space + text[node.end - 1 :]
    if index:
        return text[: node.items[index - 1].end] + text[item.end :]
    return text[: item.outer] + text[node.items[1].outer :]


def replace(text: str, node: Node, value: Any) -> str:
    """The text with another value in the place of one."""
    return text[: node.start] + _rendered(value, None, _line_indent(text, node.start), _style(text)) + text[node.end :]


def _fill(text: str, node: Node, value: Any, key: str | None, style: _Style) -> str:
    """Put the first one into an empty container, so that `remove` finds the space that was in it."""
    space = text[node.start + 1 : node.end - 1]
    outer = _line_indent(text, node.start)
    if style.is_pretty:
        inner = outer + style.indent
        content = f"{style.newline}{inner}{_rendered(value, key, inner, style)}{style.newline}{outer}"
    else:
        content = _rendered(value, key, outer, style) + space
    return text[: node.start + 1] + space + content + text[node.end - 1 :]


def _rendered(value: Any, key: str | None, indent: str, style: _Style) -> str:
    """A value, or a member, whose first line stands somewhere already, on a line indented like that."""
    name = f"{json.dumps(key, ensure_ascii=False)}{style.colon}" if key is not None else ""
    inner = indent + style.indent
    if isinstance(value, dict):
        items, ends = [_rendered(content, each, inner, style) for each, content in value.items()], "{}"
    elif isinstance(value, list):
        items, ends = [_rendered(content, None, inner, style) for content in value], "[]"
    else:
        return name + json.dumps(value, ensure_ascii=False)
    is_flat = not isinstance(value, dict) and not any(isinstance(item, dict | list) for item in value)
    if is_flat or not items or not style.is_pretty:
        return name + ends[0] + style.comma.join(items) + ends[1]
    lines = f",{style.newline}{inner}".join(items)
    return f"{name}{ends[0]}{style.newline}{inner}{lines}{style.newline}{indent}{ends[1]}"


def _style(text: str) -> _Style:
    root = parse(text)
    newline = "\r\n" if "\r" in text else "\n"
    inside = text[root.start : root.end]
    is_pretty = "\n" in inside or not root.items
    indent, colon = _INDENT, ": "
    if root.items:
        first = root.items[0]
        space = text[root.start + 1 : first.outer]
        if "\n" in space:
            indent = space.rpartition("\n")[2]
        if first.key is not None:
            colon = text[first.outer : first.start].rpartition('"')[2]
    if "\n" in colon:
        colon = ": "
    comma = next(_commas(text, root), ", " if is_pretty or colon.endswith(" ") else ",")
    return _Style(newline, indent, colon, comma, is_pretty)


def _commas(text: str, node: Node) -> Iterator[str]:
    """What stands between values on one line, wherever that is."""
    for one, other in pairwise(node.items):
        space = text[one.end : other.outer].partition(",")[2]
        if "\n" not in space:
            yield f",{space}"
    for item in node.items:
        yield from _commas(text, item)


def _line_indent(text: str, at: int) -> str:
    """The space that the line begins with."""
    line = text[text.rfind("\n", 0, at) + 1 : at].removeprefix("\ufeff")
    return line[: len(line) - len(line.lstrip(" \t"))]
