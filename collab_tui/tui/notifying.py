"""Telling the person who looks elsewhere that something is new: a bell, or the terminal's own notification.

A bell says nothing but that they are wanted, so it rings only for what needs them and for what their rules tell; that
somebody is blocked or silent is told by a toast. While the terminal says that the board has the focus, all is.

Only counts leave the board, and names that can be nothing else, never text from events: what is written here goes to
the terminal as it is.

Terminals that show notifications disagree on the sequence: kitty has its own (OSC 99), those of rxvt's tradition take
OSC 777, and OSC 9 is iTerm2's, which most others take or ignore. ConEmu and Windows Terminal read OSC 9 as a command
when a number and a semicolon follow; ours is followed by words.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Final

from collab_tui.config.settings import Notifications
from collab_tui.tui.noticing import Kind, Thing, in_words

_QUIET: Final = 5.0
"""Seconds between two calls, or two toasts; what comes meanwhile is told in one at their end."""
_QUIET_FOR_NEWS: Final = 60.0
"""The same before a call for nothing but what merely happened."""
_NOT_AGAIN: Final = 900.0
"""Seconds in which the same news is not told again: agents go to and fro."""
_REMEMBERED: Final = 10_000
_STAYS: Final = 300.0
"""Seconds for which somebody who did something at a board with the focus surely looks, and needs not even a toast."""
_STAYS_UNSEEN: Final = 20.0
"""The same where the terminal never tells of its focus: then keys and the mouse are all that is known."""
_BELL: Final = "\a"
_RXVT_LIKE: Final = ("ghostty", "wezterm", "foot", "rxvt", "contour")


class Attention:
    """Whether the person looks at the board, as far as the terminal tells. Times are of a clock that never goes back.

    Not every terminal tells of its focus, and some tell only that they got it: so the focus alone does not say that
    what is new was seen, when nothing was done at the board for long.
    """

    def __init__(self) -> None:
        self._has_focus: bool | None = None
        """None: the terminal did not tell."""
        self._sign_at = float("-inf")

    def told(self, has_focus: bool, now: float) -> None:
        """The terminal tells that it got the focus, or lost it: until now somebody was there."""
        self._has_focus, self._sign_at = has_focus, now

    def acted(self, now: float) -> None:
        """A key was pressed, or the mouse moved."""
        self._sign_at = now

    @property
    def has_focus(self) -> bool:
        """The terminal says that the board has the focus."""
        return self._has_focus is True

    def is_there(self, now: float) -> bool:
        """The person looks at the board."""
        if self._has_focus is False:
            return False
        return now - self._sign_at < (_STAYS if self._has_focus else _STAYS_UNSEEN)

    def was_there_after(self, time: float) -> bool:
        """The person did something since that time, and so saw what was there."""
        return self._sign_at > time


class Notifier:
    """Tells of what is new, never of what was there at the start, and nothing that the person saw.

    `write` writes to the terminal, `toast` shows a text on the screen.
    """

    def __init__(
        self,
        how: str,
        write: Callable[[str], object],
        toast: Callable[[str], object],
        environ: Mapping[str, str],
        attention: Attention,
        *,
        ascii_only: bool = False,
    ) -> None:
        self._how = how
        self._write = write
        self._toast = toast
        self._environ = environ
        self._attention = attention
        self._ascii_only = ascii_only
        self._known: frozenset[Hashable] = frozenset()
        self._untold: dict[Hashable, float] = {}
        """What came, and when."""
        self._told: OrderedDict[Hashable, float] = OrderedDict()
        """What was told of, and when."""
        self._generation: int | None = None
        """The registry whose backlog was read; None: none yet."""
        self._called_at = self._shown_at = float("-inf")

    def look(
        self,
        things: Iterable[Thing],
        generation: int,
        now: float,
        *,
        is_backlog: bool = False,
        is_shown: bool = True,
    ) -> None:
        """What there is now; `now` is in seconds of a clock that never goes back.

        Another generation is another registry: what its backlog has is where one begins, and not new. What is not
        shown, because the picture is of another time, nobody sees there.
        """
        if self._how == Notifications.OFF:
            return
        there = {thing.key: thing for thing in things}
        fresh = there.keys() - self._known
        self._known = frozenset(there)
        if generation != self._generation:
            self._untold = {}
            self._generation = None if is_backlog else generation
            return
        self._untold = {key: time for key, time in self._untold.items() if key in there}
        self._untold |= {key: now for key in fresh if not there[key].is_part and not self._was_told(there[key], now)}
        if is_shown:
            self._untold = {key: at for key, at in self._untold.items() if not self._attention.was_there_after(at)}
        if self._untold and not (is_shown and self._attention.is_there(now)):
            self._tell(tuple(there.values()), now, is_shown=is_shown)

    def _was_told(self, thing: Thing, now: float) -> bool:
        return not thing.kind.is_need and now - self._told.get(thing.key, float("-inf")) < _NOT_AGAIN

    def _tell(self, there: Sequence[Thing], now: float, *, is_shown: bool) -> None:
        untold = [thing for thing in there if thing.key in self._untold]
        called = [thing for thing in untold if not self._is_for_a_toast(thing)]
        quiet = _QUIET if any(thing.kind.is_need for thing in called) else _QUIET_FOR_NEWS
        if called and now - self._called_at >= quiet:
            self._called_at = now
            self._note(called, now)
            self._write(_BELL if self._how == Notifications.BELL else self._sequence(_with_old_ones(called, there)))
        # A toast on what merely happened waits until the screen shows it.
        shown = [thing for thing in untold if thing not in called and (is_shown or thing.kind.rings)]
        if shown and now - self._shown_at >= _QUIET:
            self._shown_at = now
            self._note(shown, now)
            told = [thing for thing in _with_old_ones(shown, there) if thing.kind is not Kind.NOTICE]
            if told:  # a notice has a toast of its own
                self._toast(in_words(told, ascii_only=self._ascii_only))

    def _is_for_a_toast(self, thing: Thing) -> bool:
        return self._attention.has_focus or (self._how == Notifications.BELL and not thing.kind.rings)

    def _note(self, things: Iterable[Thing], now: float) -> None:
        for thing in things:
            del self._untold[thing.key]
            self._told[thing.key] = now
            self._told.move_to_end(thing.key)
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)

    def _sequence(self, things: Sequence[Thing]) -> str:
        return desktop_sequence(in_words(things, ascii_only=self._ascii_only), self._environ)


def _with_old_ones(things: Sequence[Thing], there: Sequence[Thing]) -> list[Thing]:
    """With a new question it is told how many wait, old ones too."""
    asked = any(thing.kind is Kind.QUESTION for thing in things)
    return [thing for thing in there if thing in things or (asked and thing.kind is Kind.QUESTION)]


def desktop_sequence(told: str, environ: Mapping[str, str]) -> str:
    """What makes the terminal of this environment show a notification; a bell with it where it perhaps does not."""
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
