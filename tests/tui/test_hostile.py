"""Text from events is shown and nothing else: no markup, no control characters, no links that run, no crash."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.widgets import Select

from tests.tui import scenes
from tests.tui.scenes import HOSTILE_TEXTS, hostile, line
from tests.tui.seat import Seat, sitting

STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
HOSTILE_FILE = Path(__file__).parents[2] / "sample_state" / "hostile.jsonl"
SHOWN = {
    "closing": "x [/] y [/bold] [/nope] [[",
    "link": "[@click=app.quit]press me[/]",
    "bold": "[bold]loud[/bold] [$error]red[/] [WIP] \\[",
    "control": "␛[2J␛]0;PWNED",
    "bidi": "⟦U+202E⟧",
    "long": "긴 글 never ending 📜",
    "lines": "one two",
}
"""Hostile text -> what is to be seen of it."""
TOGETHER = (("closing",), ("link", "bold"), ("control", "bidi", "lines"), ("long",))
"""Those that do not hide each other, in one text."""


def registry(text: str) -> list[str]:
    """The scene as lines; what steers is written as JSON escapes."""
    return [line(event, ascii_only=True) for event in hostile(text)]


async def everything(seat: Seat) -> AsyncIterator[str]:
    """Every screen and dialog, one after the other."""
    yield "board"
    for pane in ("agents", "needs", "waits"):
        await seat.go(pane)
        for key in seat.list_of(pane).keys[:3]:
            seat.list_of(pane).select(key)
            yield f"{pane} {key!r}"
            for press in ("enter", "e"):
                await seat.press(press)
                await seat.sees_no("reading the lines...")
                yield f"{pane} {press} {seat.screen}"
                await seat.press("escape")
                await seat.closed()
    await seat.go("agents")
    await seat.press("home")
    for press in ("u", "m", "d", "p", "question_mark", "ctrl+p", "ctrl+t"):
        await seat.press(press)
        yield f"{press} {seat.screen}"
        if press in "md":
            seat.app.screen.query_one("#target", Select).focus()
            await seat.press("enter")
            yield f"{press} list of agents"
            await seat.press("escape")
        if seat.screen != "BoardScreen":
            await seat.press("escape")
        await seat.closed()
    await seat.go("log")
    await seat.press("home")
    for _ in range(min(seat.log.rows, 4)):
        await seat.press("enter")
        await seat.dialog("EventScreen")
        await seat.sees_no("folding...")
        yield "a line of the log"
        await seat.press("escape", "down")
        await seat.closed()


def joined(names: tuple[str, ...]) -> str:
    return " ".join(HOSTILE_TEXTS[name] for name in names)


@pytest.mark.parametrize("names", TOGETHER, ids=" ".join)
async def test_every_screen_shows_it_literally(names: tuple[str, ...]) -> None:
    async with sitting(registry(joined(names))) as seat:
        seen = ""
        async for where in everything(seat):
            shown = seat.text
            assert not STEERS.search(shown.replace("\n", "")), where
            assert len(seat.lines) == 48, where
            seen += shown
        assert [name for name in names if SHOWN[name] not in seen] == []
        assert not seat.app._exit


@pytest.mark.parametrize("size", [(80, 24), (60, 40), (20, 8)])
@pytest.mark.parametrize("names", TOGETHER, ids=" ".join)
async def test_narrow_screens_stay_whole(names: tuple[str, ...], size: tuple[int, int]) -> None:
    async with sitting(registry(joined(names)), size=size) as seat:
        for pane in ("needs", "agents", "waits", "log"):
            await seat.go(pane)
            await seat.press("down", "enter")
            await seat.press("escape")
            assert not STEERS.search(seat.text.replace("\n", ""))
        assert len(seat.lines) == size[1]


async def test_clicking_on_it_runs_nothing() -> None:
    async with sitting(registry(HOSTILE_TEXTS["link"])) as seat:
        async for where in everything(seat):
            for y, text in enumerate(seat.lines):
                if (x := text.find("press me")) >= 0 and not where.startswith(("m", "d", "u")):
                    await seat.pilot.click(offset=(x, y))
                    assert not seat.app._exit, where
                    break
            while seat.screen == "RequestScreen" and "option" in where:
                await seat.press("escape")
        assert not seat.app._exit


async def test_a_toast_and_a_confirmation_of_it() -> None:
    text = HOSTILE_TEXTS["control"] + HOSTILE_TEXTS["bold"] + HOSTILE_TEXTS["closing"]
    scene = [{"id": "r"} | scenes.told(text, "decision_request", 1, request=text, urgency="critical", options=[text])]
    async with sitting([line(event, ascii_only=True) for event in scene]) as seat:
        await seat.looked()
        await seat.press("1")
        await seat.dialog("ConfirmScreen")
        assert not STEERS.search(seat.text.replace("\n", ""))
        seat.decide_elsewhere(scenes.decides("human", "r", "approved"))
        await seat.read(2)
        await seat.press("tab", "enter")
        await seat.until(lambda: "answered it meanwhile" in seat.toasts, "a toast")
        assert not STEERS.search(seat.text.replace("\n", ""))
        await seat.wrote_nothing()


async def test_an_answer_with_it_is_written_as_it_was_read() -> None:
    text = HOSTILE_TEXTS["bold"]
    async with sitting([scenes.asks("sena", "r", text, options=[text])]) as seat:
        await seat.looked()
        await seat.press("1")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "r", "answer": text})


@pytest.mark.skipif(not HOSTILE_FILE.exists(), reason="the sample is not there")
async def test_the_hostile_sample() -> None:
    async with sitting(HOSTILE_FILE.read_bytes().splitlines(keepends=True)) as seat:
        await seat.sees("alice")
        for pane in ("agents", "needs", "waits"):
            await seat.go(pane)
            for _ in range(len(seat.list_of(pane).keys[:25])):
                await seat.press("down")
                assert not STEERS.search(seat.text.replace("\n", ""))
            await seat.press("enter", "escape")
        await seat.go("log")
        for _ in range(6):
            await seat.press("pageup", "enter")
            await seat.dialog("EventScreen")
            assert not STEERS.search(seat.text.replace("\n", ""))
            await seat.press("escape")
            await seat.closed()
