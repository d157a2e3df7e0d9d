"""Waking a session: it is given a prompt, if there is one of that name that takes prompts.

Who has the sessions is not this layer's to know: the monitor says how one is prompted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from collab_tui.processes.programs import Ended
from collab_tui.reactions.occurrences import Occurrence

SUBMITTED: Final = "submitted"
"""The outcome of a prompt that its session got."""

Prompt = Callable[[str, str], Awaitable[str]]
"""Gives a session, by its name, a prompt; gives what became of it: `SUBMITTED`, or `not submitted: why`."""


async def nobody(session: str, text: str) -> str:
    """A `Prompt` where there are no sessions."""
    return "not submitted: this monitor has no sessions"


class Prompts:
    """The prompts of all rules of one registry."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt

    async def give(self, occurrence: Occurrence, activation: str, alone: int, stop: asyncio.Event) -> Ended:
        """See `Do`. It waits for its session to take it, within the time limit of its rule."""
        began = time.monotonic()
        giving = asyncio.ensure_future(self._prompt(occurrence.target or "", occurrence.text))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            limit = occurrence.rule.then.time_limit
            await asyncio.wait({giving, stopping}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if giving.done():
                outcome = giving.result()
            else:
                outcome = "stopped" if stop.is_set() else f"not submitted: it was not taken within {limit:g} s"
        finally:
            for waiting in (giving, stopping):
                waiting.cancel()
                with suppress(asyncio.CancelledError):
                    await waiting
        return Ended(outcome, time.monotonic() - began, None)
