"""What an agent asks permission for, as a request that a person can judge; and the answer made of theirs.

A command is shown in full. Of what it writes into files it shows where, how much and a part, never the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from collab_tui.hooks.happening import Happening, text_of
from collab_tui.model.shown import LONGEST, TooLongError, fields_of, size_of, title_of
from collab_tui.model.text import clean, one_line

__all__ = ["Asked", "TooLongError", "asked"]

_TOLD_IN_WORDS: Final = frozenset({"ExitPlanMode"})
"""Tools whose dialog asks more than whether: they are answered where they are asked."""
_CHOOSING: Final = "AskUserQuestion"

Decision = Callable[[bool, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    text: str
    fields: dict[str, Any]
    """Of the `decision_request`."""
    choice: dict[str, Any] | None = None
    """What the agent's own question was given, where it is one that the person chooses in."""

    def answer(self, decision: Decision, verdict: str | None, text: str | None, comment: str | None) -> Any:
        """What the agent's program is told; None where the answer is none for it."""
        if self.choice is not None:
            if not text:
                return None
            given = decision(True, "")
            chosen = {text_of(self.choice["questions"][0], "question"): text}
            given["hookSpecificOutput"]["decision"]["updatedInput"] = {**self.choice, "answers": chosen}
            return given
        if verdict is None:
            return None
        return decision(verdict == "approved", comment or "The person rejected it on the board.")


def asked(happening: Happening, who: str, settings: Mapping[str, Any]) -> Asked | None:
    """The request; None for what only the agent's own dialog can answer, or may not be recorded.

    `who` names a sub-agent. Raises `TooLongError` for what nobody could judge.
    """
    given, how = happening.tool_input, settings["tool_input"]
    if how == "off" or happening.tool in _TOLD_IN_WORDS or not isinstance(given, dict) or not happening.tool:
        return None
    if size_of(given, LONGEST) > LONGEST:
        raise TooLongError("too long to be judged on the board")
    if happening.tool == _CHOOSING:
        return _choice(given) if settings["prompts"] else None
    heads = [("for", who), ("tool", happening.tool), ("in", happening.cwd)]
    parts = [f"{name}: {one_line(clean(value))}" for name, value in heads if value]
    details = "\n".join([*parts, "", *fields_of(happening.tool, given, is_part_shown=how == "summary")])
    return Asked(f"Allow {title_of(happening.tool, given, happening.cwd)}?", {"kind": "approval", "details": details})


def _choice(given: dict[str, Any]) -> Asked | None:
    """One question with one answer; its dialog takes more, and those are answered there."""
    questions = given.get("questions")
    if not isinstance(questions, list) or len(questions) != 1 or not isinstance(questions[0], dict):
        return None
    question = questions[0]
    offered = question.get("options")
    offered = offered if isinstance(offered, list) else []
    options = [text_of(option, "label") for option in offered]
    text = one_line(clean(text_of(question, "question")))
    if question.get("multiSelect") is True or not all(options) or not text:
        return None
    fields: dict[str, Any] = {"kind": "choice" if options else "question"}
    if options:
        fields["options"] = options
        told_of = [(text_of(each, "label"), text_of(each, "description")) for each in offered]
        fields["details"] = "\n".join(f"{one_line(clean(label))}: {one_line(clean(why))}" for label, why in told_of)
    return Asked(text, fields, choice=given)
