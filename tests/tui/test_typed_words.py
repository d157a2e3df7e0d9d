"""Words typed into an open request never answer it, whichever letters they begin with; a key that stands alone does."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events
from textual.widgets import TextArea

from collab_tui.tui.screens import lone_keys
from tests.tui import scenes
from tests.tui.seat import Seat, sitting
from tests.tui.test_request_dialog import opened

APPROVED = {"agent": "human", "event": "decision", "request_id": "go-canary", "verdict": "approved"}


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, the next key comes before the pause is over."""
    monkeypatch.setattr(lone_keys, "TYPING_PAUSE", 3600)


def box(seat: Seat) -> str:
    return seat.app.screen.query_one("#box", TextArea).text


def paste(seat: Seat, text: str) -> None:
    """As a terminal with bracketed paste tells it."""
    event = events.Paste(text)
    event.set_sender(seat.app)
    seat.app.post_message(event)


@pytest.mark.usefixtures("slowly")
@pytest.mark.parametrize("request_id", ["go-canary", "tagger"])
@pytest.mark.parametrize(
    "words",
    [
        "not on main, please",
        "approve only staging",
        "aardvark first",
        "xylophone",
        "ax",
        "1 of 20 hosts",
        "11 hosts",
        "2-3 more days",
        "Approved? no",
        "아니요, 스테이징만",
        "é1a",
        "?",
    ],
)
async def test_words_go_into_the_box_from_their_first_letter_on(request_id: str, words: str) -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, request_id)
        await seat.type(words)
        assert box(seat) == words
        await seat.sees("shift+tab, then ")
        await seat.wrote_nothing()
        assert seat.screen == "RequestScreen"


@pytest.mark.usefixtures("slowly")
@pytest.mark.parametrize("text", ["a", "x", "1", "approve\nall of it"])
@pytest.mark.parametrize("before", ["", "a"])
async def test_a_paste_goes_into_the_box(before: str, text: str) -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.type(before)
        paste(seat, text)
        await seat.until(lambda: box(seat) == before + text, "the paste in the box")
        await seat.wrote_nothing()


async def test_words_and_then_a_key_alone_are_a_comment() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.sees("a approve  x reject  tab/type your words  esc close")
        await seat.type("only staging")
        await seat.sees("shift+tab, then a approve  x reject  esc close")
        await seat.press("shift+tab")
        await seat.sees("tab/type your words")
        await seat.type(", and by hand")
        assert box(seat) == "only staging, and by hand"
        await seat.press("shift+tab", "a")
        await seat.wrote(APPROVED | {"comment": "only staging, and by hand"})
        await seat.closed()


async def test_ctrl_s_says_how_an_approval_is_sent_and_sends_a_choice_in_words() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.type("go on")
        await seat.press("ctrl+s")
        await seat.sees("Words alone are no answer: shift+tab, then a or x.")
        await seat.wrote_nothing()
        await seat.press("escape")
        await seat.closed()
        await opened(seat, "tagger")
        await seat.type("take 1 please")
        await seat.sees("ctrl+s send  shift+tab, then 1-9 choose")
        await seat.press("ctrl+s")
        decision = {"agent": "human", "event": "decision", "request_id": "tagger", "answer": "take 1 please"}
        await seat.wrote(decision)


@pytest.mark.parametrize("times", [1, 2, 30])
async def test_a_key_alone_answers_once_however_long_it_is_held(times: int) -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.press(*"a" * times)
        await seat.wrote(APPROVED)
        await seat.closed()


@pytest.mark.usefixtures("slowly")
@pytest.mark.parametrize("key", ["escape", "tab", "down", "ctrl+s"])
async def test_any_other_key_takes_it_back(key: str) -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.press("a")
        await seat.sees("answering: type on to write words instead")
        await seat.press(key)
        await seat.sees_no("answering")
        await seat.wrote_nothing()
        assert seat.screen == "RequestScreen"
        assert box(seat) == ""


@pytest.mark.usefixtures("slowly")
async def test_a_click_into_the_box_takes_it_back() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.press("a")
        await seat.pilot.click("#box")
        await seat.sees("Nothing was sent")


@pytest.mark.usefixtures("slowly")
async def test_a_click_on_reject_is_the_only_answer() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.press("a")
        await seat.pilot.click("#rejected")
        await seat.wrote(APPROVED | {"verdict": "rejected"})


@pytest.mark.usefixtures("slowly")
async def test_words_typed_as_soon_as_it_opens_are_whole() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("needs", "go-canary")
        await seat.press("enter")
        await seat.until(lambda: seat.screen == "RequestScreen" and seat.app.screen.focused, "the dialog")
        seat.app.screen._shown_at += 60
        await seat.type("approve only staging")
        assert box(seat) == "approve only staging"
        await seat.wrote_nothing()


async def test_what_calls_itself_critical_is_asked_once_more_only_for_a_key_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with sitting(scenes.critical()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        with monkeypatch.context() as patch:
            patch.setattr(lone_keys, "TYPING_PAUSE", 3600)
            await seat.type("a word first")
        assert (seat.screen, box(seat)) == ("RequestScreen", "a word first")
        await seat.press("shift+tab", "a")
        await seat.dialog("ConfirmScreen")
        await seat.type("and an accident")
        assert seat.screen == "ConfirmScreen"
        await seat.press("escape")
        await seat.wrote_nothing()


async def test_what_was_closed_before_the_pause_was_over_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[Any] = []

    class Timer:
        def stop(self) -> None: ...

    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        monkeypatch.setattr(
            seat.app.screen._lone_keys, "_start_timer", lambda seconds, then: (held.append(then), Timer())[1]
        )
        await seat.press("a")
        seat.decide_elsewhere(scenes.decides("human", "go", "rejected"))
        await seat.sees("It was closed meanwhile")
        held[-1]()
        await seat.wrote_nothing()
        assert seat.screen == "RequestScreen"
