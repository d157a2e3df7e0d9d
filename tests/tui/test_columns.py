"""`columns`, `reduced_motion`: which facts the agents pane tells, and whether it marks what changed."""

from __future__ import annotations

import pytest
from textual.widgets import TextArea

from collab_tui.config import Column, Config
from tests.tui import scenes
from tests.tui.scenes import told, updates
from tests.tui.seat import Seat, sitting

SCENE = [
    told("sena", "session_start", 60, role="implement", status="idle"),
    updates("sena", 2, status="in_progress", current_task="metrics v2", progress=40, next_action="draft it"),
    updates("sena", 1, blockers=["no disk"], message="all went well"),
]
FACTS = {
    Column.ROLE: "implement",
    Column.STATUS: "working",
    Column.PROGRESS: "40 %",
    Column.AGE: "1 min",
    Column.TASK: "metrics v2",
    Column.NEEDS: "needs  no disk",
    Column.NEXT: "next  draft it",
    Column.MESSAGE: "says  all went well",
}


def told_of_agents(seat: Seat) -> str:
    pane = seat.list_of("agents")
    return "\n".join(line[pane.region.x : pane.region.right] for line in seat.lines[pane.region.y : pane.region.bottom])


async def test_all_but_the_last_message_are_told_by_default() -> None:
    async with sitting(SCENE) as seat:
        shown = {column for column, text in FACTS.items() if text in told_of_agents(seat)}
        assert shown == set(Config().columns) == set(Column) - {Column.MESSAGE}


@pytest.mark.parametrize("column", Column)
async def test_each_fact_can_be_told_alone(column: Column) -> None:
    async with sitting(SCENE, config=Config(columns=(column.value,))) as seat:
        assert "sena" in told_of_agents(seat)
        assert {name for name, text in FACTS.items() if text in told_of_agents(seat)} == {column}


@pytest.mark.parametrize("size", [(160, 48), (60, 40), (80, 24)])
async def test_silence_is_told_whatever_the_columns(size: tuple[int, int]) -> None:
    scene = [updates("sena", 60, status="in_progress", current_task="metrics v2")]
    async with sitting(scene, size=size, config=Config(columns=())) as seat:
        await seat.go("agents")
        assert "silent 1 h" in told_of_agents(seat)
        assert "metrics" not in told_of_agents(seat)


async def test_a_crowd_tells_no_more_than_the_columns() -> None:
    crowd = [
        updates(
            f"agent-{number}", 1, status="in_progress", progress=40, current_task="metrics v2", blockers=["no disk"]
        )
        for number in range(60)
    ]
    async with sitting(crowd, config=Config(columns=("status",))) as seat:
        line = seat.line_with("agent-0")
        assert "working" in line
        pane = told_of_agents(seat)
        assert not any(text in pane for text in ("40 %", "metrics", "no disk", "1 min"))


@pytest.mark.parametrize("reduced", [False, True])
async def test_a_change_is_marked_unless_nothing_is_to_move(reduced: bool) -> None:
    async with sitting(SCENE, config=Config(reduced_motion=reduced)) as seat:
        seat.write(updates("sena", progress=41))
        await seat.sees("41 %")
        assert bool(seat.list_of("agents")._marks) is not reduced


@pytest.mark.parametrize("reduced", [False, True])
async def test_the_cursor_blinks_unless_nothing_is_to_move(reduced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TextArea.cursor_blink, "_default", True)
    async with sitting(scenes.good_day(), config=Config(reduced_motion=reduced)) as seat:
        await seat.go_and_look("needs", "title")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        box = seat.app.screen.query_one(TextArea)
        await seat.until(lambda: box.has_focus, "the box has the keys")
        assert box.cursor_blink is not reduced
