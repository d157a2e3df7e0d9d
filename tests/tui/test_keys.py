"""`[keys]`: other keys for the commands, everywhere a key is shown, and what is said about keys that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collab_tui.config import Config
from collab_tui.config.source import Source
from collab_tui.tui.actions import ACTIONS
from collab_tui.tui.keymap import FIXED_COMMANDS, Keymap, make_keymap, parse_key, written
from tests.signing import install_key
from tests.tui import scenes
from tests.tui.seat import Seat, sitting

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24), (60, 40)], ids=str)


def configured(**keys: str | list[str]) -> Config:
    """As read from a file, each command on a line of its own."""
    sources = {f"keys.{command}": Source(Path("c.toml"), line) for line, command in enumerate(keys, 2)}
    return Config(keys={c: tuple([k] if isinstance(k, str) else k) for c, k in keys.items()}, sources=sources)


def problems(**keys: str | list[str]) -> list[str]:
    return make_keymap(configured(**keys))[1]


# On the board


@pytest.fixture
def key(tmp_path: Path) -> None:
    """The person has a signing key, so that a decision is written at once."""
    install_key(tmp_path / "config" / "collab-tui")


def verdicts(seat: Seat) -> list[str]:
    return [event["verdict"] for event in seat.appended if event["event"] == "decision"]


@pytest.mark.usefixtures("key")
async def test_the_new_key_works_and_the_old_one_does_not() -> None:
    async with sitting(scenes.calm(), config=configured(approve=["v", "ctrl+y"], reject="f8")) as seat:
        await seat.looked()
        await seat.press("a", "x")
        await seat.wrote_nothing()
        await seat.press("ctrl+y")
        await seat.until(lambda: verdicts(seat) == ["approved"], "an approval")


@pytest.mark.usefixtures("key")
async def test_two_commands_can_change_places() -> None:
    async with sitting(scenes.calm(), config=configured(approve="x", reject="a")) as seat:
        await seat.looked()
        await seat.press("a")
        await seat.until(lambda: verdicts(seat) == ["rejected"], "a rejection")


@pytest.mark.usefixtures("key")
async def test_the_new_key_works_in_the_dialog_too() -> None:
    async with sitting(scenes.calm(), config=configured(approve="v", open="l")) as seat:
        await seat.looked()
        await seat.press("enter")
        assert seat.screen == "BoardScreen"
        await seat.press("l")
        await seat.dialog("RequestScreen")
        assert " v approve  x reject " in seat.text
        await seat.press("a")
        await seat.sees("shift+tab, then v approve")  # it is a letter now, and stands in the box
        await seat.wrote_nothing()
        await seat.press("backspace", "shift+tab", "v")
        await seat.until(lambda: verdicts(seat) == ["approved"], "an approval")


@SIZES
async def test_footer_hints_keys_and_palette_show_the_new_keys(size: tuple[int, int]) -> None:
    config = configured(approve="v", reject=["f8", "ctrl+x"], open="l", unblock=":", next_need="N", previous_need="B")
    async with sitting(scenes.good_day(), size=size, config=config) as seat:
        await seat.go_and_look("needs", "go-canary")
        assert seat.lines[-1].startswith(" v approve  f8 reject  l open  : unblock  N next")
        assert "v approve  f8 reject  l read and answer" in seat.text
        await seat.go("waits")
        assert ": unblock" in seat.line_with("quota of the build cache")
        await seat.press("question_mark")
        await seat.dialog("KeysScreen")
        for command in ("v           Approve the", "f8 ctrl+x   Reject the", "N           Go to the next"):
            assert command in seat.text
        await seat.press("escape", "ctrl+p")
        await seat.type("remove")
        await seat.sees("key :")


async def test_every_other_command_keeps_its_key() -> None:
    """Textual loses a key that goes from one command to another unless it is told of both."""
    async with sitting(scenes.good_day(), config=configured(order="n", next_need="o")) as seat:
        await seat.press("n")
        await seat.sees("by name")
        await seat.go("log")
        await seat.press("o")
        assert (seat.pane, seat.selected) == ("needs", "go-canary")
        for press, screen in (("d", "DecideScreen"), ("m", "MessageScreen"), ("question_mark", "KeysScreen")):
            await seat.press(press)
            await seat.dialog(screen)
            await seat.press("escape")
            await seat.closed()


# What there is to say

NOT_GIVEN = {
    "esc": "it closes every dialog",
    "escape": "it closes every dialog",
    "ctrl+[": "it closes every dialog",
    "k": "it moves in every list",
    "PgUp": "it moves in every list",
    "7": "it chooses options, and the usual filters of the log",
    "ctrl+q": "it always leaves",
    "Ctrl+C": "it copies what is selected",
    "ctrl+p": "it opens the palette",
    "ctrl+s": "it sends what is written in a dialog",
    "ctrl+z": "it puts the program into the background",
}
NO_KEYS = {
    "fooo": "there is no such key; it takes a letter, a sign or one such as",
    "f25": "there is no such key; did you mean f",
    "pagedwon": "there is no such key; did you mean pagedown?",
    "ctr+x": "there is no key 'ctr' to hold; there are alt, ctrl,",
    "ctrl+": "there is no such key",
    "\x1b": "that is no key",
    "ab": "there is no such key",
}


@pytest.mark.parametrize("text", NOT_GIVEN)
def test_some_keys_cannot_be_given_away(text: str) -> None:
    assert problems(order=text) == [f"c.toml:2: order = {text!r}: that key cannot be given away: {NOT_GIVEN[text]}"]


@pytest.mark.parametrize("text", NO_KEYS)
def test_what_is_no_key_is_said_with_what_was_perhaps_meant(text: str) -> None:
    (problem,) = problems(order=["f8", text])
    assert problem.startswith(f"c.toml:2: order = {text!r}: {NO_KEYS[text]}")


@pytest.mark.parametrize(
    ("text", "owner"),
    [("enter", "open"), ("tab", "next_pane"), ("shift+tab", "previous_pane"), ("home", "first"), ("esc", "return")],
)
def test_only_the_command_that_has_such_a_key_by_default_keeps_it(text: str, owner: str) -> None:
    (problem,) = problems(order=text)
    assert problem.startswith(f"c.toml:2: order = {text!r}: that key cannot be given away: it ")
    assert problems(**{owner: ["f8", text]}) == []


@pytest.mark.parametrize("command", FIXED_COMMANDS)
def test_some_commands_keep_their_keys(command: str) -> None:
    assert problems(**{command: "f8"}) == [f"c.toml:2: the keys of {command} stay: {FIXED_COMMANDS[command]}"]


def test_an_unknown_command_is_told_with_what_was_perhaps_meant() -> None:
    assert problems(aprove="f8") == ["c.toml:2: there is no command 'aprove'; did you mean approve?"]
    assert problems(zzz="f8")[0].startswith("c.toml:2: there is no command 'zzz'; there are approve, reject, open,")


def test_two_commands_on_one_key_are_told_at_the_later() -> None:
    told = "c.toml:3: 'z' is reject and approve; take another key, or give approve another"
    assert problems(approve="z", reject=["f8", "z"]) == [told]


def test_a_key_that_is_another_s_by_default_is_told() -> None:
    told = "c.toml:2: 'u' is approve and by default unblock; take another key, or give unblock another"
    assert problems(approve="u") == [told]
    assert problems(approve="N")[0].startswith("c.toml:2: 'N' is approve and by default previous_need;")
    assert problems(approve="/")[0].startswith("c.toml:2: '/' is approve and by default filter;")
    assert problems(approve="u", unblock="f8") == []


def test_commands_that_never_meet_can_share_a_key() -> None:
    assert problems(freeze="f8", play="f8") == []
    assert problems(approve="space")[0].startswith("c.toml:2: 'space' is approve and by default freeze;")


def test_every_command_can_have_its_own_keys() -> None:
    for action in ACTIONS:
        if action.id not in FIXED_COMMANDS:
            assert problems(**{action.id: [key for key in action.keys.split(",") if key != "shift+n"]}) == []


# Names of keys

FRIENDLY = {
    "?": "question_mark",
    "/": "slash",
    ":": "colon",
    "+": "plus",
    "-": "minus",
    " ": "space",
    "question_mark": "question_mark",
    "slash": "slash",
    "Esc": "escape",
    "return": "enter",
    "pgdn": "pagedown",
    "Del": "delete",
    "F12": "f12",
    "Ctrl+X": "ctrl+x",
    "control + x": "ctrl+x",
    "shift+ctrl+left": "ctrl+shift+left",
    "ctrl++": "ctrl+plus",
    "ctrl+i": "tab",
    "shift+n": "N",
    "alt+enter": "alt+enter",
    "ㅁ": "ㅁ",
}


@pytest.mark.parametrize("text", FRIENDLY)
def test_keys_can_be_written_as_people_do(text: str) -> None:
    assert parse_key(text) == FRIENDLY[text]


@example("😍")
@given(st.text(max_size=8) | st.lists(st.sampled_from(["ctrl", "shift", "x", "é", "f1", ""])).map("+".join))
def test_any_text_is_a_key_or_is_refused_in_words(text: str) -> None:
    try:
        key = parse_key(text)
    except ValueError as error:
        told = str(error)
        assert told.isprintable(), told
    else:
        assert parse_key(written(key)) == key


def test_a_keymap_without_changes_leaves_everything_to_textual() -> None:
    assert Keymap().for_textual == {}
