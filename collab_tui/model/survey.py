"""A survey of the lines of a registry: one walk over all of them, in file order and in bounded memory."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from collab_tui.model.board import ProblemKind
from collab_tui.model.clocks import Clocks
from collab_tui.model.damage import TOLD, Damage, Told, damage_of
from collab_tui.model.event import Event, Item, Unreadable
from collab_tui.model.findings import Finding, Severity, Subject
from collab_tui.model.lines import NO_LINES, Lines, LineTally
from collab_tui.model.moment import SKEW
from collab_tui.model.signature import AmbiguousError, without_repetition

_MAX_RECENT: Final = 100_000
"""How far back a line that stands twice is noticed, in lines without an id."""
_APART: Final = re.compile(rb'"\s+:').search
"""Space between a name and its colon."""

_PROBLEMS: Final = {
    ProblemKind.UNREADABLE: Told(
        Severity.WARNING, "line cannot be read", "lines cannot be read", "See in the log what stands there."
    ),
    ProblemKind.NO_SUCH_REQUEST: Told(
        Severity.WARNING,
        "answer is for a request that is not there",
        "answers are for requests that are not there",
        "No request has that `id`: `collab-tui status` lists those that are open, to be answered again.",
    ),
    ProblemKind.REPEATED_ID: Told(
        Severity.WARNING,
        "line has the id of an earlier one and is ignored",
        "lines have the ids of earlier ones and are ignored",
        "If it is not the same line written twice, append it again without `id`: `collab-tui emit` makes one.",
    ),
    ProblemKind.BAD_TIME: Told(
        Severity.WARNING,
        "line has a time that cannot be read",
        "lines have times that cannot be read",
        "Write RFC 3339, such as 2026-01-31T08:00:00.000Z, or leave it to `collab-tui emit`.",
    ),
    ProblemKind.OUT_OF_ORDER: Told(
        Severity.WARNING,
        "time goes back, and with it ages and silences",
        "times go back, and with them ages and silences",
        "The order of the lines counts. Let agents append with `collab-tui emit`, which writes the time itself.",
    ),
    ProblemKind.BAD_PROGRESS: Told(
        Severity.NOTE,
        "line gives a progress that is no number",
        "lines give a progress that is no number",
        "The last number stays on the board: tell the agent to write 0 to 100.",
    ),
    ProblemKind.UNTERMINATED: Told(
        Severity.NOTE, "line, the last one, has no newline", "lines have no newline", "The next append adds it."
    ),
}


def problem_findings(problems: Mapping[ProblemKind, Lines], largest_step_back: float | None = None) -> list[Finding]:
    """The fold's problems as findings. Times that go back by no more than clocks may differ are a note."""
    found = []
    for kind, told in _PROBLEMS.items():
        lines = problems.get(kind, NO_LINES)
        if not lines.count:
            continue
        small = kind is ProblemKind.OUT_OF_ORDER and largest_step_back is not None and largest_step_back <= SKEW
        severity = Severity.NOTE if small else told.severity
        text = f"{lines.count} {told.one if lines.count == 1 else told.many}"
        found.append(Finding(severity, Subject.LINES, kind.value, text, told.mend, lines))
    return found


class Survey:
    """What the lines themselves show; what they mean is the board's."""

    def __init__(self, now: datetime) -> None:
        self._damages: dict[Damage, LineTally] = {}
        self._clocks = Clocks(now)
        self._twins = LineTally()
        self._ambiguous = LineTally()
        self._recent: set[int] = set()
        self._order: deque[int] = deque()

    def extend(self, items: Iterable[Item]) -> None:
        """Take the next lines, in file order."""
        for item in items:
            if isinstance(item, Unreadable):
                self._damages.setdefault(damage_of(item), LineTally()).add(item.position)
            else:
                if _repeats_a_name(item):
                    self._ambiguous.add(item.position)
                self._look(item)

    def _look(self, event: Event) -> None:
        stated = event.data.get("timestamp")
        try:
            time = datetime.fromisoformat(stated) if isinstance(stated, str) else event.time
        except ValueError:
            return  # the fold tells of it
        if time is not None and time.tzinfo is None:
            time = event.time
        if time is None:
            return
        self._clocks.add(event, time)
        if "id" not in event.data:
            self._look_for_twin(event)

    def _look_for_twin(self, event: Event) -> None:
        """A line with a time but without an id that stands there twice, word for word."""
        digest = hash(event.line)
        if digest in self._recent:
            self._twins.add(event.position)
            return
        self._recent.add(digest)
        self._order.append(digest)
        if len(self._order) > _MAX_RECENT:
            self._recent.discard(self._order.popleft())

    def findings(self, problems: Mapping[ProblemKind, Lines]) -> list[Finding]:
        """What is wrong with the lines; `problems` are the fold's, of the same lines."""
        known: dict[ProblemKind, Lines] = {
            kind: lines for kind, lines in problems.items() if kind is not ProblemKind.UNREADABLE
        }
        return [
            *self._unreadable(),
            *problem_findings(known, self._clocks.largest_step_back),
            *self._clocks.findings(),
            *self._repeated(),
            *self._repeating(),
        ]

    def _unreadable(self) -> list[Finding]:
        found = []
        for damage, told in TOLD.items():
            if (tally := self._damages.get(damage)) is not None:
                text = f"{tally.count} {told.one if tally.count == 1 else told.many}"
                found.append(Finding(told.severity, Subject.LINES, damage.value, text, told.mend, tally.lines))
        return found

    def _repeated(self) -> list[Finding]:
        if not self._twins.count:
            return []
        told = "line stands" if self._twins.count == 1 else "lines stand"
        text = f"{self._twins.count} {told} there twice, word for word, and count twice: without an id nobody can tell"
        mend = "Let programs append with `collab-tui emit`, which gives every line an id."
        return [Finding(Severity.NOTE, Subject.LINES, "repeated_line", text, mend, self._twins.lines)]

    def _repeating(self) -> list[Finding]:
        if not self._ambiguous.count:
            return []
        told = "line gives" if self._ambiguous.count == 1 else "lines give"
        text = f"{self._ambiguous.count} {told} a field twice; the last one counts here"
        mend = "To other programs it may be the first: look at the line in the log, and append again what is meant."
        return [Finding(Severity.WARNING, Subject.LINES, "repeated_field", text, mend, self._ambiguous.lines)]


def _repeats_a_name(event: Event) -> bool:
    """An object of the line has a name twice. Only a line in which more looks like a name than was read is parsed."""
    if event.line.count(b'":') == len(event.data) and not _APART(event.line):
        return False
    try:
        json.loads(event.line, object_pairs_hook=without_repetition)
    except AmbiguousError:
        return True
    except (ValueError, RecursionError):
        return False
    return False
