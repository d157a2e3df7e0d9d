"""Dialogs whose words become a command to a session: they stay until a monitor took it, and lose no word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from collab_tui.model.sessions import CommandState, Session
from collab_tui.protocol.commands import CommandType
from collab_tui.tui.desk import Desk
from collab_tui.tui.safe import toast, words
from collab_tui.tui.screens.asking import once_signing
from collab_tui.tui.screens.compose import ComposeScreen


class Wanted(NamedTuple):
    """A command as its dialog stands for it."""

    type: CommandType
    target: str
    payload: Mapping[str, Any]
    session: Session | None
    """None: the monitor of this machine has it."""


class CommandScreen(ComposeScreen):
    """A dialog that gives one command."""

    def __init__(self, desk: Desk, names: Sequence[str], chosen: str | None) -> None:
        super().__init__(desk, names, chosen)
        self._typed: dict[str, str] = {}
        """What stood in each field when it was sent."""
        self._was_given = False
        """Its words are with the session, whatever comes of them."""

    def wanted(self) -> Wanted:
        """The command that the fields stand for; raises `ValueError` with what is missing."""
        raise NotImplementedError

    def action_send(self) -> None:
        """Give the command."""
        if self._is_sending:
            return
        try:
            wanted = self.wanted()
        except ValueError as error:
            self.complain(str(error))
            return
        once_signing(self.app, self.desk, lambda: self._give(wanted))

    def _give(self, wanted: Wanted) -> None:
        self._hold(True)
        self._typed = {self._draft_key(field): self.text_of(f"#{field}") for field in self.FIELDS}
        self.complain("sending...")
        self.desk.commander.give(*wanted, partial(self._heard, wanted))

    def taken(self, wanted: Wanted) -> None:
        """A monitor is about to carry it out."""

    def _heard(self, wanted: Wanted, state: CommandState, reason: str | None) -> None:
        if state is CommandState.RUNNING and wanted.type is CommandType.SEND_PROMPT:
            self._was_given = True
        if state is CommandState.FAILED and self._was_given:
            if not self.desk.commander.was_interrupted(wanted.target):
                toast(self.app, f"{words(wanted.target)}: its prompt ended: {words(reason) or 'nobody says why'}")
            return
        if state is not CommandState.FAILED:
            if self._is_sending:
                self.taken(wanted)
                self._sent(None)
            return
        why = words(reason) or "the monitor does not say why"
        if not self.is_attached:  # closed by its words being taken, or by the person: they are there again
            self.desk.drafts = {**self._typed, **{key: text for key, text in self.desk.drafts.items() if text}}
        self._sent(why)
