"""Toasts that come by themselves: few at a time, and those that do not fit are counted and told of in one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

_MOST: Final = 3
"""At a time; more would hide the board."""
_SHOWN_FOR: Final = 5.0
"""Seconds that Textual shows one."""


class Toasts:
    """`show` gets a text and its title. Times are of a clock that never goes back."""

    def __init__(self, show: Callable[[str, str], object]) -> None:
        self._show = show
        self._shown: deque[float] = deque(maxlen=_MOST)
        """When the latest were shown."""
        self._held = 0

    def offer(self, text: str, title: str, now: float) -> None:
        """Show it, or count it."""
        if self._held or (len(self._shown) == _MOST and now - self._shown[0] < _SHOWN_FOR):
            self._held += 1
        else:
            self._shown.append(now)
            self._show(text, title)

    def settle(self, now: float) -> None:
        """Tell how many were only counted, once there is room again."""
        if self._held and now - self._shown[0] >= _SHOWN_FOR:
            held, self._held = self._held, 0
            self._shown.append(now)
            self._show(f"and {held} more: the log has them", "")
