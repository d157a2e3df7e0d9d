"""Writing what has to be written: again and again for as long as the disk is full, or another holds the lock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from collab_tui.registry.append import LockedError, NotDurableError, NotWrittenError

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
"""Seconds between two tries."""
_Result = TypeVar("_Result")


class Persistence:
    """Tries until it is done; says once that it cannot be now, and once that it can again."""

    def __init__(self, notice: Callable[[str], None]) -> None:
        self._notice = notice
        self._is_in_trouble = False

    async def __call__(self, work: Callable[[], _Result]) -> _Result:
        """Do it in a thread. Cancelled, it waits for the try that runs: nothing follows from what is not known."""
        pause = _FIRST_PAUSE
        while True:
            trying = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                done = await asyncio.shield(trying)
            except (NotWrittenError, NotDurableError, LockedError) as error:
                if not self._is_in_trouble:
                    self._is_in_trouble = True
                    self._notice(f"workers: {error}; trying again until it can be written")
            except asyncio.CancelledError:
                await asyncio.wait({trying})
                raise
            else:
                if self._is_in_trouble:
                    self._is_in_trouble = False
                    self._notice("workers: it is written now")
                return done
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
