"""Telling a key that answers from the first letter of words: it answers only when nothing is typed after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

TYPING_PAUSE: Final = 0.5
"""Seconds without another key after which one stands alone. People who type leave about a quarter of a second between
two letters, and seldom half a one."""


class _Stoppable(Protocol):
    def stop(self) -> None: ...


class LoneKeys:
    """Holds back what a key does for `TYPING_PAUSE`. `start_timer` calls back after so many seconds."""

    def __init__(self, start_timer: Callable[[float, Callable[[], None]], _Stoppable]) -> None:
        self._start_timer = start_timer
        self._typed = ""
        self._do: Callable[[], None] | None = None
        self._timer: _Stoppable | None = None

    def hold(self, character: str, do: Callable[[], None]) -> None:
        """A key was pressed. The same one again, as a held key is, is still one, and begins the pause anew."""
        typed = self._typed
        self.take_back()
        self._typed, self._do = typed + character, do
        self._timer = self._start_timer(TYPING_PAUSE, self._stands_alone)

    def would_go_on(self, character: str) -> bool:
        """A key is held back, and this is another one."""
        return bool(self._typed) and self._typed[-1] != character

    def take_back(self) -> str:
        """Do nothing after all; gives what was typed, empty when nothing was held back."""
        typed, self._typed, self._do = self._typed, "", None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        return typed

    def _stands_alone(self) -> None:
        do = self._do
        self.take_back()
        if do is not None:
            do()
