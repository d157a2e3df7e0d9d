"""What the panes draw: one board at one time, with the screen's own settings. Frozen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from collab_tui.config import Config
from collab_tui.model.glyphs import UNICODE, Glyphs
from collab_tui.model.moment import Moment, Order
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.messages import Source

if TYPE_CHECKING:
    from collab_tui.model.timeline import Mark, Timeline


@dataclass(frozen=True, slots=True)
class Past:
    """A place in the past, and how it moves. Its time is that of the moment."""

    timeline: Timeline = field(compare=False)
    """For the bar: it grows while it is read."""
    position: int
    total: int
    has_time: bool
    """Some line up to here has a readable time."""
    is_playing: bool
    speed: float
    """Times faster than it was; infinite: as fast as it draws."""
    shortens: bool
    """Some gap is shortened at this speed."""
    gap: float | None
    """Seconds of the gap that is being shortened now."""
    reading: int | None
    """Per cent read; None: all is."""
    searching: int | None
    """Per cent searched for the deadlock that was asked for."""
    marks: tuple[tuple[Mark, int], ...]
    """How many lines are marked, as far as is known."""
    live: int | None = None
    """How many lines the live registry has by now; None: there is no live board to return to."""


@dataclass(frozen=True)
class View:
    """Everything that a pane needs to draw itself."""

    moment: Moment
    source: Source
    glyphs: Glyphs = UNICODE
    config: Config = field(default_factory=Config)
    keymap: Keymap = field(default_factory=Keymap)
    order: Order = Order.NEED
    sending: frozenset[str] = field(default_factory=frozenset)
    """Ids of requests and blockers whose answer is on its way to the registry."""
    frozen_at: int | None = None
    """The position at which the picture was frozen; None: it is live."""
    latest: int = 0
    """The position of the registry, which may be beyond a frozen picture's."""
    readable: int = 0
    """How many lines can be looked up: fewer than there are while a backlog is read."""
    past: Past | None = None
    """Where in the past this is; None: it is the present."""
    is_unattended: bool = False
    """Something is to be done by the monitor of this machine, and none acts."""

    def differs_only_in_time(self, other: View) -> bool:
        """The other view is the same board with the same settings, at another time."""
        mine, others = self.moment, other.moment
        same_board = mine.board is others.board and (mine.signs, mine.gone) == (others.signs, others.gone)
        return same_board and replace(self, moment=others) == other


def why_not_in_past(view: View, what: str = "answered") -> str:
    """Why nothing can be answered, or done, on the board of a moment in the past."""
    past = view.past
    event = f"event {past.position:,} of {past.total:,}".replace(",", " ") if past is not None else ""
    how = f"; {view.keymap.text('return')} returns to live" if past is not None and past.live is not None else ""
    return f"This is the past, {event}: nothing can be {what} here{how}"
