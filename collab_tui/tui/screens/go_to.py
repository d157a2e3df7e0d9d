"""Asking where to go in the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from collab_tui.model.places import Place, parse_place
from collab_tui.model.summary import Span
from collab_tui.tui.safe import content
from collab_tui.tui.screens.dialog import Dialog

_EXAMPLES = (
    ("214", "event number 214"),
    ("16:31, 16:31:30", "that time, on the day that is shown"),
    ("10-19 16:31", "that day; also 2025-10-19 and any ISO 8601 time"),
    ("+5m, -1h30m", "so much later or earlier"),
    ("50%", "half of the events"),
)


class GoToScreen(Dialog[None]):
    """One line for a number or a time. It stays open, and says why, when that means no place."""

    TITLE_TEXT = "Go to"
    HINTS = (("enter", "go"), ("esc", "close"))

    def __init__(self, go: Callable[[Place], None]) -> None:
        """`go` raises `ValueError` with a sentence when the place means none there."""
        super().__init__()
        self._go = go

    def body(self) -> Iterable[Widget]:
        """The line, and what can be written there."""
        yield Input(placeholder="event number or time", id="place", compact=True)
        yield Static(
            content(
                span for text, what in _EXAMPLES for span in (Span(f"{text:<18}", "accent"), Span(f"{what}\n", "muted"))
            )
        )

    def on_mount(self) -> None:
        """The keys go to the line."""
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _changed(self) -> None:
        self.complain("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if not event.value.strip():
            self.dismiss(None)
            return
        try:
            self._go(parse_place(event.value))
        except ValueError as error:
            self.complain(f"{str(error)[:1].upper()}{str(error)[1:]}.")
        else:
            self.dismiss(None)
