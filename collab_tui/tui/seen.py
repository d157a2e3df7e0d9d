"""How a session is told on the screen: what its monitor told last, and whether that can still be so."""

from __future__ import annotations

from typing import Final, NamedTuple

from collab_tui.model.ages import age
from collab_tui.model.board import Board, Request
from collab_tui.model.glyphs import STATUS_WORDS, Glyphs
from collab_tui.model.sessions import Observed, Session
from collab_tui.model.words import Status, name_key
from collab_tui.monitor.watching import Watch
from collab_tui.tui.safe import words
from collab_tui.tui.view import View


class Seen(NamedTuple):
    """How a session's program is shown."""

    sign: str
    word: str
    role: str
    why: str = ""
    """What the word alone does not say."""
    is_told: bool = True
    """The word is the registry's, not what is found now."""


_STATES: Final = {
    Observed.STARTING: (Status.WAITING, "text"),
    Observed.IDLE: (Status.IDLE, "text"),
    Observed.WORKING: (Status.IN_PROGRESS, "accent"),
    Observed.FAILED: (Status.FAILED, "error"),
    Observed.LOST: (Status.UNKNOWN, "warning"),
}
"""What is told -> whose sign it has, and the role of the word."""
ASKS: Final = (Observed.APPROVAL, Observed.INPUT)
"""It waits for the person."""


def seen(session: Session, watch: Watch, glyphs: Glyphs) -> Seen:
    """How a session's program is shown, with who sees to it now."""
    told, why = session.observed, words(session.why)
    if told is Observed.STOPPED:
        return Seen(glyphs.gone, told.value, "muted", why)
    status, role = _STATES.get(told, (None, "warning"))
    sign = glyphs.needs_you if told in ASKS else glyphs.statuses[status]
    if not told.is_running or watch is Watch.MONITOR:
        return Seen(sign, told.value, role, why)
    match watch:
        case Watch.GONE:
            return Seen(glyphs.gone, "gone with monitor", "warning", f"it was {told.value}", is_told=False)
        case Watch.NOBODY:
            why = f"it runs without a monitor, and was {told.value}"
            return Seen(glyphs.silent, "not watched", "warning", why, is_told=False)
        case Watch.ELSEWHERE:
            where = words(session.host) or "another machine"
            why = f"as told from {where}; nothing is kept of it here"
            return Seen(glyphs.arrow[0], told.value, "muted", why)
    return Seen(sign, told.value, "muted" if role == "accent" else role, why)


def lasting(shown: Seen, time: str) -> str:
    """The word, for how long that is so where it is known, and why."""
    lasts = f" for {time}" if time and shown.is_told else ""
    why = shown.why.removeprefix(f"{shown.word}: ")
    return f"{shown.word}{lasts}" + (f": {why}" if why else "")


def runs(session: Session, watch: Watch) -> bool:
    """Its program runs, as far as anybody here can tell."""
    return session.observed.is_running and watch is not Watch.GONE


def declared(board: Board, session: Session, watch: Watch) -> list[str]:
    """What the agent itself says of its work, in a few words and in fewer; nothing when it says nothing, or ended."""
    agent = board.agent(session.name)
    if agent is None or agent.status is None or not runs(session, watch):
        return []
    word = STATUS_WORDS.get(agent.status) or words(agent.raw_status)
    return [f"{word} {agent.progress:.0f} %", word] if agent.progress is not None else [word]


def asked_by(session: Session, view: View) -> list[Request]:
    """What the person is asked in its name, the oldest first."""
    moment = view.moment
    found = [need for need in moment.needs if isinstance(need, Request) and moment.is_answerable(need)]
    mine = [request for request in found if name_key(request.asker) == name_key(session.name)]
    return sorted(mine, key=lambda request: request.position)


def counts(session: Session) -> list[str]:
    """What its worktree holds that stands nowhere else, and what waits for it; nothing for what is none."""
    told = (
        (session.changed, "changed"),
        (session.unpushed, "unpushed"),
        (session.queued, "queued"),
        (session.undelivered, "undelivered"),
    )
    return [f"{count} {what}" for count, what in told if count]


def since(seconds: float | None) -> str:
    """For how long, where that is known."""
    return age(seconds) if seconds is not None else ""
