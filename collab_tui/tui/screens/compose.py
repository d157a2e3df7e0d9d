"""Writing what nobody asked for: a decision, or a message."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Select, TextArea

from collab_tui.protocol.answers import message, unasked_decision
from collab_tui.tui.desk import Desk
from collab_tui.tui.safe import toast, words
from collab_tui.tui.screens.asking import once_signing
from collab_tui.tui.screens.dialog import Dialog


class ComposeScreen(Dialog[None]):
    """A dialog that writes one event and stays open, with its words, when that fails."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "send", "Send", show=False)]
    FOOT_HEIGHT = 3
    FIELDS: ClassVar[Sequence[str]] = ("text",)
    """Ids of the fields whose words are kept."""
    GO: ClassVar[str] = "Send"
    """What the button says."""
    HINTS: ClassVar[Sequence[tuple[str, str]]] = (("ctrl+s", "send"), ("tab", "next field"), ("esc", "cancel"))

    def __init__(self, desk: Desk, names: Sequence[str], chosen: str | None) -> None:
        super().__init__()
        self.desk = desk
        self._names = names
        self._chosen = chosen if chosen in names else None
        self._id = os.urandom(8).hex()
        """The event's: sent again after a failed sync, it is one event."""
        self._is_sending = False

    def make_event(self, target: str) -> dict[str, Any]:
        """The event that the fields stand for; raises `ValueError` with what is missing."""
        raise NotImplementedError

    def foot(self) -> Iterable[Widget]:
        """The buttons, and what went wrong."""
        yield Horizontal(
            Button("Cancel", id="cancel", compact=True),
            Button(Content(self.GO), id="send", variant="success", compact=True),
            id="buttons",
        )

    def target_select(self) -> Select[str]:
        """The list of agents."""
        options = [(Text(words(name)), name) for name in self._names]
        if self._chosen is not None:
            return Select(options, value=self._chosen, id="target", prompt="whom", compact=True)
        return Select(options, id="target", prompt="whom", compact=True)

    def action_send(self) -> None:
        """Write the event."""
        if self._is_sending:
            return
        target = self.query_one("#target", Select).value
        try:
            if not isinstance(target, str):
                raise ValueError("Choose whom it concerns.")
            event = self.make_event(target)
        except ValueError as error:
            self.complain(str(error))
            return
        if event["event"] == "decision":
            once_signing(self.app, self.desk, lambda: self._write(event))
        else:
            self._write(event)

    def _write(self, event: dict[str, Any]) -> None:
        self._hold(True)
        self.complain("sending...")
        self.desk.write({"id": self._id, **event}, self._sent)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_send() if event.button.id == "send" else self.action_close()

    def action_close(self) -> None:
        """Close; what was typed is there again when the dialog is opened again for the same agent."""
        for field in self.FIELDS:
            self.desk.drafts[self._draft_key(field)] = self.text_of(f"#{field}")
        self.dismiss(None)

    def draft(self, field: str) -> str:
        """What was typed in a field and not sent before."""
        return self.desk.drafts.get(self._draft_key(field), "")

    def _draft_key(self, field: str) -> str:
        return f"{self.TITLE_TEXT} {field} {self._chosen}"

    def _hold(self, sending: bool) -> None:
        """While the event is on its way nothing is typed that would not be part of it, and nothing is sent twice."""
        self._is_sending = sending
        self.query("#body").set(disabled=sending)  # there is none once it was closed

    def _sent(self, error: str | None) -> None:
        self._hold(False)
        if error is None:
            for field in self.FIELDS:
                self.desk.drafts.pop(self._draft_key(field), None)
        if error is None and self.is_current:
            self.dismiss(None)
        elif error is not None and self.is_attached:
            self.complain(error)
        elif error is not None:
            toast(self.app, f"{self.TITLE_TEXT} was not sent: {error}", "error")

    def text_of(self, selector: str) -> str:
        """What stands in a field."""
        field = self.query_one(selector)
        match field:
            case TextArea():
                return field.text.strip()
            case Input() | Select() if isinstance(field.value, str):
                return field.value.strip()
        return ""


class MessageScreen(ComposeScreen):
    """A message to an agent or to all."""

    TITLE_TEXT = "Message"

    def body(self) -> Iterable[Widget]:
        """Whom and what."""
        yield Label("To")
        yield self.target_select()
        yield Label("Message")
        yield TextArea(self.draft("text"), id="text", tab_behavior="focus")

    def on_mount(self) -> None:
        """The keys go to the words if it is clear whom they are for."""
        self.query_one("#text" if self._chosen else "#target").focus()

    def make_event(self, target: str) -> dict[str, Any]:
        """The `message` event."""
        if not (text := self.text_of("#text")):
            raise ValueError("Write something first.")
        return message(self.desk.person, target, text)


class DecideScreen(ComposeScreen):
    """A decision that nobody asked for."""

    TITLE_TEXT = "Decide"
    FIELDS = ("about", "given", "text")

    def body(self) -> Iterable[Widget]:
        """For whom, what about, and what."""
        yield Label("For")
        yield self.target_select()
        yield Label("About")
        yield Input(self.draft("about"), id="about", placeholder="what the decision is about", compact=True)
        yield Label("Decision")
        yield Select(
            [("approved", "approved"), ("rejected", "rejected"), ("in words, below", "words")],
            value=self.draft("given") or "approved",
            allow_blank=False,
            id="given",
            compact=True,
        )
        yield Label("Words")
        yield TextArea(self.draft("text"), id="text", tab_behavior="focus")

    def on_mount(self) -> None:
        """The keys go to the first field that is empty."""
        self.query_one("#about" if self._chosen else "#target").focus()

    def make_event(self, target: str) -> dict[str, Any]:
        """The `decision` event."""
        about, text = self.text_of("#about"), self.text_of("#text")
        given = self.text_of("#given")
        if not about:
            raise ValueError("Say what the decision is about.")
        if given == "words" and not text:
            raise ValueError("Write the decision in words.")
        person = self.desk.person
        if given == "words":
            return unasked_decision(person, target, about, text)
        return unasked_decision(person, target, about, given, text or None)
