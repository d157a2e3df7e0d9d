"""The one way by which text from events reaches a widget.

Text was cleaned when its line became an event (`model.text`). Here it becomes spans, content or toasts, never markup:
`[@click=app.quit]` in a message is shown, not run. `Scrub` is the second wall, for text that came in by another way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.cells import cell_len, split_text
from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from textual.notifications import SeverityLevel

from collab_tui.model.summary import Span
from collab_tui.model.text import clean, one_line

Line = tuple[Span, ...]
"""One line of a list: spans of text, each with its role."""

_HARMFUL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\u2028\u2029]")
_LONGEST: Final = 2000
"""Characters of one field that are looked at for one line of a list."""
_MOST_CHARACTERS: Final = 20_000
_MOST_LINES: Final = 400
"""Of one text that keeps its lines. Twice as many take a tenth of a second to draw, and nobody reads them here."""
MOST_ENTRIES: Final = 60
"""Of a list that an event carries, for the same reason."""

_SEAT: Final = re.compile(r"(?P<role>.+)(?P<number>-\d{1,4})-[0-9a-f]{4}").fullmatch
"""The name of a seat of a run."""

ROLES: Final = ("text", "strong", "muted", "accent", "success", "warning", "error")
ROLE_CLASSES: Final = frozenset(f"role--{role}" for role in ROLES)
"""The component classes that say how each role looks, in lists and in content."""
MUTED: Final = ".role--muted"


def words(text: str | None) -> str:
    """Text from an event for a place that has one line; one that is too long for any such place ends in dots."""
    if text is None or len(text) <= _LONGEST:
        return one_line(text or "")
    return one_line(text[:_LONGEST]) + "..."


def excerpt(text: str, characters: int = _MOST_CHARACTERS, lines: int = _MOST_LINES) -> str:
    """A text that keeps its lines; of a long one the beginning, and how much of it is not shown."""
    shown = text[:characters]
    end = -1
    for _ in range(lines):
        if (end := shown.find("\n", end + 1)) < 0:
            break
    else:
        shown = shown[:end]
    if len(shown) == len(text):
        return text
    return f"{shown}\n... {len(text) - len(shown):,} more characters are not shown"


def some(entries: Sequence[str]) -> list[str]:
    """Entries of a list, each on one line; of a long one the first, and how many are not shown."""
    shown = [words(entry) for entry in entries[:MOST_ENTRIES]]
    more = len(entries) - len(shown)
    return [*shown, f"... {more:,} more are not shown"] if more else shown


def content(spans: Iterable[Span]) -> Content:
    """Spans as content, for screens that have `ROLE_CLASSES`: text is literal."""
    return Content.assemble(*((span.text, f".role--{span.role}") for span in spans))


def toast(app: App[Any], text: str, severity: SeverityLevel = "information", *, title: str = "") -> None:
    """A notification: text and title are literal and short."""
    app.notify(cut(words(clean(text)), 300), title=cut(words(clean(title)), 100), severity=severity, markup=False)


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """At most `width` cells of a sentence, its end replaced by an ellipsis; never half a character."""
    if cell_len(text) <= width:
        return text
    if width <= len(ellipsis):
        return ellipsis[: max(0, width)]
    return split_text(text, width - len(ellipsis))[0].rstrip() + ellipsis


def cut_middle(text: str, width: int, ellipsis: str = "…") -> str:
    """At most `width` cells of a name, its middle replaced: beginnings and ends tell names apart."""
    size = cell_len(text)
    if size <= width:
        return text
    if width <= len(ellipsis) + 1:
        return cut(text, width, ellipsis)
    tail = (width - len(ellipsis)) // 2
    head = width - len(ellipsis) - tail
    return split_text(text, head)[0] + ellipsis + split_text(text, size - tail)[1]


def cut_agent(name: str, width: int, ellipsis: str = "…") -> str:
    """At most `width` cells of the name of an agent; of a seat of a run its number stays: `execu-1…`."""
    seat = _SEAT(name)
    if seat is None or cell_len(name) <= width or width < len(number := f"{seat['number']}{ellipsis}") + 2:
        return cut_middle(name, width, ellipsis)
    return split_text(seat["role"], width - len(number))[0] + number


def pad_agent(name: str, width: int) -> str:
    """Exactly `width` cells of the name of an agent."""
    return pad(cut_agent(name, width), width)


def pad(text: str, width: int) -> str:
    """Exactly `width` cells: names are cut in the middle, short ones filled up."""
    text = cut_middle(text, width)
    return text + " " * (width - cell_len(text))


def width_of(spans: Iterable[Span]) -> int:
    """Cells that the spans take."""
    return sum(cell_len(span.text) for span in spans)


def fit(left: Sequence[Span], width: int, right: Sequence[Span] = (), ellipsis: str = "…") -> Line:
    """One line: `left` cut to what `right` leaves, the two pushed apart."""
    right = [span for span in right if span.text]
    room = width - width_of(right) - (2 if right else 0)
    if room < 8 and right:
        return fit(left, width, ellipsis=ellipsis)
    fitted: list[Span] = []
    for span in left:
        size = cell_len(span.text)
        if size > room:
            text = cut(span.text, room, ellipsis)
            fitted.append(Span(text, span.role))
            room -= cell_len(text)  # a wide character that did not fit leaves a cell
            break
        fitted.append(span)
        room -= size
    if right:
        fitted.append(Span(" " * (room + 2)))
        fitted.extend(right)
    return tuple(fitted)


class Scrub(LineFilter):
    """Deletes from every line that is painted what could steer the terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments without control and bidi characters; untouched when there are none, which is the rule."""
        if not any(_HARMFUL.search(segment.text) for segment in segments if not segment.control):
            return segments
        return [
            segment if segment.control else Segment(_HARMFUL.sub("", segment.text), segment.style)
            for segment in segments
        ]
