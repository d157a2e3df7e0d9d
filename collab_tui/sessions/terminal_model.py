"""What a program's output looks like: its bytes become rows of styled text, and no escape ever leaves here.

Only sequences that are known are carried out, on a grid of cells (`pyte`); all others are dropped, whole. What is in a
cell is cleaned as any text of others is. Memory is bounded by the grid and `history`, whatever is fed.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from collab_tui.model.text import clean

if TYPE_CHECKING:
    import pyte
    from pyte.screens import Char

HISTORY: Final = 2000
"""Lines that are kept of what scrolled out."""
MAX_SIDE: Final = 1000
"""Cells of a side of a screen, at most."""
_MAX_MARKS: Final = 4
"""Marks on one character."""
_MAX_SAVED: Final = 16
"""Saved places of the cursor."""

_TOKEN: Final = re.compile(
    r"\x1b\[(?P<parameters>[<-?]?[0-9;:]{0,200})(?P<between>[ -/]{0,8})(?P<final>[@-~])"
    r"|\x1b(?P<string>[]PX^_])"
    r"|\x1b(?P<escape>[ -/]{1,8}[0-~]|[0-OQ-WYZ\\`-~])"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
)
_BEGUN: Final = re.compile(r"\x1b(?:\[[<-?]?[0-9;:]{0,200}[ -/]{0,8}|[ -/]{0,8})\Z")
"""A sequence of which the rest did not come yet."""
_END_OF_STRING: Final = re.compile(r"\x1b\\|[\x07\x18\x1a\x9c]")
_COLOUR: Final = re.compile(r"[0-9a-f]{6}|(?:bright)?(?:black|red|green|yellow|blue|magenta|cyan|white)")

_CONTROLS: Final = {
    "\b": "backspace",
    "\t": "tab",
    "\n": "linefeed",
    "\v": "linefeed",
    "\f": "linefeed",
    "\r": "carriage_return",
}
_ESCAPES: Final = {
    "c": "reset",
    "D": "index",
    "E": "linefeed",
    "M": "reverse_index",
    "H": "set_tab_stop",
    "7": "save_cursor",
    "8": "restore_cursor",
}
_CHARSETS: Final = ("(0", "(B", ")0", ")B")
_SEQUENCES: Final = {
    "@": "insert_characters",
    "A": "cursor_up",
    "B": "cursor_down",
    "C": "cursor_forward",
    "D": "cursor_back",
    "E": "cursor_down1",
    "F": "cursor_up1",
    "G": "cursor_to_column",
    "H": "cursor_position",
    "J": "erase_in_display",
    "K": "erase_in_line",
    "L": "insert_lines",
    "M": "delete_lines",
    "P": "delete_characters",
    "X": "erase_characters",
    "`": "cursor_to_column",
    "a": "cursor_forward",
    "d": "cursor_to_line",
    "e": "cursor_down",
    "f": "cursor_position",
    "g": "clear_tab_stop",
    "r": "set_margins",
    "s": "save_cursor",
    "u": "restore_cursor",
}
_WITHOUT_PARAMETERS: Final = ("s", "u")
_OTHER_SCREEN: Final = ("47", "1047", "1049")
_MODES: Final = ("6", "7", "25")
"""Private modes that change what is seen."""
BRACKETED_PASTE: Final = "2004"


@dataclass(frozen=True, slots=True)
class Style:
    """How a run of text looks. Colours are `default`, a name such as `red` or `brightred`, or six hex digits."""

    colour: str = "default"
    background: str = "default"
    is_bold: bool = False
    is_faint: bool = False
    is_italic: bool = False
    is_underlined: bool = False
    is_struck: bool = False
    is_reversed: bool = False

    @property
    def shows_blanks(self) -> bool:
        """A blank in it does not look like nothing."""
        return self.background != "default" or self.is_underlined or self.is_struck or self.is_reversed


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a row in one style; no control character is in it."""

    text: str
    style: Style = Style()


Row = tuple[Run, ...]
"""One row of a screen, without the blank that nothing styles at its end."""


def text_of(row: Row) -> str:
    """What stands in a row, without blanks at its end."""
    return "".join(run.text for run in row).rstrip()


@dataclass(frozen=True, slots=True)
class Picture:
    """What is seen of a program at one moment."""

    rows: tuple[Row, ...]
    columns: int
    cursor: tuple[int, int] | None = None
    """Row and column, from 0; None where that is not known."""

    @property
    def lines(self) -> list[str]:
        """The rows as plain text."""
        return [text_of(row) for row in self.rows]

    def cut(self, columns: int, rows: int) -> Picture:
        """The part that a smaller place can show: the last rows in which something stands, each from its beginning."""
        used = max((number for number, row in enumerate(self.rows, 1) if row), default=0)
        first = max(0, used - rows)
        kept = tuple(_cut(row, columns) for row in self.rows[first:used])
        cursor = None
        if self.cursor is not None and first <= self.cursor[0] < first + rows and self.cursor[1] < columns:
            cursor = (self.cursor[0] - first, self.cursor[1])
        return Picture(kept, min(columns, self.columns), cursor)


class TerminalModel:
    """A terminal that nobody looks at: it is fed what a program prints."""

    def __init__(self, columns: int, rows: int, *, history: int = HISTORY) -> None:
        self.columns, self.rows = min(max(columns, 1), MAX_SIDE), min(max(rows, 1), MAX_SIDE)
        self.modes: set[str] = set()
        """Private modes that are on, such as `BRACKETED_PASTE`."""
        self.scrolled: deque[Row] = deque(maxlen=history)
        """Rows that left the screen at its top."""
        self.answers: deque[str] = deque(maxlen=64)
        """What a terminal says to what the program asked it, until somebody takes it; always words of our own."""
        self._main = self._screen = self._new_screen()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unread = ""
        self._is_in_string = False
        self._marks = 0

    def feed(self, data: bytes) -> None:
        """Take the next of what the program printed."""
        text = self._unread + self._decoder.decode(data)
        self._unread = ""
        place = 0
        while place < len(text):
            if self._is_in_string:
                end = _END_OF_STRING.search(text, place)
                if end is None:
                    self._unread = "\x1b" if text.endswith("\x1b") else ""
                    return
                self._is_in_string, place = False, end.end()
                continue
            token = _TOKEN.match(text, place)
            if token is None:
                if _BEGUN.match(text, place):
                    self._unread = text[place:]
                    return
                place += 1  # an escape that begins nothing
                continue
            place = token.end()
            self._take(token)

    def picture(self) -> Picture:
        """What is seen now."""
        buffer = self._screen.buffer
        rows = tuple(_row(buffer[number], self.columns) for number in range(self.rows))
        cursor = self._screen.cursor
        return Picture(rows, self.columns, (min(cursor.y, self.rows - 1), min(cursor.x, self.columns - 1)))

    @property
    def is_full_screen(self) -> bool:
        """The program draws on the other screen, the one that nothing scrolls out of."""
        return self._screen is not self._main

    def _new_screen(self) -> pyte.Screen:
        return _screen_class()(self.columns, self.rows, self._keep)

    def _keep(self, line: Mapping[int, Char]) -> None:
        if not self.is_full_screen:
            self.scrolled.append(_row(line, self.columns))

    def _take(self, token: re.Match[str]) -> None:
        if token["text"] is not None:
            if drawn := "".join(self._drawable(token["text"])):
                self._screen.draw(drawn)
        elif token["control"] is not None:
            self._call(_CONTROLS.get(token["control"]))
        elif token["string"] is not None:
            self._is_in_string = True
        elif token["escape"] is not None:
            self._escape(token["escape"])
        elif not token["between"]:
            self._control(token["parameters"], token["final"])
        elif token["between"] == "$" and token["final"] == "p":
            self.answers.append(f"\x1b[{token['parameters'][:8]};0$y")

    def _drawable(self, text: str) -> Iterator[str]:
        """What has a cell, or belongs to the character before it."""
        if text.isascii():
            self._marks = 0
            yield text
            return
        for char in text:
            width = _width(char)
            self._marks = 0 if width > 0 else self._marks + 1
            is_too_much = self._marks > _MAX_MARKS or (self._marks == 1 and self._is_laden())
            if width >= 0 and not is_too_much:
                yield char

    def _is_laden(self) -> bool:
        """The character before the cursor bears all the marks that it may, perhaps put there one by one."""
        cursor = self._screen.cursor
        return len(self._screen.buffer[cursor.y][max(0, cursor.x - 1)].data) > _MAX_MARKS

    def _escape(self, escape: str) -> None:
        if escape == "c":
            self._screen, self.modes = self._main, set()
        elif escape == "E":
            self._screen.carriage_return()
        elif escape in _CHARSETS:
            self._screen.define_charset(escape[1], escape[0])
        self._call(_ESCAPES.get(escape))

    def _control(self, parameters: str, final: str) -> None:
        if final == "m" and parameters[:1] not in ("<", "=", ">", "?"):
            self._screen.select_graphic_rendition(*_attributes(parameters))
        elif final in "hl" and parameters.startswith("?"):
            self._set_modes(parameters[1:].split(";"), is_on=final == "h")
        elif parameters[:1] in ("<", "=", ">", "?") or final in "cn":
            self._answer(parameters + final)
        elif final in "ST":
            self._scroll(_number(parameters) or 1, is_up=final == "S")
        elif final not in _WITHOUT_PARAMETERS or not parameters:
            numbers = [_number(number) for number in parameters.split(";", 2)] if parameters else []
            self._call(_SEQUENCES.get(final), *numbers[: 2 if final in "Hfr" else 1])

    def _call(self, method: str | None, *numbers: int) -> None:
        if method is not None:
            getattr(self._screen, method)(*numbers)
            del self._screen.savepoints[:-_MAX_SAVED]

    def _scroll(self, count: int, *, is_up: bool) -> None:
        cursor = self._screen.cursor
        top, bottom = self._screen.margins or (0, self.rows - 1)
        before = cursor.y
        cursor.y = bottom if is_up else top
        for _ in range(min(count, self.rows)):
            self._screen.index() if is_up else self._screen.reverse_index()
        cursor.y = before

    def _set_modes(self, modes: Sequence[str], *, is_on: bool) -> None:
        for mode in modes[:16]:
            if mode in _OTHER_SCREEN:
                self._screen = self._new_screen() if is_on else self._main
            elif mode in _MODES:
                (self._screen.set_mode if is_on else self._screen.reset_mode)(int(mode), private=True)
            elif mode == BRACKETED_PASTE:
                (self.modes.add if is_on else self.modes.discard)(mode)

    def _answer(self, asked: str) -> None:
        """What programs ask at their start, and some wait for."""
        answer = {"c": "\x1b[?62;22c", "0c": "\x1b[?62;22c", ">c": "\x1b[>1;10;0c", ">0c": "\x1b[>1;10;0c"}
        answer |= {"5n": "\x1b[0n", "?u": "\x1b[?0u"}
        if asked in answer:
            self.answers.append(answer[asked])
        elif asked == "6n":
            cursor = self._screen.cursor
            self.answers.append(f"\x1b[{cursor.y + 1};{min(cursor.x, self.columns - 1) + 1}R")


def captured(text: str, columns: int, cursor: tuple[int, int] | None = None) -> Picture:
    """The picture of a screen that another terminal drew, one line a row, of which only styles are sequences."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    model = TerminalModel(columns, max(len(lines), 1), history=0)
    for number, line in enumerate(lines[: model.rows]):
        model.feed(f"\x1b[{number + 1}H\x1b[?7l".encode() + line.replace("\t", " ").encode("utf-8", "replace"))
    picture = model.picture()
    return Picture(picture.rows, picture.columns, cursor)


@lru_cache(maxsize=1)
def _screen_class() -> Callable[[int, int, Callable[[Mapping[int, Char]], None]], pyte.Screen]:
    """Made when it is first needed: `pyte` is not loaded before."""
    import pyte

    class Screen(pyte.Screen):
        """A grid of cells that hands on the row which scrolls out."""

        def __init__(self, columns: int, lines: int, keep: Callable[[Mapping[int, Char]], None]) -> None:
            self._keep = keep
            super().__init__(columns, lines)

        def index(self) -> None:
            """Down one row; at the end of the screen everything moves up."""
            top, bottom = self.margins or (0, self.lines - 1)
            if self.cursor.y == bottom and top == 0:
                self._keep(self.buffer[0])
            super().index()

    return Screen


@lru_cache(maxsize=4096)
def _width(char: str) -> int:
    """Cells: 2, 1, 0 for a mark on the character before it, -1 for what nothing is drawn of."""
    from wcwidth import wcwidth

    width = wcwidth(char)
    if width == 0 and not unicodedata.combining(char):
        return -1
    return min(width, 2)


def _number(parameter: str) -> int:
    """What begins a parameter, within bounds; 0 where nothing does."""
    digits = re.match("[0-9]*", parameter)
    return min(int(digits[0][:5]), 9999) if digits and digits[0] else 0


def _attributes(parameters: str) -> list[int]:
    """Styles as `pyte` takes them: numbers apart from each other, and faint in the place of blinking, which nothing
    does here.
    """
    found: list[int] = []
    groups = [[_number(number) for number in group.split(":")] for group in parameters.split(";")]
    place = 0
    while place < len(groups):
        group = groups[place]
        place += 1
        if group[0] in (38, 48, 58):
            if len(group) == 1:  # the numbers of the colour follow as if they were styles of their own
                count = {5: 2, 2: 4}.get(groups[place][0], 0) if place < len(groups) else 0
                group = [group[0], *(part[0] for part in groups[place : place + count])]
                place += count
            elif group[1:2] == [2]:
                group = [*group[:2], *group[-3:]]
            is_whole = (len(group), *group[1:2]) in ((3, 5), (5, 2)) and max(group[2:]) < 256
            found += group if is_whole and group[0] != 58 else []
        elif group == [4, 0]:
            found.append(24)
        elif group[0] == 2:
            found.append(5)
        elif group[0] == 22:
            found += [22, 25]
        elif group[0] not in (5, 6, 25):
            found.append(group[0])
    return found


def _row(line: Mapping[int, Char], columns: int) -> Row:
    cells = [line[column] for column in range(columns)]
    runs = [
        Run(clean("".join(cell.data for cell in group)).replace("\n", " ").replace("\t", " "), style)
        for style, group in groupby(cells, key=_style)
    ]
    while runs and not runs[-1].style.shows_blanks:
        last = runs.pop()
        if text := last.text.rstrip():
            return (*runs, Run(text, last.style))
    return tuple(runs)


def _style(cell: Any) -> Style:
    return _style_of(
        cell.fg, cell.bg, cell.bold, cell.blink, cell.italics, cell.underscore, cell.strikethrough, cell.reverse
    )


@lru_cache(maxsize=1024)
def _style_of(colour: str, background: str, *flags: bool) -> Style:
    return Style(_colour(colour), _colour(background), *flags)


def _colour(name: str) -> str:
    """By its usual name; `pyte` calls dark yellow brown, and misspells one."""
    name = name.replace("brown", "yellow").replace("bfight", "bright")
    return name if _COLOUR.fullmatch(name) else "default"


def _cut(row: Row, columns: int) -> Row:
    kept: list[Run] = []
    left = columns
    for run in row:
        text = ""
        for char in run.text:
            if (left := left - max(0, _width(char))) < 0:
                break
            text += char
        if text:
            kept.append(Run(text, run.style))
        if left < 0:
            break
    return tuple(kept)
