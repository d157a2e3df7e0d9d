"""What is wrong with the registry and around it, and what to do: the list of `collab-tui doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from textual import work
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from collab_tui.model.findings import (
    SUBJECT_TITLES,
    Finding,
    count_of,
    counts_text,
    finding_spans,
    grouped,
    severity_span,
)
from collab_tui.model.glyphs import Glyphs
from collab_tui.model.summary import Span
from collab_tui.registry.append import RegistryError
from collab_tui.tui.safe import content, words
from collab_tui.tui.screens.dialog import Dialog

Look = Callable[[], Sequence[Finding]]
"""Finds what is wrong; may take a while. Raises `RegistryError` when it cannot look."""


class ProblemsScreen(Dialog[None]):
    """Grouped, the most serious first; worked out in a thread when it is opened."""

    TITLE_TEXT = "Problems"
    HINTS = (("up down", "scroll"), ("esc", "close"))

    def __init__(self, look: Look, glyphs: Glyphs) -> None:
        super().__init__()
        self._look = look
        self._glyphs = glyphs

    def body(self) -> Iterable[Widget]:
        """Until it is known what there is."""
        yield Static("looking...", id="looking")

    def on_mount(self) -> None:
        """The keys scroll."""
        self.query_one("#body").focus()
        self._find()

    @work(group="problems", exclusive=True)
    async def _find(self) -> None:
        try:
            findings = await asyncio.to_thread(self._look)
        except RegistryError as error:
            self.put("#looking", content([Span(words(str(error)), "warning")]))
            return
        await self.query("#looking").remove()
        for body in self.query("#body"):
            await body.mount(*self._groups(findings))
        for box in self.query("#dialog"):
            box.border_subtitle = Content(counts_text(count_of(findings)))

    def _groups(self, findings: Sequence[Finding]) -> Iterable[Widget]:
        if not findings:
            yield Static("Nothing odd was found.")
        for subject, group in grouped(findings):
            yield Static(Content(SUBJECT_TITLES[subject]), classes="heading")
            for finding in group:
                yield self._line(finding)

    def _line(self, finding: Finding) -> Widget:
        sign = Static(content([severity_span(finding.severity, self._glyphs)]), classes="sign")
        told = Static(Content("\n").join(map(content, finding_spans(finding))), classes="told")
        return Horizontal(sign, told, classes="finding")
