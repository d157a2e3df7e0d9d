"""Writing what has to be written: again and again for as long as the disk is full, or another holds the lock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

from collab_tui.registry.append import LockedError, NotDurableError, NotWrittenError

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
"""Seconds between two tries."""
_Result = TypeVar("_Result")


class Persistence:
    """Tries until it is done; says once that it cannot be now, and once that it can again."""

    def __init__(self, notice: Callable[[str], None], executor: Executor | None = None) -> None:
        """`executor` has the threads in which it is done; None: those of the event loop."""
        self._notice = notice
        self._executor = executor
        self.is_in_trouble = False
        """It cannot be done now, and is tried again and again."""

    async def __call__(self, work: Callable[[], _Result]) -> _Result:
        """Do it in a thread. Cancelled, it waits for the try that runs: nothing follows from what is not known."""
        pause = _FIRST_PAUSE
        while True:
            trying = asyncio.get_running_loop().run_in_executor(self._executor, work)
            try:
                done = await asyncio.shield(trying)
            except (NotWrittenError, NotDurableError, LockedError) as error:
                if not self.is_in_trouble:
                    self.is_in_trouble = True
                    self._notice(f"{error}; trying again until it can be written")
            except asyncio.CancelledError:
                await asyncio.wait({trying})
                trying.exception()  # nobody waits for it any more
                raise
            else:
                if self.is_in_trouble:
                    self.is_in_trouble = False
                    self._notice("it is written now")
                return done
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


async def wholly(work: Coroutine[Any, Any, object]) -> None:
    """Wait for what is written also when this is cancelled: what is written afterwards has to come after it."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
