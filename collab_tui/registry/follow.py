"""Noticing new events: the folder is watched for a quick wake-up, and a slow poll runs beside it always.

The folder, because a watch on a file reports nothing for ever once another file took its name. The poll, because
kernels do not report what happens on network drives, and queues overflow.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collab_tui.registry.filesystem import silent_file_system

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

SLOW_POLL: Final = 2.0
"""Seconds between looks beside a watcher."""
NETWORK_POLL: Final = 1.0
"""Seconds between looks where nothing is announced."""
_MISSES_UNTIL_DROPPED: Final = 2
_SILENT: Final = logging.NullHandler()


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
        try:
            async with _announcements(self._path) as changed:
                folder = os.stat(self._path.parent)
                self._announced = True
                yield  # it is in place: what came before it is to be looked for
                while self.poll is None and _is_still(folder, self._path.parent):
                    self._announced = await _is_set(changed, SLOW_POLL)
                    changed.clear()
                    yield
        except OSError as error:  # no more watches, the folder went away
            self._fall_back(error.strerror or str(error))

    def _fall_back(self, why: str) -> None:
        self.poll, self.why = NETWORK_POLL, why


@asynccontextmanager
async def _announcements(path: Path) -> AsyncGenerator[asyncio.Event, None]:
    """An event that is set whenever the system says that something of this name changed in its folder."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    observer = _observe(path, lambda: changed.is_set() or loop.call_soon_threadsafe(changed.set))
    try:
        yield changed
    finally:
        observer.stop()
        await asyncio.to_thread(observer.join)


def _observe(path: Path, wake: Callable[[], object]) -> BaseObserver:
    """Start to watch the path's folder; `wake` is called in another thread. Raises `OSError`."""
    from watchdog import events  # after the first paint
    from watchdog.observers import Observer

    class Waker(events.FileSystemEventHandler):
        def dispatch(self, event: events.FileSystemEvent) -> None:
            if path.name in (os.path.basename(os.fsdecode(place)) for place in (event.src_path, event.dest_path)):
                wake()

    kinds: list[type[events.FileSystemEvent]] = [
        events.FileCreatedEvent,
        events.FileModifiedEvent,
        events.FileMovedEvent,
        events.FileDeletedEvent,
    ]
    # It logs an error when it is stopped between two looks, which without any logging set up goes to the terminal.
    logging.getLogger("watchdog").addHandler(_SILENT)
    observer = Observer()
    observer.schedule(Waker(), os.path.realpath(path.parent), event_filter=kinds)
    observer.start()
    return observer


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event; False when it did not come in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def _is_still(folder: os.stat_result, path: Path) -> bool:
    """The path leads to the folder that is watched, not to another that took its name."""
    try:
        return os.path.samestat(folder, os.stat(path))
    except OSError:
        return False
