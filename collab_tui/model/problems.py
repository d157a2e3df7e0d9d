"""Collecting problems: all are counted, the first thousand are kept."""

from __future__ import annotations

from typing import Final

from collab_tui.model.board import Problem, ProblemKind
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
