"""Where a program in a terminal runs: what tmux and a terminal of our own have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from collab_tui.sessions.terminal_model import Picture

COLUMNS: Final = 160
ROWS: Final = 48
"""The size of a terminal at which nobody sits."""


class Key(StrEnum):
    """The keys that are ever pressed; everything else is pasted."""

    ENTER = "Enter"
    ESCAPE = "Escape"
    INTERRUPT = "C-c"


@dataclass(frozen=True, slots=True)
class Seen:
    """A terminal at one moment."""

    picture: Picture
    ended: str | None = None
    """How its program ended: `exit 0`, `signal 9`; None while it runs."""


class Pane(ABC):
    """One terminal with one program.

    Everything but `open` and `end` raises `LostError` once it is gone, and `UnreachableError` while it does not answer.
    """

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """The program."""

    @property
    @abstractmethod
    def handle(self) -> Mapping[str, Any] | None:
        """By what it is found again; None: it ends with us."""

    @property
    @abstractmethod
    def takes_lines(self) -> bool | None:
        """The program tells lines that are pasted from such that are typed; None: nobody can tell whether it does."""

    @abstractmethod
    async def open(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the program, by its absolute path. Raises `DriverError`."""

    @abstractmethod
    async def take_up(self, handle: Mapping[str, Any]) -> None:
        """Find it again. Raises `LostError` where that very program does not run there any more."""

    @abstractmethod
    async def look(self) -> Seen:
        """The screen now."""

    @abstractmethod
    async def lines(self, rows: int) -> list[str]:
        """What scrolled out, and the first rows of the screen."""

    @abstractmethod
    async def paste(self, text: str) -> None:
        """Give it a text at once, marked as pasted if it asked for that. The text holds no control characters."""

    @abstractmethod
    async def press(self, key: Key) -> None:
        """Press a key."""

    @abstractmethod
    async def end(self, grace: float) -> str:
        """End the program, by force after the grace, and the terminal; says how it ended.

        The program ends also where the terminal does not answer. Raises `LostError` where none was started.
        """
