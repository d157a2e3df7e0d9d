"""Painting lines of spans with the theme's colours, for widgets that draw themselves line by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from collab_tui.model.summary import Span


class Painter(Widget):
    """A widget whose lines are spans. The colour of a role is that of its screen's component class `role--<role>`:
    Textual looks up the styles of every component anew whenever a class or the focus changes.
    """

    _titles: tuple[str | Content, str] = ("", "")
    _role_styles: Mapping[str, Style] = {}

    def entitle(self, title: str | Content, subtitle: str = "") -> None:
        """Set what the frame says. Textual paints the whole widget at each setting, so only at a difference."""
        words = title if isinstance(title, Content) else Content(title)
        if not self.styles.border_left[0]:
            words = Content.assemble(" ", words, " ")  # a mere line above leaves no room around it
        if (words, subtitle) != self._titles:
            self._titles = (words, subtitle)
            self.border_title = words
            self.border_subtitle = Content(subtitle)

    def paint(self, spans: Iterable[Span], width: int, *, row: str = "") -> Strip:
        """One line of exactly `width` cells; `row` is a component class that gives the background."""
        base = self.rich_style
        if row:
            base += Style(bgcolor=self.get_component_rich_style(row).bgcolor)
        background = Style(bgcolor=base.bgcolor)
        segments = [Segment(span.text, self.role_style(span.role) + background) for span in spans if span.text]
        return Strip(segments).adjust_cell_length(width, base)

    def role_style(self, role: str) -> Style:
        """The theme's style of a role, on the background of this widget."""
        if role not in self._role_styles:
            styles = self.screen.get_component_styles(f"role--{role}")
            color = Style.from_color((self.background_colors[1] + styles.color).rich_color)
            self._role_styles = {**self._role_styles, role: self.rich_style + styles.text_style + color}
        return self._role_styles[role]

    def notify_style_update(self) -> None:
        """The theme changed, or the background."""
        super().notify_style_update()
        self._role_styles = {}
