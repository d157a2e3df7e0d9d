"""Whatever a program prints, what is seen of it is text in cells, and no escape."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.text import clean
from collab_tui.sessions.terminal_model import Picture, Run, Style, TerminalModel, captured, text_of

STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
PIECES = st.sampled_from(
    [
        *(
            "text",
            "한국",
            "e\u0301\u0302\u0303\u0304\u0305\u0306",
            "✔\ufe0f",
            "\u202eevil",
            "\u200b",
            "\r",
            "\n",
            "\t",
            "\b",
        ),
        *("\x1b[31m", "\x1b[38;2;1;2;3m", "\x1b[38:2::1:2:3m", "\x1b[48;5;300m", "\x1b[4:3m", "\x1b[2;7m", "\x1b[m"),
        *("\x1b[2J", "\x1b[5;5H", "\x1b[9999;9999H", "\x1b[3;2r", "\x1b[99S", "\x1b[99T", "\x1b[?1049h", "\x1b[?1049l"),
        *(
            "\x1b]0;title\x07",
            "\x1b]52;c;aGk=\x1b\\",
            "\x1bPq#0\x1b\\",
            "\x1b_x",
            "\x1bc",
            "\x1b7",
            "\x1b8",
            "\x1b(0",
            "\x1bM",
        ),
        *("\x1b[", "\x1b", "\x1b[" + "1" * 300 + "m", "\x1b[" + ";" * 190 + "m", "\x9b31m", "\x1b[>4;2m", "\x1b[?25l"),
        *("\x1b[99L", "\x1b[99M", "\x1b[99P", "\x1b[99@", "\x1b[99X", "\x1b[6n", "\x1b[c", "\x1b[>q", "\x1b[?2026$p"),
    ]
)


def rows_of(model: TerminalModel) -> list[Run]:
    return [run for row in (*model.picture().rows, *model.scrolled) for run in row]


@given(st.lists(PIECES | st.text(max_size=8), max_size=40), st.integers(1, 30), st.integers(1, 8), st.data())
def test_no_escape_ever_leaves_it(pieces: list[str], columns: int, rows: int, data: st.DataObject) -> None:
    fed = "".join(pieces).encode("utf-8", "surrogatepass")
    model = TerminalModel(columns, rows, history=5)
    cut = data.draw(st.integers(0, len(fed)))
    model.feed(fed[:cut])
    model.feed(fed[cut:])
    for run in rows_of(model):
        assert not STEERING.search(run.text)
        assert clean(run.text) == run.text
        for colour in (run.style.colour, run.style.background):
            assert re.fullmatch("default|[a-z]+|[0-9a-f]{6}", colour)
    assert len(model.picture().rows) == min(rows, 1000)
    assert len(model.scrolled) <= 5
    assert all(re.fullmatch(r"\x1b\[[?>]?[0-9;]*[a-zA-Z$]+", answer) for answer in model.answers)


@given(st.lists(PIECES, max_size=20), st.data())
def test_how_its_output_is_cut_makes_no_difference(pieces: list[str], data: st.DataObject) -> None:
    fed = "".join(pieces).encode()
    whole, parts = TerminalModel(20, 5), TerminalModel(20, 5)
    whole.feed(fed)
    place = 0
    while place < len(fed):
        size = data.draw(st.integers(1, 9))
        parts.feed(fed[place : place + size])
        place += size
    assert parts.picture() == whole.picture()


def test_styles_are_those_of_the_sequences() -> None:
    model = TerminalModel(40, 1)
    model.feed(b"\x1b[1mbold\x1b[0;2mfaint\x1b[22m\x1b[38;5;1;48;2;10;20;30mboth\x1b[0;4:3mcurly\x1b[24;95mm\x1b[0m")
    assert model.picture().rows[0] == (
        Run("bold", Style(is_bold=True)),
        Run("faint", Style(is_faint=True)),
        Run("both", Style("cd0000", "0a141e")),
        Run("curly", Style(is_underlined=True)),
        Run("m", Style("brightmagenta")),
    )


def test_the_other_screen_is_another_one() -> None:
    model = TerminalModel(10, 2)
    model.feed(b"shell\r\n\x1b[?1049h\x1b[Hfull\r\n1\r\n2\r\n3")
    assert (model.picture().lines, model.is_full_screen, list(model.scrolled)) == (["2", "3"], True, [])
    model.feed(b"\x1b[?1049l")
    assert model.picture().lines == ["shell", ""]


def test_what_scrolls_out_is_kept_within_bounds() -> None:
    model = TerminalModel(10, 2, history=3)
    model.feed("".join(f"line {number}\r\n" for number in range(50)).encode())
    assert [text_of(row) for row in model.scrolled] == ["line 46", "line 47", "line 48"]


@pytest.mark.parametrize(
    "flood",
    [
        b"e" + "\u0301".encode() * 50_000,
        ("\u0301\x1b[1;2H".encode()) * 20_000,
        b"\x1b7" * 50_000,
        b"\x1b]0;" + b"x" * 200_000,
    ],
)
def test_no_flood_makes_a_cell_or_a_list_grow(flood: bytes) -> None:
    model = TerminalModel(10, 2)
    model.feed(b"ab" + flood)
    assert sum(len(run.text) for run in rows_of(model)) < 30
    assert len(model._screen.savepoints) < 50
    assert len(model._unread) < 300


def test_a_captured_screen_keeps_its_rows() -> None:
    picture = captured("a\x1b[1mb\x1b[0m\n\n" + "x" * 30 + "\n\n", 10, (1, 2))
    assert (picture.lines, picture.cursor) == (["ab", "", "x" * 9 + "x", ""], (1, 2))


def test_a_smaller_place_shows_the_last_rows_in_which_something_stands() -> None:
    picture = Picture(((Run("one"),), (), (Run("한국어", Style(is_bold=True)), Run("!")), (), ()), 20, (2, 1))
    cut = picture.cut(5, 2)
    assert (cut.lines, cut.cursor) == (["", "한국"], (1, 1))
