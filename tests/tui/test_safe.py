"""The wall between text from events and the terminal: what is cut says so, and what is replaced is as wide."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from textual.color import Color

from collab_tui.tui.narrow import Encodable
from collab_tui.tui.safe import MOST_ENTRIES, Scrub, cut_agent, excerpt, some, words

BLACK = Color(0, 0, 0)


@given(st.text(st.sampled_from("ab\n긴"), max_size=300), st.integers(1, 60), st.integers(1, 20))
def test_an_excerpt_is_the_whole_or_its_beginning_and_how_much_is_missing(text: str, most: int, lines: int) -> None:
    shown = excerpt(text, most, lines)
    if shown != text:
        begun, _, rest = shown.rpartition("\n")
        missing = re.fullmatch(r"\.\.\. ([\d,]+) more characters are not shown", rest)
        assert missing is not None
        assert text.startswith(begun)
        assert int(missing[1].replace(",", "")) == len(text) - len(begun)
        assert len(begun) <= most
        assert begun.count("\n") < lines
    else:
        assert len(text) <= most
        assert text.count("\n") < lines


@given(st.lists(st.text(max_size=9), max_size=2 * MOST_ENTRIES))
def test_of_a_long_list_some_are_shown_and_the_others_counted(entries: list[str]) -> None:
    shown = some(entries)
    assert len(shown) <= MOST_ENTRIES + 1
    if len(entries) > MOST_ENTRIES:
        assert shown[-1] == f"... {len(entries) - MOST_ENTRIES:,} more are not shown"
    else:
        assert shown == [words(entry) for entry in entries]


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("executor-1-0f55", 8, "execu-1…"),
        ("executor-12-0f55", 12, "executor-12…"),
        ("executor-1-0f55", 15, "executor-1-0f55"),
        ("긴이름-2-0f55", 8, "긴이 -2…"),
        ("executor-1-0f55", 3, "e…5"),
        ("run-login-page-3f9a", 8, "run-…f9a"),
    ],
)
def test_of_a_seat_the_number_stays(name: str, width: int, shown: str) -> None:
    assert cut_agent(name, width) == shown
    assert cell_len(shown) <= width


@pytest.mark.parametrize(("size", "ends"), [(2000, "m"), (2001, "..."), (900_000, "...")])
def test_what_is_too_long_for_one_line_ends_in_dots(size: int, ends: str) -> None:
    assert words("m" * size).endswith(ends)
    assert len(words("m" * size)) <= 2003


@given(st.text())
def test_nothing_that_steers_passes_the_second_wall(text: str) -> None:
    (segment,) = Scrub().apply([Segment(text)], BLACK)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", segment.text)


@pytest.mark.parametrize("encoding", ["cp949", "ascii", "latin-1", "euc-kr", "shift_jis"])
@given(text=st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"])))
@example(text="a \U0001f469\u200d\U0001f4bb at work \u2764\ufe0f")
def test_what_a_terminal_cannot_show_is_replaced_by_something_as_wide(encoding: str, text: str) -> None:
    assume(split_graphemes(text)[1] == cell_len(text))  # rich has two opinions of what joins nothing
    (segment,) = Encodable(encoding).apply([Segment(text)], BLACK)
    assert cell_len(segment.text) == cell_len(text)
    segment.text.encode(encoding)
