"""Noticing new events: the folder is watched for a quick wake-up, and a slow poll runs beside it always.

The folder, because a watch on a file reports nothing for ever once another file took its name. The poll, because
kernels do not report what happens on network drives, and queues overflow.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final

from collab_tui.registry.filesystem import silent_file_system

SLOW_POLL: Final = 2.0
"""Seconds between looks beside a watcher."""
NETWORK_POLL: Final = 1.0
"""Seconds between looks where nothing is announced."""
_STEP: Final = 5
"""Milliseconds that the watcher waits for more; each is latency. Measured: 7 ms to wake up, 0.5 % of a core at rest."""
_DEBOUNCE: Final = 50
_MISSES_UNTIL_DROPPED: Final = 2


class Watch:
    """Wakes its reader when the registry may have changed.

    `poll` forces looking every so many seconds instead of watching.
    """

    def __init__(self, path: Path, poll: float | None = None) -> None:
        self._path = path.absolute()
        self._misses = 0
        self._announced = True
        """Whether the last wake-up came from the watcher; true as long as there is none that could miss anything."""
        self.network = silent_file_system(self._path.parent)
        """The type of a file system that announces nothing; None on a local disk."""
        self.poll = poll if poll is not None else NETWORK_POLL if self.network else None
        """Seconds between looks; None while the folder is watched."""
        self.why = (
            f"--poll {poll:g}" if poll is not None else f"{self.network} announces no changes" if self.network else ""
        )

    @property
    def method(self) -> str:
        """What is in use, in words."""
        return "watching" if self.poll is None else f"looking every {self.poll:g} s ({self.why})"

    def found(self, something: bool) -> None:
        """The reader tells whether it found news; what only the poll saw was missed by the watcher."""
        if something and self.poll is None and not self._announced:
            self._misses += 1
            if self._misses >= _MISSES_UNTIL_DROPPED:
                self._fall_back("the watcher missed changes")
        elif something:
            self._misses = 0

    async def wakeups(self) -> AsyncGenerator[None, None]:
        """Yield whenever it is worth looking; never ends."""
        yield
        while True:
            if self.poll is not None:
                await asyncio.sleep(self.poll)
                yield
            elif not self._path.parent.is_dir():
                self._announced = True
                await asyncio.sleep(NETWORK_POLL)
                yield
            else:
                async with aclosing(self._watched()) as watched:
                    async for _ in watched:
                        yield

    async def _watched(self) -> AsyncGenerator[None, None]:
        """Wake-ups of the watcher and, on its time-outs, of the poll. Ends when the watcher is dropped."""
        looked = time.monotonic()
        try:
            async with aclosing(self._changes()) as changes:
                async for seen in changes:
                    # By name: macOS reports /private/tmp for /tmp.
                    self._announced = seen is None or any(os.path.basename(path) == self._path.name for path in seen)
                    if seen and not self._announced and time.monotonic() - looked < SLOW_POLL:
                        continue  # another file; a busy folder must not keep the poll from its turn
                    looked = time.monotonic()
                    yield
                    if self.poll is not None or not self._path.parent.is_dir():
                        return
        except (OSError, RuntimeError) as error:  # no more watches, the folder went away
            self._fall_back(str(error))

    async def _changes(self) -> AsyncGenerator[list[str] | None, None]:
        """None when the watcher is in place: what came before it is to be looked for. Then the paths that changed."""
        from watchfiles import awatch  # after the first paint

        changes = awatch(
            self._path.parent,
            watch_filter=None,
            step=_STEP,
            debounce=_DEBOUNCE,
            rust_timeout=int(SLOW_POLL * 1000),
            yield_on_timeout=True,
            recursive=False,
        )
        upcoming = asyncio.ensure_future(anext(changes))
        try:
            await asyncio.sleep(0)  # its first step puts the watcher in place
            yield None
            while True:
                seen = await upcoming
                upcoming = asyncio.ensure_future(anext(changes))
                yield [path for _, path in seen]
        finally:
            upcoming.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration, OSError, RuntimeError):
                await upcoming
            await changes.aclose()

    def _fall_back(self, why: str) -> None:
        self.poll, self.why = NETWORK_POLL, why
