"""Waiting for something to change that no event of its own tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Changes:
    """Wakes all who wait whenever anything changed."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def note(self) -> None:
        """Something changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds."""
        while not holds():
            await self._changed.wait()
