"""Before the first decision: what signing is for, and the key that does it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from collab_tui.protocol.keys import KeyFileError, Keyring
from collab_tui.tui.safe import MUTED
from collab_tui.tui.screens.dialog import Dialog

_WHAT_FOR = (
    "Every program that can write a line here can write one in your name. So your decisions are signed with a key that "
    "only you have, and agents that check it take nothing else for your word."
)


class KeyScreen(Dialog[bool]):
    """Makes the person's signing key; True once it is there."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "make", "Make the key", show=False, priority=True)]
    TITLE_TEXT = "Your signing key"
    HINTS = (("enter", "make the key and send"), ("esc", "send nothing"))

    def __init__(self, keyring: Keyring) -> None:
        super().__init__()
        self._keyring = keyring
        self._is_making = False

    def body(self) -> Iterable[Widget]:
        """What it is for, and where it will lie."""
        yield Static(Content(_WHAT_FOR))
        yield Static(Content.styled(f"\nIt is made once, for you alone: {self._keyring.path}", MUTED))

    def on_mount(self) -> None:
        """The keys go to the text: there is nothing to fill in."""
        self.query_one("#body").focus()

    def action_make(self) -> None:
        """Make the key, once."""
        if not self._is_making:
            self._is_making = True
            self._make()

    @work(group="key")
    async def _make(self) -> None:
        try:
            await asyncio.to_thread(self._keyring.make)
        except KeyFileError as error:
            self.complain(str(error))
            self._is_making = False
        else:
            self.dismiss(True)
