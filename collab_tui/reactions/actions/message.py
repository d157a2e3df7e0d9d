"""Telling an agent: one line, so that it is sent exactly once. That line is the message and its own record."""

from __future__ import annotations

from collections.abc import Callable

from collab_tui.reactions.ledger import MESSAGE, Deed, Ledger
from collab_tui.reactions.occurrences import Occurrence

SENT = "sent"
"""The outcome of a message that stands in the registry."""


async def send(occurrence: Occurrence, deed: Deed, ledger: Ledger, why_not: Callable[[], str | None]) -> str:
    """Write the message with what led to it, which the loop guard goes by until its activation follows.

    While it cannot be written, `why_not` is asked for a reason to leave it; raises what `Ledger.write` does.
    """
    fields = {**occurrence.fields(), "event": MESSAGE, "message": occurrence.text}
    await ledger.write(deed, fields, why_not)
    return SENT
