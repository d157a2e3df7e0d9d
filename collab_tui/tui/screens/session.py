"""Everything that is known of one session."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.sessions import Session
from collab_tui.model.words import name_key
from collab_tui.tui.safe import words
from collab_tui.tui.screens.dialog import Dialog, Facts
from collab_tui.tui.seen import asked_by, counts, declared, lasting, seen, since
from collab_tui.tui.view import View
from collab_tui.tui.widgets.sessions import SessionsOf, WatchOf


class SessionScreen(Dialog[None]):
    """Follows the session while it is open."""

    TITLE_TEXT = "Session"
    HINTS = (("up down", "scroll"), ("esc", "close"))

    def __init__(self, session: Session, sessions_of: SessionsOf, watch_of: WatchOf, view: View) -> None:
        super().__init__()
        self._sessions_of = sessions_of
        self._session = session
        self._watch_of = watch_of
        self._view = view

    def body(self) -> Iterable[Widget]:
        """The facts."""
        yield Facts(self._facts(), id="facts")

    def on_mount(self) -> None:
        """The keys scroll."""
        self.query_one("#body").focus()

    def follow(self, view: View) -> None:
        """The board went on."""
        self._view = view
        key = name_key(self._session.name)
        self._session = next((one for one in self._sessions_of(view) if name_key(one.name) == key), self._session)
        for facts in self.query(Facts):
            facts.tell(self._facts())

    def _facts(self) -> Iterable[tuple[str, str]]:
        """Names and values, in the order in which they are asked for."""
        session, moment = self._session, self._view.moment
        shown = seen(session, self._watch_of(session), self._view.glyphs)
        asks = [request.request for request in asked_by(session, self._view)]
        lasts = seconds_between(session.observed_since, moment.now)
        started = seconds_between(session.started_at, moment.now)
        yield "session", words(session.name)
        yield "seen", lasting(shown, since(lasts))
        yield "says", next(iter(declared(moment.board, session, self._watch_of(session))), "")
        yield "asks you", words("; ".join(asks))
        yield "said last", words(session.last_line)
        yield "task", words(session.task)
        yield "agent", f"{words(session.definition)}, driven as {words(session.driver)}"
        yield "machine", words(session.host) + (f", process {session.pid}" if session.pid is not None else "")
        yield "started", f"{age(started)} ago, line {session.started + 1}" if started is not None else ""
        yield "works in", words(session.cwd)
        yield "branch", words(session.branch)
        yield "base", words(session.base)
        yield "counts", ", ".join(counts(session))
        yield "resume", "its agent can go on where it ends" if session.can_resume else "not possible"
        yield "worker", words(session.worker)
        yield "output", words(session.log)
        yield "monitor", words(session.monitor)
        yield "run", words(session.run)
