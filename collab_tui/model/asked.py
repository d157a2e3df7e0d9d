"""What is told of a request beside its words: how soon it expires, and that nobody waits for its answer now."""

from __future__ import annotations

from typing import Final

from collab_tui.model.ages import age
from collab_tui.model.board import Request
from collab_tui.model.moment import Moment
from collab_tui.model.summary import Span
from collab_tui.model.words import name_key

_SOON: Final = 300
"""Seconds."""


def expiry(request: Request, moment: Moment) -> Span:
    """`expires in 12 s`; nothing of one that does not expire, or is not to be answered any more."""
    if request.expires is None or not moment.is_answerable(request):
        return Span("")
    left = (request.expires - moment.now).total_seconds()
    return Span(f"expires in {age(left)}", "warning" if left < _SOON else "muted")


def asker_gone(request: Request, moment: Moment) -> str:
    """Why its asker does not hear an answer now, in words; empty of one that is there."""
    if name_key(request.asker) in moment.gone:
        return "its process is gone"
    return "its session ended" if request.asker_gone else ""
