"""Where each pane stands at every size."""

from __future__ import annotations

import pytest

from collab_tui.config import Config
from tests.tui import scenes
from tests.tui.scenes import updates
from tests.tui.seat import Seat, sitting

TITLES = ("Needs you ─", "Agents ─", "Waits and blockers ─", "Log ─")


def row_of(seat: Seat, title: str) -> int:
    """The line that holds the title of a pane."""
    return next(y for y, line in enumerate(seat.lines) if title.removesuffix(" ─") in line and "─" in line)


@pytest.mark.parametrize("size", [(160, 48), (120, 30), (200, 60)])
async def test_two_columns_when_wide(size: tuple[int, int]) -> None:
    async with sitting(scenes.good_day(), size=size) as seat:
        agents, needs = row_of(seat, "Agents ─"), row_of(seat, "Needs you ─")
        assert agents == needs == 1
        assert needs < row_of(seat, "Waits and blockers ─") < row_of(seat, "Log ─")


@pytest.mark.parametrize("size", [(100, 40), (60, 40), (119, 30)])
async def test_one_column_in_the_order_of_need(size: tuple[int, int]) -> None:
    async with sitting(scenes.good_day(), size=size) as seat:
        rows = [row_of(seat, title) for title in TITLES]
        assert rows == sorted(set(rows))
        await seat.sees("GO for canary 5 % at 14:30?", "gitcode", "no credentials for staging", "approve")


async def test_tabs_with_counts_when_low() -> None:
    async with sitting(scenes.good_day(), size=(80, 24)) as seat:
        tabs = seat.line_with("Log 18")
        for text in ("[ ▲ Needs you 3 ]", " Agents 5 ", " Waits 8 ", " Log 18 "):
            assert text in tabs
        y = seat.lines.index(tabs)
        for title, pane in (("Agents", "agents"), ("Waits", "waits"), ("Log", "log"), ("Needs", "needs")):
            await seat.pilot.click(offset=(seat.lines[y].index(title), y))
            await seat.until(lambda pane=pane: seat.pane == pane, pane)
            assert f"[ {'▲ ' if pane == 'needs' else ''}{title}" in seat.lines[y]
            assert (
                sum(seat.board.query_one(f"#{name}").is_on_screen for name in ("agents", "needs", "waits", "log")) == 1
            )


async def test_tab_shows_the_next_pane_when_low() -> None:
    async with sitting(scenes.good_day(), size=(80, 24)) as seat:
        for pane in ("agents", "waits", "log", "needs"):
            await seat.press("tab")
            assert seat.pane == pane
            assert seat.board.query_one(f"#{pane}").is_on_screen


async def test_two_hundred_agents_are_compact() -> None:
    async with sitting(scenes.many()) as seat:
        await seat.sees("200 agents", "200 by need")
        pane = seat.list_of("agents")
        assert len(pane.keys) == pane.wanted_height or len(pane._flat) == 200
        assert len(pane._flat) == 200
        await seat.go("agents")
        await seat.press("end")
        await seat.until(lambda: pane.selected == pane.keys[-1] and f"{pane.selected}" in seat.text, "the last one")
        seat.write(updates("agent-150", status="failed"))
        await seat.until(lambda: pane.selected == pane.keys[-1] or pane.selected in pane.keys, "the same one")


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 2), (5, 3), (20, 5), (30, 10), (119, 29), (120, 19), (500, 200), (500, 3)]
)
async def test_no_size_is_too_small_or_too_large(size: tuple[int, int]) -> None:
    scene = [*scenes.good_day(), *scenes.deadlock(), *scenes.many(60)]
    async with sitting(scene, size=size) as seat:
        for key in (
            "tab",
            "tab",
            "tab",
            "tab",
            "n",
            "down",
            "slash",
            "escape",
            "question_mark",
            "escape",
            "e",
            "escape",
        ):
            await seat.press(key)
        assert len(seat.lines) == size[1]
        await seat.pilot.resize_terminal(160, 48)
        await seat.sees("agents")


async def test_panes_grow_but_do_not_shrink() -> None:
    async with sitting(scenes.calm()) as seat:
        before = row_of(seat, "Waits and blockers ─")
        seat.decide_elsewhere(scenes.decides("human", "go", "approved"))
        seat.write(*(updates(f"vega-{n}", status="idle") for n in range(8)))
        await seat.sees("vega-7")
        grown = row_of(seat, "Waits and blockers ─")
        assert grown >= before
        seat.write(*(scenes.told(f"vega-{n}", "session_end") for n in range(8)))
        await seat.read(20)
        assert row_of(seat, "Waits and blockers ─") == grown


async def test_ascii_signs() -> None:
    async with sitting(scenes.deadlock(), config=Config(ascii=True)) as seat:
        await seat.sees("@ deadlock  gitcode -> sena -> lubit -> gitcode", "# no credentials", "o lubit")
        assert not any(sign in seat.text for sign in "⟲◌■●⋯→")
