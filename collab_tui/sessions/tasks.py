"""What goes on beside sessions for as long as they live, and ends with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

_AGAIN: Final = 1.0
"""Seconds until what failed is begun anew."""


class Tasks:
    """The tasks of one session, or of all."""

    def __init__(self, notice: Callable[[str], None]) -> None:
        """`notice` is told what fails."""
        self._notice = notice
        self._tasks: set[asyncio.Task[None]] = set()
        self._told = ""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it beside all else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def keep_up(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """The same for what the session cannot do without: if it fails, that is told and it is begun anew."""
        self.spawn(self._kept_up(work))

    async def end(self, patience: float) -> None:
        """Cancel all of it, and wait for that some seconds at most."""
        ending = set(self._tasks)
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending, timeout=patience)

    async def _kept_up(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                return await work()
            except Exception as error:  # a mistake of ours must not leave a session that hears nothing any more
                self._tell(error)
            await asyncio.sleep(_AGAIN)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._tell(error)

    def _tell(self, error: BaseException) -> None:
        if (why := f"{type(error).__name__}: {error}") != self._told:  # the same again and again is told once
            self._told = why
            self._notice(why)
