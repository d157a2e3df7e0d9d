"""What the brief tells an agent to do, as calls of the tools instead of commands. CAPITALS are to be filled in."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from typing import Final

from collab_tui.model.board import Request, RequestKind
from collab_tui.protocol.brief.how_to import HowTo

_ARGUMENTS: Final = {"--status": "status", "--task": "current_task", "--next": "next_action", "--progress": "progress"}
"""Option of `emit status_update` -> argument of `update_status`."""
_ANSWERS: Final = {RequestKind.APPROVAL: "VERDICT", RequestKind.CHOICE: "NUMBER", RequestKind.QUESTION: "TEXT"}
_SHORT: Final = 40
"""Characters that are given of a text at least."""


class ToolCalls(HowTo):
    """The calls of one agent. Any text can stand in one: no shell reads it."""

    def answer(self, request: Request) -> str:
        """Answer another's request."""
        return f"decide(id={self._id(request)}, answer={_ANSWERS[request.kind]}, comment=WHY)"

    def unblock(self, holder: str, blocker: str, others: Iterable[str]) -> str:
        """Remove a blocker."""
        return f"resolve_blocker(blocker={_beginning(blocker, others)}, agent={_quoted(holder)}, comment=WHY)"

    def decide_unasked(self, target: str) -> str:
        """Tell an agent what was decided, that waits and asked nothing by a request."""
        return f"send_message(to={_quoted(target)}, text=VERDICT AND WHY)"

    def renew(self, *options: str) -> str:
        """Declare the state anew."""
        words = [word for option in options for word in shlex.split(option)]
        given = (f"{_ARGUMENTS[name]}={value}" for name, value in zip(words[::2], words[1::2], strict=True))
        return f"update_status({', '.join(given)})"

    def ask(self, target: str | None = None) -> str:
        """Ask an agent; without one, the person."""
        whom = f", agent={_quoted(target)}" if target is not None else ""
        return f"request_decision(question=QUESTION{whom})"

    def wait_for(self, request: Request) -> str:
        """Wait until a request is decided."""
        return f"wait_decision(id={self._id(request)})"

    def wait_for_blocker(self, blocker: str) -> None:
        """No tool waits for that."""

    def wait_for_dependency(self, dependency: str) -> None:
        """No tool waits for that."""

    def _id(self, request: Request) -> str:
        return _beginning(request.id, (other for other in self._ids if other != request.id))


def _beginning(text: str, others: Iterable[str]) -> str:
    """As much of a text as tells it from the others."""
    others = list(others)
    size = next((n for n in range(_SHORT, len(text)) if not any(o.startswith(text[:n]) for o in others)), len(text))
    return _quoted(text[:size])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
