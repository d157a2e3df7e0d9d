"""The words of rules with their names filled in.

What agents wrote is somebody else's words, also in a message that another agent's model reads: each is on one line,
cut, cleaned and in quotes of its own, which nothing in it can close. What stands without quotes is a name or a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from collab_tui.model.text import clean, one_line

MISSING: Final = "?"
"""Where a line does not say what a text names."""
_LONGEST: Final = 200
"""Characters of what an agent wrote."""
_PLAIN_NAME: Final = re.compile(r"\w[\w.@-]{0,39}")
_QUOTES: Final = str.maketrans("“”", '""')


def quoted(text: str | None) -> str:
    """What an agent wrote, as its words."""
    said = one_line(clean((text or "")[: 4 * _LONGEST])).translate(_QUOTES)
    if not said:
        return MISSING
    return f"“{said}”" if len(said) <= _LONGEST else f"“{said[:_LONGEST]}...”"


def named(name: str | None) -> str:
    """A name, or a word such as a status: as it is if it can be nothing else."""
    return name if name is not None and _PLAIN_NAME.fullmatch(name) else quoted(name)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its names filled in; the values are what `quoted` and `named` give."""
    return text.format_map(_Values(values))


class _Values(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return MISSING
