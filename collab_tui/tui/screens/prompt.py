"""Prompting a session: a box for several lines, with what was prompted before behind up and down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static, TextArea

from collab_tui.model.board import Board
from collab_tui.model.event import Event
from collab_tui.model.sessions import Session
from collab_tui.model.words import name_key
from collab_tui.protocol.commands import CommandType
from collab_tui.tui.desk import Desk
from collab_tui.tui.safe import MUTED, words
from collab_tui.tui.screens.commanding import CommandScreen, Wanted
from collab_tui.tui.view import View

_MOST = 50
"""Prompts that can be gone back to."""


class PromptBox(TextArea):
    """A box in which up on the first line and down on the last go through what was prompted before."""

    class Left(Message):
        """The cursor would leave the box: -1 above, 1 below."""

        def __init__(self, step: int) -> None:
            self.step = step
            super().__init__()

    def action_cursor_up(self, select: bool = False) -> None:
        """Up, or to the prompt before."""
        if self.cursor_at_first_line:
            self.post_message(self.Left(-1))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Down, or to the prompt after."""
        if self.cursor_at_last_line:
            self.post_message(self.Left(1))
        else:
            super().action_cursor_down(select)


class PromptScreen(CommandScreen):
    """A prompt to one session."""

    TITLE_TEXT = "Prompt"
    BINDINGS: ClassVar[list[BindingType]] = []
    FOOT_HEIGHT = 3
    HINTS = (("ctrl+s", "send"), ("up down", "earlier prompts"), ("esc", "cancel"))

    def __init__(self, desk: Desk, session: Session, state: str, view: View) -> None:
        super().__init__(desk, [session.name], session.name)
        self._session = session
        self._state = state
        self._board = view.moment.board
        self._history: Sequence[str] = ()
        self._place: int | None = None
        """In the history; None: what is being written."""
        self._written = ""

    def body(self) -> Iterable[Widget]:
        """To whom, and the box."""
        yield Static(Content.assemble((words(self._session.name), "bold"), (f"  {self._state}", MUTED)))
        yield PromptBox(self.draft("text"), id="text", tab_behavior="focus")

    def on_mount(self) -> None:
        """The keys go to the box; what was prompted before is read."""
        box = self.query_one(PromptBox)
        box.focus()
        box.move_cursor(box.document.end)
        self._read_history()

    @work(group="history", exclusive=True)
    async def _read_history(self) -> None:
        self._history = await asyncio.to_thread(self._prompts, self._board)

    def _prompts(self, board: Board) -> list[str]:
        """The person's last prompts to this session, then those to others before them, each once."""
        mine = [c for c in board.commands if c.kind == CommandType.SEND_PROMPT and c.by == self.desk.person]
        found: dict[str, bool] = {}
        for command in mine[-4 * _MOST :]:
            for item in self.desk.registry.items(command.position, command.position + 1):
                payload = item.data.get("payload") if isinstance(item, Event) else None
                text = payload.get("prompt") if isinstance(payload, dict) else None
                if isinstance(text, str) and text.strip():
                    is_here = name_key(command.target or "") == name_key(self._session.name)
                    found[text] = found.pop(text, False) or is_here
        return sorted(found, key=lambda text: found[text])[-_MOST:]

    def on_prompt_box_left(self, message: PromptBox.Left) -> None:
        """Show another prompt; what is being written stays below them all."""
        box = self.query_one(PromptBox)
        if self._place is None:
            self._written = box.text
        place = (len(self._history) if self._place is None else self._place) + message.step
        if place < 0 or not self._history or (self._place is None and message.step > 0):
            return
        self._place = place if place < len(self._history) else None
        box.text = self._written if self._place is None else self._history[self._place]
        box.move_cursor(box.document.end if message.step < 0 else (0, 0))

    def wanted(self) -> Wanted:
        """The `send_prompt` command."""
        if not (text := self.text_of("#text")):
            raise ValueError("Write something first.")
        return Wanted(CommandType.SEND_PROMPT, self._session.name, {"prompt": text}, self._session)
