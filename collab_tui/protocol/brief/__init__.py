"""What an agent has to know when it starts: where it stands, what happened since, and its next action."""

from collab_tui.protocol.brief.how_to import HowTo
from collab_tui.protocol.brief.making import Brief, brief_of, make_brief

__all__ = ["Brief", "HowTo", "brief_of", "make_brief"]
