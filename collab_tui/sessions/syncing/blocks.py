"""Our part of a text that somebody else wrote: between two lines that say so, and the rest byte for byte as it was.

A block stands at the end, after a line that ended; of a text whose last line did not end, at its beginning. So nothing
has to be added to what is not ours, and taking a block out leaves what was there, whatever was changed around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

_BEGIN: Final = "collab-tui:begin"
_END: Final = "collab-tui:end"
_MADE: Final = ", in a file of its own"


class DamagedError(Exception):
    """A text in which our lines do not belong together; the text says what and on which line."""


class Style(Enum):
    """How a line is marked as none of the text's own."""

    MARKDOWN = ("<!-- ", " -->")
    HASH = ("# ", "")

    @property
    def pattern(self) -> re.Pattern[str]:
        """A whole block."""
        before, after = map(re.escape, self.value)
        begin = rf"(?:^|(?<=\A\ufeff)){before}{_BEGIN} (?P<name>[a-z0-9_-]+)(?P<made>{re.escape(_MADE)})?{after}\r?\n"
        return re.compile(
            rf"{begin}(?P<body>.*?)^{before}{_END} (?P=name){after}(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
        )


@dataclass(frozen=True, slots=True)
class Block:
    """What is ours in a text."""

    name: str
    is_made: bool
    """The file was not there before."""
    body: str
    """Its lines, all of them ended."""


def blocks(text: str, style: Style) -> Iterator[Block]:
    """Every block in a text."""
    for match in style.pattern.finditer(text):
        yield Block(match["name"], match["made"] is not None, match["body"])


def without(text: str, style: Style, is_out: Callable[[str], bool] = lambda _: True) -> str:
    """The text without the blocks of these names. Raises `DamagedError` where one has no beginning or no end."""
    left = style.pattern.sub(lambda match: "" if is_out(match["name"]) else match[0], text)
    rest = style.pattern.sub(lambda match: "\n" * match[0].count("\n"), text)
    for number, line in enumerate(rest.removeprefix("\ufeff").split("\n"), 1):
        if line.startswith((f"{style.value[0]}{_BEGIN}", f"{style.value[0]}{_END}")):
            raise DamagedError(f"line {number} is one of two that belong together: take it out, or put the other back")
    return left


def with_block(text: str, style: Style, block: Block) -> str:
    """The text with this block, in place of the one of its name if there is one. Nothing changes where it is the same.

    Raises `DamagedError` as `without`, and for a body that has such lines of its own.
    """
    if f"{_BEGIN} " in block.body or f"{_END} " in block.body:
        raise DamagedError(f"{_BEGIN} and {_END} mark what is ours: they cannot stand in what is put there")
    rest = without(text, style, lambda name: name == block.name)
    ours = _written(block, style, "\r\n" if "\r\n" in text else "\n")
    places = [match.span() for match in style.pattern.finditer(text) if match["name"] == block.name]
    if places:
        begin, end = places[0]
        return text[:begin] + ours + without(text[end:], style, lambda name: name == block.name)
    if not rest or rest.endswith("\n"):
        return rest + ours
    return f"\ufeff{ours}{rest[1:]}" if rest.startswith("\ufeff") else ours + rest


def _written(block: Block, style: Style, end: str) -> str:
    """The block as it stands in a text whose lines end so."""
    before, after = style.value
    made = _MADE if block.is_made else ""
    body = block.body.replace("\r\n", "\n").removesuffix("\n")
    lines = (f"{before}{_BEGIN} {block.name}{made}{after}", body, f"{before}{_END} {block.name}{after}", "")
    return "\n".join(lines).replace("\n", end)
