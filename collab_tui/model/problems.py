"""Collecting problems: all are counted, the first thousand are kept; and what each is told as."""

from __future__ import annotations

from typing import Final

from collab_tui.model.board import Problem, ProblemKind
from collab_tui.model.event import Event, Unreadable, as_text
from collab_tui.model.lines import Lines, LineTally

MAX_KEPT: Final = 1000


class ProblemLog:
    """Grows with the registry, within bounds."""

    __slots__ = ("count", "kept")

    def __init__(self) -> None:
        self.count = 0
        self.kept: list[Problem] = []

    def add(self, kind: ProblemKind, position: int, text: str) -> None:
        """Note one problem."""
        self.count += 1
        if len(self.kept) < MAX_KEPT:
            self.kept.append(Problem(kind, position, text))

    def unreadable(self, item: Unreadable) -> None:
        """A line that holds no event."""
        self.add(ProblemKind.UNREADABLE, item.position, item.reason)

    def unterminated(self, position: int) -> None:
        """The line counted although nothing ends it."""
        self.add(ProblemKind.UNTERMINATED, position, "the last line has no newline")

    def repeated_id(self, event: Event) -> None:
        """The event does not count."""
        self.add(ProblemKind.REPEATED_ID, event.position, f"id {event.data['id']} was used before: ignored")

    def out_of_order(self, event: Event) -> None:
        """The first of a run of such lines."""
        stated = as_text(event.field("timestamp"))[:40]
        self.add(ProblemKind.OUT_OF_ORDER, event.position, f"its time {stated} is before the line before it")

    def bad_time(self, event: Event, stated: object) -> None:
        """What it gives as its time is none."""
        self.add(ProblemKind.BAD_TIME, event.position, f"cannot read the time {as_text(stated)[:80]!r}")

    def bad_progress(self, event: Event, stated: object) -> None:
        """What it gives as its progress is no number."""
        self.add(ProblemKind.BAD_PROGRESS, event.position, f"progress is no number: {as_text(stated)[:80]!r}")

    def no_such_request(self, event: Event, request_id: object) -> None:
        """It answers or withdraws what nobody asked."""
        text = f"{event.kind} for a request that is not there: {as_text(request_id)[:80]}"
        self.add(ProblemKind.NO_SUCH_REQUEST, event.position, text)

    def copy(self) -> ProblemLog:
        """An independent copy."""
        twin = ProblemLog()
        twin.count, twin.kept = self.count, self.kept.copy()
        return twin


class ProblemTally(ProblemLog):
    """Keeps the lines of every problem as well, by kind."""

    __slots__ = ("_tallies",)

    def __init__(self) -> None:
        super().__init__()
        self._tallies: dict[ProblemKind, LineTally] = {}

    def add(self, kind: ProblemKind, position: int, text: str) -> None:
        """Note one problem, and its line."""
        super().add(kind, position, text)
        self._tallies.setdefault(kind, LineTally()).add(position)

    def lines(self) -> dict[ProblemKind, Lines]:
        """The lines of each kind."""
        return {kind: tally.lines for kind, tally in self._tallies.items()}
