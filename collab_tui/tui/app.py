"""The app: wires registry -> messages -> screen, and keys -> registry."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import App, SystemCommand
from textual.filter import LineFilter
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from collab_tui.config import Config
from collab_tui.model.event import Event
from collab_tui.model.fold import Fold
from collab_tui.model.glyphs import ASCII, UNICODE
from collab_tui.model.moment import Moment, Order
from collab_tui.registry.follow import Watch
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.tui.actions import ACTIONS
from collab_tui.tui.desk import Desk, sending_key
from collab_tui.tui.ending import end_on_signals, has_terminal
from collab_tui.tui.follower import Follower
from collab_tui.tui.messages import BoardRead, FreezeToggled, OrderChosen
from collab_tui.tui.safe import Scrub, toast
from collab_tui.tui.screens.board import BoardScreen
from collab_tui.tui.theme import DEFAULT, NO_COLOR, THEMES
from collab_tui.tui.view import View

_KEEP_TITLE = "\x1b[22;0t"
_GIVE_BACK_TITLE = "\x1b[23;0t"
_TICK = 1.0
_SLOW_TICK = 15
"""Ticks between looks at the clock once every age is in minutes; what reads the same is not painted again."""
_RECENT = 75.0
"""Seconds after an event for which ages may be told in seconds."""


def system_clock() -> datetime:
    """The time on this machine's clock."""
    return datetime.now(UTC)


class BoardApp(App[None]):
    """The live board of one registry."""

    CSS_PATH = "app.tcss"
    TITLE = "collab-tui"
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = True

    def __init__(
        self,
        path: Path,
        config: Config,
        *,
        poll: float | None = None,
        clock: Callable[[], datetime] = system_clock,
    ) -> None:
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        for theme in THEMES:
            self.register_theme(theme)
        wanted = NO_COLOR if os.environ.get("NO_COLOR") else config.theme
        self.theme = wanted if wanted in self.available_themes else DEFAULT
        start = partial(self.run_worker, group="send", exit_on_error=False)
        self.desk = Desk(JsonlRegistry(path), config.person, clock, start, self._draw)
        self.live: BoardRead | None = None
        """The newest board, also while the picture is frozen."""
        self._order = Order(config.order)
        self._config = config
        self.set_class(config.ascii, "-ascii")
        self._watch_how = (path, poll)
        self._frozen: BoardRead | None = None
        self._scrub = Scrub()
        self._title_written = ""
        self._ticks = 0

    async def on_mount(self) -> None:
        """Begin to follow while the screen is made; the first board is drawn when it is whole."""
        if not self.is_headless:
            end_on_signals(self._end)
        made = self.push_screen(BoardScreen(self.desk))
        self.follow()
        await made
        self.set_interval(_TICK, self._tick)

    def get_line_filters(self) -> list[LineFilter]:
        """The second wall against text that steers the terminal."""
        return [*super().get_line_filters(), self._scrub]

    # Registry -> screen

    @work(group="follow", exit_on_error=False)
    async def follow(self) -> None:
        """Follow the registry until the app ends."""
        path, poll = self._watch_how
        await Follower(self.desk.registry, Watch(path, poll), Fold(self.desk.person), self.post_message).run()

    @on(BoardRead)
    def _board_read(self, message: BoardRead) -> None:
        self.live = message
        if self._frozen is not None and self._frozen.source.generation != message.source.generation:
            self._frozen = None
            toast(self, "The registry was replaced: the picture goes on", "warning")
        requests = {request.id for request in message.board.open_requests}
        agents = message.board.agents
        blockers = {sending_key(agent.name, blocker.text) for agent in agents for blocker in agent.blockers}
        self.desk.arrived(requests | blockers, {item.id for item in message.latest if isinstance(item, Event)})
        self._draw()

    def _draw(self) -> None:
        """Draw the live board, or the frozen one, at this moment."""
        shown = self._frozen or self.live
        if shown is None or self.live is None or not self.is_running:
            return  # nothing was read yet, or the screen is being taken down
        now = self.desk.clock()
        view = View(
            moment=Moment(shown.board, now, self._config.limits, self.desk.person),
            source=self.live.source,
            glyphs=ASCII if self._config.ascii else UNICODE,
            order=self._order,
            sending=frozenset(self.desk.sending),
            frozen_at=self._frozen.board.position if self._frozen else None,
            latest=self.live.lines,
        )
        latest, self.live.latest = self.live.latest, ()
        for screen in self.screen_stack:
            if isinstance(screen, BoardScreen):
                screen.show(view, latest)
            elif (follow := getattr(screen, "follow", None)) is not None:
                follow(view)
        self._write_title(len(view.moment.needs))

    def _tick(self) -> None:
        """Let the ages grow; a board at rest is looked at only now and then."""
        if not self.is_headless and not has_terminal():
            self._end(128 + 1)
        self._ticks += 1
        last = self.live.board.last_time if self.live else None
        is_recent = last is not None and abs((self.desk.clock() - last).total_seconds()) < _RECENT
        if is_recent or self._ticks % _SLOW_TICK == 0:
            self._draw()

    @on(OrderChosen)
    def _order_chosen(self, message: OrderChosen) -> None:
        self._order = message.order
        self._draw()

    @on(FreezeToggled)
    def _freeze_toggled(self) -> None:
        """Freeze the picture, or let it go on; events go on being counted."""
        self._frozen = None if self._frozen else self.live
        self._draw()

    @property
    def has_titled(self) -> bool:
        """The terminal's title was set, and is to be given back."""
        return bool(self._title_written)

    def _end(self, code: int) -> None:
        """Leave, with the exit code of whoever was told to."""
        self.exit(return_code=code)

    def _write_title(self, needs: int) -> None:
        """The terminal's title carries the count; nothing from events goes there."""
        title = f"({needs}) collab-tui" if needs else "collab-tui"
        if title != self._title_written and self._driver is not None and not self.is_headless:
            keep = "" if self._title_written else _KEEP_TITLE
            self._title_written = title
            self._driver.write(f"{keep}\x1b]0;{title}\x07")  # Textual has no public way to set it

    # Faults and commands

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        """An error in a worker is a bug: end, and say what it was."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self._handle_exception(event.worker.error)  # type: ignore[arg-type]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the board that works now, beside Textual's own."""
        yield SystemCommand("Choose a theme", "Change the colours at once", self.action_change_theme)
        if isinstance(screen, BoardScreen):
            for action in ACTIONS:
                if action.id != "themes" and screen.check_action(action.id, ()):
                    run = getattr(screen, f"action_{action.method}")
                    yield SystemCommand(action.title, f"key {action.key_text}", run)
        yield SystemCommand("Save a picture of the screen", "As SVG, in the folder you are in", self.action_screenshot)


def run_board(path: Path, config: Config, *, poll: float | None = None) -> int:
    """Show the board until the person leaves; gives the exit code."""
    app = BoardApp(path, config, poll=poll)
    try:
        app.run()
    finally:
        if app.has_titled and sys.__stderr__ is not None:  # where Textual writes to the terminal
            sys.__stderr__.write(_GIVE_BACK_TITLE)
            sys.__stderr__.flush()
    return app.return_code or 0
