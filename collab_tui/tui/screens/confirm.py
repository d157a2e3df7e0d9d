"""Asking once more. Cancel is what enter does."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from collab_tui.tui.screens.dialog import Dialog


class ConfirmScreen(Dialog[bool]):
    """Gives True only when the person chose to go on."""

    TITLE_TEXT = "Sure?"
    FOOT_HEIGHT = 2
    HINTS = (("tab", "other button"), ("enter", "press it"), ("esc", "cancel"))

    def __init__(self, text: str, go_on: str, stay: str = "Cancel") -> None:
        super().__init__()
        self._stay = stay
        self._text = text
        self._go_on = go_on

    def body(self) -> Iterable[Widget]:
        """What would be done."""
        yield Static(Content(self._text), id="question")

    def tell(self, text: str) -> None:
        """What would be done is something else by now."""
        if text != self._text:
            self._text = text
            self.put("#question", Content(text))

    def foot(self) -> Iterable[Widget]:
        """The two buttons."""
        yield Horizontal(
            Button(Content(self._stay), id="cancel", variant="primary", compact=True),
            Button(Content(self._go_on), id="go-on", variant="warning", compact=True),
            id="buttons",
        )

    def on_mount(self) -> None:
        """Enter cancels."""
        self.query_one("#cancel").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "go-on")
