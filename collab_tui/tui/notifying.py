"""Telling the person who looks elsewhere that something new waits: a bell, or the terminal's own notification.

Only a count leaves the board, never text from events: what is written here goes to the terminal as it is.

Terminals that show notifications disagree on the sequence: kitty has its own (OSC 99), those of rxvt's tradition take
OSC 777, and OSC 9 is iTerm2's, which most others take or ignore. ConEmu and Windows Terminal read OSC 9 as a command
when a number and a semicolon follow; ours is followed by words.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Final

from collab_tui.config.settings import Notifications

_QUIET: Final = 5.0
"""Seconds between two calls; what comes meanwhile is told in one at their end."""
_BELL: Final = "\a"
_RXVT_LIKE: Final = ("ghostty", "wezterm", "foot", "rxvt", "contour")


class Notifier:
    """Tells of new needs, at most once in a few seconds, and never of those that were there at the start."""

    def __init__(self, how: str, write: Callable[[str], object], environ: Mapping[str, str]) -> None:
        self._how = how
        self._write = write
        self._environ = environ
        self._known: frozenset[Hashable] = frozenset()
        self._untold: frozenset[Hashable] = frozenset()
        self._generation: int | None = None
        """The registry whose backlog was read; None: none yet."""
        self._quiet_until = float("-inf")

    def look(self, needs: frozenset[Hashable], generation: int, now: float, *, is_backlog: bool = False) -> None:
        """What waits for the person now; `now` is in seconds of a clock that never goes back.

        Another generation is another registry: what its backlog asks for is where one begins, and not new.
        """
        if generation != self._generation:
            self._untold = frozenset()
            self._generation = None if is_backlog else generation
        else:
            self._untold = (self._untold | (needs - self._known)) & needs
        self._known = needs
        if self._untold and now >= self._quiet_until:
            self._untold = frozenset()
            self._quiet_until = now + _QUIET
            self._tell(len(needs))

    def _tell(self, count: int) -> None:
        if self._how == Notifications.BELL:
            self._write(_BELL)
        elif self._how == Notifications.DESKTOP:
            self._write(desktop_sequence(count, self._environ))


def desktop_sequence(count: int, environ: Mapping[str, str]) -> str:
    """What makes the terminal of this environment show a notification; a bell with it where it perhaps does not."""
    told = f"{count} need{'s' if count == 1 else ''} you"
    names = " ".join(environ.get(name, "") for name in ("TERM", "TERM_PROGRAM", "LC_TERMINAL")).lower()
    bell = ""
    if "KITTY_WINDOW_ID" in environ or "kitty" in names:
        sequence = f"\x1b]99;i=collab-tui;collab-tui: {told}\x1b\\"  # the same id: the next one takes its place
    elif {"GHOSTTY_RESOURCES_DIR", "WEZTERM_PANE"} & environ.keys() or any(name in names for name in _RXVT_LIKE):
        sequence = f"\x1b]777;notify;collab-tui;{told}\a"
    else:
        sequence = f"\x1b]9;collab-tui: {told}\a"
        bell = "" if "iterm" in names else _BELL
    if "TMUX" in environ:  # tmux hands on what is wrapped if its `allow-passthrough` is on, and drops it otherwise
        escaped = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{escaped}\x1b\\{_BELL}"
    return sequence + bell
