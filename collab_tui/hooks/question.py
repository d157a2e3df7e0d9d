"""What an agent asks permission for, in full, as a request that a person can judge; and the answer made of theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Final

from collab_tui.hooks.happening import Happening, text_of
from collab_tui.hooks.tools import told

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


def asked(happening: Happening, who: str) -> Asked | None:
    """The request; None for what only the agent's own dialog can answer. `who` names a sub-agent."""
    given = happening.tool_input
    if happening.tool in _TOLD_IN_WORDS or not isinstance(given, dict) or not happening.tool:
        return None
    if happening.tool == _CHOOSING:
        return _choice(given)
    parts = [f"for: {who}"] if who else []
    parts += [f"tool: {happening.tool}", f"in: {happening.cwd}", "", *_whole(given)]
    line = told(happening.tool, given, happening.cwd, "summary") + _more(text_of(given, "command"))
    return Asked(f"Allow {line}?", {"kind": "approval", "details": "\n".join(parts)})


def _more(command: str) -> str:
    """What a command has beyond its first line is not to be overlooked."""
    lines = len(command.strip().splitlines()) - 1
    return f" ... and {lines} more line{'s' if lines > 1 else ''}" if lines > 0 else ""


def _choice(given: dict[str, Any]) -> Asked | None:
    """One question with one answer; its dialog takes more, and those are answered there."""
    questions = given.get("questions")
    if not isinstance(questions, list) or len(questions) != 1 or not isinstance(questions[0], dict):
        return None
    question = questions[0]
    offered = question.get("options")
    offered = offered if isinstance(offered, list) else []
    options = [text_of(option, "label") for option in offered]
    if question.get("multiSelect") is True or not all(options) or not text_of(question, "question").strip():
        return None
    fields: dict[str, Any] = {"kind": "choice" if options else "question"}
    if options:
        fields["options"] = options
        fields["details"] = "\n".join(f"{text_of(each, 'label')}: {text_of(each, 'description')}" for each in offered)
    return Asked(" ".join(text_of(question, "question").split()), fields, choice=given)


def _whole(given: dict[str, Any]) -> list[str]:
    """Everything that the tool is given: texts as they are, a change of a text as its difference."""
    given = dict(given)
    lines: list[str] = []
    old, new = given.get("old_string"), given.get("new_string")
    if isinstance(old, str) and isinstance(new, str):
        del given["old_string"], given["new_string"]
        difference = unified_diff(old.splitlines(), new.splitlines(), "before", "after", lineterm="", n=10_000)
        lines = ["", *difference]
    for name, value in given.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        lines[:0] = [f"{name}: {text}" if "\n" not in text else f"{name}:\n{text}"]
    return lines
