"""The keys, by what they are for."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from collab_tui.model.summary import Span
from collab_tui.tui.actions import ACTIONS, USUAL_FILTERS
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.safe import content
from collab_tui.tui.screens.dialog import Dialog

_LISTS = (
    ("up down", "select another row (also k and j)"),
    ("home end", "first and last; in the log, end follows the newest line"),
    ("click", "select; a second click opens"),
    ("esc", "close a dialog; empty the filter"),
    ("ctrl+p", "every command by name"),
    *((("ctrl+z", "into the background, until the shell's fg"),) if sys.platform != "win32" else ()),
)


class KeysScreen(Dialog[None]):
    """Every action with its key, from their one declaration."""

    TITLE_TEXT = "Keys"

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap

    def body(self) -> Iterable[Widget]:
        """One block a group."""
        for group in dict.fromkeys(action.group for action in ACTIONS):
            spans = [Span(f"{group}\n", "strong")]
            for action in ACTIONS:
                if action.group == group:
                    spans += [Span(f"  {self._keymap.all_text(action):<12}", "accent"), Span(f"{action.title}\n")]
            if group == "Move":
                spans += [s for key, what in _LISTS for s in (Span(f"  {key:<12}", "accent"), Span(f"{what}\n"))]
            if group == "Look":
                spans += [Span("  in the log\n", "muted")]
                spans += [
                    s for key, what, _ in USUAL_FILTERS for s in (Span(f"    {key:<10}", "accent"), Span(f"{what}\n"))
                ]
            yield Static(content(spans))

    def on_mount(self) -> None:
        """The keys scroll."""
        self.query_one("#body").focus()
