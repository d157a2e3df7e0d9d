"""Counting what changed in the worktree of a session: when it becomes idle, and not too often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from collab_tui.sessions.place import Place
from collab_tui.sessions.worktrees import Worktree, WorktreeError

_BETWEEN: Final = 10.0
"""Seconds between two looks."""


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
            self._may_differ.clear()
            try:
                state = await self._place.worktrees.state(self._worktree)
            except WorktreeError as error:
                self._notice(f"its worktree cannot be looked at: {error}")
            else:
                self._tell(state.changed, state.unpushed)
            await asyncio.sleep(_BETWEEN)
