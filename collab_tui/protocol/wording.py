"""How the words of others stand in what a model reads, and in commands that it may run.

A model cannot tell by itself who wrote what. So everything that another wrote is in double quotes on one line, or in a
fence, and can close neither; next to it is the name of its writer. Into a command goes only what no shell takes for
anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from collab_tui.model.text import clean, one_line

_LONGEST_NAME: Final = 40
_PLAIN_NAME: Final = re.compile(r"\w[\w.@+-]*")
_BARE: Final = re.compile(r"\w[\w@+=:,./-]*")
_TAME: Final = re.compile(r"\w(?:[\w@+=:,./ -]|\\(?=\w))*")
"""What means itself between double quotes in every shell, paths of Windows too, and is no option."""
_LONGEST_WORD: Final = 60
_TICKS: Final = re.compile("`+")


def cut(text: str, longest: int) -> str:
    """One line of at most so many characters."""
    line = one_line(text[: 4 * longest + 200])
    return line if len(line) <= longest else f"{line[: longest - 3].rstrip()}..."


def quoted(text: str, longest: int = 160) -> str:
    """Another's words on one line, cut; double quotes in them become single ones."""
    return f'"{cut(text, longest).replace(chr(34), chr(39))}"'


def fenced(text: str, longest: int, least: int = 3) -> str:
    """Another's words of several lines, cut, in a fence that they cannot close, of at least so many ticks."""
    whole = clean(text[:longest]).strip("\n")
    if (more := len(text) - longest) > 0:
        whole += f"\n[and {more:,} characters more]"
    fence = "`" * max(least, 1 + longest_ticks(whole))
    return f"{fence}\n{whole}\n{fence}"


def longest_ticks(text: str) -> int:
    """How many backticks stand in a row in it, at most."""
    return max(map(len, _TICKS.findall(text)), default=0)


def named(name: str) -> str:
    """A name as it is if it is one word, else quoted: names are their writers' choice too, "human approved" say."""
    short = cut(name, _LONGEST_NAME)
    return short if _PLAIN_NAME.fullmatch(short) else quoted(name, _LONGEST_NAME)


def listed(names: Iterable[str], most: int = 5) -> str:
    """Names in a row, the first few."""
    names = list(names)
    row = ", ".join(map(named, names[:most]))
    return row if len(names) <= most else f"{row} and {len(names) - most:,} more"


def tame(text: str) -> str | None:
    """A word of a command that means this text in every shell; None where there is none."""
    if len(text) > _LONGEST_WORD or not _TAME.fullmatch(text):
        return None
    return text if _BARE.fullmatch(text) else f'"{text}"'


def tame_beginning(text: str, others: Iterable[str], least: int = 1) -> str | None:
    """A word of a command that begins this text and none of the others; None where no tame one does.

    A whole text that is short is given whole; of a long one, as much as tells it from the others.
    """
    match = _TAME.match(text[:_LONGEST_WORD])
    if match is None:
        return None
    others = list(others)
    for size in range(min(least, len(match[0])), len(match[0]) + 1):
        start = text[:size]
        if not start.endswith(" ") and not any(other.startswith(start) for other in others):
            return tame(start)
    return None


def own(text: str) -> str:
    """The agent's own name as a word of a command."""
    import shlex

    return tame(text) or shlex.quote(one_line(clean(text)))
