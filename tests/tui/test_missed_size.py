"""The terminal has another size than the one that was told last."""

from __future__ import annotations

import os
import shutil

import pytest

from collab_tui.tui.ending import keep_to_size
from tests.tui import scenes
from tests.tui.seat import sitting


async def test_a_size_that_was_missed_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(scenes.good_day()) as seat:
        monkeypatch.setattr(shutil, "get_terminal_size", lambda _: os.terminal_size((90, 30)))
        keep_to_size(seat.app)
        await seat.until(lambda: tuple(seat.app.screen.size) == (90, 30), "the new size")
