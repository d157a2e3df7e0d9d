"""Starting a session: which agent, on which task, from which branch, with which first prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.widget import Widget
from textual.widgets import Input, Label, Select, TextArea

from collab_tui.protocol.commands import CommandType
from collab_tui.sessions.names import checked
from collab_tui.tui.desk import Desk
from collab_tui.tui.safe import cut, words
from collab_tui.tui.screens.commanding import CommandScreen, Wanted

if TYPE_CHECKING:
    from collab_tui.sessions.defining import Definitions


class StartScreen(CommandScreen):
    """The `start` command."""

    TITLE_TEXT = "Start a session"
    GO = "Start"
    FIELDS = ("name", "task", "base", "text")
    HINTS = (("ctrl+s", "start"), ("tab", "next field"), ("esc", "cancel"))

    def __init__(self, desk: Desk, started: Callable[[str], None]) -> None:
        """`started` gets the name of the session that a monitor is about to start."""
        super().__init__(desk, (), None)
        self._started = started

    def body(self) -> Iterable[Widget]:
        """The fields; which agents there are is read meanwhile."""
        yield Label("Agent")
        yield Select[str]([], id="agent", prompt="reading which there are...", compact=True)
        yield Label("Task")
        yield Input(self.draft("task"), id="task", placeholder="its branch is collab/AGENT/TASK", compact=True)
        yield Label("Name")
        yield Input(self.draft("name"), id="name", placeholder="that of the agent", compact=True)
        yield Label("Base branch")
        yield Input(self.draft("base"), id="base", placeholder="the configured one, or where you are", compact=True)
        yield Label("First prompt")
        yield TextArea(self.draft("text"), id="text", tab_behavior="focus")

    def on_mount(self) -> None:
        """Read which agents there are."""
        self.query_one("#agent").focus()
        self._read()

    @work(group="definitions", exclusive=True)
    async def _read(self) -> None:
        found = await asyncio.to_thread(self.desk.machine.definitions)
        for select in self.query("#agent").results(Select):
            self._offer(select, found)

    def _offer(self, select: Select[str], found: Definitions) -> None:
        options = [
            (Text(cut(f"{words(name)}  {words(one.role) or one.driver}", 70)), name) for name, one in found.all.items()
        ]
        select.set_options(options)
        select.prompt = "which agent"
        last = self.draft("agent")
        if last in found.all:
            select.value = last
        told = [f"{words(name)} waits to be allowed: collab-tui session allow {words(name)}" for name in found.waiting]
        if wrong := [words(name) for name in found.problems]:
            told.append(cut(f"wrong, as collab-tui session allow tells: {', '.join(wrong)}", 70))
        self.complain("\n".join(told[:3]))

    def wanted(self) -> Wanted:
        """The command; names are checked before they are sent."""
        agent = self.text_of("#agent")
        if not agent:
            raise ValueError("Choose an agent.")
        self.desk.drafts[self._draft_key("agent")] = agent
        given = {"agent": agent}
        for field, what in (("name", "name"), ("task", "task"), ("base", ""), ("text", "")):
            if text := self.text_of(f"#{field}"):
                given["prompt" if field == "text" else field] = checked(text, what) if what else text
        return Wanted(CommandType.START, given.pop("name", agent), given, None)

    def taken(self, wanted: Wanted) -> None:
        """A monitor is about to start it."""
        self._started(wanted.target)
