"""A text of many lines that is only read, over the whole screen: a diff, a log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from collab_tui.model.summary import Span
from collab_tui.model.text import clean
from collab_tui.tui.machine import HereError
from collab_tui.tui.safe import Line, words
from collab_tui.tui.screens.dialog import Dialog, hints
from collab_tui.tui.widgets.text_lines import BrokenLines, TextLines

_MOST_LINES = 20_000
_LONGEST = 2000
"""Characters of one line."""
Read = Callable[[], str]
"""Gives the text; in a thread. Raises `HereError` with why there is none."""
Paint = Callable[[str], str]
"""The role of a line."""


class ReadingScreen(Dialog[None]):
    """Reads its text when it is opened."""

    HINTS = (("up down", "scroll"), ("left right", "sideways"), ("home end", "first, last"), ("esc", "close"))

    def __init__(self, title: str, read: Read, role_of: Paint, empty: str, *, is_prose: bool = False) -> None:
        """Lines of prose are broken where they are too long; others scroll sideways."""
        super().__init__()
        self._title = title
        self._read_text = read
        self._role_of = role_of
        self._empty = empty
        self._is_prose = is_prose

    def compose(self) -> ComposeResult:
        """The text and the keys."""
        with Vertical(id="dialog") as box:
            box.border_title = Content(words(self._title))
            yield BrokenLines(id="lines") if self._is_prose else TextLines(id="lines")
            yield Static(hints(self.hints()), id="hints")

    def on_mount(self) -> None:
        """The keys scroll."""
        self._tell([(Span("reading...", "muted"),)])
        self.query_one(TextLines).focus()
        self._read()

    def hints(self) -> Sequence[tuple[str, str]]:
        """Of prose nothing is at the side."""
        return [hint for hint in self.HINTS if not (self._is_prose and hint[1] == "sideways")]

    def on_resize(self) -> None:
        """The text fills what there is."""

    @work(group="reading", exclusive=True)
    async def _read(self) -> None:
        try:
            told = await asyncio.to_thread(self._lines)
        except HereError as error:
            told = [(Span(words(str(error)), "warning"),)]
        except Exception as error:  # whatever stands there was written by others
            told = [(Span(words(f"It cannot be read: {type(error).__name__}: {error}"), "warning"),)]
        self._tell(told)

    def _tell(self, told: Sequence[Line]) -> None:
        for lines in self.query(TextLines):
            lines.tell_of(self._title, told) if isinstance(lines, BrokenLines) else lines.tell(told)

    def _lines(self) -> Sequence[Line]:
        text = self._read_text()
        if not text.strip():
            return [(Span(self._empty, "muted"),)]
        return list(lines_of(text, self._role_of))


def lines_of(text: str, role_of: Paint) -> Iterable[Line]:
    """Lines of a text from outside, cleaned; of a long one the first, and how many are not shown."""
    lines = text.split("\n")
    for line in lines[:_MOST_LINES]:
        shown = clean(line[:_LONGEST].rstrip("\r").expandtabs(4))
        yield (Span(words(shown) if not shown.strip() else shown, role_of(line)),)
    if (more := len(lines) - _MOST_LINES) > 0:
        yield (Span(f"... {more:,} more lines are not shown", "muted"),)


def diff_role(line: str) -> str:
    """How a line of a diff is shown."""
    match line[:1], line:
        case _, str() if line.startswith(("diff ", "+++ ", "--- ", "# ")):
            return "strong"
        case "+", _:
            return "success"
        case "-", _:
            return "error"
        case "@", _:
            return "accent"
    return "text"


def log_role(line: str) -> str:
    """How a line of a worker's log is shown: its parts begin with their names."""
    return "accent" if line.startswith("== ") else "text"
