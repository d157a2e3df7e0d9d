"""The board calls the person who looks elsewhere, and shows what rules notify of."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events

from collab_tui.config import Config
from collab_tui.tui.app import BoardApp
from tests.tui import scenes
from tests.tui.scenes import asks, told, updates
from tests.tui.seat import NAME, Seat, sitting

DESKTOP = Config(notifications="desktop")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes to the terminal past the screen."""
    for name in ("TMUX", "KITTY_WINDOW_ID", "TERM_PROGRAM", "LC_TERMINAL", "GHOSTTY_RESOURCES_DIR", "WEZTERM_PANE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    texts: list[str] = []
    monkeypatch.setattr(BoardApp, "_write_raw", lambda self, text: texts.append(text))
    return texts


def calls(written: list[str]) -> list[str]:
    """What was told by notifications."""
    return [text.partition("collab-tui: ")[2].rstrip("\a") for text in written if text.startswith("\x1b]9;")]


async def turn(seat: Seat, *, away: bool) -> None:
    """The terminal tells that it lost the focus, or got it."""
    seat.app.post_message(events.AppBlur() if away else events.AppFocus())
    await seat.pilot.pause()


def notified(number: int, text: str = "sena is at 80 %", **fields: Any) -> dict[str, Any]:
    """The activation of a rule that notifies, as the monitor writes it."""
    common = {"id": f"a{number}", "rule": "half", "key": f"half: {number}", "chain": {"half": 1}, "outcome": "notified"}
    return told("monitor", "activation", **{**common, "notify": text, **fields})


async def test_who_looks_elsewhere_is_called_with_what_needs_them_and_what_happened(written: list[str]) -> None:
    async with sitting(scenes.calm(), config=DESKTOP) as seat:
        await turn(seat, away=True)
        seat.write(asks("lubit", "r8", "x"), asks("maestro", "r9", "y"), told("orion", "blocker", blocker="x"))
        await seat.until(lambda: calls(written), "a call")
        assert calls(written) == ["3 questions for you, orion blocked"]


async def test_who_looks_is_not_called(written: list[str]) -> None:
    async with sitting(scenes.calm(), config=DESKTOP) as seat:
        await turn(seat, away=False)
        seat.write(asks("lubit", "r8", "Really?"))
        await seat.sees("Really?")
        assert calls(written) == []
        await turn(seat, away=True)
        seat.write(asks("maestro", "r9", "And this?"))
        await seat.until(lambda: calls(written), "a call")
        assert calls(written) == ["3 questions for you"]


async def test_a_key_is_a_sign_of_the_person_where_the_terminal_says_nothing(written: list[str]) -> None:
    async with sitting(scenes.calm(), config=DESKTOP) as seat:
        await seat.press("j")
        seat.write(asks("lubit", "r8", "Really?"))
        await seat.sees("Really?")
        assert calls(written) == []


async def test_a_frozen_picture_shows_nothing_new_so_the_person_is_called(written: list[str]) -> None:
    async with sitting(scenes.calm(), config=DESKTOP) as seat:
        await turn(seat, away=False)
        await seat.press("space")
        seat.write(asks("lubit", "r8", "Really?"))
        await seat.until(lambda: calls(written), "a call")


async def test_what_rules_notify_of_is_shown_once_and_not_what_was_there_at_the_start(written: list[str]) -> None:
    async with sitting([*scenes.calm(), notified(1, "long ago")]) as seat:
        seat.write(notified(2), updates("sena", progress=3), notified(3, "held", chain=None, outcome="held back"))
        await seat.until(lambda: "half: sena is at 80 %" in seat.toasts, "a toast")
        seat.write(updates("sena", progress=4))
        await seat.read(len(scenes.calm()) + 5)
        assert seat.toasts.count("half:") == 1
    async with sitting([], path=NAME) as seat:
        await seat.read(len(scenes.calm()) + 5)
        assert "half:" not in seat.toasts


async def test_a_notice_calls_who_looks_elsewhere_without_its_words(written: list[str]) -> None:
    async with sitting(scenes.calm(), config=DESKTOP) as seat:
        await turn(seat, away=True)
        seat.write(notified(2))
        await seat.until(lambda: calls(written), "a call")
        assert calls(written) == ["1 notice of your rules"]


async def test_many_notices_at_once_do_not_hide_the_board() -> None:
    async with sitting(scenes.calm()) as seat:
        seat.write(*(notified(number, f"number {number}") for number in range(50)))
        await seat.until(lambda: "more notices of your rules: the log has them" in seat.toasts, "a toast")
        assert len(seat.app._notifications) < 20


async def test_a_notice_is_literal_and_on_one_line() -> None:
    async with sitting(scenes.calm()) as seat:
        seat.write(notified(2, "[@click=app.quit]x[/]\n\x1b[2J\u202e", rule="[red]r"))
        await seat.until(lambda: "[red]r: [@click=app.quit]x[/] ␛[2J" in seat.toasts, "a toast")
