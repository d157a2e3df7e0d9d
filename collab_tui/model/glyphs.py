"""One sign for one thing, in two sets: narrow Unicode, and ASCII for consoles that cannot show it."""

from __future__ import annotations

from typing import Final, NamedTuple

from collab_tui.model.words import Status


class Glyphs(NamedTuple):
    """A set of one-cell signs."""

    statuses: dict[Status | None, str]
    silent: str
    gone: str
    needs_you: str
    deadlock: str
    arrow: str
    yes: str
    no: str
    blocker: str
    unreadable: str
    ellipsis: str
    bar_full: str
    bar_empty: str
    live: str
    paused: str
    past: str
    playing: str
    place: str
    levels: str
    """From nothing to the most, for bars of one line."""
    separator: str
    signed: str


UNICODE: Final = Glyphs(
    statuses={
        Status.IN_PROGRESS: "●",
        Status.WAITING: "◌",
        Status.BLOCKED: "■",
        Status.FAILED: "✖",
        Status.COMPLETED: "✔",
        Status.IDLE: "·",
        Status.UNKNOWN: "○",
        None: "–",
    },
    silent="⋯",
    gone="∅",
    needs_you="▲",
    deadlock="⟲",
    arrow="→",
    yes="✔",
    no="✖",
    blocker="■",
    unreadable="!",
    ellipsis="…",
    bar_full="█",
    bar_empty="░",
    live="●",
    paused="‖",
    past="◷",
    playing="▶",
    place="┃",
    levels="▁▂▃▄▅▆▇█",
    separator="·",
    signed="⚿",
)

ASCII: Final = Glyphs(
    statuses={
        Status.IN_PROGRESS: "*",
        Status.WAITING: "o",
        Status.BLOCKED: "#",
        Status.FAILED: "x",
        Status.COMPLETED: "+",
        Status.IDLE: ".",
        Status.UNKNOWN: "?",
        None: "-",
    },
    silent="~",
    gone="_",
    needs_you="^",
    deadlock="@",
    arrow="->",
    yes="+",
    no="x",
    blocker="#",
    unreadable="!",
    ellipsis="~",
    bar_full="#",
    bar_empty="-",
    live="*",
    paused="=",
    past="<",
    playing=">",
    place="|",
    levels="_.:-=+*#",
    separator="-",
    signed="&",
)

STATUS_WORDS: Final[dict[Status | None, str]] = {
    Status.IN_PROGRESS: "working",
    Status.WAITING: "waiting",
    Status.BLOCKED: "blocked",
    Status.FAILED: "failed",
    Status.COMPLETED: "done",
    Status.IDLE: "idle",
}
"""How a status is called on the screen; an unknown one by its own word, none by nothing."""
