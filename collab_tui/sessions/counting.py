"""Counting what changed in the worktree of a session: when it becomes idle, not too often, and when it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from collab_tui.sessions.place import Place
from collab_tui.sessions.worktrees import Worktree, WorktreeError

_TIMES: Final = 10
"""How many times as long as a look took nothing is looked at after it."""


class Counting:
    """Looks at one worktree."""

    def __init__(
        self,
        place: Place,
        worktree: Worktree | None,
        tell: Callable[[int | None, int | None], None],
        notice: Callable[[str], None],
    ) -> None:
        """`tell` is told how many files changed and how many commits stand nowhere else; `notice` why nobody knows."""
        self._place = place
        self._worktree = worktree
        self._tell = tell
        self._notice = notice
        self._may_differ = asyncio.Event()

    def look(self) -> None:
        """It may have changed."""
        self._may_differ.set()

    async def run(self) -> None:
        """Look when there may be something else, until this is cancelled."""
        if self._worktree is None:
            return
        while True:
            await self._may_differ.wait()
            began = time.monotonic()
            await self.count()
            await asyncio.sleep(_TIMES * (time.monotonic() - began))

    async def count(self) -> None:
        """Look now, and tell."""
        self._may_differ.clear()
        if self._worktree is None:
            return
        try:
            state = await self._place.worktrees.state(self._worktree)
        except WorktreeError as error:
            self._notice(f"its worktree cannot be looked at: {error}")
        else:
            self._tell(state.changed, state.unpushed)
