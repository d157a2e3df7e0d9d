"""Unsent text is never lost: a dialog whose event cannot be written stays open with its words and the reason."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest
from textual.widgets import TextArea

from collab_tui.registry.append import LockedError, NotWrittenError
from tests.program import PATIENCE
from tests.tui import scenes
from tests.tui.seat import Seat, sitting

REASONS = [
    NotWrittenError("only 12 of 90 bytes fitted into registry.jsonl: is the disk full?"),
    LockedError("registry.jsonl is locked by process 4711: try again"),
    PermissionError(13, "Permission denied"),
]


def fails(seat: Seat, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing can be written."""

    def refuse(*args: Any, **how: Any) -> object:
        raise error

    monkeypatch.setattr(seat.app.desk.registry, "append", refuse)


def box(seat: Seat, selector: str = "#box") -> str:
    return seat.app.screen.query_one(selector, TextArea).text


@pytest.mark.parametrize("error", REASONS)
async def test_an_answer_that_cannot_be_written(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("needs", "title")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.type("a long thought")
        with monkeypatch.context() as patch:
            fails(seat, error, patch)
            await seat.press("ctrl+s")
            await seat.sees(str(error)[:40])
            assert seat.screen == "RequestScreen"
            assert box(seat) == "a long thought"
        await seat.press("ctrl+s")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "title", "answer": "a long thought"})
        await seat.closed()


@pytest.mark.parametrize("error", REASONS)
@pytest.mark.parametrize("key", ["m", "d"])
async def test_a_message_or_decision_that_cannot_be_written(
    key: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("agents", "lubit")
        await seat.press(key)
        await seat.dialog("MessageScreen" if key == "m" else "DecideScreen")
        if key == "d":
            await seat.type("the draft")
            seat.widget("#text").focus()
        await seat.type("a long thought")
        with monkeypatch.context() as patch:
            fails(seat, error, patch)
            await seat.press("ctrl+s")
            await seat.sees(str(error)[:40])
            assert box(seat, "#text") == "a long thought"
        await seat.press("ctrl+s")
        await seat.closed()
        await seat.until(lambda: "a long thought" in str(seat.appended), "the event")


async def test_a_quick_answer_that_cannot_be_written_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        with monkeypatch.context() as patch:
            fails(seat, REASONS[0], patch)
            await seat.press("a")
            await seat.until(lambda: "is the disk full?" in seat.toasts, "a toast")
        assert "“GO for the canary?” was not answered" in seat.toasts
        await seat.sees_no("sending...")
        await seat.press("a")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go", "verdict": "approved"})


async def test_a_blocker_that_cannot_be_removed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("waits", "blocker:no credentials for staging")
        with monkeypatch.context() as patch:
            fails(seat, REASONS[1], patch)
            await seat.press("u")
            await seat.until(lambda: "gitcode was not unblocked: registry.jsonl is locked" in seat.toasts, "a toast")
        await seat.sees_no("sending...")


async def test_a_registry_that_became_a_folder_takes_no_message() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.go("agents", "sena")
        await seat.press("m")
        await seat.dialog("MessageScreen")
        await seat.type("hello")
        seat.path.unlink()
        seat.path.mkdir()
        await seat.press("ctrl+s")
        await seat.sees("is no file that can be appended to")
        assert box(seat, "#text") == "hello"


async def test_a_deleted_registry_is_not_made_anew_by_a_message() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.go("agents", "sena")
        await seat.press("m")
        await seat.dialog("MessageScreen")
        await seat.type("hello")
        seat.path.unlink()
        await seat.press("ctrl+s")
        await seat.sees("the registry is gone")
        assert not seat.path.exists()


async def test_words_of_a_message_that_was_left_are_there_again() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.go("agents", "sena")
        await seat.press("m")
        await seat.dialog("MessageScreen")
        await seat.type("hello")
        await seat.press("escape", "m")
        await seat.dialog("MessageScreen")
        assert box(seat, "#text") == "hello"


async def test_a_dialog_that_was_left_while_it_was_sent_says_that_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(scenes.good_day()) as seat:
        go_on = Event()

        def slow(*args: Any, **how: Any) -> object:
            assert go_on.wait(PATIENCE)
            raise NotWrittenError("the disk is full")

        monkeypatch.setattr(seat.app.desk.registry, "append", slow)
        await seat.go_and_look("needs", "title")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.type("Together")
        await seat.press("ctrl+s")
        await seat.sees("sending...")
        await seat.press("escape")
        await seat.closed()
        go_on.set()
        await seat.until(lambda: "the disk is full" in seat.toasts, "a toast")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        assert box(seat) == "Together"


async def test_drafts_survive_escape() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("needs", "title")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.type("half a")
        await seat.press("escape")
        await seat.closed()
        await seat.go("needs", "tagger")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        assert box(seat) == ""
        await seat.press("escape")
        await seat.closed()
        await seat.go("needs", "title")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        assert box(seat) == "half a"
        await seat.type(" name")
        await seat.press("ctrl+s")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "title", "answer": "half a name"})
        assert not seat.app.desk.drafts


async def test_a_draft_that_was_emptied_is_gone() -> None:
    async with sitting(scenes.good_day()) as seat:
        for text in ("no", ""):
            await seat.go_and_look("needs", "title")
            await seat.press("enter")
            await seat.dialog("RequestScreen")
            await (seat.type(text) if text else seat.press("backspace", "backspace"))
            await seat.press("escape")
            await seat.closed()
        assert not seat.app.desk.drafts


async def test_sending_twice_writes_one_message() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.go("agents", "sena")
        await seat.press("m")
        await seat.dialog("MessageScreen")
        await seat.type("hello")
        await seat.press("ctrl+s", "ctrl+s")
        await seat.closed()
        await seat.read(4)
        assert seat.path.read_bytes().count(b"hello") == 1


async def test_every_field_of_a_decision_that_was_left_is_there_again() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.go("agents", "sena")
        await seat.press("d")
        await seat.dialog("DecideScreen")
        await seat.type("the budget")
        await seat.press("escape", "d")
        await seat.dialog("DecideScreen")
        assert seat.widget("#about").value == "the budget"
