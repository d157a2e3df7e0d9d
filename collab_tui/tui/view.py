"""What the panes draw: one board at one time, with the screen's own settings. Frozen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from collab_tui.model.glyphs import UNICODE, Glyphs
from collab_tui.model.moment import Moment, Order
from collab_tui.tui.messages import Source


@dataclass(frozen=True)
class View:
    """Everything that a pane needs to draw itself."""

    moment: Moment
    source: Source
    glyphs: Glyphs = UNICODE
    order: Order = Order.NEED
    sending: frozenset[str] = field(default_factory=frozenset)
    """Ids of requests and blockers whose answer is on its way to the registry."""
    frozen_at: int | None = None
    """The position at which the picture was frozen; None: it is live."""
    latest: int = 0
    """The position of the registry, which may be beyond a frozen picture's."""

    def differs_only_in_time(self, other: View) -> bool:
        """The other view is the same board with the same settings, at another time."""
        return self.moment.board is other.moment.board and replace(self, moment=other.moment) == other
