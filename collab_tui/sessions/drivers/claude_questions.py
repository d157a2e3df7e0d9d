"""What Claude Code asks the person through us: to use a tool, to choose, to go on with a plan; and what it is answered.

The tools are shown in the words in which its hooks show them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from collab_tui.model.board import RequestKind
from collab_tui.model.shown import LONGEST, fields_of, size_of, title_of
from collab_tui.model.text import clean, one_line
from collab_tui.sessions.driver import Question, QuestionAnswer
from collab_tui.sessions.drivers.json_lines import objects_of, text_of

Ask = Callable[[Question], Awaitable[QuestionAnswer | None]]

_CHOOSING: Final = "AskUserQuestion"
_PLANNED: Final = "ExitPlanMode"
_MOST_QUESTIONS: Final = 10
_NOBODY: Final = "Nobody answers it now. Go on without it, or end your turn."
_REJECTED: Final = "The person rejected it on the board."
_READ_ONLY: Final = "This session may look and change nothing."


async def answer(
    tool: str, given: dict[str, Any], folder: str, ask: Ask, *, is_read_only: bool, is_part_shown: bool
) -> Mapping[str, Any]:
    """Ask the person about one use of a tool; gives what the program is to be answered.

    `is_part_shown` as of `model.shown.fields_of`.
    """
    if size_of(given, LONGEST) > LONGEST:
        return denied("It is too long to be judged on the board: do it in smaller steps.")
    if tool == _CHOOSING:
        return await _chosen(given, ask)
    if is_read_only:
        return denied(_READ_ONLY)
    said = await ask(_planned(given) if tool == _PLANNED else _approval(tool, given, folder, is_part_shown))
    if said is None:
        return denied(_NOBODY)
    if not said.is_approved:
        return denied(said.comment or _REJECTED)
    return {"behavior": "allow", "updatedInput": given}


def denied(why: str) -> Mapping[str, Any]:
    """The answer that refuses it."""
    return {"behavior": "deny", "message": why, "interrupt": False}


def _approval(tool: str, given: dict[str, Any], folder: str, is_part_shown: bool) -> Question:
    details = [f"tool: {one_line(clean(tool))}", f"in: {one_line(clean(folder))}", ""]
    details += fields_of(tool, given, is_part_shown=is_part_shown)
    text = one_line(clean(f"Allow {title_of(tool, given, folder)}?"))
    return Question(RequestKind.APPROVAL, text, clean("\n".join(details)))


def _planned(given: dict[str, Any]) -> Question:
    return Question(RequestKind.APPROVAL, "Go on with this plan?", clean(text_of(given, "plan")) or None)


async def _chosen(given: dict[str, Any], ask: Ask) -> Mapping[str, Any]:
    """Each of its questions in turn; what is left open by the person ends them."""
    questions = objects_of(given.get("questions"))[:_MOST_QUESTIONS]
    answers: dict[str, str] = {}
    for each in questions:
        said = await ask(_question(each))
        if said is None:
            break
        if not said.text:
            return denied(said.comment or _REJECTED)
        answers[text_of(each, "question")] = said.text + (f" ({said.comment})" if said.comment else "")
    if not answers:
        return denied(_NOBODY)
    return {"behavior": "allow", "updatedInput": {**given, "answers": answers}}


def _question(asked: Mapping[str, Any]) -> Question:
    """One with options is a choice; where several may be taken, they are answered in words."""
    offered = objects_of(asked.get("options"))
    told = [
        (one_line(clean(text_of(each, "label"))), one_line(clean(text_of(each, "description")))) for each in offered
    ]
    told = [each for each in told if each[0]]
    lines = [f"{label}: {why}" if why else label for label, why in told]
    text = one_line(clean(text_of(asked, "question"))) or "It asks, and does not say what."
    if asked.get("multiSelect") is True or not told:
        several = ["Several may be named:", *lines] if lines else []
        return Question(RequestKind.QUESTION, text, "\n".join(several) or None)
    return Question(RequestKind.CHOICE, text, "\n".join(lines), [label for label, _ in told])
