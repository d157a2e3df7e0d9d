"""Being told that something new waits: once in a few seconds, never of what was there at the start."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.tui.notifying import Notifier, desktop_sequence

BELL = "\a"


class Told:
    """A notifier, and what it wrote."""

    def __init__(self, how: str = "bell", **environ: str) -> None:
        self.written: list[str] = []
        self._notifier = Notifier(how, self.written.append, environ)

    def look(self, needs: str, now: float, generation: int = 0, *, backlog: bool = False) -> int:
        """How often it has told until now; every letter is a need."""
        self._notifier.look(frozenset(needs), generation, now, is_backlog=backlog)
        return len(self.written)


def test_what_waits_at_the_start_is_not_new() -> None:
    told = Told()
    assert [told.look("ab", now) for now in (0, 1, 100)] == [0, 0, 0]


def test_nothing_is_new_until_the_backlog_is_read() -> None:
    told = Told()
    assert [told.look("a", 0, backlog=True), told.look("abc", 10, backlog=True), told.look("abcd", 20)] == [0, 0, 0]
    assert told.look("abcde", 30) == 1


def test_a_long_piece_later_on_is_no_backlog() -> None:
    told = Told()
    told.look("a", 0)
    assert told.look("ab", 10, backlog=True) == 1


def test_a_new_need_is_told_once() -> None:
    told = Told()
    assert [told.look(needs, now) for now, needs in enumerate(("", "a", "a", "a"))] == [0, 1, 1, 1]
    assert told.written == [BELL]


def test_what_comes_soon_after_is_told_together_when_it_is_quiet_again() -> None:
    told = Told()
    told.look("", 0)
    assert [told.look("a", 1), told.look("ab", 2), told.look("abc", 3), told.look("abc", 5.9)] == [1, 1, 1, 1]
    assert [told.look("abc", 6), told.look("abc", 20)] == [2, 2]


def test_what_was_answered_meanwhile_is_not_told() -> None:
    told = Told()
    told.look("", 0)
    assert [told.look("a", 1), told.look("ab", 2), told.look("a", 3), told.look("a", 10)] == [1, 1, 1, 1]


def test_what_comes_back_is_new() -> None:
    told = Told()
    assert [told.look(needs, now) for needs, now in (("a", 0), ("", 10), ("a", 20))] == [0, 0, 1]


def test_another_registry_begins_anew() -> None:
    told = Told()
    told.look("a", 0)
    assert [told.look("bc", 10, 1, backlog=True), told.look("bcd", 20, 1), told.look("bcde", 30, 1)] == [0, 0, 1]


@given(st.lists(st.tuples(st.sets(st.sampled_from("abcd")), st.integers(0, 3)), max_size=30))
def test_it_is_never_told_twice_within_five_seconds(steps: list[tuple[set[str], int]]) -> None:
    told, now, at = Told(), 0, []
    for needs, pause in steps:
        now += pause
        before = len(told.written)
        if told.look("".join(needs), now) > before:
            at.append(now)
    assert all(later - earlier >= 5 for earlier, later in pairwise(at))


def test_off_says_nothing() -> None:
    told = Told("off")
    told.look("", 0)
    assert told.look("a", 1) == 0


SEQUENCES = {
    "kitty": ({"TERM": "xterm-kitty"}, "\x1b]99;i=collab-tui;collab-tui: 2 need you\x1b\\"),
    "kitty in a shell that changes TERM": (
        {"KITTY_WINDOW_ID": "1"},
        "\x1b]99;i=collab-tui;collab-tui: 2 need you\x1b\\",
    ),
    "ghostty": ({"TERM": "xterm-ghostty"}, "\x1b]777;notify;collab-tui;2 need you\a"),
    "wezterm": ({"TERM_PROGRAM": "WezTerm"}, "\x1b]777;notify;collab-tui;2 need you\a"),
    "foot": ({"TERM": "foot-extra"}, "\x1b]777;notify;collab-tui;2 need you\a"),
    "iTerm2": ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]9;collab-tui: 2 need you\a"),
    "iTerm2 over ssh": ({"LC_TERMINAL": "iTerm2"}, "\x1b]9;collab-tui: 2 need you\a"),
    "unknown": ({"TERM": "xterm-256color"}, "\x1b]9;collab-tui: 2 need you\a\a"),
    "tmux in foot": (
        {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "/tmp/x,1,0", "WEZTERM_PANE": "0"},
        "\x1bPtmux;\x1b\x1b]777;notify;collab-tui;2 need you\a\x1b\\\a",
    ),
}


@pytest.mark.parametrize("terminal", SEQUENCES)
def test_each_terminal_gets_what_it_shows(terminal: str) -> None:
    environ, sequence = SEQUENCES[terminal]
    assert desktop_sequence(2, environ) == sequence
    told = Told("desktop", **environ)
    told.look("", 0)
    told.look("ab", 1)
    assert told.written == [sequence]


@given(st.integers(1, 10**6), st.dictionaries(st.sampled_from(["TERM", "TERM_PROGRAM", "TMUX"]), st.text()))
def test_nothing_but_our_words_and_a_count_leaves(count: int, environ: dict[str, str]) -> None:
    letters = re.sub(
        r"\x1bPtmux;|\x1b+\](?:99;i=collab-tui|777;notify|9);|[\x1b\\\a]", "", desktop_sequence(count, environ)
    )
    assert re.fullmatch(rf"collab-tui[:;] ?{count} needs? you", letters)
