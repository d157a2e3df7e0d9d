"""What a session's program shows, as its terminal would: drawn from cells, never raw."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from rich.style import Style
from textual.app import RenderResult
from textual.strip import Strip

from collab_tui.model.summary import Span
from collab_tui.tui.safe import fit
from collab_tui.tui.widgets.painter import Painter

if TYPE_CHECKING:
    from collab_tui.sessions.terminal_model import Picture, Row
    from collab_tui.sessions.terminal_model import Style as Look

_NAMES: Final = {"brown": "yellow", "brightbrown": "bright_yellow"}
"""Colours that the terminal model calls otherwise."""


class OutputPane(Painter):
    """The last lines of the output, or why there are none."""

    def __init__(self) -> None:
        super().__init__(id="output")
        self._rows: tuple[Row, ...] = ()
        self._words = ""

    def tell(self, picture: Picture) -> None:
        """Show it; only a difference is painted."""
        if self._words or picture.rows != self._rows:
            self._rows, self._words = picture.rows, ""
            self.refresh()

    def say(self, text: str) -> None:
        """There is nothing to show, and why."""
        if text != self._words or self._rows:
            self._rows, self._words = (), text
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row; of more rows than there is room for the last ones."""
        width, height = self.size.width, self.size.height
        if self._words:
            return self.paint(fit([Span(f" {self._words}", "muted")], width) if y == 0 else (), width)
        place = y + max(0, len(self._rows) - height)
        row = self._rows[place] if place < len(self._rows) else ()
        base = self.rich_style
        segments = [Segment(run.text, base + _style(run.style)) for run in row]
        return Strip(segments).adjust_cell_length(width, base)

    def render(self) -> RenderResult:
        """Not used: the widget draws lines."""
        return ""


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
