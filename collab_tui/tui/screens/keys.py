"""The keys, by what they are for."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from collab_tui.model.summary import Span
from collab_tui.tui.actions import USUAL_FILTERS, Page, Where, actions_of
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.safe import content
from collab_tui.tui.screens.dialog import Dialog

_ENDS = ("home end", "first and last; in the log, end follows the newest line")
_LISTS = (
    ("up down", "select another row (also k and j)"),
    _ENDS,
    ("click", "select; a second click opens"),
    ("esc", "close a dialog; empty the filter"),
    ("ctrl+p", "every command by name"),
    *((("ctrl+z", "into the background, until the shell's fg"),) if sys.platform != "win32" else ()),
)

_LISTED_WITH = {Page.BOARD: "Move", Page.SESSIONS: "Sessions", Page.WORKERS: "Workers", Page.RUNS: "Runs"}
"""Screen -> the group of its keys below which those of lists stand."""
_FIRST = ("Sessions", "Workers", "Runs")
"""Groups that come first where they are."""


class KeysScreen(Dialog[None]):
    """Every action of a screen with its key, from their one declaration."""

    TITLE_TEXT = "Keys"

    def __init__(self, keymap: Keymap, page: Page, is_past: bool) -> None:
        """The board, from which one goes into the past, lists the keys of the past always."""
        super().__init__()
        self._keymap = keymap
        self._page = page
        self._is_past = is_past

    def body(self) -> Iterable[Widget]:
        """One block a group."""
        has_past = self._is_past or self._page is Page.BOARD
        absent = {Where.PRESENT} if self._is_past and self._page is not Page.BOARD else set[Where]()
        absent |= set() if has_past else {Where.PAST}
        actions = [action for action in actions_of(self._page) if action.where not in absent]
        first = ("Past", *_FIRST) if self._is_past else _FIRST
        lists = [line for line in _LISTS if not self._is_past or line is not _ENDS]  # there they move in time
        for group in sorted({action.group: None for action in actions}, key=lambda group: (*first, group).index(group)):
            spans = [Span(f"{group}\n", "strong")]
            for action in actions:
                if action.group == group:
                    spans += [Span(f"  {self._keymap.all_text(action):<12}", "accent"), Span(f"{action.title}\n")]
            if group == _LISTED_WITH[self._page]:
                spans += [s for key, what in lists for s in (Span(f"  {key:<12}", "accent"), Span(f"{what}\n"))]
            if group == "Look" and self._page is Page.BOARD:
                spans += [Span("  in the log\n", "muted")]
                spans += [
                    s for key, what, _ in USUAL_FILTERS for s in (Span(f"    {key:<10}", "accent"), Span(f"{what}\n"))
                ]
            yield Static(content(spans))

    def on_mount(self) -> None:
        """The keys scroll."""
        self.query_one("#body").focus()
