"""Stopping a session: what would be lost is said before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from textual import on, work
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from collab_tui.model.sessions import Session
from collab_tui.tui.machine import Machine
from collab_tui.tui.safe import words
from collab_tui.tui.screens.dialog import Dialog


class StopScreen(Dialog[bool]):
    """Gives True only when the person chose to stop it. Cancel is what enter does."""

    TITLE_TEXT = "Stop?"
    FOOT_HEIGHT = 2
    HINTS = (("tab", "other button"), ("enter", "press it"), ("esc", "cancel"))

    def __init__(self, session: Session, state: str, machine: Machine) -> None:
        super().__init__()
        self._session = session
        self._state = state
        self._machine = machine

    def body(self) -> Iterable[Widget]:
        """Which, what is lost, what stays."""
        yield Static(Content.assemble((words(self._session.name), "bold"), f"  {self._state}"))
        yield Static("looking into its worktree...", id="losses")

    def foot(self) -> Iterable[Widget]:
        """The two buttons."""
        yield Horizontal(
            Button("Cancel", id="cancel", variant="primary", compact=True),
            Button("Stop it", id="stop", variant="warning", compact=True),
            id="buttons",
        )

    def on_mount(self) -> None:
        """Enter cancels."""
        self.query_one("#cancel").focus()
        self._look()

    @work(group="losses", exclusive=True)
    async def _look(self) -> None:
        unsaved = await asyncio.to_thread(self._machine.losses, self._session)
        told = [*_listed("Ends with it:", self._dropped()), *_listed("Stays, but only in its worktree:", unsaved)]
        self.put("#losses", Content("\n".join([*told, *self._stays()])))

    def _dropped(self) -> Iterable[str]:
        """What was to come and would not."""
        queued, undelivered = self._session.queued, self._session.undelivered
        if queued:
            yield f"{queued} queued prompt{'' if queued == 1 else 's'} will not be given to it"
        if undelivered:
            yield f"{undelivered} of your answers did not reach it yet"
        if not self._session.can_resume:
            yield "its conversation ends: its agent cannot go on with it later"

    def _stays(self) -> Iterable[str]:
        if self._session.can_resume:
            yield "It can be restored: its agent goes on where it ended."
        where = "branch and worktree stay" if self._session.branch else "folder stays"
        yield f"Its {where} as they are." if self._session.branch else f"Its {where} as it is."

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "stop")


def _listed(heading: str, entries: Iterable[str]) -> list[str]:
    """A heading with its entries and a blank line; nothing where there is none."""
    told = [f"- {words(entry)}" for entry in entries]
    return [heading, *told, ""] if told else []
