"""A time limit that stands still now and then: while the person is waited for, no time of agents goes by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Countdown:
    """Calls `expired` once it has run for so many seconds in all, None: never. It belongs to one event loop."""

    def __init__(self, seconds: float | None, expired: Callable[[], object]) -> None:
        """It stands still until `run`."""
        self._left = seconds
        self._expired = expired
        self._alarm: asyncio.TimerHandle | None = None

    def run(self) -> None:
        """Go on, unless it does or is over."""
        if self._left is not None and self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(self._left, self._expire)

    def stand_still(self) -> None:
        """Keep what is left."""
        if self._alarm is not None:
            self._left = max(0.0, self._alarm.when() - asyncio.get_running_loop().time())
            self._alarm.cancel()
            self._alarm = None

    def _expire(self) -> None:
        self._left = self._alarm = None
        self._expired()
