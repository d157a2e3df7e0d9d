"""What a participant does: take part, ask, decide, unblock, send messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collab_tui.protocol.participation import Participant, participant

__all__ = ["Participant", "participant"]


def __getattr__(name: str) -> Any:
    """Load what is exported here when it is wanted: the board uses other parts, and its first paint need not wait."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from collab_tui.protocol import participation

    return getattr(participation, name)
