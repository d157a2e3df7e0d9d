"""The sessions of agents: what is seen of each program, what its agent says, its worktree, its last line."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

from rich.cells import cell_len

from collab_tui.model.ages import seconds_between
from collab_tui.model.sessions import Command, CommandState, Session
from collab_tui.model.summary import Span
from collab_tui.model.words import name_key
from collab_tui.model.workers import WorkerKind
from collab_tui.monitor.watching import Watch
from collab_tui.protocol.commands import CommandType
from collab_tui.tui.safe import Line, cut, fit, pad, width_of, words
from collab_tui.tui.seen import ASKS, Seen, asked_by, counts, declared, runs, seen, since
from collab_tui.tui.view import View
from collab_tui.tui.widgets.item_list import ItemList, Row

_MAX_NAME = 16
_STATE = 20
"""Cells of the longest state, and of the column."""
_SAYS = "  says "
_AGE = 8
"""Cells kept for how long it is so, and the gap before it."""

WatchOf = Callable[[Session], Watch]
SessionsOf = Callable[[View], Sequence[Session]]
OrderSpan = Callable[[Session], Span]
"""What is on its way to a session; empty for nothing."""


class SessionList(ItemList):
    """One item a session; the selected one with all its lines."""

    def __init__(self, sessions_of: SessionsOf, watch_of: WatchOf, order_span: OrderSpan) -> None:
        super().__init__(id="sessions")
        self._sessions_of = sessions_of
        self._watch_of = watch_of
        self._order_span = order_span

    def show(self, view: View) -> None:
        """Show the sessions; how many run stands in the title."""
        super().show(view)
        sessions = self._sessions_of(view)
        watches = [self._watch_of(session) for session in sessions if session.observed.is_running]
        here = sum(watch in (Watch.MONITOR, Watch.NOBODY) for watch in watches)
        told = [f"{here} of {len(sessions)} run here" if view.past is None else str(len(sessions))]
        if elsewhere := watches.count(Watch.ELSEWHERE):
            told.append(f"{elsewhere} told from elsewhere")
        self.entitle(f" {view.glyphs.separator} ".join(["Sessions", *told]) if sessions else "Sessions")

    @property
    def session(self) -> Session | None:
        """The selected one."""
        sessions = self._sessions_of(self.view) if self.view is not None else ()
        return next((one for one in sessions if name_key(one.name) == self.selected), None)

    def build(self, view: View, width: int) -> list[Row]:
        """Those that wait for the person, run here, are told from elsewhere, and the others, the latest first.

        Those that decided on an event, and ended, come last: nothing is left of them to look after.
        """
        deciding = {one.id for one in view.moment.board.workers if one.kind is WorkerKind.DECISION}
        sessions = sorted(self._sessions_of(view), key=lambda session: self._place(view, session, deciding))
        if not sessions:
            return [Row(None, _how_to_begin(view, width))]
        names = min(_MAX_NAME, max(cell_len(words(session.name)) for session in sessions))
        most = 3 if 3 * len(sessions) <= self.room else 2 if 2 * len(sessions) + 1 <= self.room else 1
        return [
            Row(
                key := name_key(session.name),
                self._lines(view, session, names, width)[: 3 if key == self.selected else most],
            )
            for session in sessions
        ]

    def _place(self, view: View, session: Session, deciding: Container[str | None]) -> tuple[int, int]:
        watch = self._watch_of(session)
        if not runs(session, watch):
            return (4 if session.worker in deciding else 3), -session.observed_at
        if self._asks(view, session):
            return 0, session.started
        return (2 if watch is Watch.ELSEWHERE else 1), session.started

    def _asks(self, view: View, session: Session) -> bool:
        """It waits for the person: its program does, or its agent asked them."""
        watch = self._watch_of(session)
        is_seen = session.observed in ASKS and watch is not Watch.ELSEWHERE
        return runs(session, watch) and (is_seen or bool(asked_by(session, view)))

    def _lines(self, view: View, session: Session, names: int, width: int) -> list[Line]:
        shown = seen(session, self._watch_of(session), view.glyphs)
        lines = [self._head(view, session, shown, names, width)]
        indent = Span(" " * (names + 4)) if width >= 70 else Span("  ")
        order = self._order_span(session)
        told = [Span(f" {view.glyphs.separator} ".join(_facts(session)), "muted")]
        lines.append(fit([indent, *told], width, [Span(cut(order.text, max(12, width - 24)), order.role)]))
        said = [Span(f"{shown.why}  ", shown.role)] if shown.why else []
        lines.append(fit([indent, *said, Span(words(session.last_line), "muted")], width))
        return lines

    def _head(self, view: View, session: Session, shown: Seen, names: int, width: int) -> Line:
        asks = bool(asked_by(session, view)) and runs(session, self._watch_of(session))
        sign = Span(f"{view.glyphs.needs_you} ", "warning") if asks else Span(f"{shown.sign} ", shown.role)
        head = [sign, Span(pad(words(session.name), names) + "  ", "strong")]
        head.append(Span(pad(shown.word, _STATE), shown.role))
        room = width - width_of(head) - _AGE
        says = declared(view.moment.board, session, self._watch_of(session))
        shown_whole = next((text for text in says if cell_len(text) + len(_SAYS) <= room), "")
        if shown_whole:
            head += [Span(_SAYS, "muted"), Span(shown_whole)]
        lasts = since(seconds_between(session.observed_since, view.moment.now)) if shown.is_told else ""
        return fit(head, width, [Span(lasts, "muted")])


def command_span(command: Command) -> Span:
    """How far a command is; nothing once it is done, or when its session shows that it is under way."""
    what = words(command.kind.replace("_", " "))
    match command.state:
        case CommandState.SENT:
            return Span(f"{what} sent, not taken yet", "accent")
        case CommandState.ACCEPTED:
            return Span(f"{what} taken", "accent")
        case CommandState.RUNNING if command.kind != CommandType.SEND_PROMPT:
            return Span(f"{what} under way", "accent")
        case CommandState.FAILED if command.has_run and command.kind == CommandType.SEND_PROMPT:
            return Span(f"prompt ended: {words(command.reason)}", "muted")
        case CommandState.FAILED:
            return Span(f"{what} failed: {words(command.reason)}", "warning")
    return Span("")


def _facts(session: Session) -> Sequence[str]:
    where = words(session.branch) or "no worktree of its own"
    kind = words(session.definition)
    driver = "" if session.driver == session.definition else f" ({words(session.driver)})"
    return [f"{kind}{driver}", *counts(session), where]


def _how_to_begin(view: View, width: int) -> tuple[Line, ...]:
    if view.past is not None:
        return (fit([Span("There was no session yet.", "muted")], width),)
    key = view.keymap.text("start_session")
    return (
        fit([Span("No sessions yet: agents whose programs are started and prompted from here.", "muted")], width),
        (),
        fit([Span(f"  {key}", "accent"), Span("  starts one, in a worktree of its own", "muted")], width),
        fit([Span("  collab-tui session start AGENT", "accent"), Span("  does the same", "muted")], width),
    )
