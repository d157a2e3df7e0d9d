"""What an agent wants leave for by ACP, as a question, and the person's answer as one of the options that it offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from collab_tui.model.board import RequestKind
from collab_tui.model.shown import LONGEST, fields_of, in_full, size_of
from collab_tui.model.text import clean, one_line
from collab_tui.model.tool_lines import short
from collab_tui.sessions.driver import Question, QuestionAnswer

if TYPE_CHECKING:
    from acp.schema import PermissionOption, RequestPermissionResponse, ToolCallStart, ToolCallUpdate

_LOOKS: Final = frozenset({"read", "search", "think"})
"""Kinds of tools that change nothing, and reach nobody."""
_PLAIN: Final = (["allow_once"], ["allow_once", "reject_once"])
"""What a person answers with yes or no."""


class Leave:
    """One request for leave to use a tool."""

    def __init__(
        self, call: ToolCallUpdate, options: Sequence[PermissionOption], known: ToolCallStart | None = None
    ) -> None:
        """`known` is what was told of the tool before: the request says only what is new."""
        self._call = call
        self._known = known
        self._options = options
        self.kind: str | None = self._told("kind")
        self.title = one_line(clean(short(self._told("title") or self.kind or "a tool")))

    def _told(self, name: str) -> Any:
        told = getattr(self._call, name)
        return told if told is not None else getattr(self._known, name, None)

    @property
    def only_looks(self) -> bool:
        """It changes nothing, for all that is told of it."""
        return self.kind in _LOOKS

    def question(self, folder: str, *, is_part_shown: bool) -> Question | None:
        """What the person is asked; None where it is too long to be judged. The rest as of `model.shown.fields_of`."""
        lines = in_full("tool", self._told("title") or self.title)  # some have the command nowhere else
        lines += [*([f"kind: {self.kind}"] if self.kind else []), f"in: {folder}", ""]
        given, parts = self._told("raw_input"), self._told("content") or ()
        if size_of(given, LONGEST) + sum(map(_size, parts)) > LONGEST:
            return None
        if given:
            lines += fields_of("", given if isinstance(given, dict) else {"given": given}, is_part_shown=is_part_shown)
        for place in self._told("locations") or ():
            lines += in_full("path", place.path)
        for part in parts:
            if part.type == "diff":
                change = {"path": part.path, "old_string": part.old_text or "", "new_string": part.new_text}
                lines += fields_of("", change, is_part_shown=is_part_shown)
            elif part.type == "content" and part.content.type == "text":
                said = part.content.text
                lines += in_full("says", said) if is_part_shown else fields_of("", {"says": said}, is_part_shown=False)
        text, told = f"Allow {self.title}?", clean("\n".join(lines))
        if sorted(option.kind for option in self._options) in _PLAIN:
            return Question(RequestKind.APPROVAL, text, told)
        return Question(RequestKind.CHOICE, text, told, list(self._by_name()))

    def answer(self, given: QuestionAnswer | None) -> RequestPermissionResponse:
        """The option that the person's answer means; cancelled where there is none."""
        if given is None:
            return _cancelled()
        if given.text is not None:
            option = self._by_name().get(given.text)
            return _chosen(option) if option is not None else _cancelled()
        return self.allowed() if given.is_approved else self.refused()

    def allowed(self) -> RequestPermissionResponse:
        """Leave for this once; cancelled where only more is offered."""
        return self._first("allow_once")

    def refused(self) -> RequestPermissionResponse:
        """No leave."""
        return self._first("reject_once", "reject_always")

    def _first(self, *kinds: str) -> RequestPermissionResponse:
        found = (option for kind in kinds for option in self._options if option.kind == kind)
        option = next(found, None)
        return _chosen(option) if option is not None else _cancelled()

    def _by_name(self) -> dict[str, PermissionOption]:
        named: dict[str, PermissionOption] = {}
        for option in self._options:
            name = one_line(clean(option.name)) or option.kind
            named[name if name not in named else f"{name} ({option.kind}, {len(named) + 1})"] = option
        return named


def _size(part: Any) -> int:
    if part.type == "diff":
        return len(part.old_text or "") + len(part.new_text)
    return len(part.content.text) if part.type == "content" and part.content.type == "text" else 0


def _chosen(option: PermissionOption) -> RequestPermissionResponse:
    from acp import RequestPermissionResponse
    from acp.schema import AllowedOutcome

    return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=option.option_id))


def _cancelled() -> RequestPermissionResponse:
    from acp import RequestPermissionResponse
    from acp.schema import DeniedOutcome

    return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
