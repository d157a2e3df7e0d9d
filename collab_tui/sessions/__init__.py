"""Agents' programs as sessions: started in a worktree, prompted, awaited, answered, stopped.

    from collab_tui.sessions import SessionManager

See `collab_tui.sessions.manager`. What is named here is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collab_tui.sessions.driver import Delivery, Reply, ReplyStatus
    from collab_tui.sessions.manager import SessionError, SessionManager
    from collab_tui.sessions.session import LiveSession

__all__ = ["Delivery", "LiveSession", "Reply", "ReplyStatus", "SessionError", "SessionManager"]

_WHERE: Final = {
    "Delivery": "driver",
    "LiveSession": "session",
    "Reply": "driver",
    "ReplyStatus": "driver",
    "SessionError": "manager",
    "SessionManager": "manager",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
