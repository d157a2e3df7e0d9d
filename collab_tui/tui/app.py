"""The app: wires registry -> messages -> screen, and keys -> registry."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from collab_tui.config import Config
from collab_tui.model.board import Board
from collab_tui.model.event import Event, Item
from collab_tui.model.fold import Fold
from collab_tui.model.glyphs import ASCII, UNICODE
from collab_tui.model.moment import Moment, Order
from collab_tui.protocol.presence import agent_mark, refusal
from collab_tui.protocol.trust import Trust
from collab_tui.registry.follow import Watch
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.tui import garbage
from collab_tui.tui.actions import actions_of
from collab_tui.tui.calling import Attentive, Caller
from collab_tui.tui.desk import Desk, sending_key
from collab_tui.tui.ending import end_on_signals, has_terminal, keep_to_size, paint_on_return, read_any_bytes
from collab_tui.tui.follower import Follower
from collab_tui.tui.keymap import make_keymap
from collab_tui.tui.messages import BoardRead, FreezeToggled, OrderChosen, ScreenMade, Source
from collab_tui.tui.narrow import Encodable, narrow_encoding
from collab_tui.tui.notifying import Attention
from collab_tui.tui.plain import PlainSigns
from collab_tui.tui.rule_notices import NewerRules
from collab_tui.tui.safe import Scrub, toast
from collab_tui.tui.screens.board import BoardScreen
from collab_tui.tui.screens.page import PageScreen
from collab_tui.tui.theme import THEMES, theme_in_force
from collab_tui.tui.title import GIVE_BACK
from collab_tui.tui.view import View
from collab_tui.tui.visiting import Beginning, Visiting

_TICK = 1.0
_SLOW_TICK = 15
"""Ticks between looks at the clock once every age is in minutes; what reads the same is not painted again."""
_LOOK_FOR_RUNS = 2
"""Ticks between looks whether the processes of runs are still there."""
_LOOK_FOR_MONITOR = 5
"""Ticks between looks whether a monitor acts, where the board tells of what one sees to."""
_RECENT = 75.0
"""Seconds from an event for which ages may be told in seconds."""


def system_clock() -> datetime:
    """The time on this machine's clock."""
    return datetime.now(UTC)


class BoardApp(Visiting, Attentive):
    """The board of one registry: live, or, with a `beginning`, replayed."""

    CSS_PATH = "app.tcss"
    TITLE = "collab-tui"
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+z", "suspend_process", "Into the background", show=False)]

    def __init__(
        self,
        path: Path,
        config: Config,
        *,
        poll: float | None = None,
        clock: Callable[[], datetime] = system_clock,
        trust: Trust | None = None,
        not_the_person: str | None = None,
        beginning: Beginning | None = None,
    ) -> None:
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_in_force(config, os.environ)
        self._keymap_in_force, _ = make_keymap(config)
        self.set_keymap(self._keymap_in_force.for_textual)
        if config.reduced_motion:
            self.animation_level = "none"
        start = partial(self.run_worker, group="send", exit_on_error=False)
        trust = trust or Trust(config.person, config.approvers)
        self.desk = Desk(JsonlRegistry(path), config.person, clock, start, self.draw, trust, not_the_person)
        self.live: BoardRead | None = None
        """The newest board, also while the picture is frozen or the past is shown; None where nothing is followed."""
        self._beginning = beginning
        self._order = Order(config.order)
        self._config = config
        self._watch_how = (path, poll if poll is not None else config.poll)
        self.attention = Attention()
        self._caller = Caller(config, self.attention, self._show_call, self._write_raw, os.environ, NewerRules(path))
        self._frozen: BoardRead | None = None
        narrow = narrow_encoding()
        self._line_filters: list[LineFilter] = [Scrub()]
        self._line_filters += [PlainSigns()] if config.ascii or narrow else []
        self._line_filters += [Encodable(narrow)] if narrow else []
        self._ticks = 0
        self._is_unattended = False
        self._gone_agents: frozenset[str] = frozenset()

    def get_default_screen(self) -> BoardScreen:
        """The board is the one screen below all dialogs: another under it would cost 20 ms of the first paint."""
        return BoardScreen(self.desk, self._keymap_in_force)

    def on_mount(self) -> None:
        """See to the terminal and the clock; the rest begins with the screen."""
        if not self.is_headless:
            end_on_signals(self._end)
            paint_on_return(self)
        self.set_interval(_TICK, self._tick)
        self.set_timer(_TICK, garbage.go_on)

    def refresh_css(self, animate: bool = True) -> None:
        """As long as there is no screen only the colours are taken over: what is parsed then is parsed again for it."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    async def on_event(self, event: events.Event) -> None:
        """Keys and pastes that come together reach a dialog in their order, whatever gets the focus meanwhile."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            takes = getattr(self.screen, "takes", None)
            if takes is not None and takes(event):
                return
        await super().on_event(event)

    def on_resize(self) -> None:
        """Paint everything, also when the terminal is as large as before: it may have moved what stood on it."""
        self.screen.refresh()

    def get_line_filters(self) -> list[LineFilter]:
        """The second wall against text that steers the terminal; and ASCII signs where they are wanted."""
        return [*super().get_line_filters(), *self._line_filters]

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A cursor blinks unless nothing is to move."""
        if not self._config.reduced_motion:
            return
        from textual.widgets import Input, TextArea  # the first paint need not wait for them

        if isinstance(event.widget, Input | TextArea):
            event.widget.cursor_blink = False

    # Registry -> screen

    @work(group="follow", exit_on_error=False)
    async def follow(self) -> None:
        """Follow the registry until the app ends."""
        path, poll = self._watch_how
        prepare = self.desk.trust.prepare
        await Follower(self.desk.registry, Watch(path, poll), Fold(self.desk.person), self.post_message, prepare).run()

    @on(BoardRead)
    def _board_read(self, message: BoardRead) -> None:
        before, self.live = self.live, message
        is_another = before is not None and before.source.generation != message.source.generation
        if is_another and (self._frozen is not None or self.replay is not None):
            self.thaw()
            self.come_back()
            toast(self, "The registry was replaced: the picture goes on", "warning")
        moment = self._moment(message.board, self.desk.clock())
        requests = {request.id for request in message.board.requests if moment.is_answerable(request)}
        agents = message.board.agents
        blockers = {sending_key(agent.name, blocker.text) for agent in agents for blocker in agent.blockers}
        self.desk.arrived(
            message.board, requests | blockers, {item.id for item in message.latest if isinstance(item, Event)}
        )
        self._caller.read(message)
        self.draw()

    def draw(self) -> None:
        """Draw the live board, the frozen one or one of the past, each at its time."""
        shown = self.replay or self._frozen or self.live
        if shown is None or shown.board is None or not self.is_running:
            return  # nothing was read yet, or the screen is being taken down
        view = self._view(shown.board)
        latest: Sequence[Item] = ()
        if self.live is not None:
            latest, self.live.latest = self.live.latest, ()
        for screen in self.screen_stack:
            if isinstance(screen, BoardScreen):
                screen.show(view, latest)
            elif (follow := getattr(screen, "follow", None)) is not None:
                follow(view)
        if self.live is not None:
            is_shown = shown is self.live
            moment = view.moment if is_shown else self._moment(self.live.board, self.desk.clock())
            self._caller.look(self.live, moment, is_shown=is_shown)

    def _view(self, shown: Board) -> View:
        live, replay, frozen = self.live, self.replay, self._frozen
        clock = self.desk.clock()
        read = len(replay.timeline) if replay is not None else 0
        return View(
            moment=self._moment(shown, clock if replay is None else replay.now or clock),
            source=live.source if live is not None else replay.source if replay is not None else Source(),
            glyphs=ASCII if self._config.ascii else UNICODE,
            config=self._config,
            keymap=self._keymap_in_force,
            order=self._order,
            sending=frozenset(self.desk.sending if replay is None else ()),
            frozen_at=frozen.board.position if frozen is not None else None,
            latest=live.lines if live is not None else read,
            readable=live.board.position if live is not None else read,
            past=replay.past(live.lines if live is not None else None) if replay is not None else None,
            is_unattended=self._is_unattended,
        )

    def _moment(self, board: Board, now: datetime) -> Moment:
        trust = self.desk.trust
        gone = self._gone_agents if self.replay is None else frozenset()
        limits, person = self._config.limits, self.desk.person
        return Moment(board, now, limits, person, trust.judge_shown, signs=trust.has_key, gone=gone)

    def _tick(self) -> None:
        """Let the ages grow; a board at rest is looked at only now and then."""
        if not self.is_headless:
            if not has_terminal():
                self._end(128 + 1)
            keep_to_size(self)
        self._ticks += 1
        last = self.live.board.last_time if self.live else None
        board = self.live.board if self.live else None
        is_recent = self._is_near(last)
        expires_soon = board is not None and any(self._is_near(request.expires) for request in board.open_requests)
        if is_recent or expires_soon or self._ticks % _SLOW_TICK == 0:
            self.draw()
        if board is None:
            return
        may_be_back = is_recent and bool(self._gone_agents)
        may_be_gone = self._gone_agents or any(not run.state.is_over for run in board.runs)
        if may_be_gone and (may_be_back or self._ticks % _LOOK_FOR_RUNS == 1) and not self._is_looking("runs"):
            self._look_for_runs(board)
        is_turn = self._ticks % _LOOK_FOR_MONITOR == 1 and not self._is_looking("monitor")
        if is_turn and (board.streams or board.workers or board.sessions):
            self._look_for_monitor(board)

    def _is_near(self, time: datetime | None) -> bool:
        """It is told in seconds how far it is from now."""
        return time is not None and abs((self.desk.clock() - time).total_seconds()) < _RECENT

    def _is_looking(self, group: str) -> bool:
        """A look is under way; the next one waits for it: threads cannot be cancelled, and would pile up."""
        return any(worker.group == group and not worker.is_finished for worker in self.workers)

    @work(group="monitor", exit_on_error=False)
    async def _look_for_monitor(self, board: Board) -> None:
        """See whether somebody sees to what is to be done."""
        found = await asyncio.to_thread(_is_unattended, self.desk.registry.path, board)
        if found != self._is_unattended:
            self._is_unattended = found
            self.draw()

    @work(group="runs", exit_on_error=False)
    async def _look_for_runs(self, board: Board) -> None:
        """See which agents of runs that are told to go on have no process any more."""
        gone = await asyncio.to_thread(self.desk.machine.gone_agents, board)
        if gone != self._gone_agents:
            self._gone_agents = gone
            self.draw()

    @on(ScreenMade)
    def _screen_made(self) -> None:
        """Begin to read once the screen was painted: the two at once would take longer until the first paint."""
        if self._beginning is None:
            self.follow()
        else:
            self.visit_saved(self._beginning)

    @on(OrderChosen)
    def _order_chosen(self, message: OrderChosen) -> None:
        self._order = message.order
        self.draw()

    @on(FreezeToggled)
    def _freeze_toggled(self) -> None:
        """Freeze the picture, or let it go on; events go on being counted."""
        self._frozen = None if self._frozen else self.live
        self.draw()

    def thaw(self) -> BoardRead | None:
        """Let a frozen picture go; gives what was shown."""
        shown, self._frozen = self._frozen or self.live, None
        return shown

    @property
    def has_titled(self) -> bool:
        """The terminal's title was set, and is to be given back."""
        return self._caller.has_titled

    def _end(self, code: int) -> None:
        """Leave, with the exit code of whoever was told to."""
        self.exit(return_code=code)

    def _show_call(self, text: str, title: str) -> None:
        toast(self, text, title=title)

    def _write_raw(self, text: str) -> None:
        """Write to the terminal past the screen; Textual has no public way for a title or a notification."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(text)

    # Faults and commands

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        """An error in a worker is a bug: end, and say what it was."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self._handle_exception(event.worker.error)  # type: ignore[arg-type]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the screen that works now, beside Textual's own."""
        yield SystemCommand("Choose a theme", "Change the colours at once", self.action_change_theme)
        if isinstance(screen, PageScreen):
            for action in actions_of(screen.page):
                if action.id != "themes" and screen.works(action.id):
                    run = getattr(screen, f"action_{action.method}")
                    key = self._keymap_in_force.of(action).key_text
                    yield SystemCommand(action.title, f"key {key}", run)


def _is_unattended(registry: Path, board: Board) -> bool:
    from collab_tui.monitor.watching import unattended  # the first paint need not wait for it

    return bool(unattended(registry, board))


def run_board(
    path: Path,
    config: Config,
    *,
    poll: float | None = None,
    trust: Trust | None = None,
    beginning: Beginning | None = None,
) -> int:
    """Show the board until the person leaves; gives the exit code. With a `beginning` the registry is replayed.

    Without `trust` the user's own keys count, and an agent that runs the board cannot decide.
    """
    mark = agent_mark(os.environ) if trust is None else None
    app = BoardApp(path, config, poll=poll, trust=trust, not_the_person=mark and refusal(mark), beginning=beginning)
    read_any_bytes()
    try:
        app.run()
    finally:
        if app.has_titled and sys.__stderr__ is not None:  # where Textual writes to the terminal
            sys.__stderr__.write(GIVE_BACK)
            sys.__stderr__.flush()
    app.raise_error()
    return app.return_code or 0
