"""Choosing one of several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList

from collab_tui.tui.screens.dialog import Dialog


class ChooseScreen(Dialog[int]):
    """Gives the number of the chosen label, counted from 0."""

    HINTS = (("enter", "choose"), ("esc", "cancel"))

    def __init__(self, title: str, labels: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._labels = labels

    def title_text(self) -> str:
        """The question."""
        return self._title

    def body(self) -> Iterable[Widget]:
        """The labels, taken literally."""
        yield OptionList(*(Content(label) for label in self._labels), markup=False)

    def on_mount(self) -> None:
        """The keys go to the list."""
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)
