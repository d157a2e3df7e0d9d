"""A list of items with one or more lines each. The panes of agents, needs and waits are such lists.

Rows keep their identity: the selection is a key, not a place, and when rows come or go above the selected one the list
scrolls with it, so nothing jumps under the cursor. Nothing moves the selection but the user.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import ClassVar, NamedTuple, ParamSpec, overload

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from collab_tui.model.moment import Moment
from collab_tui.model.summary import Span
from collab_tui.tui.messages import Opened, Selected
from collab_tui.tui.safe import Line
from collab_tui.tui.view import View
from collab_tui.tui.widgets.painter import Painter

P = ParamSpec("P")


class Row(NamedTuple):
    """One item: its identity and its lines. One without a key is a heading and cannot be selected."""

    key: str | None
    lines: Sequence[Line]
    about: tuple[bytes, ...] = ()
    """The lines of the requests that the keys would answer: another one, also of the same id, is looked at anew."""


class LinesInSight(Sequence[Line]):
    """The lines of an item that are made when they come into sight: of two hundred agents thirty are seen."""

    def __init__(self, count: int, make: Callable[[], Sequence[Line]]) -> None:
        self._count = count
        self._make = make
        self._made: Sequence[Line] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if self._made is None:
            self._made = self._make()
        return self._made[index]


def line_in_sight(make: Callable[P, Line], *args: P.args, **kwargs: P.kwargs) -> LinesInSight:
    """The one line of an item, made by calling this when it comes into sight."""
    return LinesInSight(1, lambda: (make(*args, **kwargs),))


def lines_of(moment: Moment, request_id: str | None) -> tuple[bytes, ...]:
    """What a row is about that stands for a request, or for none."""
    request = moment.board.request(request_id) if request_id else None
    return (request.event.line,) if request is not None else ()


class ItemList(Painter, ScrollView, can_focus=True):
    """Base of the panes that show items."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row--selected"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "edge(-1)", "First", show=False),
        Binding("end", "edge(1)", "Last", show=False),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self.view: View | None = None
        self.selected: str | None = None
        """The key of the selected item."""
        self.most_lines: int | None = None
        """How many it may have, where it gets as many as its rows fill; None: it has what it has."""
        self._rows: tuple[Row, ...] = ()
        self._flat: list[tuple[int, int]] = []
        """For every line the number of its row, and which line of that it is."""
        self._painted: dict[int, Line] = {}
        """What was painted last in each place that was in sight."""
        self._on_screen_since: dict[tuple[str, tuple[bytes, ...]], float] = {}
        """Key of each row in sight and what it is about -> since when."""

    @property
    def room(self) -> int:
        """Lines that can be in sight."""
        return self.most_lines or max(self.scrollable_content_region.height, 1)

    # What a subclass gives

    def build(self, view: View, width: int) -> list[Row]:
        """The rows for a width in cells."""
        raise NotImplementedError

    # Showing

    def show(self, view: View) -> None:
        """Show another view; only what differs is painted."""
        self.view = view
        self._rebuild()

    @property
    def wanted_height(self) -> int:
        """Lines that the list would fill."""
        return len(self._flat)

    @property
    def keys(self) -> list[str]:
        """The keys of the rows that can be selected, from top to bottom."""
        return [row.key for row in self._rows if row.key is not None]

    def rows_above(self) -> Sequence[Row]:
        """The rows that begin above what is in sight."""
        numbers = {number for number, line in self._flat[: self.scroll_offset.y] if line == 0}
        return [self._rows[number] for number in sorted(numbers)]

    def on_screen_for(self, key: str) -> float:
        """Seconds for which the row has been in sight, about the same thing, without a break; 0 when it is not."""
        since = next((since for (seen, _), since in self._on_screen_since.items() if seen == key), None)
        return monotonic() - since if since is not None and self.is_on_screen else 0.0

    def select(self, key: str | None) -> None:
        """Select a row and bring it into sight."""
        if key != self.selected:
            self.selected = key
            self._rebuild()
            self.refresh()
            self._selection_changed()
        self._scroll_to_selected()

    def _selection_changed(self) -> None:
        self.post_message(Selected())

    def _rebuild(self, *, resized: bool = False) -> None:
        width = self.scrollable_content_region.width
        if self.view is None or width <= 0:
            return
        rows = tuple(self.build(self.view, width - 2))
        offset, before, lines = self._line_of(self.selected), self._selected_row, len(self._flat)
        was_empty, self._rows = not self.keys, rows
        self._flat = [(number, line) for number, row in enumerate(rows) for line in range(len(row.lines))]
        if self.selected is not None and self.selected not in self.keys:
            self.selected = None
        if self.selected is None and was_empty and self.keys:
            self.selected = self.keys[0]
            self._rebuild(resized=True)  # a selected row may have more lines
            self._selection_changed()
            return
        self.virtual_size = Size(width, len(self._flat))
        if was_empty and self.selected is not None:
            self.call_after_refresh(self._scroll_to_selected)  # it was selected before there were rows
        moved = self._line_of(self.selected)
        if offset is not None and moved is not None and moved != offset and self.max_scroll_y:
            self.scroll_to(y=self.scroll_y + moved - offset, animate=False, force=True)
        self._note_on_screen()
        if resized or moved != offset or lines != len(self._flat):
            self._painted.clear()
            self.refresh()
        else:
            top, bottom = self.scroll_offset.y, self.scroll_offset.y + self.size.height
            in_sight, self._painted = self._painted, {}
            for place, painted in in_sight.items():
                if top <= place < bottom:
                    if painted == self._line_at(place):
                        self._painted[place] = painted
                    else:
                        self.refresh_line(place)
        if _differ(self._selected_row, before):
            self._selection_changed()

    @property
    def _selected_row(self) -> Row | None:
        return next((row for row in self._rows if row.key is not None and row.key == self.selected), None)

    def render_line(self, y: int) -> Strip:
        """One line of the viewport."""
        width = self.scrollable_content_region.width
        place = y + self.scroll_offset.y
        if place >= len(self._flat):
            return Strip.blank(width, self.rich_style)
        line = self._painted[place] = self._line_at(place)
        key = self._rows[self._flat[place][0]].key
        chosen = key is not None and key == self.selected
        edge = Span("▌" if self.has_focus else "▏", "accent" if self.has_focus else "muted") if chosen else Span(" ")
        strip = self.paint((edge, *line), width, row="row--selected" if chosen and self.has_focus else "")
        return strip.apply_offsets(0, place)

    def _line_at(self, place: int) -> Line:
        number, line = self._flat[place]
        return self._rows[number].lines[line]

    def on_resize(self) -> None:
        """Lines are cut to the width; a selected row that was in sight stays in sight."""
        in_sight = any(key == self.selected for key, _ in self._on_screen_since)
        self._rebuild(resized=True)
        if in_sight:
            self._scroll_to_selected()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are in sight."""
        super().watch_scroll_y(old_value, new_value)
        self._note_on_screen()

    def on_show(self) -> None:
        """The pane came into sight."""
        self._on_screen_since.clear()
        self._note_on_screen()

    def _note_on_screen(self) -> None:
        top = self.scroll_offset.y
        bottom = top + self.size.height
        rows = [self._rows[number] for number in sorted({number for number, _ in self._flat[top:bottom]})]
        seen = [(row.key, row.about) for row in rows if row.key is not None]
        now = monotonic()
        self._on_screen_since = {row: self._on_screen_since.get(row, now) for row in seen}

    # Moving

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the past, first and last are events of the registry, wherever the keys go."""
        return action != "edge" or self.view is None or self.view.past is None

    def action_move(self, step: int) -> None:
        """Select the next or previous row."""
        keys = self.keys
        if not keys:
            return
        if self.selected not in keys:
            self.select(keys[0 if step > 0 else -1])
            return
        place = keys.index(self.selected) + step
        self.select(keys[min(max(place, 0), len(keys) - 1)])

    def action_page(self, direction: int) -> None:
        """Move by what fits on the screen."""
        per_row = max(1, len(self._flat) // max(1, len(self._rows)))
        self.action_move(direction * max(1, self.size.height // per_row - 1))

    def action_edge(self, direction: int) -> None:
        """Select the first or last row."""
        self.action_move(direction * len(self._rows))

    def on_click(self, event: events.Click) -> None:
        """Select the row under the mouse; a second click opens it."""
        offset = event.get_content_offset(self)
        place = offset.y + self.scroll_offset.y if offset is not None else -1
        if 0 <= place < len(self._flat) and (key := self._rows[self._flat[place][0]].key) is not None:
            self.select(key)
            if event.chain == 2:
                self.post_message(Opened())

    def _line_of(self, key: str | None) -> int | None:
        if key is None:
            return None
        return next((place for place, (number, _) in enumerate(self._flat) if self._rows[number].key == key), None)

    def _scroll_to_selected(self) -> None:
        place = self._line_of(self.selected)
        if place is not None:
            height = sum(1 for number, _ in self._flat if self._rows[number].key == self.selected)
            self.scroll_to_region(Region(0, place, 1, height), animate=False, force=True)


def _differ(one: Row | None, other: Row | None) -> bool:
    if one is None or other is None:
        return one is not other
    return (one.key, one.about, *one.lines) != (other.key, other.about, *other.lines)
