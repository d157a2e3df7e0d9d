"""Being told that something is new: once, in few calls, never of what was there at the start or was seen."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.tui.noticing import Kind, Thing, in_words
from collab_tui.tui.notifying import Attention, Notifier, desktop_sequence

BELL = "\a"


class Told:
    """A notifier, and what it wrote."""

    def __init__(self, how: str = "bell", **environ: str) -> None:
        self.written: list[str] = []
        self.toasts: list[str] = []
        self.times = 0
        """How often it told something."""
        self.attention = Attention()
        self._notifier = Notifier(how, self.written.append, self.toasts.append, environ, self.attention)

    def look(self, things: str, now: float, generation: int = 0, *, backlog: bool = False, shown: bool = True) -> int:
        """How often it has told until now; every letter is a question, every capital a blocked agent, `!` and `?`
        notices, a digit is part of something else.
        """
        kinds = {letter: Kind.BLOCKED if letter.isupper() else Kind.QUESTION for letter in things}
        kinds |= dict.fromkeys("!?", Kind.NOTICE)
        given = [Thing(letter, kinds[letter], letter, is_part=letter.isdigit()) for letter in things]
        before = len(self.written), len(self.toasts)
        self._notifier.look(given, generation, now, is_backlog=backlog, is_shown=shown)
        self.times += before != (len(self.written), len(self.toasts))
        return self.times


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


def test_after_a_restart_of_the_board_nothing_is_told_again() -> None:
    first, second = Told(), Told()
    assert [first.look("", 0), first.look("aB", 1)] == [0, 1]
    assert [second.look("aB", 0), second.look("aB", 100)] == [0, 0]


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


def test_a_need_that_comes_back_is_new() -> None:
    told = Told()
    assert [told.look(needs, now) for needs, now in (("a", 0), ("", 10), ("a", 20))] == [0, 0, 1]


def test_what_is_part_of_something_is_not_told_also_when_that_is_over() -> None:
    told = Told()
    assert [told.look(things, now) for things, now in (("", 0), ("1", 10), ("a1", 100), ("1", 200))] == [0, 0, 1, 1]


def test_what_merely_happened_waits_for_a_minute_of_quiet_or_for_a_need() -> None:
    told = Told("desktop")
    told.look("", 0)
    assert [told.look("A", 1), told.look("AB", 10), told.look("AB", 60)] == [1, 1, 1]
    assert told.look("AB", 61) == 2
    assert [told.look("ABC", 70), told.look("ABCd", 71)] == [2, 3]
    assert "1 question for you, C blocked" in told.written[-1]


def test_who_goes_to_and_fro_is_told_of_once_in_a_quarter_of_an_hour() -> None:
    told = Told()
    told.look("", 0)
    assert [told.look("A" if minute % 2 else "", minute * 60) for minute in range(1, 16)][-1] == 1
    assert [told.look("", 16 * 60), told.look("A", 17 * 60)] == [1, 2]


def test_another_registry_begins_anew() -> None:
    told = Told()
    told.look("a", 0)
    assert [told.look("bc", 10, 1, backlog=True), told.look("bcd", 20, 1), told.look("bcde", 30, 1)] == [0, 0, 1]


def test_with_a_new_question_it_is_told_how_many_wait_and_of_the_rest_what_is_new() -> None:
    told = Told("desktop")
    told.look("aB", 0)
    told.look("abBC", 10)
    assert [text.strip("\a").rpartition("collab-tui: ")[2] for text in told.written] == [
        "2 questions for you, C blocked"
    ]


# What rings


def test_a_bell_says_that_one_is_needed_and_a_toast_who_is_blocked() -> None:
    told = Told()
    told.look("", 0)
    told.look("A", 100)
    assert (told.written, told.toasts) == ([], ["A blocked"])
    told.look("Aa", 200)
    assert (told.written, told.toasts) == ([BELL], ["A blocked"])
    told.look("AaBb", 300)
    assert (told.written, told.toasts) == ([BELL, BELL], ["A blocked", "B blocked"])


def test_what_rules_tell_rings_at_most_once_a_minute() -> None:
    told = Told()
    told.look("", 0)
    assert [told.look("!", 1), told.look("!?", 2), told.look("!?", 60), told.look("!?", 61)] == [1, 1, 1, 2]
    assert (told.written, told.toasts) == ([BELL, BELL], [])


def test_a_toast_on_what_happened_waits_until_the_screen_shows_it_and_a_bell_does_not() -> None:
    told = Told()
    told.look("", 0, shown=False)
    assert [told.look("A", 1, shown=False), told.look("A", 100, shown=False)] == [0, 0]
    assert [told.look("Aa", 101, shown=False), told.look("Aa", 200)] == [1, 2]
    assert (told.written, told.toasts) == ([BELL], ["A blocked"])


# Who looks


def test_who_looks_is_not_called_and_not_when_turning_away_from_what_was_seen() -> None:
    told = Told()
    told.attention.told(True, 0)
    assert [told.look("", 0), told.look("a", 10), told.look("aB", 60)] == [0, 0, 0]
    told.attention.told(False, 70)
    assert [told.look("aB", 71), told.look("aB", 600)] == [0, 0]


def test_who_turned_away_is_called() -> None:
    told = Told()
    told.attention.told(True, 0)
    told.look("", 0)
    told.attention.told(False, 5)
    assert told.look("a", 6) == 1


def test_who_comes_back_in_between_is_not_called_any_more() -> None:
    told = Told()
    told.attention.told(False, 0)
    told.look("", 0)
    assert [told.look("a", 1), told.look("ab", 2)] == [1, 1]
    told.attention.told(True, 3)
    assert [told.look("ab", 7), told.look("ab", 1000)] == [1, 1]


@pytest.mark.parametrize("how", ["bell", "desktop"])
def test_a_board_with_the_focus_is_quiet_and_after_a_while_without_a_key_shows_a_toast(how: str) -> None:
    """Some terminals tell that they got the focus and never that they lost it."""
    told = Told(how)
    told.attention.told(True, 0)
    told.look("", 0)
    assert [told.look("aB", 200), told.look("aB", 299), told.look("aB", 300), told.look("aB", 5000)] == [0, 0, 1, 1]
    assert (told.written, told.toasts) == ([], ["1 question for you, B blocked"])


def test_a_notice_whose_toast_was_there_has_no_second_one() -> None:
    told = Told()
    told.attention.told(True, 0)
    told.look("", 0)
    assert [told.look("!", 1000), told.look("!a", 2000)] == [0, 1]
    assert (told.written, told.toasts) == ([], ["1 question for you"])


def test_who_was_there_after_it_came_saw_it() -> None:
    told = Told()
    told.attention.told(True, 0)
    told.look("", 0)
    told.look("a", 200)
    told.attention.acted(210)
    assert [told.look("a", 211), told.look("a", 5000)] == [0, 0]


def test_without_any_word_of_the_focus_only_a_fresh_key_keeps_it_quiet() -> None:
    told = Told()
    told.look("", 0)
    told.attention.acted(10)
    assert [told.look("a", 12), told.look("a", 29), told.look("a", 30)] == [0, 0, 1]


def test_what_the_screen_does_not_show_nobody_sees_there() -> None:
    told = Told()
    told.attention.told(True, 0)
    told.look("", 0, shown=False)
    assert told.look("a", 1, shown=False) == 1
    assert told.look("aB", 100, shown=False) == 1
    assert (told.written, told.toasts) == ([], ["1 question for you"])


@given(st.lists(st.tuples(st.sets(st.sampled_from("abAB1")), st.integers(0, 3)), max_size=30))
def test_it_is_never_told_twice_within_five_seconds(steps: list[tuple[set[str], int]]) -> None:
    told, now = Told(), 0
    rang: list[int] = []
    showed: list[int] = []
    for things, pause in steps:
        now += pause
        told.look("".join(things), now)
        rang += [now] * (len(told.written) - len(rang))
        showed += [now] * (len(told.toasts) - len(showed))
    assert all(later - earlier >= 5 for at in (rang, showed) for earlier, later in pairwise(at))


def test_off_says_nothing() -> None:
    told = Told("off")
    told.look("", 0)
    assert told.look("a", 1) == 0


# What is written

SEQUENCES = {
    "kitty": ({"TERM": "xterm-kitty"}, "\x1b]99;i=collab-tui;collab-tui: 2 questions for you\x1b\\"),
    "kitty in a shell that changes TERM": (
        {"KITTY_WINDOW_ID": "1"},
        "\x1b]99;i=collab-tui;collab-tui: 2 questions for you\x1b\\",
    ),
    "ghostty": ({"TERM": "xterm-ghostty"}, "\x1b]777;notify;collab-tui;2 questions for you\a"),
    "wezterm": ({"TERM_PROGRAM": "WezTerm"}, "\x1b]777;notify;collab-tui;2 questions for you\a"),
    "foot": ({"TERM": "foot-extra"}, "\x1b]777;notify;collab-tui;2 questions for you\a"),
    "iTerm2": ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]9;collab-tui: 2 questions for you\a"),
    "iTerm2 over ssh": ({"LC_TERMINAL": "iTerm2"}, "\x1b]9;collab-tui: 2 questions for you\a"),
    "unknown": ({"TERM": "xterm-256color"}, "\x1b]9;collab-tui: 2 questions for you\a\a"),
    "tmux in foot": (
        {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "/tmp/x,1,0", "WEZTERM_PANE": "0"},
        "\x1bPtmux;\x1b\x1b]777;notify;collab-tui;2 questions for you\a\x1b\\\a",
    ),
}


@pytest.mark.parametrize("terminal", SEQUENCES)
def test_each_terminal_gets_what_it_shows(terminal: str) -> None:
    environ, sequence = SEQUENCES[terminal]
    assert desktop_sequence("2 questions for you", environ) == sequence
    told = Told("desktop", **environ)
    told.look("", 0)
    told.look("ab", 1)
    assert told.written == [sequence]


THINGS = st.lists(
    st.builds(
        Thing,
        st.integers(),
        st.sampled_from(Kind),
        st.text() | st.sampled_from(["sena", "세나", "a;b", "x\x1b[2J", "buy now", "9;4;1"]),
        st.integers(2, 10**6),
    ),
    min_size=1,
)


@given(THINGS, st.booleans(), st.dictionaries(st.sampled_from(["TERM", "TERM_PROGRAM", "TMUX"]), st.text()))
def test_nothing_but_our_words_counts_and_names_leaves(
    things: list[Thing], ascii_only: bool, environ: dict[str, str]
) -> None:
    sequence = desktop_sequence(in_words(things, ascii_only=ascii_only), environ)
    letters = re.sub(r"\x1bPtmux;|\x1b+\](?:99;i=collab-tui|777;notify|9);|[\x1b\\\a]", "", sequence)
    who = r"(an agent|[\w-]{1,24})"
    told = rf"{who} blocked|{who} silent for \d+ (s|min|h|d)|\d+ agents (blocked|silent)"
    told = rf"(\d+ questions? for you|deadlock of \d+|\d+ deadlocks|\d+ notices? of your rules|{told})"
    assert re.fullmatch(rf"collab-tui[:;] ?{told}(, {told})*", letters)
    assert not ascii_only or letters.isascii()
