"""Where values come from: line, writer, age and rule of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from textual import work
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.event import Event
from collab_tui.model.explain import Explanation
from collab_tui.model.moment import Moment
from collab_tui.registry.base import Registry
from collab_tui.tui.safe import MOST_ENTRIES, MUTED, words
from collab_tui.tui.screens.dialog import Dialog

Explainer = Callable[[dict[int, Event]], Sequence[Explanation]]
"""Makes the explanations from the events that set the values."""


class ExplainScreen(Dialog[None]):
    """A list of values, each with the line that set it. The lines are read when it is opened."""

    HINTS = (("up down", "scroll"), ("esc", "close"))

    def __init__(
        self, title: str, positions: Iterable[int], explain: Explainer, registry: Registry, moment: Moment
    ) -> None:
        super().__init__()
        self._title = title
        self._positions = sorted(set(positions))
        self._explain = explain
        self._registry = registry
        self._moment = moment

    def title_text(self) -> str:
        """What is explained; the subject itself stands in the body."""
        return "Where it comes from"

    def body(self) -> Iterable[Widget]:
        """The subject, then its values."""
        yield Static(Content.styled(words(self._title), "bold"))
        yield Static("reading the lines...", id="explanations")

    def on_mount(self) -> None:
        """Read the lines that set the values."""
        self.query_one("#body").focus()
        self._read()

    @work(group="explain", exclusive=True)
    async def _read(self) -> None:
        setters = await asyncio.to_thread(self._events)
        explanations = self._explain(setters)
        told = [self._told(explanation, setters) for explanation in explanations[:MOST_ENTRIES]]
        if (more := len(explanations) - MOST_ENTRIES) > 0:
            told.append(Content(f"... {more:,} more are not shown"))
        self.put("#explanations", Content("\n\n").join(told))

    def _events(self) -> dict[int, Event]:
        items = (item for position in self._positions for item in self._registry.items(position, position + 1))
        return {item.position: item for item in items if isinstance(item, Event)}

    def _told(self, explanation: Explanation, setters: dict[int, Event]) -> Content:
        event = setters.get(explanation.position)
        seconds = seconds_between(event.time, self._moment.now) if event else None
        facts = [f"line {explanation.position + 1}"]
        facts += [words(event.agent)] if event and event.agent else []
        facts += [f"{age(seconds)} ago"] if seconds is not None else []
        return Content.assemble(
            (f"{words(explanation.name):<14}  ", MUTED),
            f"{words(explanation.value)}\n",
            (f"  {', '.join(facts)}: {words(explanation.rule)}", MUTED),
        )
