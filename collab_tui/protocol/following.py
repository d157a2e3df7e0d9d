"""Following a registry in an event loop: the board as it is now, and waiting for what is to hold of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Final, Self

from collab_tui.model.board import Board
from collab_tui.model.fold import Fold
from collab_tui.protocol.nearby import woken
from collab_tui.protocol.released import Releases
from collab_tui.protocol.trust import Trust
from collab_tui.registry.append import RegistryError
from collab_tui.registry.base import News, State, absorb
from collab_tui.registry.follow import Watch
from collab_tui.registry.jsonl import JsonlRegistry

LOST_AFTER: Final = 10.0
"""Seconds without a registry that can be read until it counts as lost: it may be on its way to another place, or behind
a network that comes back.
"""


class GoneError(RegistryError):
    """What was waited for cannot come any more: the request, or the registry with it, is gone."""

    exit_code = 3


class Following:
    """Reads on whenever there may be something new: told by whoever appends in this process, else by the watcher.

    The board is as it is for one who acts on it: see `released`.

    `poll` is as of `Watch`: seconds between looks instead of watching. Several tasks may wait at once.
    """

    board: Board
    """The board as last read."""
    lost: str | None
    """Why nothing can be read, once that lasts too long to wait on; None while it is well."""

    def __init__(self, registry: JsonlRegistry, person: str, trust: Trust, *, poll: float | None = None) -> None:
        self.registry = registry
        self._trust = trust
        self._poll = poll
        self._fold = Fold(person)
        self._releases = Releases(trust)
        self._reading = Lock()
        self._news = asyncio.Condition()
        self._missing_since: float | None = None
        self.lost = None
        self._told_lost: str | None = None
        self.board = self._told = Board(0)

    @property
    def path(self) -> Path:
        """Where the registry is."""
        return self.registry.path

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def until(self, condition: Callable[[Board], bool]) -> Board:
        """Wait for a board on which the condition holds; at once if it does already.

        Raises `GoneError` when the registry is lost before.
        """
        await self.look()
        await self.wait_for(lambda: condition(self.board) or self.lost is not None)
        if self.lost is not None and not condition(self.board):
            raise GoneError(f"nothing can come any more: {self.lost}")
        return self.board

    async def wait_for(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of the board, or of `lost`, as they were last read."""
        async with self._news:
            await self._news.wait_for(lambda: self._task.done() or holds())
            if self._task.done():
                self._task.result()  # why nothing is followed any more

    async def look(self) -> None:
        """Read what is there now."""
        await asyncio.to_thread(self.read)
        if self.board is not self._told or self.lost != self._told_lost:
            async with self._news:  # perhaps read by a look that was cancelled before it could tell
                self._told, self._told_lost = self.board, self.lost
                self._news.notify_all()

    def read(self) -> News:
        """The same for a thread, and whole even when the task that wanted it was cancelled. Tells nobody."""
        with self._reading:
            news, is_another = self._read_to_end()
            self._trust.keyring.refresh()  # afterwards: the first key is made before the first signed line
            if news.state is State.READY:
                self._missing_since = None
                self.lost = None
            else:
                self._miss(news)
            if is_another or self._fold.position != self.board.position:
                self.board = self._fold.board()
            return news

    def _read_to_end(self) -> tuple[News, bool]:
        """The last look, and whether the registry is another than before."""
        is_another = False
        while True:
            news = self.registry.read_next()
            if news.restarted is not None:
                is_another = True
                self._releases.restart()
            absorb(replace(news, items=map(self._releases.see, news.items)), self._fold)
            if not news.remaining:
                return news, is_another

    def _miss(self, news: News) -> None:
        now = time.monotonic()
        if self._missing_since is None:
            self._missing_since = now
        elif now - self._missing_since >= LOST_AFTER:
            why = f"it cannot be read ({news.detail})" if news.state is State.UNREADABLE else "it is gone"
            self.lost = f"{self.path}: {why}"

    async def _follow(self) -> None:
        loop, appended = asyncio.get_running_loop(), asyncio.Event()
        watch = Watch(self.path, self._poll)
        try:
            with woken(self.path, lambda: loop.call_soon_threadsafe(appended.set)):
                async with asyncio.TaskGroup() as tasks, aclosing(watch.wakeups()) as wakeups:
                    tasks.create_task(self._follow_nearby(appended))
                    async for _ in wakeups:
                        before = self.board
                        await self.look()
                        watch.found(self.board is not before)
        finally:
            async with self._news:
                self._news.notify_all()

    async def _follow_nearby(self, appended: asyncio.Event) -> None:
        while await appended.wait():
            appended.clear()
            await self.look()
