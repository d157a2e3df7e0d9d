"""Giving a prompt to a program in a terminal: when it may be, and whether it was seen to be taken.

It is never pasted into what a person has begun to type, nor into a dialog, and never a second time.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

from collab_tui.model import signals
from collab_tui.sessions.driver import Delivery
from collab_tui.sessions.drivers.looks import Look, Sign
from collab_tui.sessions.drivers.pane import Key, Pane
from collab_tui.sessions.drivers.watching import Watching

_STANDS: Final = 0.15
"""Seconds until what was pasted has to stand in the composer, else Enter is pressed all the same."""
_VERIFIED: Final = 3.0
"""Seconds until an Enter has to be seen to have been taken."""
_TAIL: Final = 40
"""Characters by which the end of a prompt is known again."""


async def hindrance(watching: Watching, limit: float) -> str:
    """Why no prompt can be given now; waits until the program is ready, at most so many seconds.

    Raises `DriverError` where it cannot be looked at.
    """
    deadline = time.monotonic() + limit
    watching.hurry()
    await watching.look_now()
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline - time.monotonic()):
                await watching.until(lambda: watching.is_ready or watching.sign is Sign.DIALOG)
        await watching.look_now()  # a person may have begun to type since the last look
        if watching.sign is Sign.DIALOG:
            return "a dialog is open in its terminal"
        if watching.seen.draft:
            return "somebody has begun to type in its terminal"
        if watching.is_ready:
            return ""
        if time.monotonic() >= deadline:
            return f"it takes no prompt for {limit:g} s"


class Delivering:
    """One prompt on its way into a composer that is empty."""

    def __init__(self, pane: Pane, watching: Watching, text: str) -> None:
        self._pane, self._watching, self._text = pane, watching, text
        self._empty = watching.seen
        self._shown_before = self._times_shown()

    async def deliver(self) -> tuple[Delivery, str]:
        """Paste, press Enter, and see that it was taken; says why not, too. Raises `DriverError`."""
        watching = self._watching
        await self._pane.paste(self._text)
        await watching.within(_STANDS, lambda: self._is_typed(watching.seen))
        stood = watching.seen
        is_seen = self._is_typed(stood)
        for is_last in (False, True):
            await self._pane.press(Key.ENTER)
            if await watching.within(_VERIFIED, lambda: self._is_taken(stood)):
                return Delivery.SUBMITTED, ""
            if self._is_gone(stood) and is_seen:
                if any(signal.kind == signals.PROMPTED for signal in watching.heard):
                    return Delivery.UNVERIFIED, "its hooks tell of another prompt"
                return Delivery.SUBMITTED, ""
            if self._times_shown() > self._shown_before and not watching.seen.draft:
                return Delivery.SUBMITTED, ""  # it was slow to show what is typed
            if not is_seen:
                return Delivery.UNVERIFIED, "its screen shows nothing of what is typed"
            if not watching.tells_of_work:  # by now it may ask something, which another Enter would answer
                return Delivery.UNVERIFIED, "its screen does not show whether it took the prompt"
            if is_last:
                break
        return Delivery.NOT_SUBMITTED, "the prompt stands in its composer, and Enter does not send it"

    def _times_shown(self) -> int:
        """How often the end of the prompt is to be read above the composer."""
        shown = "".join("".join(line.split()) for line in self._watching.shown[:-1])
        return shown.count("".join(self._text.split())[-_TAIL:])

    def _is_taken(self, stood: Look) -> bool:
        """The program says so, or, if it never says anything, its screen."""
        watching, wanted = self._watching, signals.digest(self._text)
        if any(signal.kind == signals.PROMPTED and signal.digest == wanted for signal in watching.heard):
            return True
        is_cleared = self._is_typed(stood) and self._is_gone(stood)
        return not watching.told and (is_cleared or watching.sign is Sign.BUSY)

    def _is_gone(self, stood: Look) -> bool:
        """What stood in the composer does not any more."""
        now = self._watching.seen
        if now.sign in (Sign.BUSY, Sign.DIALOG) and stood.sign is not now.sign:
            return True
        if stood.draft:
            return now.draft != stood.draft
        return (now.composer, now.before_cursor) != (stood.composer, stood.before_cursor)

    def _is_typed(self, look: Look) -> bool:
        """Something stands in the composer that did not before."""
        empty = self._empty
        if look.draft != empty.draft:
            return True
        return (look.composer, look.before_cursor) != (empty.composer, empty.before_cursor)
