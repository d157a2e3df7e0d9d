"""What a session's driver tells of its program, kept as it was told last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from collab_tui.model.masking import mask
from collab_tui.model.sessions import Observed
from collab_tui.protocol.wording import cut
from collab_tui.sessions.driver import Question, QuestionAnswer
from collab_tui.sessions.questions import Questions

_LAST_LINE: Final = 200
"""Characters that are told of what it said last."""
_PIECE: Final = 4000
"""Characters of its output that are looked through for that."""


class Hearing:
    """The `Listener` of one run."""

    def __init__(
        self,
        questions: Questions,
        *,
        submitted: Callable[[], None],
        changed: Callable[[], None],
        declare: Callable[[Mapping[str, Any]], None],
        resume_by: Callable[[str], None],
        is_seen: bool,
    ) -> None:
        """`is_seen` says that its driver sees by itself whether it works: it is in a terminal."""
        self._is_seen = is_seen
        self._questions = questions
        self._submitted = submitted
        self._changed = changed
        self._declare = declare
        self._resume_by = resume_by
        self.state = Observed.STARTING
        self.why: str | None = None
        self.last_line: str | None = None
        self._tells = False
        """Its driver said something of its state since the turn began."""
        self._line = ""

    def submitted(self) -> None:
        """See `Listener`."""
        self._submitted()

    def observed(self, state: Observed, why: str | None = None) -> None:
        """See `Listener`. Its end is told by how it ended, not by this."""
        if state.is_running:
            self._tells = True
            self._be(state, why)

    def turn_begins(self) -> None:
        """It is given a prompt; where its driver sees no more than that, it works."""
        self._tells = False
        if self.state is Observed.IDLE and not self._is_seen:
            self._be(Observed.WORKING)

    def turn_ends(self) -> None:
        """The turn is over; where its driver told nothing, it is idle again."""
        if not self._tells and self.state is Observed.WORKING:
            self._be(Observed.IDLE)

    def is_ready(self) -> None:
        """It was started, or taken up."""
        if self.state is Observed.STARTING:
            self._be(Observed.IDLE)

    def ended(self, state: Observed, why: str | None) -> None:
        """There is no program any more."""
        self._be(state, why)

    def _be(self, state: Observed, why: str | None = None) -> None:
        self.state, self.why = state, why
        self._changed()

    def said(self, text: str) -> None:
        """See `Listener`."""
        *whole, self._line = f"{self._line}{text}"[-_PIECE:].split("\n")
        self.said_lines([*whole, self._line])

    def said_lines(self, lines: list[str]) -> None:
        """The last of these that says anything is what it said last."""
        found = next((line for each in reversed(lines) if (line := cut(mask(each[:_PIECE]), _LAST_LINE))), None)
        if found is not None and found != self.last_line:
            self.last_line = found
            self._changed()

    def resumable(self, resume_id: str) -> None:
        """See `Listener`."""
        self._resume_by(resume_id)

    def declared(self, fields: Mapping[str, Any]) -> None:
        """See `Listener`."""
        self._declare(fields)

    async def ask(self, question: Question) -> QuestionAnswer | None:
        """See `Listener`."""
        return await self._questions.ask(question)
