"""The title of the terminal's window: how many needs there are. Nothing from events goes there."""

from __future__ import annotations

from collections.abc import Callable

_KEEP: str = "\x1b[22;0t"
GIVE_BACK: str = "\x1b[23;0t"
"""What the terminal has to be told when the title was written."""


class Title:
    """Written only when it differs; the title before it is kept by the terminal."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._written = ""

    @property
    def is_written(self) -> bool:
        """The terminal's own title is to be given back."""
        return bool(self._written)

    def show(self, needs: int) -> None:
        """Tell how many needs there are."""
        title = f"({needs}) collab-tui" if needs else "collab-tui"
        if title != self._written:
            keep = "" if self._written else _KEEP
            self._written = title
            self._write(f"{keep}\x1b]0;{title}\x07")
