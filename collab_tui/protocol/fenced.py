"""The JSON that an agent was asked for, as it stands in its reply: in its last fenced block, or bare at its end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

_BEGINS: Final = re.compile(r"(`{3,}+(?=[^`]*\Z)|~{3,}+)")
"""A line that opens a fence, without what it is indented by."""
_CONTAINERS: Final = ("{", "[")


class FencedError(Exception):
    """There is no such JSON; the text says what is wrong, for whoever wrote it."""


def fenced_json(reply: str, longest: int, *, has_fractions: bool = True) -> Any:
    """What the JSON in a reply says, which has at most so many characters. Raises `FencedError`.

    It is the last fenced block that begins as an object or a list does, else the last one; without any it is the whole
    reply, or what follows a sentence. No key is in it twice, and no number that is none; without `has_fractions` all
    are whole. It takes time in proportion to the length of the reply, whatever that says.
    """
    text = _answer(reply)
    if not text:
        raise FencedError("there is no JSON in the reply")
    if len(text) > longest:
        raise FencedError(f"it has {len(text):,} characters, and may have {longest:,}")
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_number if has_fractions else _no_whole_number,
            parse_float=None if has_fractions else _no_whole_number,
        )
    except FencedError:
        raise
    except (ValueError, RecursionError) as error:
        raise FencedError(f"it is not JSON: {str(error)[:200]}") from error


def closed(text: str) -> str:
    """A text whose last fence is closed, so that what follows it stands outside."""
    fence = ""
    for line in text.split("\n"):
        fence = _fence_after(fence, line)
    return f"{text}\n{fence}" if fence else text


def _answer(reply: str) -> str:
    last = meant = None
    for last in _blocks(reply):
        if last.startswith(_CONTAINERS):
            meant = last
    if (found := meant if meant is not None else last) is not None:
        return found
    text = reply.strip()
    begins = text.find("{")
    return text[begins:] if begins > 0 and not text.startswith((*_CONTAINERS, '"')) else text


def _blocks(text: str) -> Iterator[str]:
    """What stands in fences; the last one need not be closed."""
    fence, inside = "", list[str]()
    for line in text.split("\n"):
        before, fence = fence, _fence_after(fence, line)
        if before and fence:
            inside.append(line)
        elif before:
            yield "\n".join(inside).strip()
        else:
            inside = []
    if fence:
        yield "\n".join(inside).strip()


def _fence_after(fence: str, line: str) -> str:
    """The fence that is open after a line, if any; `fence` is the one that was open before it."""
    bare = line.strip()
    if fence:
        is_end = len(bare) >= len(fence) and not bare.strip(fence[0])
        return "" if is_end else fence
    begins = _BEGINS.match(bare)
    return begins[1] if begins else ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FencedError("a key is there twice in one object")
    return found


def _no_number(text: str) -> NoReturn:
    raise FencedError(f"{text} is no number of JSON")


def _no_whole_number(text: str) -> NoReturn:
    raise FencedError(f"{text[:20]} is no whole number")
