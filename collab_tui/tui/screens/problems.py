"""What is odd about the registry, line by line."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from collab_tui.model.board import Board, ProblemKind
from collab_tui.model.summary import Span
from collab_tui.tui.safe import content, words
from collab_tui.tui.screens.dialog import Dialog

_TITLES = {
    ProblemKind.UNREADABLE: "Lines that cannot be read: shown in the log, no event is taken from them",
    ProblemKind.UNTERMINATED: "A last line without newline",
    ProblemKind.REPEATED_ID: "Ids that were used before: those lines are ignored",
    ProblemKind.NO_SUCH_REQUEST: "Answers to requests that are not there",
    ProblemKind.BAD_PROGRESS: "Progress that is no number",
    ProblemKind.BAD_TIME: "Times that cannot be read",
    ProblemKind.OUT_OF_ORDER: "Times before the line before them: the order of the lines counts",
}
_SHOWN = 50


class ProblemsScreen(Dialog[None]):
    """Grouped, the most serious first."""

    TITLE_TEXT = "Problems"

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board

    def body(self) -> Iterable[Widget]:
        """One block a kind."""
        if not self._board.problem_count:
            yield Static("Nothing odd was found.")
        for kind, title in _TITLES.items():
            found = [problem for problem in self._board.problems if problem.kind is kind]
            if found:
                spans = [Span(f"{title}\n", "warning")]
                for problem in found[:_SHOWN]:
                    spans += [Span(f"  line {problem.position + 1:<7}", "muted"), Span(f"{words(problem.text)}\n")]
                if len(found) > _SHOWN:
                    spans.append(Span(f"  and {len(found) - _SHOWN} more\n", "muted"))
                yield Static(content(spans))
        kept = len(self._board.problems)
        if self._board.problem_count > kept:
            yield Static(f"{self._board.problem_count - kept} more were counted and not kept.")

    def on_mount(self) -> None:
        """The keys scroll."""
        self.query_one("#body").focus()
