"""What goes to a program in a terminal and what comes of it: a prompt made harmless, a reply cut out of a screen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_STEERING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_GLYPHS: Final = ">❯›$#│┃|▌ "
"""What programs draw before what was typed."""
_ENOUGH: Final = 3
"""Lines that have to be found again for what follows them to be new; fewer may look alike by chance."""
_MOST_ECHO: Final = 200
"""Lines that are looked through for the prompt."""


def harmless(prompt: str) -> str:
    """The prompt as it is typed: nothing in it that a terminal takes for a key, and no empty lines at its end."""
    text = prompt.replace("\r\n", "\n").replace("\r", "\n")
    return _STEERING.sub("", text.encode("utf-8", "replace").decode()).rstrip("\n")


def in_one_line(prompt: str) -> str:
    """The prompt for a program that takes each line for a prompt of its own, and a tab for a key."""
    lines = (line.strip() for line in prompt.replace("\t", " ").split("\n"))
    return " ".join(line for line in lines if line)


def reply_in(before: Sequence[str], after: Sequence[str], prompt: str) -> str:
    """What a program showed since the prompt, of what stood above its composer before it and after.

    That is what follows what stood there before, which may have moved up; without the prompt, where it is shown again.
    """
    new = _following(before, after)
    if new is None:
        new = _after_echo(after, prompt)
    return "\n".join(_without_echo(new, prompt)).strip("\n")


def _following(before: Sequence[str], after: Sequence[str]) -> Sequence[str] | None:
    """What comes after what was there before; None where too little of that is left."""
    if not before:
        return after
    old, new = list(before), list(after)
    first = new[0] if new else None
    enough = min(_ENOUGH, sum(bool(line.strip()) for line in old))
    for gone in range(len(old)):
        kept = len(old) - gone
        if old[gone] == first and new[:kept] == old[gone:]:
            return new[kept:] if sum(bool(line.strip()) for line in old[gone:]) >= enough else None
    return None


def _after_echo(lines: Sequence[str], prompt: str) -> Sequence[str]:
    """What follows the last place where the prompt stands behind a glyph; all where it stands nowhere."""
    for number in range(len(lines) - 1, max(-1, len(lines) - 1 - 10 * _MOST_ECHO), -1):
        line = lines[number].strip()
        if line[:1] in _GLYPHS.strip() and line and len(_without_echo(lines[number:], prompt)) < len(lines) - number:
            return lines[number:]
    return lines


def _without_echo(lines: Sequence[str], prompt: str) -> Sequence[str]:
    """The lines after those that repeat the prompt, however it was broken into them; all where the first is another."""
    wanted = "".join(prompt.split())
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    place = 0
    for number in range(first, min(len(lines), first + _MOST_ECHO)):
        line = "".join(lines[number].split())
        piece = line if wanted.startswith(line, place) else line.lstrip(_GLYPHS)
        if not wanted.startswith(piece, place):
            break
        place += len(piece)
        if place == len(wanted):
            return lines[number + 1 :]
    return lines
