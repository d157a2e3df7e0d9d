"""Clocks that jump, and clocks of others that are ahead: ages stay sensible, and nothing stops."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.tui import scenes
from tests.tui.scenes import NOW, updates
from tests.tui.seat import sitting


@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(hours=1), timedelta(days=4000)])
async def test_a_clock_that_jumps_while_it_runs(jump: timedelta) -> None:
    async with sitting(scenes.good_day()) as seat:
        seat.app.desk.clock = lambda: NOW + jump
        seat.write(updates("orion", status="in_progress", current_task="after the jump"))
        await seat.sees("after the jump", "orion")
        assert not re.search(r"-\d+ (s|min|h|d)\b", seat.text)
        ahead = "clock" in seat.line_with("sena ") or "ahead" in seat.lines[0]
        assert ahead is (jump < timedelta())
        seat.write(scenes.asks("orion", "late", "Still there?", 0))
        await seat.sees("Still there?")
        await seat.go_and_look("needs", "late")  # what must be on the screen for a while counts by another clock
        await seat.press("a")
        await seat.until(lambda: seat.appended, "an answer")
        assert seat.appended[-1]["verdict"] == "approved"


async def test_clocks_of_others_that_are_ahead_are_told_in_the_header() -> None:
    async with sitting([updates("sena", -90, status="in_progress", current_task="from the future")]) as seat:
        await seat.sees("from the future")
        assert "clocks 1 h ahead" in seat.lines[0]
        assert "clock 1 h ahead" in seat.line_with("sena ")
