"""What can sit in a seat: callables of Python, programs, sessions; and how those are kept that can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collab_tui.config import values
from collab_tui.config.values import WrongError
from collab_tui.orchestrator.agent import Agent
from collab_tui.orchestrator.agents.callables import Function
from collab_tui.orchestrator.agents.commands import Command
from collab_tui.orchestrator.agents.sessions import Session

__all__ = ["Command", "Function", "Session", "as_agent", "from_document"]

_DAY: Final = 86_400.0
_MOST_OUTPUT: Final = 32 << 20
_COMMAND: Final = values.record(
    ("command",),
    command=values.program,
    worktree=values.flag,
    environment=values.variables,
    folder=values.name,
    silence=values.number(over=0, most=_DAY, unit="seconds"),
    most_output=values.number(over=0, most=_MOST_OUTPUT, unit="bytes"),
)
_SESSION: Final = values.record(("session",), session=values.name, worktree=values.flag)


def as_agent(given: Any) -> Agent:
    """What is given as an agent: one that is, or a callable. Raises `TypeError` for anything else."""
    if hasattr(given, "seated") and hasattr(given, "check"):
        agent: Agent = given
        return agent
    if callable(given) and not isinstance(given, type):
        return Function(given)
    raise TypeError(f"{type(given).__name__} is no agent: give a function, a Command or a Session")


def from_document(document: Mapping[str, Any]) -> Command | Session:
    """The agent that `Command.document` or `Session.document` told of. Raises `WrongError` for what is none."""
    if not isinstance(document, dict):
        raise WrongError("it takes a table with command or session")
    told = {name: value for name, value in document.items() if value is not None}
    if "session" in told:
        found = _SESSION(told)
        return Session(found.pop("session"), **found)
    found = _COMMAND(told)
    return Command(found.pop("command"), **found)
