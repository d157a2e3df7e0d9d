"""Following the registry: an async worker reads and folds in a thread, and posts one message per batch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from time import monotonic
from typing import Final

from collab_tui.model.board import Board
from collab_tui.model.event import Item
from collab_tui.model.fold import Fold
from collab_tui.registry.base import News, Registry
from collab_tui.registry.follow import Watch
from collab_tui.tui.messages import BoardRead, Source

_LATEST: Final = 300
"""Lines handed to the log with a board."""
_FIRST_PIECE: Final = 0.05
_PIECE: Final = 0.5
"""Seconds of reading and folding a backlog until the screen gets a board in between; the first one comes sooner."""
_BANNER: Final = 30.0
"""Seconds for which it is said that the registry is another."""
_BETWEEN_PAINTS: Final = 0.06
"""Seconds: an isolated event is painted at once, a stream of them this often (a full paint costs about 5 ms)."""


class Follower:
    """Reads a registry on and on, and tells of each batch."""

    def __init__(
        self,
        registry: Registry,
        watch: Watch,
        fold: Fold,
        tell: Callable[[BoardRead], object],
        prepare: Callable[[Board], None] | None = None,
    ) -> None:
        self._registry = registry
        self._watch = watch
        self._fold = fold
        self._tell = tell
        self._prepare = prepare
        """Does in the thread what the screen would have to wait for."""
        self._source = Source()
        self._latest: deque[Item] = deque(maxlen=_LATEST)
        self._total = 0
        self._banner_until = 0.0
        self._was_changed = False
        self._lines = 0
        """How many lines a look ahead counted."""

    async def run(self) -> None:
        """Follow until cancelled; what was read is remembered once all of it was, and at the end."""
        try:
            await self._follow()
        finally:
            await asyncio.to_thread(self._registry.remember)

    async def _follow(self) -> None:
        told: Source | None = None
        next_paint = 0.0
        remembered = False
        async with aclosing(self._watch.wakeups()) as wakeups:
            async for _ in wakeups:
                while True:
                    changed = await asyncio.to_thread(self._read_on)
                    self._watch.found(changed)
                    if not changed and self._source == told:
                        break
                    if (early := next_paint - monotonic()) > 0:
                        await asyncio.sleep(early)
                        await asyncio.to_thread(self._read_on)
                    board = await asyncio.to_thread(self._board)
                    latest = await self._last_lines()
                    self._tell(BoardRead(board, self._source, latest, max(self._lines, board.position)))
                    told, next_paint = self._source, monotonic() + _BETWEEN_PAINTS
                    if not self._source.remaining:
                        break
                if self._fold.position and not remembered:
                    remembered = True
                    await self._compare()
                    await asyncio.to_thread(self._registry.remember)

    async def _compare(self) -> None:
        """Tell when what was read earlier is not what stands there now."""
        self._was_changed = await asyncio.to_thread(self._registry.was_changed)
        if self._was_changed:
            self._source = replace(self._source, was_changed=True)
            self._tell(BoardRead(await asyncio.to_thread(self._board), self._source, (), self._fold.position))

    def _board(self) -> Board:
        board = self._fold.board()
        if self._prepare is not None:
            self._prepare(board)
        return board

    async def _last_lines(self) -> Sequence[Item]:
        """The end of the registry: what was just read, or, at the beginning of a backlog, a look ahead."""
        latest = tuple(self._latest)
        self._latest.clear()
        if not self._source.remaining:
            return latest
        if self._lines:
            return ()  # looked ahead before: what stands in the middle of a backlog is not the end
        ahead = await asyncio.to_thread(self._registry.last_items)
        self._lines = ahead[-1].position + 1 if ahead else 0
        return ahead

    def _read_on(self) -> bool:
        """Read and fold what is there, for a while; True when there was anything. Runs in a thread."""
        until = monotonic() + (_PIECE if self._fold.position else _FIRST_PIECE)
        before = self._fold.position
        restarted = False
        while True:
            news = self._registry.read_next()
            restarted |= self._absorb(news)
            if not news.remaining or monotonic() > until:
                break
        self._note(news)
        return restarted or self._fold.position != before

    def _absorb(self, news: News) -> bool:
        if news.restarted is not None:
            self._fold.restart()
            self._was_changed = False
            self._latest.clear()
            self._lines = 0
            self._banner_until = monotonic() + _BANNER
            self._source = Source(restarted=news.restarted, generation=self._source.generation + 1)
        items = list(news.items)
        self._fold.extend(items)
        self._latest.extend(items[-_LATEST:])
        return news.restarted is not None

    def _note(self, news: News) -> None:
        self._total = max(news.remaining, self._total) if news.remaining else 0
        self._source = Source(
            state=news.state,
            detail=news.detail,
            method=self._watch.method,
            network=self._watch.network,
            restarted=self._source.restarted if monotonic() < self._banner_until else None,
            was_changed=self._was_changed,
            generation=self._source.generation,
            remaining=news.remaining,
            total=self._total,
        )
