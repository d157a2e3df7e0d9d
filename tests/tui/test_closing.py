"""A dialog that is closed while it finds something out: what comes then has no place, and that is no error."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from collab_tui.registry import jsonl
from tests.program import PATIENCE
from tests.tui import scenes
from tests.tui.seat import sitting

FOUND_BY = {"e": "items", "enter": "place_of"}
"""Key that opens a dialog -> what its worker asks the registry for."""


@pytest.mark.parametrize("key", FOUND_BY)
async def test_what_is_found_for_a_dialog_that_is_being_closed(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("agents" if key == "e" else "log")
        await seat.press("home")
        go_on, asked = threading.Event(), threading.Event()
        name = FOUND_BY[key]
        genuine = getattr(jsonl.JsonlRegistry, name)

        def slow(*arguments: Any) -> Any:
            asked.set()
            assert go_on.wait(PATIENCE)
            return genuine(*arguments)

        monkeypatch.setattr(jsonl.JsonlRegistry, name, slow)
        await seat.press(key)
        await seat.until(asked.is_set, "the question")
        dialog = seat.app.screen
        workers = [worker for worker in seat.app.workers if worker.node is dialog]
        assert workers
        await dialog.query("#dialog").remove()
        go_on.set()
        await seat.until(lambda: all(worker.is_finished for worker in workers), "the end of the worker")
        await seat.press("escape")
        await seat.closed()
