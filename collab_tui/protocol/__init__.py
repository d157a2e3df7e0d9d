"""What a participant does: take part, ask, decide, unblock, send messages."""

from collab_tui.protocol.participant import Participant, participant

__all__ = ["Participant", "participant"]
