"""Every message between widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from collab_tui.model.board import Board
from collab_tui.model.event import Item
from collab_tui.model.moment import Order
from collab_tui.registry.base import State


@dataclass(frozen=True, slots=True)
class Source:
    """What the board is read from, as the header tells it."""

    state: State = State.MISSING
    detail: str = ""
    """Why it is unreadable."""
    method: str = ""
    """How changes are noticed."""
    network: str | None = None
    """The type of a file system on which hand-made appends of two machines can be lost."""
    restarted: str | None = None
    """What happened to the registry that was there before: replaced, truncated or rewritten."""
    was_changed: bool = False
    """What was read of it earlier, before this board was opened, was changed since."""
    generation: int = 0
    """Counts the registries that stood at this path."""
    remaining: int = 0
    """Bytes that are still to be read."""
    total: int = 0
    """Bytes there are."""


class ScreenMade(Message):
    """The board's screen has all its panes: it can be drawn."""


class BoardRead(Message):
    """The registry was read on: one batch, one board."""

    def __init__(self, board: Board, source: Source, latest: Sequence[Item], lines: int) -> None:
        self.board = board
        self.source = source
        self.latest = latest
        """The last lines of the registry, so that the log need not read them again; none while a backlog is read."""
        self.lines = lines
        """How many lines the registry has; more than the board has seen while a backlog is read."""
        super().__init__()


class Selected(Message):
    """Another row of a list is selected, or it shows something else now: what the keys can do may differ."""

    bubble = True


class Opened(Message):
    """The selected row is to be opened."""


class PaneChosen(Message):
    """A tab was clicked."""

    def __init__(self, pane: str) -> None:
        self.pane = pane
        super().__init__()


class FilterChanged(Message):
    """The log is to be filtered in a usual way."""

    def __init__(self, query: str) -> None:
        self.query = query
        super().__init__()


class OrderChosen(Message):
    """The agents are to be ordered in this way."""

    def __init__(self, order: Order) -> None:
        self.order = order
        super().__init__()


class FreezeToggled(Message):
    """The picture is to be frozen, or to go on."""


class CameBack(Message):
    """The live board is to be shown again."""


class Sought(Message):
    """Another place in the past is to be shown."""

    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__()
