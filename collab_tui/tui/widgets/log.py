"""The log: every line of the registry, newest last. A frame costs what is in sight, however many lines there are.

Lines are looked up by position in pages; a page that is not at hand is asked of a thread and drawn when it came.
"""

from __future__ import annotations

import asyncio
import bisect
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from time import monotonic
from typing import ClassVar, Final

from textual import events, work
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from collab_tui.model.event import Event, Item
from collab_tui.model.glyphs import UNICODE, Glyphs
from collab_tui.model.moment import Moment
from collab_tui.model.query import Predicate
from collab_tui.model.signature import Standing
from collab_tui.model.summary import Span, separated, standing_span, summarize
from collab_tui.registry.base import Registry
from collab_tui.tui.actions import USUAL_FILTERS
from collab_tui.tui.messages import FilterChanged, Opened, Selected
from collab_tui.tui.safe import Line, fit, pad, pad_agent, words
from collab_tui.tui.widgets.painter import Painter

_PAGE: Final = 64
_MAX_PAGES: Final = 400
_SCANNED_AT_ONCE: Final = 4000
_TELL_EVERY: Final = 0.1
"""Seconds between counts that a running search tells."""


class LogPane(Painter, ScrollView, can_focus=True):
    """A window on the lines of the registry, perhaps filtered."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row--selected"}
    BORDER_TITLE = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "follow", "Last, and follow", show=False),
        *(Binding(key, f"usual({key})", what, show=False) for key, what, _ in USUAL_FILTERS),
    ]

    def __init__(self, registry: Registry) -> None:
        super().__init__(id="log")
        self.registry = registry
        self.selected: int | None = None
        """The position of the selected line; None: the newest is followed."""
        self.glyphs: Glyphs = UNICODE
        self._count = 0
        self._limit: int | None = None
        """The position in the past that is shown: no line after it is there yet; None: all are."""
        self._read = 0
        """How many of the lines can be looked up: fewer while a backlog is read."""
        self._generation = 0
        self._pages: OrderedDict[int, Sequence[Item]] = OrderedDict()
        self._asked: set[int] = set()
        self._fresh: dict[int, Item] = {}
        """The newest lines, as they came with the board."""
        self._matches: array[int] | None = None
        """Positions of the lines that pass the filter; None: all do."""
        self._predicate: Predicate | None = None
        self._title = "Log"
        self._scanned = 0
        self._today: str | None = None
        self._is_dated = False
        """Some line is not of today: then every time has its day."""
        self._strips: dict[tuple[int, int, str], Strip] = {}
        self._moment: Moment | None = None

    # Content

    def judge(self, moment: Moment) -> None:
        """Tell of decisions who wrote them, as far as this board knows."""
        before, self._moment = self._moment, moment
        if before is None or before.signs != moment.signs:
            self._strips.clear()
            self.refresh()

    def extend(self, count: int, read: int, latest: Sequence[Item], generation: int, now: datetime) -> None:
        """There are `count` lines now, and `latest` are the last of them; `read` of them can be looked up.

        Another generation is another registry.
        """
        today = f"{now.astimezone():%m-%d}"
        if generation != self._generation or count < self._count:
            self._forget(generation)
        if today != self._today:
            self._today = today
            self._strips.clear()
        if read != self._read:
            self._read = read
            self._asked.clear()  # what could not be looked up before perhaps can be now
        elif count == self._count and not latest:
            return
        following = self.is_following
        self._count = count
        for item in latest:
            self._fresh[item.position] = item
        for position in list(self._fresh)[: max(0, len(self._fresh) - 4 * _PAGE)]:
            del self._fresh[position]
        if self._predicate is not None:
            self._match_on(latest)
        self._resize(following)

    def limit(self, position: int | None) -> None:
        """Show only the lines before a position of the past; None shows all."""
        if position == self._limit:
            return
        following, self._limit = self.is_following, position
        if self.selected is not None and self.selected >= self._lines_there:
            self.selected, following = None, True
        self._resize(following)

    def filter(self, query: str, predicate: Predicate | None) -> None:
        """Show only the lines that pass, with the query in the title; None shows all."""
        self._title = f"Log  {query}".rstrip()
        self.workers.cancel_group(self, "log-scan")
        self._predicate = predicate
        self._matches = None if predicate is None else array("Q")
        self._scanned = 0
        self.selected = None
        if predicate is not None and self._count:
            self._scan()
        self._resize(following=True)

    @property
    def is_following(self) -> bool:
        """The newest line is in sight and none is selected."""
        return self.selected is None and self.scroll_offset.y >= self.max_scroll_y - 1

    @property
    def _lines_there(self) -> int:
        """How many lines there are at the position that is shown."""
        return self._count if self._limit is None else min(self._count, self._limit)

    @property
    def rows(self) -> int:
        """Lines that can be scrolled to."""
        if self._matches is None:
            return self._lines_there
        return len(self._matches) if self._limit is None else bisect.bisect_left(self._matches, self._limit)

    @property
    def last_position(self) -> int | None:
        """The position of the newest line that passes the filter."""
        if not self.rows:
            return None
        return self._lines_there - 1 if self._matches is None else self._matches[self.rows - 1]

    def item(self, position: int) -> Item | None:
        """A line, if it is at hand; else it is asked for."""
        if (item := self._fresh.get(position)) is not None:
            return item
        number = position // _PAGE
        page = self._pages.get(number)
        if page is not None:
            self._pages.move_to_end(number)
            place = position - number * _PAGE
            if place < len(page):
                return page[place]
        if number not in self._asked:
            self._asked.add(number)
            self._load(number)
        return None

    def _forget(self, generation: int) -> None:
        self._generation, self._count, self._read = generation, 0, 0
        self._is_dated = False
        self._pages.clear()
        self._fresh.clear()
        self._asked.clear()
        self._strips.clear()
        self.selected = None
        if self._predicate is not None:
            self._matches, self._scanned = array("Q"), 0

    @work(group="log-load")
    async def _load(self, number: int) -> None:
        generation = self._generation
        page = await asyncio.to_thread(self.registry.items, number * _PAGE, (number + 1) * _PAGE)
        if generation == self._generation and len(page) >= min(_PAGE, self._count - number * _PAGE):
            self._asked.discard(number)
            self._pages[number] = page
            if len(self._pages) > _MAX_PAGES:
                self._pages.popitem(last=False)
            self.refresh()

    def _match_on(self, latest: Sequence[Item]) -> None:
        """Match the new lines at once when they follow what was scanned, else scan on."""
        assert self._predicate is not None and self._matches is not None  # noqa: S101, PT018  # the caller asked
        if latest and latest[0].position <= self._scanned and self._scanned <= latest[-1].position + 1:
            self._matches.extend(
                item.position for item in latest if item.position >= self._scanned and self._predicate(item)
            )
            self._scanned = latest[-1].position + 1
        elif self._scanned < self._read:
            self._scan()

    @work(group="log-scan", exclusive=True)
    async def _scan(self) -> None:
        """Go through the lines that were not matched yet, in a thread, telling the count on the way."""
        predicate, generation = self._predicate, self._generation
        told = monotonic()
        while predicate is not None and self._scanned < self._read and self._predicate is predicate:
            first, last = self._scanned, min(self._scanned + _SCANNED_AT_ONCE, self._read)
            found = await asyncio.to_thread(self._matching, predicate, first, last)
            if generation != self._generation or self._predicate is not predicate or self._matches is None:
                return
            following = self.is_following
            self._matches.extend(found)
            self._scanned = last
            if monotonic() - told > _TELL_EVERY or last == self._read:
                told = monotonic()
                self._resize(following)

    def _matching(self, predicate: Predicate, first: int, last: int) -> list[int]:
        return [item.position for item in self.registry.items(first, last) if predicate(item)]

    def _resize(self, following: bool) -> None:
        width = self.scrollable_content_region.width
        self.virtual_size = Size(width, self.rows)
        if following:
            self.scroll_end(animate=False, force=True, immediate=True)
        total = f"{self._lines_there:,}".replace(",", " ")
        if self._matches is None:
            self.entitle(self._title, total if self._lines_there else "")
        else:
            more = "..." if self._scanned < self._lines_there else ""
            self.entitle(self._title, f"{self.rows:,}{more} of {total}".replace(",", " "))
        self.refresh()
        self.post_message(Selected())

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One line of the viewport."""
        row = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if row >= self.rows:
            return Strip.blank(width, self.rich_style)
        position = row if self._matches is None else self._matches[row]
        chosen = position == self.selected
        state = "" if not chosen else "focused" if self.has_focus else "chosen"
        strip = self._strips.get((position, width, state))
        if strip is None:
            item = self.item(position)
            if item is None:
                return self.paint([Span("  …", "muted")], width)
            edge = (
                Span("▌" if self.has_focus else "▏", "accent" if self.has_focus else "muted") if chosen else Span(" ")
            )
            line = self._line(item, width - 2)
            strip = self.paint((edge, *line), width, row="row--selected" if state == "focused" else "")
            if len(self._strips) > 4 * _PAGE:
                self._strips.clear()
            if self._moment is None or position < self._moment.board.position:
                # Else it is not known yet who wrote it: the board is still to read that line.
                self._strips[position, width, state] = strip
        return strip.apply_offsets(0, row)

    def _line(self, item: Item, width: int) -> Line:
        wide = width >= 90
        at = item.time if isinstance(item, Event) else None
        if at is not None and not self._is_dated and f"{at.astimezone():%m-%d}" != self._today:
            self._is_dated = True
            self._strips.clear()
            self.refresh()
        spans = [Span(self._time(at, wide) + "  ", "muted")]
        if isinstance(item, Event):
            spans.append(Span(pad_agent(words(item.agent), 12 if wide else 8) + "  ", "strong"))
            if wide:
                spans.append(Span(pad(words(item.kind), 18) + "  ", "muted"))
        request = self._moment.request_of(item) if self._moment is not None and isinstance(item, Event) else None
        summary = list(separated(summarize(item, self.glyphs, request)))
        if not wide and isinstance(item, Event) and not summary:
            summary = [Span(words(item.kind), "muted")]
        return fit(
            [*spans, *(Span(words(span.text) if span.text.strip() else span.text, span.role) for span in summary)],
            width,
            self._mark(item, wide),
        )

    def _mark(self, item: Item, wide: bool) -> list[Span]:
        """Who wrote a decision, as far as that can be said."""
        judgement = self._moment.judgement(item) if self._moment is not None and isinstance(item, Event) else None
        if judgement is None:
            return []
        if judgement.standing is Standing.SIGNED and not wide:
            return [Span(self.glyphs.signed, "success")]
        return [standing_span(judgement.standing, self.glyphs)]

    def _time(self, at: datetime | None, wide: bool) -> str:
        """The time of day, with the day where it is not today; always as wide."""
        if at is None:
            return " " * ((14 if self._is_dated else 8) if wide else 5)
        local = at.astimezone()
        if wide:
            return f"{local:%m-%d %H:%M:%S}" if self._is_dated else f"{local:%H:%M:%S}"
        day = f"{local:%m-%d}"
        return f"{local:%H:%M}" if day == self._today else day

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        """Lines are cut to the width."""
        self._strips.clear()
        self._resize(self.selected is None)

    def on_focus(self) -> None:
        """The selected line shows where the keys go."""
        self._strips.clear()

    def on_blur(self) -> None:
        """See `on_focus`."""
        self._strips.clear()

    # Moving

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the past, first and last are events of the registry, wherever the keys go."""
        return self._limit is None or action not in ("first", "follow")

    def _row_of(self, position: int) -> int:
        if self._matches is None:
            return position
        return bisect.bisect_left(self._matches, position)

    def action_move(self, step: int) -> None:
        """Select the next or previous line; from following, the newest."""
        if not self.rows:
            return
        row = self.rows - 1 if self.selected is None else self._row_of(self.selected) + step
        self._select_row(min(max(row, 0), self.rows - 1))

    def action_page(self, direction: int) -> None:
        """Move by what fits on the screen."""
        self.action_move(direction * max(1, self.scrollable_content_region.height - 1))

    def action_first(self) -> None:
        """Select the first line."""
        if self.rows:
            self._select_row(0)

    def action_follow(self) -> None:
        """Select nothing and follow the newest line."""
        self.selected = None
        self._strips.clear()
        self.scroll_end(animate=False, force=True)
        self.refresh()
        self.post_message(Selected())

    def action_usual(self, number: int) -> None:
        """Filter in a usual way."""
        self.post_message(FilterChanged(USUAL_FILTERS[number - 1][2]))

    def _select_row(self, row: int) -> None:
        self.selected = row if self._matches is None else self._matches[row]
        self.scroll_to_region(Region(0, row, 1, 1), animate=False, force=True)
        self.refresh()
        self.post_message(Selected())

    def on_click(self, event: events.Click) -> None:
        """Select the line under the mouse; a second click opens it."""
        offset = event.get_content_offset(self)
        row = offset.y + self.scroll_offset.y if offset is not None else -1
        if 0 <= row < self.rows:
            self._select_row(row)
            if event.chain == 2:
                self.post_message(Opened())
