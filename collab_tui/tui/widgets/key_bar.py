"""The footer: the keys that work now, the most useful first, as many as fit. A click is a key press."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events

from collab_tui.model.summary import Span
from collab_tui.tui.actions import Action
from collab_tui.tui.safe import width_of
from collab_tui.tui.widgets.header import OneLine


class KeyBar(OneLine):
    """One line of keys."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._actions: tuple[Action, ...] = ()
        self._places: list[tuple[int, int, Action]] = []

    def show(self, actions: Iterable[Action]) -> None:
        """Show these actions."""
        self._actions = tuple(sorted(actions, key=lambda action: action.weight))
        self._lay_out()

    def on_resize(self) -> None:
        """More or fewer fit."""
        self._lay_out()

    def _lay_out(self) -> None:
        """The list of keys stands last but is never left out."""
        last = [action for action in self._actions if action.weight == 0]
        first = [action for action in self._actions if action.weight > 0]
        room = self.size.width - 1 - sum(width_of(_spans(action)) for action in last)
        chosen: list[Action] = []
        for action in first:
            room -= width_of(_spans(action))
            if room < 0:
                break
            chosen.append(action)
        spans: list[Span] = [Span(" ")]
        self._places = []
        for action in (*chosen, *last):
            start = width_of(spans)
            spans += _spans(action)
            self._places.append((start, width_of(spans), action))
        self.line = tuple(spans)

    async def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        for start, end, action in self._places:
            if start <= event.x < end:
                await self.screen.run_action(action.method)


def _spans(action: Action) -> list[Span]:
    return [Span(action.key_text, "accent"), Span(f" {action.label}  ", "muted")]
