"""A text that is only read: lines of spans that scroll both ways, as many as there are, each drawn when it is seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from rich.cells import cell_len
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from collab_tui.model.summary import Span
from collab_tui.tui.safe import Line, width_of
from collab_tui.tui.widgets.painter import Painter

_WORDS: Final = re.compile(r"\s*\S+\s*|\s+")
_SIDEWAYS: Final = 8
"""Cells by which a key scrolls."""


class Reader(Painter, ScrollView, can_focus=True):
    """Something that is only read: the keys scroll it, at once, to where there is more."""

    def action_scroll_left(self) -> None:
        """Sideways by what one sees."""
        self._go(x=self.scroll_x - _SIDEWAYS)

    def action_scroll_right(self) -> None:
        """Sideways by what one sees."""
        self._go(x=self.scroll_x + _SIDEWAYS)

    def action_scroll_home(self) -> None:
        """The first line, from its beginning."""
        self._go(x=0, y=0)

    def action_scroll_end(self) -> None:
        """The last line."""
        self._go(y=self.max_scroll_y)

    def _go(self, x: float | None = None, y: float | None = None) -> None:
        self.scroll_to(x, y, animate=False, force=True)


class TextLines(Reader):
    """Lines, of which none is cut: the arrows scroll."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    def tell(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self._lines = lines
        self.virtual_size = Size(max(map(width_of, lines), default=0), len(lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        x, top = self.scroll_offset
        width, place = self.scrollable_content_region.width, y + top
        if place >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[place]
        strip = self.paint(line, max(width_of(line), x + width)).crop(x, x + width)
        return strip.apply_offsets(x, place)


class MadeLines(TextLines):
    """Lines that are made for the width that there is."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self._made: Callable[[int], Iterable[Line]] = lambda width: ()
        """Gives lines for a width in cells."""
        self._about = ""

    def tell_made(self, about: str, made: Callable[[int], Iterable[Line]]) -> None:
        """Show other lines; those about something else from their beginning."""
        self._made = made
        self._make()
        if about != self._about:
            self._about = about
            self._go(x=0, y=0)

    def on_resize(self) -> None:
        """Another width has other lines."""
        self._make()

    def _make(self) -> None:
        width = self.scrollable_content_region.width
        lines = list(self._made(width)) if width > 0 else []
        if lines != self._lines:
            self.tell(lines)


class BrokenLines(MadeLines):
    """Lines that are broken where they are too long, and go on below their second column."""

    def tell_of(self, about: str, lines: Sequence[Line]) -> None:
        """Show lines; those about something else from their beginning."""
        self.tell_made(about, lambda width: (part for line in lines for part in broken(line, width)))


def broken(line: Line, width: int) -> Iterator[Line]:
    """The parts of a line, each of at most so many cells, the later ones indented as far as its muted first word."""
    first = next((place for place, span in enumerate(line) if span.text.strip()), 0)
    indent = width_of(line[: first + 1]) if line and line[first].role == "muted" else width_of(line[:first])
    indent = indent if 2 * indent <= width else min(2, width - 1)
    part, room = list[Span](), width
    for span in line:
        for word in _WORDS.findall(span.text):
            rest = word
            if cell_len(rest.rstrip()) > room and room < width - indent:
                yield _ended(part)
                part, room, rest = [Span(" " * indent)], width - indent, rest.lstrip()
            while cell_len(rest.rstrip()) > room > 0:
                fits = _fitting(rest, room) or int(room == width - indent)
                yield (*part, Span(rest[:fits], span.role))
                part, room, rest = [Span(" " * indent)], width - indent, rest[fits:]
            part.append(Span(rest, span.role))
            room -= cell_len(rest)
    yield _ended(part)


def _ended(part: Sequence[Span]) -> Line:
    """Without the blank at its end."""
    return (*part[:-1], Span(part[-1].text.rstrip(), part[-1].role)) if part else ()


def _fitting(text: str, room: int) -> int:
    """How many of the first characters have so many cells."""
    for place, char in enumerate(text):
        if (room := room - cell_len(char)) < 0:
            return place
    return len(text)
