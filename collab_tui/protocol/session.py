"""The two ends of a session, told in the name of an agent that calls us: its process is not ours."""

from __future__ import annotations

from typing import Any

from collab_tui.protocol.whereabouts import whereabouts
from collab_tui.registry.append import UnusableError
from collab_tui.registry.base import Registry


def start_session(registry: Registry, name: str, **fields: Any) -> dict[str, Any]:
    """Append the `session_start` of an agent, with where it runs; gives it back as written.

    `fields` are role, current_task, status, next_action, session, driver. Raises `UnusableError` when the registry is
    not there any more, and what else `append` raises.
    """
    event = {"agent": name, "event": "session_start", **fields, **whereabouts()}
    return registry.append(event, unless=lambda: _check_there(registry))


def end_session(registry: Registry, name: str, **fields: Any) -> dict[str, Any]:
    """Append the `session_end` of an agent; `fields` are status and reason. Raises as `start_session`."""
    return registry.append({"agent": name, "event": "session_end", **fields}, unless=lambda: _check_there(registry))


def _check_there(registry: Registry) -> None:
    """An append would make it anew, and nobody would find what was in it."""
    if not registry.is_there():
        raise UnusableError(f"there is no {registry.name} any more. Nothing was written")
