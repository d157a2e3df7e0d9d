"""One line of the registry: its fields, the line as written, where it stands, and what it changed on the board."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from textual import work
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from collab_tui.model.board import Board
from collab_tui.model.event import Event, Item, as_id, as_text
from collab_tui.model.explain import Change, changes
from collab_tui.model.fold import Fold
from collab_tui.model.summary import STANDING_ROLES, Span, standing_words
from collab_tui.model.text import clean
from collab_tui.protocol.trust import Trust
from collab_tui.registry.base import Registry
from collab_tui.tui.safe import MOST_ENTRIES, MUTED, content, excerpt, words
from collab_tui.tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from collab_tui.model.timeline import Timeline

_MAX_VALUE = 4000
_MAX_RAW = 8000
_PIECE = 5000


class EventScreen(Dialog[None]):
    """Everything about one line. What it changed is found by folding up to it, in a thread.

    `timeline` holds folds near to it; without one every line before it is folded.
    """

    HINTS = (("up down", "scroll"), ("esc", "close"))

    def __init__(self, item: Item, registry: Registry, trust: Trust, timeline: Timeline | None = None) -> None:
        super().__init__()
        self._item = item
        self._registry = registry
        self._trust = trust
        self._timeline = timeline

    def title_text(self) -> str:
        """Which line."""
        return f"Line {self._item.position + 1}"

    def body(self) -> Iterable[Widget]:
        """Fields, changes, the raw line."""
        item = self._item
        if isinstance(item, Event):
            for name, value in islice(item.data.items(), MOST_ENTRIES):
                shown = excerpt(as_text(value), _MAX_VALUE)
                yield Static(Content.assemble((f"{words(name):<18}", MUTED), shown), classes="field")
            if (others := len(item.data) - MOST_ENTRIES) > 0:
                yield Static(Content.styled(f"... {others:,} more fields are not shown", MUTED))
        else:
            yield Static(Content.styled(f"This line cannot be read: {item.reason}", "$warning"))
        if isinstance(item, Event) and self._trust.concerns(item):
            yield Static("Who wrote it", classes="heading")
            yield Static("checking...", id="standing")
        yield Static("What it changed", classes="heading")
        yield Static("folding...", id="changes")
        yield Static("The line as written", classes="heading")
        raw = clean(item.line[:_MAX_RAW].decode("utf-8", "backslashreplace"))
        more = f" ... {len(item.line) - _MAX_RAW:,} more bytes" if len(item.line) > _MAX_RAW else ""
        yield Static(Content.styled(raw + more, MUTED))
        yield Static(Content.styled(self._place(""), MUTED), id="place")

    def on_mount(self) -> None:
        """Find out what it changed."""
        self.query_one("#body").focus()
        self._find_changes()

    def _place(self, offset: str) -> str:
        place = f"line {self._item.position + 1}{offset}, {len(self._item.line) + 1:,} bytes long"
        return f"{place}, id {words(self._item.id)}" if isinstance(self._item, Event) else place

    @work(group="changes", exclusive=True)
    async def _find_changes(self) -> None:
        place = await asyncio.to_thread(self._registry.place_of, self._item.position)
        self.put("#place", Content.styled(self._place(f", {place}" if place else ""), MUTED))
        boards = await asyncio.to_thread(self._boards)
        if boards is None:
            told = Content("It cannot be told yet: the lines before it are not all read.")
        else:
            found = changes(*boards)
            told = Content("\n").join(_told(change) for change in found[:MOST_ENTRIES])
            if (more := len(found) - MOST_ENTRIES) > 0:
                told += Content(f"\n... {more:,} more are not shown")
            told = told or Content("nothing but its sign of life")
            await self._tell_standing(boards[0])
        self.put("#changes", told)

    async def _tell_standing(self, before: Board) -> None:
        """Say who wrote a decision, as checked against the board that it was made on."""
        item = self._item
        if not isinstance(item, Event) or not self._trust.concerns(item):
            return
        request = before.request(as_id(item.data.get("request_id")))
        event = request.event if request is not None else None
        judgement = await asyncio.to_thread(self._trust.judge, item, event, before.registry_id)
        standing = Span(standing_words(judgement.standing), STANDING_ROLES[judgement.standing])
        told = content([standing, Span(f"  {words(judgement.reason)}")])
        self.put("#standing", told)

    def _boards(self) -> tuple[Board, Board] | None:
        """The boards before and after the line; None while a line before it is missing."""
        timeline, position = self._timeline, self._item.position
        fold = timeline.fold_before(position) if timeline is not None else Fold(self._trust.person)
        for first in range(fold.position, position, _PIECE):
            last = min(first + _PIECE, position)
            items = self._registry.items(first, last)
            if len(items) != last - first:
                return None
            fold.extend(items)
        before = fold.board()
        fold.extend((self._item,))
        return before, fold.board()


def _told(change: Change) -> Content:
    arrow = f"{words(change.before)} → {words(change.after)}" if change.before else words(change.after) or "(none)"
    return Content.assemble((f"{words(change.subject):<18}", MUTED), f"{words(change.name)}: {arrow}")
