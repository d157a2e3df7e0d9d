"""One line of the registry: its fields, the line as written, where it stands, and what it changed on the board."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from textual import work
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from collab_tui.model.event import Event, Item, as_text
from collab_tui.model.explain import Change, changes
from collab_tui.model.fold import Fold
from collab_tui.model.text import clean
from collab_tui.registry.base import Registry
from collab_tui.tui.safe import MUTED, words
from collab_tui.tui.screens.dialog import Dialog

_MAX_VALUE = 4000
_MAX_RAW = 8000
_PIECE = 5000


class EventScreen(Dialog[None]):
    """Everything about one line. What it changed is found by folding up to it, in a thread."""

    HINTS = (("up down", "scroll"), ("esc", "close"))

    def __init__(self, item: Item, registry: Registry, person: str) -> None:
        super().__init__()
        self._item = item
        self._registry = registry
        self._person = person

    def title_text(self) -> str:
        """Which line."""
        return f"Line {self._item.position + 1}"

    def body(self) -> Iterable[Widget]:
        """Fields, changes, the raw line."""
        item = self._item
        if isinstance(item, Event):
            for name, value in item.data.items():
                text = as_text(value)
                shown = text[:_MAX_VALUE] + (
                    f" ... {len(text) - _MAX_VALUE} more characters" if len(text) > _MAX_VALUE else ""
                )
                yield Static(Content.assemble((f"{words(name):<18}", MUTED), shown), classes="field")
        else:
            yield Static(Content.styled(f"This line cannot be read: {item.reason}", "$warning"))
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
        return f"{place}, id {self._item.id}" if isinstance(self._item, Event) else place

    @work(group="changes", exclusive=True)
    async def _find_changes(self) -> None:
        place = await asyncio.to_thread(self._registry.place_of, self._item.position)
        self.query_one("#place", Static).update(Content.styled(self._place(f", {place}" if place else ""), MUTED))
        found = await asyncio.to_thread(self._changes)
        if found is None:
            told = Content("It cannot be told yet: the lines before it are not all read.")
        else:
            told = Content("\n").join([_told(change) for change in found] or [Content("nothing but its sign of life")])
        self.query_one("#changes", Static).update(told)

    def _changes(self) -> list[Change] | None:
        """What differs between the boards before and after the line; None while a line before it is missing."""
        fold = Fold(self._person)
        for first in range(0, self._item.position, _PIECE):
            last = min(first + _PIECE, self._item.position)
            items = self._registry.items(first, last)
            if len(items) != last - first:
                return None
            fold.extend(items)
        before = fold.board()
        fold.extend((self._item,))
        return changes(before, fold.board())


def _told(change: Change) -> Content:
    arrow = f"{words(change.before)} → {words(change.after)}" if change.before else words(change.after) or "(none)"
    return Content.assemble((f"{words(change.subject):<18}", MUTED), f"{words(change.name)}: {arrow}")
