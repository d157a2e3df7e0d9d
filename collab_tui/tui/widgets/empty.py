"""What stands in place of the panes while there is nothing to show: which nothing it is, and what to do."""

from __future__ import annotations

from typing import Final

from textual.content import Content

from collab_tui.model.summary import Span
from collab_tui.registry.base import State
from collab_tui.tui.safe import content, words
from collab_tui.tui.view import View


def empty_text(view: View, registry: str) -> Content | None:
    """The words for a registry that is missing, unreadable, empty or still being read; None when there is a board."""
    if view.moment.board.position:
        return None
    source = view.source
    if view.past is not None and not source.remaining:
        what = {State.MISSING: "It is gone.", State.UNREADABLE: f"{words(source.detail)}.", State.READY: "It is empty."}
        title, told = "There is nothing to replay", [what[source.state]]
    elif source.state is State.MISSING:
        title, told = "There is no registry here yet", ["It is waited for, and shown as soon as it is there.", _HOW]
    elif source.state is State.UNREADABLE:
        title = "The registry cannot be read"
        told = [
            f"{words(source.detail)}. It is tried again all the time.",
            "Mend it, or give another: collab-tui FILE.jsonl",
        ]
    elif source.remaining:
        title, told = "Reading the registry", []
    else:
        title, told = "The registry is empty", ["The first line that an agent writes is shown at once.", _HOW]
    spans = [Span(title, "strong"), Span(f"\n\n{words(registry)}\n", "muted"), *(Span(f"\n{line}\n") for line in told)]
    return content(spans)


TO_BEGIN: Final = "To begin, in another terminal:"
BEGINNINGS: Final = (
    ("collab-tui connect claude", "or codex: it takes part"),
    ("collab-tui guide         ", "for any other agent"),
    ("collab-tui demo          ", "watch three agents"),
)
"""A command, and what it is for; short enough for 60 columns."""
_HOW: Final = "\n".join((TO_BEGIN, "", *(f"  {command}  {what}" for command, what in BEGINNINGS)))
