"""The sessions screen: what runs, what it shows, and the keys that start, prompt, watch and stop."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.app import SuspendNotSupported
from textual.binding import BindingType
from textual.widget import Widget

from collab_tui.model.ages import seconds_between
from collab_tui.model.board import Request
from collab_tui.model.glyphs import UNICODE
from collab_tui.model.sessions import CommandState, Observed, Session
from collab_tui.model.summary import Span
from collab_tui.model.words import name_key
from collab_tui.monitor.watching import Watch
from collab_tui.protocol.commands import GOOD_FOR, CommandType
from collab_tui.tui.actions import Action, Page, bindings
from collab_tui.tui.desk import Desk
from collab_tui.tui.found import Found, find
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.machine import HereError
from collab_tui.tui.safe import cut_middle, toast, words
from collab_tui.tui.screens.asking import once_signing
from collab_tui.tui.screens.beside import BesideScreen
from collab_tui.tui.screens.dialog import ShortFacts
from collab_tui.tui.seen import asked_by, counts, declared, lasting, runs, seen, since
from collab_tui.tui.view import View
from collab_tui.tui.widgets.item_list import ItemList
from collab_tui.tui.widgets.output import OutputPane
from collab_tui.tui.widgets.sessions import SessionList, command_span

if TYPE_CHECKING:
    from collab_tui.sessions.terminal_model import Picture

_LOOK_AT_OUTPUT: Final = 0.5
"""Seconds between two looks whether the selected session put out more."""
_LOOK_AT_PROCESSES: Final = 3.0
_NAME: Final = 24
_INTERRUPTED: Final = (Observed.WORKING, Observed.APPROVAL, Observed.INPUT)
_OF_ONE: Final = ("prompt", "output", "attach", "diff", "interrupt", "stop", "restore", "details")
"""Actions with the selected session."""
_COMMIT: Final = re.compile("[0-9a-f]{40,64}")
_HAS_TERMINAL: Final = "terminal"
"""The driver of sessions that a person can attach to."""


class SessionsScreen(BesideScreen):
    """What the registry tells of sessions, with what this machine knows of them."""

    page = Page.SESSIONS
    BINDINGS: ClassVar[list[BindingType]] = bindings(page)
    OPENED = "output"

    _found: Found = Found()
    _is_peeking = False
    _output_of: str | None = None
    """The run of the session whose output is shown."""
    _awaited: str | None = None
    """The name of the session that was started last, to be selected when it is there."""

    def __init__(self, desk: Desk, keymap: Keymap, view: View, chosen: str | None) -> None:
        super().__init__(desk, keymap, view)
        self._chosen = chosen

    def make_list(self) -> ItemList:
        """The sessions."""
        listed = SessionList(self._sessions, self._watch_of, self._order_span)
        listed.selected = name_key(self._chosen) if self._chosen is not None else None
        return listed

    def make_side(self) -> Iterable[Widget]:
        """What is known of the selected one, and its output."""
        yield ShortFacts((), id="about")
        yield OutputPane()

    def on_mount(self) -> None:
        """Look at once, and again while the screen is shown."""
        super().on_mount()
        self._look()
        self.set_interval(_LOOK_AT_PROCESSES, self._look)
        self.set_interval(_LOOK_AT_OUTPUT, self._peek)

    def on_screen_resume(self) -> None:
        """It is on top again."""
        self._look()
        self._peek()

    # What is selected

    @property
    def session(self) -> Session | None:
        """The selected session."""
        found = next(iter(self.query(SessionList)), None)
        return found.session if found is not None else None

    @property
    def chosen_name(self) -> str | None:
        """The selected session."""
        return self.session.name if self.session is not None else None

    @property
    def request(self) -> Request | None:
        """The oldest question of the selected session."""
        return next(iter(asked_by(self.session, self.view)), None) if self.session and self.view else None

    def _watch_of(self, session: Session) -> Watch:
        if self.view is None or self.view.past is not None:
            return Watch.UNKNOWN
        return self._found.watches.get(session.run, Watch.UNKNOWN)

    def _sessions(self, view: View) -> Sequence[Session]:
        return self._found.among(view.moment.board.sessions) if view.past is None else view.moment.board.sessions

    def _runs(self, session: Session) -> bool:
        return runs(session, self._watch_of(session))

    def _order_span(self, session: Session) -> Span:
        """How far the last command to a session is, or why it failed."""
        if self.view is None:
            return Span("")
        board, past = self.view.moment.board, self.view.past
        sending = self.desk.commander.sending(session.name) if past is None else []
        mine = [one for one in board.commands if name_key(one.target or "") == name_key(session.name)]
        if sending:
            return Span(f"{sending[-1].replace('_', ' ')} sending...", "accent")
        if not mine:
            return Span("")
        seconds = seconds_between(mine[-1].at, self.view.moment.now)
        if mine[-1].state is CommandState.SENT and (seconds is None or seconds > GOOD_FOR.total_seconds()):
            return Span("")
        return command_span(mine[-1])

    def show_side(self, view: View) -> None:
        """Facts and output of the selected session."""
        if self._awaited is not None and name_key(self._awaited) in self.items.keys:
            self.items.select(name_key(self._awaited))
            self._awaited = None
        session = self.session
        about = self.query_one(ShortFacts)
        about.set_class(session is None, "-of-none")
        about.tell(self._facts(view, session) if session is not None else ())
        output = self.query_one(OutputPane)
        output.entitle(f"Output of {cut_middle(words(session.name), _NAME)}" if session is not None else "Output")
        if (run := session.run if session is not None else None) != self._output_of:
            self._output_of = run
            output.say("")
        if session is None:
            return
        if view.past is not None:
            output.say("Output is kept as it is now: of the past there is what stood in the registry.")
        self._peek()

    def _facts(self, view: View, session: Session) -> Iterable[tuple[str, str]]:
        """The most important of what is known, and where it is narrow what its row lacks; `details` has the rest."""
        shown = seen(session, self._watch_of(session), view.glyphs)
        yield "seen", lasting(shown, since(seconds_between(session.observed_since, view.moment.now)))
        yield "task", words(session.task)
        if self.has_class("-narrow"):
            return
        yield "says", next(iter(declared(view.moment.board, session, self._watch_of(session))), "")
        yield (
            "worktree",
            f" {view.glyphs.separator} ".join([words(session.branch) or "none of its own", *counts(session)]),
        )
        yield "said last", words(session.last_line)
        yield "command", self._order_span(session).text

    # Looking

    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        """See which run, whatever is told of them."""
        view = self.view
        if view is None or view.past is not None or not self.is_active:
            return
        found = await asyncio.to_thread(find, self.desk.machine, view.moment.board.sessions)
        if found != self._found:
            self._found = found
            if self.view is not None:
                self.follow(self.view)

    def _peek(self) -> None:
        """Look at the output of the selected session, unless a look is under way: that is waited for."""
        if not self._is_peeking:
            self._is_peeking = True
            self._peek_once()

    @work(group="peek")
    async def _peek_once(self) -> None:
        try:
            output = self.query_one(OutputPane)
            while (session := self._shown) is not None and (width := output.scrollable_content_region.width):
                told = await self._output(session, width)
                now = self._shown
                if now is not None and now.run == session.run:
                    output.say(told) if isinstance(told, str) else output.tell(told)
                    return
        finally:
            self._is_peeking = False

    @property
    def _shown(self) -> Session | None:
        """The session whose output is to be seen now."""
        is_now = self.is_active and self.view is not None and self.view.past is None
        return self.session if is_now else None

    async def _output(self, session: Session, width: int) -> Picture | str:
        """What it shows, or why that cannot be seen."""
        try:
            return await self.desk.machine.look(session, width)
        except HereError as error:
            return words(str(error))

    def action_output(self) -> None:
        """The output on the whole screen, or the list beside it again."""
        if self.refuses("output"):
            return
        self.toggle_class("-output")
        (self.query_one(OutputPane) if self.has_class("-output") else self.items).focus()
        self.refresh_keys()
        self.call_after_refresh(self._peek)

    def _in_footer(self, action: Action) -> Action:
        """From the output both keys go back to the list."""
        shown = super()._in_footer(action)
        return replace(shown, label="list") if self.has_class("-output") and action.id in ("output", "back") else shown

    def action_back(self) -> None:
        """From the output to the list, from the list to the board."""
        if self.has_class("-output"):
            self.action_output()
        else:
            super().action_back()

    def action_details(self) -> None:
        """Everything that is known of the selected session."""
        if not self.refuses("details") and self.session is not None and self.view is not None:
            from collab_tui.tui.screens.session import SessionScreen

            self.app.push_screen(SessionScreen(self.session, self._sessions, self._watch_of, self.view))

    def action_diff(self) -> None:
        """What it changed since its base."""
        session = self.session
        if self.refuses("diff") or session is None:
            return
        from collab_tui.tui.screens.reading import ReadingScreen, diff_role

        base = session.base or "its base"
        title = f"{session.name}: {session.branch} since {base[:10] if _COMMIT.fullmatch(base) else base}"
        empty = "Nothing differs from its base."
        self.app.push_screen(ReadingScreen(title, partial(self.desk.machine.diff, session), diff_role, empty))

    # Commands

    def why_not(self, action: str) -> str:
        """Why an action would do nothing with the selected session; empty where it would do something."""
        if action not in _OF_ONE:
            return super().why_not(action)
        return self._why_not(action, self.session) if self.session is not None else "No session is selected"

    def _why_not(self, action: str, session: Session) -> str:
        name, host, is_running = words(session.name), words(session.host), self._runs(session)
        match action:
            case "prompt" | "stop" | "interrupt" | "attach" if not is_running:
                restores = f": {self.keymap.text('restore')} restores it" if session.can_resume else ""
                return f"{name} does not run{restores}"
            case "interrupt" if session.observed not in _INTERRUPTED:
                return f"{name} is {session.observed.value}: there is nothing to interrupt"
            case "attach" if session.driver != _HAS_TERMINAL:
                return f"{name} has no terminal: {self.keymap.text('output')} shows what it puts out"
            case "attach" if self._watch_of(session) is Watch.ELSEWHERE:
                return f"{name} runs on {host}: attach to it there"
            case "diff" if session.branch is None:
                return f"{name} has no worktree of its own"
            case "diff" if not self.desk.machine.is_here(session):
                return f"The worktree of {name} is on {host}"
            case "restore" if is_running:
                return f"{name} runs"
            case "restore" if not session.can_resume:
                return f"{name} cannot go on where it ended: {self.keymap.text('start_session')} starts another"
        return ""

    def action_start_session(self) -> None:
        """Start a session."""
        if self.refuses("start_session"):
            return
        from collab_tui.tui.screens.start_session import StartScreen

        self.app.push_screen(StartScreen(self.desk, self._await))

    def _await(self, name: str) -> None:
        self._awaited = name

    def action_prompt(self) -> None:
        """Prompt the selected session."""
        if self.refuses("prompt") or self.session is None or self.view is None:
            return
        from collab_tui.tui.screens.prompt import PromptScreen

        self.app.push_screen(PromptScreen(self.desk, self.session, self._state_words(self.session), self.view))

    def action_interrupt(self) -> None:
        """Interrupt what it does now."""
        if not self.refuses("interrupt") and self.session is not None:
            self._give(CommandType.INTERRUPT, self.session)

    def action_stop(self) -> None:
        """Stop it, once the person saw what would be lost."""
        session = self.session
        if self.refuses("stop") or session is None:
            return
        from collab_tui.tui.screens.stop import StopScreen

        screen = StopScreen(session, self._state_words(session), self.desk.machine)
        self.app.push_screen(screen, lambda sure: self._give(CommandType.STOP, session) if sure else None)

    def action_restore(self) -> None:
        """Start it again where it ended."""
        if not self.refuses("restore") and self.session is not None:
            self._give(CommandType.RESTORE, self.session)

    def _state_words(self, session: Session) -> str:
        return seen(session, self._watch_of(session), UNICODE).word

    def _give(self, type_: CommandType, session: Session) -> None:
        """Give a command without words, once: what it did is told by the registry, why it failed by a toast."""
        if self.desk.commander.is_given(type_, session.name):
            toast(self.app, "It is on its way")
            return

        def heard(state: CommandState, reason: str | None) -> None:
            if state is CommandState.FAILED:
                what = type_.replace("_", " ")
                toast(self.app, f"{words(session.name)}: {what} failed: {words(reason) or 'nobody says why'}", "error")

        once_signing(self.app, self.desk, lambda: self.desk.commander.give(type_, session.name, {}, session, heard))

    # The terminal

    def action_attach(self) -> None:
        """Hand the terminal over until the person detaches."""
        if not self.refuses("attach") and self.session is not None:
            self._find_terminal(self.session)

    @work(group="attach", exclusive=True)
    async def _find_terminal(self, session: Session) -> None:
        try:
            self._hand_over(await asyncio.to_thread(self.desk.machine.attach_command, session))
        except SuspendNotSupported:
            toast(self.app, "This terminal cannot be handed over", "warning")
        except (HereError, OSError) as error:
            toast(self.app, f"{words(session.name)} cannot be attached to: {error}", "error")

    def _hand_over(self, command: Sequence[str]) -> None:
        """Nothing is painted meanwhile, so nothing of ours runs either."""
        with self.app.suspend():
            ended = subprocess.run(command, check=False)
        if ended.returncode:
            toast(self.app, "Its terminal is gone: the session ended", "warning")
        self._look()
