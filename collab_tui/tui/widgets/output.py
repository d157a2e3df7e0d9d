"""What a session's program shows, as its terminal would: drawn from cells, never raw."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from collab_tui.model.summary import Span
from collab_tui.tui.safe import fit
from collab_tui.tui.widgets.text_lines import Reader

if TYPE_CHECKING:
    from collab_tui.sessions.terminal_model import Picture, Row
    from collab_tui.sessions.terminal_model import Style as Look

_NAMES: Final = {"brown": "yellow", "brightbrown": "bright_yellow"}
"""Colours that the terminal model calls otherwise."""


class OutputPane(Reader):
    """The output, at its end until one scrolls, or why there is none."""

    def __init__(self) -> None:
        super().__init__(id="output")
        self._rows: tuple[Row, ...] = ()
        self._words = ""

    def tell(self, picture: Picture) -> None:
        """Show it; only a difference is painted."""
        if not self._words and picture.rows is self._rows:
            return
        is_at_end = bool(self._words) or not self._rows or self.scroll_offset.y >= self.max_scroll_y
        self._show(picture.rows, "")
        if is_at_end:
            self._go(y=self.max_scroll_y)

    def say(self, text: str) -> None:
        """There is nothing to show, and why."""
        if text != self._words or self._rows:
            self._show((), text)
            self._go(x=0, y=0)

    def _show(self, rows: tuple[Row, ...], text: str) -> None:
        self._rows, self._words = rows, text
        self.virtual_size = Size(max(map(_width, rows), default=0), len(rows))
        self.refresh()

    def on_resize(self) -> None:
        """What was seen to its end is seen so in another size too."""
        self._go(y=self.max_scroll_y)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nothing can be scrolled its keys are the screen's."""
        return not action.startswith("scroll_") or bool(self._rows)

    def render_line(self, y: int) -> Strip:
        """One row of what is in sight; of one that goes on at the right its last cell says so."""
        width, base = self.scrollable_content_region.width, self.rich_style
        if self._words:
            return self.paint(fit([Span(f" {self._words}", "muted")], width) if y == 0 else (), width)
        x, top = self.scroll_offset
        row = self._rows[y + top] if y + top < len(self._rows) else ()
        strip = Strip([Segment(run.text, base + _style(run.style)) for run in row])
        if strip.cell_length <= x + width:
            return strip.crop(x, x + width).adjust_cell_length(width, base)
        cut = strip.crop(x, x + width - 1).adjust_cell_length(width - 1, base)
        return Strip([*cut, Segment(">", self.role_style("accent"))])


def _width(row: Row) -> int:
    return sum(cell_len(run.text) for run in row)


@lru_cache(maxsize=512)
def _style(look: Look) -> Style:
    """How a run is painted: with the colours that the program asked for, on ours where it asked for none."""
    return Style(
        color=_colour(look.colour),
        bgcolor=_colour(look.background),
        bold=look.is_bold or None,
        dim=look.is_faint or None,
        italic=look.is_italic or None,
        underline=look.is_underlined or None,
        strike=look.is_struck or None,
        reverse=look.is_reversed or None,
    )


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name):
        return f"#{name}"
    return _NAMES.get(name) or (f"bright_{name.removeprefix('bright')}" if name.startswith("bright") else name)
