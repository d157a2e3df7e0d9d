"""`ascii = true`: for terminals that lack some signs, or draw them two cells wide."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from collab_tui.config import Config
from collab_tui.tui.plain import _SIGNS, PlainSigns
from collab_tui.tui.safe import toast
from tests.tui import scenes
from tests.tui.seat import Seat, sitting

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24), (60, 40)], ids=str)
DIALOGS = {
    "RequestScreen": ("needs", "go-canary", "enter"),
    "ExplainScreen": ("agents", "gitcode", "e"),
    "ChooseScreen": ("agents", "gitcode", "u"),
    "DecideScreen": ("agents", "lubit", "d"),
    "MessageScreen": ("agents", "lubit", "m"),
    "ProblemsScreen": ("agents", None, "p"),
    "KeysScreen": ("agents", None, "question_mark"),
    "CommandPalette": ("agents", None, "ctrl+p"),
}


def foreign(seat: Seat) -> set[str]:
    """What is not ASCII and was not written by an agent either."""
    written = set(seat.path.read_text(encoding="utf-8"))
    return {character for character in seat.text if ord(character) > 127} - written


@SIZES
async def test_only_what_agents_wrote_is_not_ascii(size: tuple[int, int]) -> None:
    async with sitting(scenes.good_day(), size=size, config=Config(ascii=True)) as seat:
        await seat.looked()
        assert foreign(seat) == set()


@pytest.mark.parametrize("kind", DIALOGS)
async def test_nor_in_any_dialog(kind: str) -> None:
    pane, row, key = DIALOGS[kind]
    odd = [*scenes.good_day(), "this is no JSON\n"]
    async with sitting(odd, size=(80, 24), config=Config(ascii=True)) as seat:
        await seat.go_and_look(pane, row)
        await seat.press(key)
        await seat.dialog(kind)
        assert foreign(seat) == set()
        assert "----------" in seat.text


async def test_nor_in_a_toast() -> None:
    async with sitting(scenes.good_day(), config=Config(ascii=True)) as seat:
        toast(seat.app, "something went wrong", "error")
        await seat.sees("something went wrong")
        assert foreign(seat) == set()


@pytest.mark.parametrize(("plain", "signs"), _SIGNS.items())
def test_each_sign_has_a_stand_in_of_its_width(plain: str, signs: str) -> None:
    assert plain.isascii()
    for sign in signs:
        (segment,) = PlainSigns().apply([Segment(f"a{sign}b")], Color(0, 0, 0))
        assert segment.text == f"a{plain}b"
        assert cell_len(sign) == len(plain)


def test_letters_of_any_script_stay() -> None:
    text = "민수 é 情報 ascii"
    assert PlainSigns().apply([Segment(text)], Color(0, 0, 0)) == [Segment(text)]
