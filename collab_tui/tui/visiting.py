"""Visits to the past: of a saved registry, or from the live board and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on

from collab_tui.tui.crash import RaisingApp
from collab_tui.tui.desk import Desk
from collab_tui.tui.messages import BoardRead, CameBack
from collab_tui.tui.safe import toast

if TYPE_CHECKING:
    from collab_tui.model.places import Place
    from collab_tui.tui.replaying import Reader, Replay


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a saved registry begins to be replayed."""

    place: Place | None = None
    """None: the first event."""
    speed: float | None = None
    """Times faster than it was; None: it stands still."""


class Visiting(RaisingApp):
    """The part of the app that goes to the past."""

    desk: Desk
    live: BoardRead | None
    replay: Replay | None = None
    """The visit to the past; None in the present."""

    def draw(self) -> None:
        """Draw what is to be shown now."""
        raise NotImplementedError

    def thaw(self) -> BoardRead | None:
        """Let a frozen picture go; gives what was shown."""
        raise NotImplementedError

    def visit_saved(self, beginning: Beginning) -> None:
        """Replay a registry that nobody follows."""
        from collab_tui.tui.replaying import saved_lines

        self.replay = replay = self._visit(saved_lines(self.desk.registry))
        replay.begin(beginning.place)
        if beginning.speed is not None:
            replay.play(beginning.speed)

    def go_back(self) -> None:
        """Stay at the moment that is shown, and read what was before it."""
        live, shown = self.live, self.thaw()
        if live is None or shown is None or self.replay is not None:
            return
        from collab_tui.model.places import Number
        from collab_tui.tui.replaying import known_lines

        self.replay = replay = self._visit(known_lines(self.desk.registry, live.board.position))
        replay.begin(Number(shown.board.position), shown.board)

    @on(CameBack)
    def come_back(self) -> None:
        """Show the live board again."""
        self.workers.cancel_group(self, "visit")
        self.replay = None
        self.draw()

    def _visit(self, read: Reader) -> Replay:
        from collab_tui.tui.replaying import Replay  # the first paint of a live board need not wait for it

        replay = Replay(
            self.desk.registry,
            self.desk.person,
            read,
            prepare=self.desk.trust.prepare,
            changed=self.draw,
            toast=lambda text: toast(self, text),
        )
        self.run_worker(replay.run(), group="visit", exclusive=True, exit_on_error=False)
        return replay
