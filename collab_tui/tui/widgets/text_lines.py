"""A text that is only read: lines of spans that scroll both ways, as many as there are, each drawn when it is seen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from collab_tui.tui.safe import Line, width_of
from collab_tui.tui.widgets.painter import Painter


class TextLines(Painter, ScrollView, can_focus=True):
    """Lines, of which none is cut: the arrows scroll."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    def tell(self, lines: Sequence[Line], *, at_end: bool = False) -> None:
        """Show other lines, from their beginning or from their end."""
        self._lines = lines
        self.virtual_size = Size(max(map(width_of, lines), default=0), len(lines))
        self.refresh()
        if at_end:
            self.call_after_refresh(self.scroll_end, animate=False)

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        x, top = self.scroll_offset
        width, place = self.scrollable_content_region.width, y + top
        if place >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[place]
        strip = self.paint(line, max(width_of(line), x + width)).crop(x, x + width)
        return strip.apply_offsets(x, place)
