"""The blackboard of a run: what stands under each key, which revision, from whom, since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.cells import cell_len

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.runs import Run, Value
from collab_tui.model.summary import Span
from collab_tui.tui.runs_seen import key_cell, seat_name, size_text, values_of
from collab_tui.tui.safe import Line, fit, pad, words
from collab_tui.tui.view import View
from collab_tui.tui.widgets.item_list import ItemList, Row, line_in_sight

_KEY: Final = 18
_REVISION: Final = 4
_BY: Final = 13
_WIDE: Final = 66
"""Cells of a line that tells the size too."""


class Blackboard(ItemList):
    """One row a value; those that concern the selected task are marked."""

    def __init__(self) -> None:
        super().__init__(id="blackboard")
        self._run: Run | None = None
        self._about: Mapping[str, str] = {}

    def tell_of(self, view: View, run: Run | None, about: Mapping[str, str]) -> None:
        """Show the values of a run; `about` says which of them a task needs or gives."""
        if run is None or self._run is None or run.id != self._run.id:
            self.selected = None
        self._run, self._about = run, about
        self.show(view)
        if self.selected is None and self.keys:
            self.select(self.keys[0])
        count = len(values_of(run)) if run is not None else 0
        self.entitle("Blackboard", f"{count} value{'' if count == 1 else 's'}" if count else "")

    @property
    def value(self) -> Value | None:
        """The selected one."""
        return values_of(self._run).get(self.selected or "") if self._run is not None else None

    def build(self, view: View, width: int) -> list[Row]:
        """In the order in which their keys were written first; then what is not accepted yet."""
        run = self._run
        values = values_of(run) if run is not None else {}
        if run is None or not values:
            return [Row(None, (fit([Span("Nothing stands there yet.", "muted")], width),))]
        keys = min(_KEY, max(cell_len(words(value.key)) for value in values.values()))
        return [Row(key, line_in_sight(self._line, view, run, value, keys, width)) for key, value in values.items()]

    def _line(self, view: View, run: Run, value: Value, keys: int, width: int) -> Line:
        how = self._about.get(value.key, "")
        seconds = seconds_between(value.at, view.moment.now)
        revision = f"r{value.revision}" if value.revision > 1 else ""
        key = key_cell(value.key, keys, view.glyphs.ellipsis)
        left = [Span(f"{key} ", "strong" if how else "text"), Span(f"{pad(revision, _REVISION)} ", "accent")]
        left.append(Span(pad(seat_name(run, value.by), _BY) + "  ", "muted"))
        left += [Span(f"{size_text(value.size):>8}  ", "muted")] if width >= _WIDE else []
        right = [Span(f"{how}  " if how else "", "accent"), Span(age(seconds) if seconds is not None else "", "muted")]
        left += [Span("not yet accepted  ", "warning")] if not value.revision else []
        return fit([*left, Span(words(value.text))], width, right)
