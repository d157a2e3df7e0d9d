"""An answer is single-use, comes from somebody who looked, and is asked for once more where much hangs on it."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

from tests.tui import scenes
from tests.tui.scenes import Event, asks, decides, told, updates
from tests.tui.seat import Seat, sitting

MEANWHILE: list[tuple[Event, str, str]] = [
    (decides("human", "go", "rejected"), "human answered it meanwhile: rejected", "✖ rejected by human"),
    (told("gitcode", "request_withdrawn", request_id="go"), "gitcode withdrew it meanwhile", "withdrawn by gitcode"),
]


def elsewhere(seat: Seat, event: Event) -> None:
    """Another process writes: the asker, or another board of the person."""
    seat.decide_elsewhere(event) if event["event"] == "decision" else seat.write(event)


def meanwhile(seat: Seat, event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the board that is shown and our line, another process writes."""
    append = seat.app.desk.registry.append

    def late(*args: Any, **how: Any) -> object:
        elsewhere(seat, event)
        return append(*args, **how)

    monkeypatch.setattr(seat.app.desk.registry, "append", late)


@pytest.mark.parametrize(("event", "toast", "row"), MEANWHILE)
async def test_closed_between_the_board_and_the_key(
    event: Event, toast: str, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sitting(scenes.calm()) as seat:
        meanwhile(seat, event, monkeypatch)
        await seat.looked()
        await seat.press("a")
        await seat.sees(row)
        await seat.wrote_nothing()
        assert toast in seat.toasts


@pytest.mark.parametrize(("event", "row"), [(event, row) for event, _, row in MEANWHILE])
async def test_closed_while_the_dialog_is_open(event: Event, row: str) -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        elsewhere(seat, event)
        await seat.sees("It was closed meanwhile")
        await seat.press("a")
        await seat.wrote_nothing()
        await seat.press("escape")
        await seat.closed()
        await seat.sees(row)


@pytest.mark.parametrize(("event", "toast", "row"), MEANWHILE)
async def test_closed_while_the_picture_was_frozen(event: Event, toast: str, row: str) -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("space")
        elsewhere(seat, event)
        await seat.read(4)
        await seat.press("a")
        await seat.until(lambda: toast in seat.toasts, toast)
        await seat.wrote_nothing()
        await seat.press("space")
        await seat.sees(row)


async def test_closed_while_it_was_asked_once_more() -> None:
    async with sitting(scenes.critical()) as seat:
        await seat.looked()
        await seat.press("a")
        await seat.dialog("ConfirmScreen")
        seat.decide_elsewhere(decides("human", "wipe", "rejected"))
        await seat.read(3)
        await seat.press("tab", "enter")
        await seat.until(lambda: "answered it meanwhile" in seat.toasts, "a toast")
        await seat.wrote_nothing()


async def test_an_expired_request_is_closed() -> None:
    scene = [asks("gitcode", "go", "GO?", 60, expires=scenes.at(10)), asks("sena", "go2", "GO 2?", 2)]
    async with sitting(scene) as seat:
        await seat.sees("GO 2?")
        assert seat.list_of("needs").keys == ["go2"]


async def test_a_request_that_expires_while_it_is_shown() -> None:
    async with sitting([asks("gitcode", "go", "GO?", 60, expires=scenes.at(-1))]) as seat:
        await seat.looked()
        seat.app.desk.clock = lambda: scenes.NOW.replace(minute=30)
        await seat.press("a")
        await seat.wrote_nothing()
        await seat.until(lambda: "it has expired" in seat.toasts or "expired" in seat.text, "expired")


async def test_an_answered_request_stays_selected_and_is_not_answered_again() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        seat.decide_elsewhere(decides("human", "go", "approved", comment="from my telephone"))
        await seat.sees("✔ approved by human")
        assert seat.selected == "go"
        await seat.press("a", "x", "1")
        await seat.wrote_nothing()
        assert seat.toasts == "It is closed; nothing else waits for you"


@pytest.mark.parametrize("key", ["a", "x"])
async def test_a_key_for_what_is_closed_says_which_one_goes_on(key: str) -> None:
    async with sitting([*scenes.calm(), asks("sena", "more", "And the rest?", 2)]) as seat:
        await seat.go_and_look("needs", "go")
        await seat.press("a")
        await seat.sees("✔ approved by human  n the next")
        assert not seat.toasts
        await seat.press(key, key, key)
        await seat.until(lambda: seat.toasts, "a toast")
        assert seat.toasts == "It is closed; n: the next"
        await seat.press("n")
        assert seat.selected == "more"


async def test_nothing_is_answered_that_only_just_appeared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.screens.answering.SEEN_FOR", 3600)
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("a", "x")
        await seat.wrote_nothing()
        assert "It only just appeared" in seat.toasts


@pytest.mark.parametrize(("pane", "key"), [("agents", "gitcode"), ("waits", "wait:gitcode\nhuman")])
async def test_a_row_that_was_long_there_and_asks_something_new(pane: str, key: str) -> None:
    """The row of an agent, or of a wait, stays where it is when what it asks becomes another request."""
    async with sitting(scenes.calm()) as seat:
        await seat.go_and_look(pane, key)
        before = monotonic()
        seat.write(
            told("gitcode", "request_withdrawn", request_id="go"), asks("gitcode", "drop", "Drop the database?", 0)
        )
        await seat.until(lambda: (now := seat.board.selected_request()) and now.id == "drop", "another request")
        assert seat.list_of(pane).on_screen_for(key) < monotonic() - before


@pytest.mark.parametrize("keys", [("enter",), ("escape",), ("shift+tab", "tab", "enter")])
async def test_critical_asks_once_more_and_cancel_is_the_default(keys: tuple[str, ...]) -> None:
    async with sitting(scenes.critical()) as seat:
        await seat.looked()
        await seat.press("a")
        await seat.dialog("ConfirmScreen")
        await seat.sees("gitcode calls this critical: Delete the old volumes?", "Answer: approved")
        await seat.press(*keys)
        await seat.closed()
        await seat.wrote_nothing()


async def test_critical_is_answered_when_it_is_confirmed() -> None:
    async with sitting(scenes.critical()) as seat:
        await seat.looked()
        await seat.press("x")
        await seat.dialog("ConfirmScreen")
        await seat.press("tab", "enter")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "wipe", "verdict": "rejected"})


async def test_critical_asks_once_more_in_the_dialog_too() -> None:
    async with sitting(scenes.critical()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.press("a")
        await seat.dialog("ConfirmScreen")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.wrote_nothing()
        await seat.press("a")
        await seat.dialog("ConfirmScreen")
        await seat.press("tab", "enter")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "wipe", "verdict": "approved"})
        await seat.closed()


async def test_a_replaced_registry_is_not_answered() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        seat.path.unlink()
        seat.write(updates("sena", status="idle"))
        await seat.until(lambda: seat.app.live.board.position == 1, "the other registry")
        await seat.press("a")
        await seat.sees("the registry was replaced meanwhile")
        await seat.wrote_nothing()
