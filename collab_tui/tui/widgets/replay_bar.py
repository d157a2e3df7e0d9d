"""The bar of the past: where in the registry this is, how it moves, how busy it was when, and what stands where.

Three lines: the state, the density of events with the place in it, and the marks below. A click on the density goes
there. Low terminals have two lines, very low ones the first alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from math import inf, sqrt
from typing import Final

from textual import events
from textual.app import RenderResult
from textual.strip import Strip

from collab_tui.model.ages import age
from collab_tui.model.glyphs import Glyphs
from collab_tui.model.summary import Span
from collab_tui.model.timeline import Column, Mark
from collab_tui.tui.messages import Sought
from collab_tui.tui.safe import Line, fit, width_of
from collab_tui.tui.view import Past, View
from collab_tui.tui.widgets.painter import Painter

_WIDE: Final = 120
_NARROW: Final = 80
_LOW: Final = 30
_LOWEST: Final = 14
_MARGIN: Final = 1
_ROLES: Final = {Mark.DEADLOCK: "error", Mark.REQUEST: "accent", Mark.BLOCKER: "warning", Mark.DECISION: "success"}


class ReplayBar(Painter):
    """Stands above the keys while the past is shown."""

    def __init__(self) -> None:
        super().__init__(id="replay")
        self._view: View | None = None
        self._lines: tuple[Line, ...] = ()
        self._columns: list[Column] = []
        self._columns_of: tuple[object, ...] = ()
        self._is_held = False
        """The mouse button went down on the bar and is still."""

    def show(self, view: View) -> None:
        """Show the place of a view; hidden in the present."""
        self._view = view
        self.display = view.past is not None
        self._lay_out()

    def on_resize(self) -> None:
        """More or fewer columns."""
        self._lay_out()

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        return self.paint(self._lines[y] if y < len(self._lines) else (), self.size.width)

    def render(self) -> RenderResult:
        """Not used: the widget draws lines."""
        return ""

    def _lay_out(self) -> None:
        view = self._view
        if view is None or view.past is None:
            return
        height = self.screen.size.height
        wanted = 1 if height < _LOWEST else 2 if height < _LOW else 3
        if self.styles.height is None or self.styles.height.value != wanted:
            self.styles.height = wanted
        width = self.size.width - 2 * _MARGIN
        lines: list[Line] = [state_line(view, view.past, self.size.width)]
        if wanted > 1 and width > 0:
            self._find_columns(view.past, width)
            lines.append(density_line(view.past, self._columns, view.glyphs))
        if wanted > 2 and width > 0:
            lines.append(marks_line(self._columns, view.glyphs))
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self.refresh()

    def _find_columns(self, past: Past, width: int) -> None:
        """They change only when lines are read or deadlocks found."""
        wanted = (id(past.timeline), past.total, past.marks, width)
        if wanted != self._columns_of:
            self._columns, self._columns_of = past.timeline.columns(width), wanted

    # The mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go there."""
        if event.y > 0 and event.button == 1:
            self._is_held = True
            self.capture_mouse()
            self._seek(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Go with the mouse while it is held."""
        if self._is_held:
            self._seek(event.x)

    def on_mouse_up(self) -> None:
        """Let go."""
        self._is_held = False
        self.release_mouse()

    def _seek(self, x: int) -> None:
        past = self._view.past if self._view is not None else None
        width = self.size.width - 2 * _MARGIN
        if past is not None and width > 0:
            column = min(max(x - _MARGIN, 0), width - 1)
            self.post_message(Sought(past.timeline.position_of_column(column, width)))


def state_line(view: View, past: Past, width: int) -> Line:
    """Which event of how many, its time, how fast it plays, and what is going on."""
    glyphs, is_narrow = view.glyphs, width < _NARROW
    gap = Span("  " if is_narrow else "   ")
    event = f"{past.position:,} of {past.total:,}".replace(",", " ")
    speed = "max" if past.speed == inf else f"{past.speed:g}x"
    told = [
        Span(event if is_narrow else f"event {event}", "strong"),
        Span(_time(view, past, is_narrow)),
        Span(f"{glyphs.playing} {speed}", "accent") if past.is_playing else Span(f"{glyphs.paused} {speed}", "muted"),
    ]
    if past.reading is not None:
        told.append(Span(f"reading {past.reading} %", "accent"))
    if past.searching is not None:
        told.append(Span(f"searching for a deadlock, {past.searching} %", "accent"))
    if past.gap is not None:
        told.append(Span(f"{age(past.gap)} gap shortened", "warning"))
    elif past.shortens:
        told.append(Span("gaps shortened", "muted"))
    left = [Span(f" {glyphs.past} " if width < _WIDE else f" {glyphs.past} replay  ", "accent")]
    for number, span in enumerate(span for span in told if span.text):
        left += [gap, span] if number else [span]
    live = [*_live(past, is_narrow), Span(" ")]
    room = width - width_of([*left, *live]) - 2
    legends = (legend for in_words in (True, False) if width_of(legend := _legend(past, glyphs, in_words)) <= room)
    return fit(left, width, [*next(legends, []), *live])


def _time(view: View, past: Past, is_narrow: bool) -> str:
    if not past.has_time:
        return "no time yet" if past.position else ""
    return f"{view.moment.now.astimezone():{'%m-%d %H:%M:%S' if is_narrow else '%Y-%m-%d %H:%M:%S'}}"


def _legend(past: Past, glyphs: Glyphs, in_words: bool) -> list[Span]:
    """How many marks there are, and perhaps what they mean."""
    signs, spans = _signs(glyphs), []
    for mark, count in past.marks:
        if count:
            words = f" {mark}{'' if count == 1 else 's'}" if in_words else ""
            spans += [Span(signs[mark], _ROLES[mark]), Span(f" {count:,}{words}  ".replace(",", " "), "muted")]
    return spans


def _live(past: Past, is_narrow: bool) -> list[Span]:
    """How far the live registry is by now."""
    if past.live is None:
        return []
    new = f"{max(0, past.live - past.total):,} new".replace(",", " ")
    live = f"live {past.live:,}".replace(",", " ")
    return [Span(new if is_narrow else f"{live}, {new}", "success")]


def _signs(glyphs: Glyphs) -> dict[Mark, str]:
    return {
        Mark.DEADLOCK: glyphs.deadlock,
        Mark.REQUEST: glyphs.needs_you,
        Mark.BLOCKER: glyphs.blocker,
        Mark.DECISION: glyphs.yes,
    }


def density_line(past: Past, columns: list[Column], glyphs: Glyphs) -> Line:
    """How many events stand in each column, and the place: what lies before it is lit."""
    place = past.timeline.column_of(past.position, len(columns))
    most = max(column.lines for column in columns)
    cells = [
        Span(glyphs.place, "strong")
        if number == place
        else Span(_level(column.lines, most, glyphs.levels), "accent" if number < place else "muted")
        for number, column in enumerate(columns)
    ]
    return (Span(" " * _MARGIN), *_joined(cells))


def _level(count: int, most: int, levels: str) -> str:
    """A bar of one cell: by the square root, so that a few events beside many can be seen."""
    return levels[0] if not count else levels[1 + round(sqrt(count / most) * (len(levels) - 2))]


def marks_line(columns: list[Column], glyphs: Glyphs) -> Line:
    """The marks at their columns."""
    signs = _signs(glyphs)
    cells = [Span(" ") if column.mark is None else Span(signs[column.mark], _ROLES[column.mark]) for column in columns]
    return (Span(" " * _MARGIN), *_joined(cells))


def _joined(cells: Iterable[Span]) -> Iterable[Span]:
    """Neighbours of one role as one span."""
    for role, group in groupby(cells, key=lambda span: span.role):
        yield Span("".join(span.text for span in group), role)
