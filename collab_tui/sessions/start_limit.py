"""How long the program of a session may take to start: not counting the time in which it waits for the person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

from collab_tui.sessions.driver import DriverError

_MARGIN: Final = 2.0
"""Seconds beyond the limit in which a driver can say better why its program is not ready."""


class StartLimit:
    """The limit of one start."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timing: asyncio.Timeout | None = None

    @property
    def is_running(self) -> bool:
        """The start is going on."""
        return self._timing is not None and not self._timing.expired()

    async def keep(self, starting: Awaitable[None]) -> None:
        """Wait for it. Raises `DriverError` when it takes too long."""
        try:
            async with asyncio.timeout(self._seconds + _MARGIN) as timing:
                self._timing = timing
                await starting
        except TimeoutError as error:
            if not timing.expired():
                raise
            raise DriverError(f"it was not ready within {self._seconds:g} s") from error
        finally:
            self._timing = None

    def heed(self, *, is_waiting: bool) -> None:
        """It waits for the person, or not: then all of its time begins anew."""
        if self._timing is None or self._timing.expired():
            return
        if is_waiting:
            self._timing.reschedule(None)
        elif self._timing.when() is None:
            self._timing.reschedule(asyncio.get_running_loop().time() + self._seconds + _MARGIN)
