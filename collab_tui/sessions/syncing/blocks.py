"""Our part of a text that somebody else wrote: between two lines that say so, and the rest byte for byte as it was.

It stands at the end, after a line that ended; of a text whose last line did not end, at its beginning. So nothing has
to be added to what is not ours, and taking it out leaves what was there, whatever was changed around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_BEGIN: Final = "<!-- collab-tui:begin"
_END: Final = "<!-- collab-tui:end"
_MADE: Final = ", in a file of its own"
_OURS: Final = re.compile(
    rf"(?:^|(?<=\A\ufeff)){_BEGIN} definition(?P<made>{_MADE})? -->\r?\n"
    rf"(?P<body>.*?)^{_END} definition -->(?:\r?\n|\Z)",
    re.DOTALL | re.MULTILINE,
)


class DamagedError(Exception):
    """A text in which our lines do not belong together; the text says what and on which line."""


@dataclass(frozen=True, slots=True)
class Block:
    """What is ours in a text."""

    is_made: bool
    """The file was not there before."""
    body: str
    """Its lines, all of them ended."""


def block_in(text: str) -> Block | None:
    """What is ours in a text; None: nothing is."""
    match = _OURS.search(text)
    return Block(match["made"] is not None, match["body"]) if match is not None else None


def without(text: str) -> str:
    """The text without what is ours. Raises `DamagedError` where that has no beginning or no end."""
    rest = _OURS.sub(lambda match: "\n" * match[0].count("\n"), text)
    for number, line in enumerate(rest.removeprefix("\ufeff").split("\n"), 1):
        if line.startswith((_BEGIN, _END)):
            raise DamagedError(f"line {number} is one of two that belong together: take it out, or put the other back")
    return _OURS.sub("", text)


def with_block(text: str, block: Block) -> str:
    """The text with this block, in place of what is ours there already. Nothing changes where it is the same.

    Raises `DamagedError` as `without`, and for a body that has such lines of its own.
    """
    if _BEGIN in block.body or _END in block.body:
        raise DamagedError(f"{_BEGIN} and {_END} mark what is ours: they cannot stand in what is put there")
    rest = without(text)
    ours = _written(block, "\r\n" if "\r\n" in text else "\n")
    if (place := _OURS.search(text)) is not None:
        return text[: place.start()] + ours + without(text[place.end() :])
    if not rest or rest.endswith("\n"):
        return rest + ours
    return f"\ufeff{ours}{rest[1:]}" if rest.startswith("\ufeff") else ours + rest


def _written(block: Block, end: str) -> str:
    """The block as it stands in a text whose lines end so."""
    made = _MADE if block.is_made else ""
    body = block.body.replace("\r\n", "\n").removesuffix("\n")
    return "\n".join((f"{_BEGIN} definition{made} -->", body, f"{_END} definition -->", "")).replace("\n", end)
