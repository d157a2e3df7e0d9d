"""What came of a worker's run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from collab_tui.model.text import clean, one_line
from collab_tui.model.workers import WorkerState
from collab_tui.sessions.driver import Reply, ReplyStatus

LONGEST_TOLD: Final = 300
"""Characters of why something came about, in an event."""

UNANSWERED: Final = "nobody answered: the request was withdrawn, or it expired"
"""Why one does not start that the person neither refused nor approved."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    state: WorkerState
    told: str
    verdict: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None


def failed(why: str) -> Outcome:
    """It failed, and why."""
    return Outcome(WorkerState.FAILED, in_short(why))


def failure_of(reply: Reply) -> Outcome | None:
    """What a turn that did not end well comes to; None for one that did."""
    if reply.status is ReplyStatus.DONE:
        return None
    return failed(f"its turn ended as {reply.status}{f': {reply.reason}' if reply.reason else ''}")


def in_short(text: str) -> str:
    """Others' words on one line of bounded length."""
    line = one_line(clean(text[: 4 * LONGEST_TOLD]))
    return line if len(line) <= LONGEST_TOLD else f"{line[: LONGEST_TOLD - 3]}..."
