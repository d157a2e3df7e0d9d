"""The frame of every dialog: a title, what it is about, the keys that work in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from collab_tui.model.summary import Span
from collab_tui.tui.safe import ROLE_CLASSES, content, cut, words

Result = TypeVar("Result")
_FRAME = 6
"""Lines of border, padding and keys, and one that stays free."""
_FACTS_WIDTH = 84
"""Cells inside a dialog that is as wide as they get."""
_NAMES = 12
"""Cells of the column of names."""


class Dialog(ModalScreen[Result]):
    """A modal box; escape closes it without a result."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False),
        Binding("ctrl+z", "app.suspend_process", "Into the background", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = set(ROLE_CLASSES)
    TITLE_TEXT = ""
    FOOT_HEIGHT: ClassVar[int] = 0
    """Lines of `foot`; what is left of the terminal is the body's."""
    HINTS: ClassVar[Sequence[tuple[str, str]]] = (("esc", "close"),)

    def compose(self) -> ComposeResult:
        """Title, body and keys; a subclass gives the body."""
        with Vertical(id="dialog") as box:
            box.border_title = Content(self.title_text())
            with VerticalScroll(id="body", can_focus=True):
                yield from self.body()
            yield from self.foot()
            yield Static(id="wrong")
            yield Static(hints(self.hints()), id="hints")

    def on_resize(self) -> None:
        """The body scrolls before the foot is pushed out of sight."""
        for body in self.query("#body"):
            told = sum(wrong.size.height for wrong in self.query("#wrong") if wrong.display)
            body.styles.max_height = max(2, self.size.height - _FRAME - self.FOOT_HEIGHT - told)

    def title_text(self) -> str:
        """What the frame says; never text from events."""
        return self.TITLE_TEXT

    def body(self) -> Iterable[Widget]:
        """What scrolls."""
        return ()

    def foot(self) -> Iterable[Widget]:
        """What stands below and does not scroll."""
        return ()

    def hints(self) -> Sequence[tuple[str, str]]:
        """The keys that work."""
        return self.HINTS

    def complain(self, text: str) -> None:
        """Say what went wrong or is going on, above the keys; an empty text takes no line."""
        self.put("#wrong", Content(text))
        self.query("#wrong").set(display=bool(text))
        self.call_after_refresh(self.on_resize)

    def put(self, selector: str, told: Content) -> None:
        """Show what was found out; nothing in a dialog that is being closed, whose widgets go before its workers."""
        for place in self.query(selector).results(Static):
            place.update(told)

    def action_close(self) -> None:
        """Close without a result."""
        self.dismiss(None)


def hints(keys: Iterable[tuple[str, str]]) -> Content:
    """Keys and what they do, as content."""
    return content(span for key, what in keys for span in (Span(key, "accent"), Span(f" {what}  ", "muted")))


class Facts(Static):
    """Names and values in two columns. A long value goes on below itself: where names stand, nothing else does."""

    def __init__(self, pairs: Iterable[tuple[str, str]], *, id: str) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self._width = _FACTS_WIDTH
        self.tell(pairs)

    def tell(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Show other facts; those without a value are left out."""
        self._pairs = tuple(pairs)
        self.update(self._in_columns())

    def on_resize(self) -> None:
        """Break values for the width."""
        if (width := self.content_size.width) != self._width and width:
            self._width = width
            self.update(self._in_columns())

    def _in_columns(self) -> Content:
        """As lines."""
        spans: list[Span] = []
        for name, value in self._pairs:
            lines = Content(words(value)).wrap(max(1, self._width - _NAMES)) if value else ()
            for number, line in enumerate(lines):
                spans += [Span(f"{'' if number else name:<{_NAMES}}", "muted"), Span(f"{line.plain}\n")]
        return content(spans)


class ShortFacts(Facts):
    """Facts of one line each, as high as they are many, whatever they say."""

    def _in_columns(self) -> Content:
        told = [(name, value) for name, value in self._pairs if value]
        room = max(1, self._width - _NAMES)
        lines = [(Span(f"{name:<{_NAMES}}", "muted"), Span(cut(words(value), room))) for name, value in told]
        lines += [(Span(""), Span(""))] * (len(self._pairs) - len(told))
        return Content("\n").join(content(line) for line in lines)
