"""What the person does in the past: play, step, jump, go to a place, come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.screen import Screen

from collab_tui.model.timeline import Mark
from collab_tui.tui.actions import BY_ID, Where
from collab_tui.tui.messages import CameBack, Sought
from collab_tui.tui.safe import toast
from collab_tui.tui.screens import dialogs
from collab_tui.tui.view import View, why_not_in_past
from collab_tui.tui.visiting import Visiting

if TYPE_CHECKING:
    from collab_tui.tui.replaying import Replay


_WRITE: Final = ("Answer", "Sessions", "Runs")
"""Groups of actions that answer, or have something done."""


class Replaying(Screen[None]):
    """The part of a screen that moves in time."""

    REFUSED: ClassVar[str] = "answered"
    """What nobody can do in the past."""

    view: View | None

    @property
    def replay(self) -> Replay | None:
        """The visit to the past; None in the present."""
        app = self.app
        return app.replay if isinstance(app, Visiting) else None

    def action_back_in_time(self) -> None:
        """Show the past, from the moment that is shown."""
        # At once, without a message: keys that came together with this one must not answer anything.
        if isinstance(self.app, Visiting):
            self.app.go_back()

    def action_return(self) -> None:
        """Show the live board again."""
        self.post_message(CameBack())

    def action_play(self) -> None:
        """Play, or pause."""
        if self.replay is not None:
            self.replay.pause() if self.replay.player.is_playing else self.replay.play()

    def action_step_back(self) -> None:
        """One event back."""
        if self.replay is not None:
            self.replay.step(-1)

    def action_step_on(self) -> None:
        """One event on."""
        if self.replay is not None:
            self.replay.step(1)

    def action_previous_decision(self) -> None:
        """The previous decision."""
        self._jump(Mark.DECISION, forward=False)

    def action_next_decision(self) -> None:
        """The next decision."""
        self._jump(Mark.DECISION, forward=True)

    def action_previous_blocker(self) -> None:
        """The previous blocker."""
        self._jump(Mark.BLOCKER, forward=False)

    def action_next_blocker(self) -> None:
        """The next blocker."""
        self._jump(Mark.BLOCKER, forward=True)

    def action_previous_deadlock(self) -> None:
        """The previous deadlock."""
        self._jump(Mark.DEADLOCK, forward=False)

    def action_next_deadlock(self) -> None:
        """The next deadlock."""
        self._jump(Mark.DEADLOCK, forward=True)

    def _jump(self, mark: Mark, *, forward: bool) -> None:
        if self.replay is not None:
            self.replay.jump(mark, forward=forward)

    def action_go_to(self) -> None:
        """Ask where to."""
        if self.replay is not None:
            self.app.push_screen(dialogs.go_to(self.replay.go_to))

    def action_slower(self) -> None:
        """Play slower."""
        if self.replay is not None:
            self.replay.change_speed(-1)

    def action_faster(self) -> None:
        """Play faster."""
        if self.replay is not None:
            self.replay.change_speed(1)

    def action_first(self) -> None:
        """The first event."""
        if self.replay is not None:
            self.replay.seek(1)

    def action_last(self) -> None:
        """The last event."""
        if self.replay is not None:
            self.replay.seek_end()

    @on(Sought)
    def _sought(self, message: Sought) -> None:
        if self.replay is not None:
            self.replay.seek(message.position)

    def is_there(self, action: str) -> bool:
        """The action belongs to the board that is shown, of the present or of the past."""
        view = self.view
        if action == "return":
            return view is not None and view.past is not None and view.past.live is not None
        if action == "back_in_time" and (view is None or not view.moment.board.position):
            return False  # there is no past yet
        return BY_ID[action].where is not (Where.PRESENT if self.replay is not None else Where.PAST)

    def says_why_not(self, action: str) -> bool:
        """It answers or writes, which cannot be done in the past, and its key says so."""
        return self.replay is not None and BY_ID[action].group in _WRITE and not self.is_there(action)

    def refuse_in_past(self) -> bool:
        """Say that nothing can be answered in the past; False in the present."""
        if self.view is None or self.view.past is None:
            return False
        toast(self.app, why_not_in_past(self.view, self.REFUSED), "warning")
        return True
