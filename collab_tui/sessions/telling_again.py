"""What a registry says of our sessions and is not so is told again, as it is: anybody may write a line.

Seldom: who goes on writing such lines must not make us fill the registry. What is known here does not follow from any
line, and whoever acts on a session goes by that.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

from collab_tui.model.board import Board
from collab_tui.registry.append import RegistryError
from collab_tui.sessions.place import Place
from collab_tui.sessions.roster import Roster
from collab_tui.sessions.session import LiveSession

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 300.0
"""Seconds between two times that one session is told of again."""
_SOON: Final = 0.2
"""Seconds until it is looked again at a session of which something is just being told."""
_AWAY: Final = 5.0
"""Seconds until a registry that is away is looked at again."""


async def tell_again_what_is_so(place: Place, roster: Roster) -> None:
    """Look at every line that comes, until this is cancelled."""
    again: dict[str, _Again] = {}
    """By run."""
    seen: Board | None = None
    while True:
        try:
            seen = await _next(place, seen, min((one.due for one in again.values() if one.is_wanted), default=None))
            for session in list(roster.sessions.values()):
                one = again.setdefault(session.run, _Again())
                if session.told is None:  # no board may follow the one that comes of it
                    one.look_soon()
                    continue
                one.is_wanted = _differs(seen, session) and await _differs_surely(place, session)
                if one.is_wanted and one.due <= time.monotonic():
                    one.note()
                    await session.tell_again()
            runs = {session.run for session in roster.sessions.values()}
            again = {run: one for run, one in again.items() if run in runs}
        except RegistryError:
            await asyncio.sleep(_AWAY)


class _Again:
    """When one session is told of again."""

    def __init__(self) -> None:
        self.due = 0.0
        """By the monotonic clock."""
        self.is_wanted = False
        self._pause = _FIRST_PAUSE

    def look_soon(self) -> None:
        """It cannot be said yet whether it is."""
        self.due, self.is_wanted = max(self.due, time.monotonic() + _SOON), True

    def note(self) -> None:
        """It is, now."""
        now = time.monotonic()
        self._pause = _FIRST_PAUSE if now - self.due > _LONGEST_PAUSE else min(self._pause * 2, _LONGEST_PAUSE)
        self.due = now + self._pause
        self.is_wanted = False


async def _next(place: Place, seen: Board | None, due: float | None) -> Board:
    """Another board; or the same, once something is due on it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(None if due is None else max(0.0, due - time.monotonic())):
            return await place.following.until(lambda board: board is not seen)
    return place.following.board


def _differs(board: Board, session: LiveSession) -> bool:
    """It is told of otherwise than we told."""
    told, record, found = session.told, session.record, board.session(session.name)
    if told is None:
        return False
    if found is None or found.observed is not told:
        return True
    return (found.run, found.host, found.monitor) != (record.run, record.host, record.monitor)


async def _differs_surely(place: Place, session: LiveSession) -> bool:
    """Also once all is read that was there when we told nothing more."""
    told = session.told
    board = await place.following.until(lambda board: True)
    return session.told is told and _differs(board, session)
