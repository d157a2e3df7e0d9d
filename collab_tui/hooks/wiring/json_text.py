"""A JSON text as values that know where they stand, so that a change touches nothing but itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

_SOLID: Final = re.compile(r"[^ \t\n\r]")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: Final = {"true": True, "false": False, "null": None}
_WORD: Final = re.compile("true|false|null")
_DEEPEST: Final = 200
"""Containers within each other; no settings need more, and Python's own stack bears a little more."""


class JsonError(ValueError):
    """The text is no JSON, or not of the shape that is needed; says on which line and what is wrong."""

    def __init__(self, text: str, place: int, what: str) -> None:
        self.line = text.count("\n", 0, place) + 1
        self.what = what
        super().__init__(f"line {self.line}: {what}")


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands: from `start` up to `end`, without the space around it."""

    start: int
    end: int
    value: Any
    """The value itself, containers included."""
    items: tuple[Node, ...] = ()
    """Of a container, what it holds."""
    key: str | None = None
    """Of a member of an object, its name."""
    key_start: int | None = None
    """Where that stands."""

    @property
    def outer(self) -> int:
        """Where it begins as part of its container: a member begins with its name."""
        return self.start if self.key_start is None else self.key_start


def parse(text: str) -> Node:
    """The value that the text is. Raises `JsonError`."""
    start = _skip(text, 1 if text.startswith("\ufeff") else 0)
    if start == len(text):
        raise JsonError(text, start, "there is nothing in it; JSON has at least {}")
    root = _value(text, start, 0)
    end = _skip(text, root.end)
    if end < len(text):
        raise _unexpected(text, end, "the end")
    return root


def member(text: str, node: Node, key: str) -> Node | None:
    """The member of that name; None where there is none. Raises `JsonError` where there are two."""
    found = [item for item in node.items if item.key == key]
    if len(found) > 1:
        raise JsonError(text, found[1].outer, f"{json.dumps(key, ensure_ascii=False)} is there twice in one object")
    return found[0] if found else None


def _value(text: str, at: int, depth: int) -> Node:
    first = text[at : at + 1]
    if first in ("{", "["):
        if depth == _DEEPEST:
            raise JsonError(text, at, f"more than {_DEEPEST} containers within each other")
        return _container(text, at, depth)
    if first == '"':
        value, end = _string(text, at)
        return Node(at, end, value)
    if found := _WORD.match(text, at):
        return Node(at, found.end(), _WORDS[found[0]])
    if found := _NUMBER.match(text, at):
        return Node(at, found.end(), _number(found[0]))
    raise _unexpected(text, at, "a value")


def _container(text: str, start: int, depth: int) -> Node:
    is_object = text[start] == "{"
    close = "}" if is_object else "]"
    items = tuple(_items(text, start, close, depth))
    end = _skip(text, items[-1].end if items else start + 1) + 1
    if is_object:
        return Node(start, end, {item.key: item.value for item in items}, items)
    return Node(start, end, [item.value for item in items], items)


def _items(text: str, start: int, close: str, depth: int) -> Iterator[Node]:
    at = _skip(text, start + 1)
    if text[at : at + 1] == close:
        return
    while True:
        item = _member(text, at, depth) if close == "}" else _value(text, at, depth + 1)
        yield item
        at = _skip(text, item.end)
        if text[at : at + 1] == close:
            return
        if text[at : at + 1] != ",":
            raise _unexpected(text, at, f"a comma or {close}")
        comma = at
        at = _skip(text, at + 1)
        if text[at : at + 1] == close:
            raise JsonError(text, comma, f"a comma before {close}: JSON has none behind the last one")


def _member(text: str, at: int, depth: int) -> Node:
    if text[at : at + 1] != '"':
        raise _unexpected(text, at, "a name in double quotes")
    key, end = _string(text, at)
    colon = _skip(text, end)
    if text[colon : colon + 1] != ":":
        raise _unexpected(text, colon, "a colon")
    return replace(_value(text, _skip(text, colon + 1), depth + 1), key=key, key_start=at)


def _string(text: str, at: int) -> tuple[str, int]:
    found = _STRING.match(text, at)
    if found is None:
        raise JsonError(text, at, "a text in quotes that does not end, or holds what has to be escaped")
    value: str = json.loads(found[0])
    return value, found.end()


def _number(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # more digits than Python converts; nobody computes with it here
        return text


def _skip(text: str, at: int) -> int:
    found = _SOLID.search(text, at)
    return found.start() if found is not None else len(text)


def _unexpected(text: str, at: int, wanted: str) -> JsonError:
    if at >= len(text):
        return JsonError(text, at, f"it ends where {wanted} has to come")
    if text.startswith(("//", "/*", "#"), at):
        return JsonError(text, at, "a comment: JSON has none")
    if text[at] == "'":
        return JsonError(text, at, "single quotes: JSON has double ones")
    return JsonError(text, at, f"{json.dumps(text[at], ensure_ascii=False)} stands where {wanted} has to come")
