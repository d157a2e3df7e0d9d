"""What a task may be called, and what nobody outside may ask for: an event and a verdict are requests, never commands.

An event says which task it is about and how that stands. What is started for it, where, and what that is told is the
person's to say, in settings and templates. One that tries to say it is refused, and that is written down.
"""

from __future__ import annotations

import re
from typing import Final

from collab_tui.protocol.asked_for import asked_for
from collab_tui.workers.stream_event import StreamEvent

LONGEST_TASK: Final = 120
"""Characters of what a task is called."""
_TASK: Final = re.compile(r"[^\W_][\w.:#/@+-]*")


def why_no_task(task: str) -> str | None:
    """Why a task cannot be called so; None where it can."""
    if len(task) > LONGEST_TASK:
        return f"the name of a task has at most {LONGEST_TASK} characters"
    if not _TASK.fullmatch(task) or ".." in task or "//" in task:
        return "the name of a task begins with a letter or digit, and has letters, digits and . : # / @ + - _"
    return None


def why_refused(event: StreamEvent) -> str | None:
    """Why nothing is started for an event, whatever the rules say; None where it may be."""
    if not event.event_id:
        return "it has no id, so it could not be told from the next"
    if (why := why_no_task(event.task)) is not None:
        return why
    if named := asked_for(event.data):
        return f"it names {', '.join(named)}: what is started is not a stream's to say"
    return None
