"""What the screen of a program in a terminal says: it takes a prompt, it works, it waits for a key of the person.

Pure: a picture goes in, and out comes what it shows. What stands on a screen is the program's, so it is only ever
compared with patterns, and never trusted to be more than a picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from collab_tui.sessions.definitions import Definition
from collab_tui.sessions.driver import DriverError
from collab_tui.sessions.terminal_model import Picture, Row

_LAST_ROWS: Final = 12
"""Rows at the end of a screen, those with nothing on them not counted, that the patterns of a definition look at."""
_PROMPT: Final = re.compile(r"(?:>>>|[>$#❯›])$")
"""What stands before the cursor of an unknown program that takes a prompt."""
_FRAME: Final = frozenset("─━═│┃║╭╮╰╯┌┐└┘├┤|-_▀▄▔▁ \xa0")
"""What a box around a composer is drawn of, and what looks like nothing."""


class Sign(StrEnum):
    """What a screen says of its program."""

    READY = "ready"
    BUSY = "busy"
    DIALOG = "dialog"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture shows."""

    sign: Sign
    composer: int
    """The row where a prompt is typed; of a screen that shows none that of the cursor."""
    draft: str
    """What stands there already."""
    body: int
    """How many rows, from the first on, are above it and its frame."""
    last: str
    """The last line there that tells more than that it works."""
    before_cursor: str
    """What stands in the cursor's row, up to it."""


class Patterns:
    """By what a definition knows the screens of its program."""

    def __init__(self, definition: Definition) -> None:
        """Raises `DriverError` for a pattern that is none."""
        self._ready = _compiled(definition, "ready", definition.ready)
        self._busy = _compiled(definition, "busy", definition.busy)
        self._dialog = _compiled(definition, "dialog", definition.dialog)

    @property
    def know_dialogs(self) -> bool:
        """A screen without a dialog is told from one with it."""
        return bool(self._dialog)

    def look(self, picture: Picture, prompt: str = "") -> Look:
        """What a picture shows. `prompt` is what stood before the cursor when it was ready and nothing was typed."""
        lines = picture.lines
        last = [number for number, line in enumerate(lines) if line][-_LAST_ROWS:]
        row, column = picture.cursor or (max(last, default=0), picture.columns)
        before = _cells(picture.rows[row], column).rstrip() if row < len(picture.rows) else ""
        sign, composer, draft = self._sign(lines, last), row, ""
        found = [(number, match) for number in last if (match := _first(self._ready, lines[number]))]
        if found:
            composer, match = found[-1]
            draft = _typed(picture.rows[composer], match.end())
        if sign is Sign.NONE and (found if self._ready else _PROMPT.search(before)):
            sign = Sign.READY
        if sign is Sign.NONE and prompt and before.startswith(prompt):
            draft = before[len(prompt) :].strip()
        body = _above(lines, composer, picture.columns)
        said = (line for line in reversed(lines[:body]) if line.strip() and not _first(self._busy, line))
        return Look(sign, composer, draft, body, next(said, ""), before)

    def _sign(self, lines: Sequence[str], last: Sequence[int]) -> Sign:
        for sign, patterns in ((Sign.DIALOG, self._dialog), (Sign.BUSY, self._busy)):
            if any(_first(patterns, lines[number]) for number in last):
                return sign
        return Sign.NONE


def _compiled(definition: Definition, what: str, patterns: Iterable[str]) -> list[re.Pattern[str]]:
    try:
        return [re.compile(pattern) for pattern in patterns]
    except re.error as error:
        raise DriverError(f"{definition.name}: {error.pattern!r} in `{what}` is no pattern: {error}") from None


def _first(patterns: Iterable[re.Pattern[str]], line: str) -> re.Match[str] | None:
    """The first that matches the line, with the blank that may end a prompt or without it."""
    return next((match for pattern in patterns if (match := pattern.search(line) or pattern.search(line + " "))), None)


def _cells(row: Row, columns: int) -> str:
    """The text of so many cells of a row."""
    cut = Picture((row,), columns).cut(columns, 1).rows
    return "".join(run.text for run in cut[0]) if cut else ""


def _typed(row: Row, start: int) -> str:
    """What a person, or we, typed into a composer: what is faint there is a hint of the program, and so is the letter
    of it on which the cursor stands.
    """
    place, typed, marked, is_hinted = 0, "", "", False
    for run in row:
        text = run.text[max(0, start - place) :]
        place += len(run.text)
        if run.style.is_faint:
            is_hinted = is_hinted or bool(text.strip())
        elif run.style.is_reversed:
            marked += text
        else:
            typed += text
    typed = typed.strip("".join(_FRAME))
    return typed or ("" if is_hinted else marked.strip())


def _above(lines: Sequence[str], composer: int, columns: int) -> int:
    """The rows above the composer, without its frame, what is blank, and what stands at the right edge alone."""
    rows = min(composer, len(lines))
    while rows and (_FRAME.issuperset(lines[rows - 1]) or lines[rows - 1].startswith(" " * (columns // 2))):
        rows -= 1
    return rows
