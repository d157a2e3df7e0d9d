"""What is told of a request beside its words: how soon it expires, that its asker is gone, what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import Any

import pytest

from collab_tui.tui.widgets.runs import row_key
from tests.program import PATIENCE
from tests.tui import scenes
from tests.tui.atlas import Atlas, beside, choose
from tests.tui.run_scenes import screen, task, team
from tests.tui.scenes import told
from tests.tui.seat import WIDE, replaying, sitting

pytestmark = pytest.mark.usefixtures("atlas")

RUN = "0123abcd"


def asking(**fields: Any) -> Sequence[dict[str, Any]]:
    """A run that asks about its only task."""
    asks = scenes.asks("lead", "r1", "Begin t0?", 0, target="human", **fields)
    return [*team(1), asks, told("lead", "run_task", 0, run=RUN, task="t0", state="asked", request="r1")]


@pytest.mark.parametrize("size", [WIDE, (60, 40)])
async def test_how_soon_it_expires_is_told_wherever_it_is_asked(size: tuple[int, int]) -> None:
    async with sitting(asking(expires=scenes.at(-0.2)), size=size) as seat:
        await seat.sees("lead asks you · expires in 12 s")
        await seat.go("needs", "r1")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        assert "in 12 s" in seat.line_with("expires ")
        await seat.press("escape")
        await seat.closed()
        await seat.press("r")
        await seat.sees("asks you  t0: Begin t0?", "expires in 12 s")


async def test_of_a_dead_run_it_is_told_that_its_process_is_gone_and_when_an_answer_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collab_tui.tui.app._TICK", 0.02)
    monkeypatch.setattr(Atlas, "gone_agents", lambda *_: frozenset({"lead", "worker-1-0123"}))
    async with sitting(asking(), size=WIDE) as seat:
        await seat.sees("lead asks you · its process is gone")
        await seat.go("needs", "r1")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.sees("lead (its process is gone)")
        await seat.press("escape")
        await seat.closed()
        seat.decide_elsewhere(scenes.decides("human", "r1", "approved"))
        await seat.press("r")
        await seat.sees("answered", "taken when it is resumed", "1 answered")
        assert "waits for you" not in seat.text


async def test_a_result_that_waits_to_be_accepted_can_be_read_whole() -> None:
    long = "first line\n" + "x" * 900 + "\nlast line"
    worked = told("worker-1-0123", "run_task", 0, run=RUN, task="t0", state="worked", key="t0", value=long)
    scene = [*team(1), task("t0", "running"), worked, *asking(kind="approval")[2:]]
    async with beside("r", [*scenes.calm(), *scene], size=WIDE) as (seat, _):
        await choose(seat, row_key(RUN, "t0"))
        await seat.sees("not yet accepted: v goes to it", "1 value", "not yet accepted  first line")
        await seat.press("v", "enter")
        await seat.until(lambda: seat.screen == "ReadingScreen", "the result")
        await seat.sees("t0, not yet accepted, by worker-1", "first line", "last line")
        await seat.press("escape")
        seat.write(worked | {"state": "done", "revision": 1, "id": "f" * 16})
        await seat.sees_no("not yet accepted")
        assert [row.key for row in screen(seat).query_one("#blackboard")._rows] == ["t0"]  # type: ignore[attr-defined]


async def test_one_look_for_processes_ends_before_the_next_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.app._TICK", 0.01)
    looks, end = list[int](), Event()

    def look(*_: object) -> frozenset[str]:
        looks.append(1)
        assert end.wait(PATIENCE)
        return frozenset({"lead", "worker-1-0123"})

    monkeypatch.setattr(Atlas, "gone_agents", look)
    async with sitting([*team(1), task("t0", "running")]) as seat:
        await seat.until(lambda: looks, "a look")
        ticks = seat.app._ticks
        await seat.until(lambda: seat.app._ticks > ticks + 6, "time for more")
        assert len(looks) == 1
        end.set()
        await seat.until(lambda: any("worker-1" in line and "gone" in line for line in seat.lines), "it is gone")


async def test_where_no_run_goes_on_nobody_looks_for_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.app._TICK", 0.01)
    looks: list[int] = []
    monkeypatch.setattr(Atlas, "gone_agents", lambda *_: looks.append(1))
    async with sitting([*team(1), told("lead", "run_ended", 0, run=RUN, state="done")]) as seat:
        ticks = seat.app._ticks
        await seat.until(lambda: seat.app._ticks > ticks + 6, "time for a look")
        assert not looks


async def test_in_the_past_it_is_read_and_the_keys_of_the_past_come_first() -> None:
    async with replaying(asking(), "4", size=WIDE) as seat:
        await seat.press("r")
        await seat.sees("Begin t0?", "o read")
        assert "o answer" not in seat.text
        await seat.press("question_mark")
        await seat.dialog("KeysScreen")
        await seat.until(lambda: "Play, or pause" in seat.text, "the keys")
        assert seat.text.index("Play, or pause") < seat.text.index("Past") + 200
        assert "first and last; in the log" not in seat.text
