"""How often an agent is woken without a word of its person: two that answer each other would never end, at cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from collab_tui.hooks.session import Session

MOST: Final = 10
"""Wakes within `WITHIN`; then what comes waits."""
WITHIN: Final = 600.0
"""Seconds."""
SAID: Final = (
    f"woken {MOST} times within {WITHIN / 60:g} min without a word of its person: what others write waits until the "
    f"person asks it something, {WITHIN / 60:g} min at most"
)
_FILE: Final = "wakes"


def recent(wakes: Iterable[float], now: float) -> list[float]:
    """Those that count, in order; a clock that was set back forgets the rest."""
    return sorted(at for at in wakes if now - WITHIN < at <= now)


class Wakes:
    """Those of one session since its person last asked it something."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def is_one_more_allowed(self, now: float) -> bool:
        """At this time, in epoch seconds."""
        return len(recent(self._read()[0], now)) < MOST

    def note(self, now: float) -> None:
        """It is woken. Raises `OSError`."""
        wakes, is_said = self._read()
        self._session.write(_FILE, [[*recent(wakes, now), now], is_said])

    def say_once(self) -> bool:
        """Whether the board is to be told that it is woken no more: True once. Raises `OSError`."""
        wakes, is_said = self._read()
        if not is_said:
            self._session.write(_FILE, [wakes, True])
        return not is_said

    def _read(self) -> tuple[list[float], bool]:
        match self._session.read(_FILE):
            case [list() as wakes, bool() as is_said]:
                return [at for at in wakes if isinstance(at, (int, float))], is_said
            case _:
                return [], False
