"""Nothing moves the selection but the user: rows keep their identity, whatever comes, goes or changes its place."""

from __future__ import annotations

import pytest

from tests.tui import scenes
from tests.tui.scenes import asks, decides, told, updates
from tests.tui.seat import Seat, sitting

URGENT = [
    updates("lubit", status="in_progress"),
    updates("vega", status="waiting_for_lubit"),
    asks("lubit", "first", "Something that holds up two?", 0),
]
"""A request that comes before those of one agent."""


async def test_a_row_that_appears_above_does_not_take_it() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        seat.write(*URGENT)
        await seat.until(lambda: seat.list_of("needs").keys == ["first", "go"], "the new one above")
        assert seat.selected == "go"
        await seat.looked()
        await seat.press("a")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go", "verdict": "approved"})


async def test_the_selected_row_stays_where_it_is_on_the_screen() -> None:
    scene = [asks("sena", f"r{number:02}", f"Question number {number:02}?", 30 - number) for number in range(25)]
    async with sitting(scene) as seat:
        await seat.go("needs", "r15")
        before = next(y for y, line in enumerate(seat.lines) if "Question number 15?" in line)
        seat.write(*URGENT)
        await seat.until(lambda: seat.list_of("needs").keys[0] == "first", "the new one above")
        await seat.until(lambda: "Question number 15?" in seat.lines[before], "the row where it was")
        assert seat.selected == "r15"
        seat.decide_elsewhere(*(decides("human", f"r{number:02}", "approved") for number in range(5)))
        await seat.until(lambda: len(seat.list_of("needs").keys) == 21, "fewer above")
        await seat.until(lambda: "Question number 15?" in seat.lines[before], "the row where it was")


async def test_a_closed_request_stays_and_says_what_became_of_it() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("needs", "tagger")
        before = seat.list_of("needs").keys
        seat.decide_elsewhere(decides("human", "tagger", "", answer="both"))
        await seat.sees("✔ both by human")
        assert seat.selected == "tagger"
        assert seat.list_of("needs").keys == before
        await seat.press("down")
        await seat.until(lambda: "tagger" not in seat.list_of("needs").keys, "its row gone")
        assert seat.selected == "title"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (told("sena", "request_withdrawn", request_id="metrics-v2"), "withdrawn by sena"),
        (decides("lubit", "metrics-v2", "rejected"), "✖ rejected by lubit"),
    ],
)
async def test_a_request_to_another_agent_says_it_too(event: scenes.Event, said: str) -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("needs", "metrics-v2")
        seat.write(event)
        await seat.sees(said)
        assert seat.selected == "metrics-v2"


async def test_a_request_whose_asker_went_on() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.go("needs", "go")
        seat.write(told("sena", "decision", target="gitcode", verdict="approved"))
        await seat.sees("perhaps answered by sena")
        seat.write(updates("gitcode", status="in_progress", progress=70))
        await seat.sees("gitcode went on; perhaps answered by sena")
        assert seat.selected == "go"


async def test_agents_change_their_order_under_it() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("agents", "lubit")
        seat.write(told("lubit", "blocker", blocker="the paper is wrong"), updates("하나", status="failed"))
        await seat.sees("the paper is wrong", "✖ 하나")
        assert seat.selected == "lubit"
        assert seat.line_with("lubit  ").startswith("│▌")


async def test_a_blocker_that_is_gone_leaves_nothing_selected() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("waits", "blocker:no credentials for staging")
        seat.write(told("gitcode", "blocker_resolved", blocker="no credentials for staging"))
        await seat.sees_no("no credentials for staging  holds")
        assert seat.selected is None
        await seat.press("u", "e")
        assert seat.screen == "BoardScreen"
        await seat.wrote_nothing()


async def test_the_first_need_of_an_empty_inbox_can_be_answered() -> None:
    async with sitting(scenes.calm()[:2]) as seat:
        await seat.go("needs")
        await seat.sees("Nothing waits for you.")
        seat.write(scenes.calm()[2])
        await seat.sees("GO for the canary?")
        await seat.looked()
        await seat.press("a")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go", "verdict": "approved"})


async def test_the_log_keeps_the_selected_line() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("log")
        await seat.press("up", "up", "up")
        line = seat.log.selected
        seat.write(*(updates("sena", progress=number) for number in range(60)))
        await seat.read(78)
        assert seat.log.selected == line
        await seat.sees("▌14:00:30")


async def selects_all(seat: Seat, sizes: list[tuple[int, int]], pane: str, key: str) -> None:
    for size in sizes:
        await seat.pilot.resize_terminal(*size)
        await seat.pilot.pause()
        assert (seat.pane, seat.selected) == (pane, key), size


@pytest.mark.parametrize(("pane", "key"), [("agents", "lubit"), ("needs", "title"), ("waits", "wait:lubit\nsena")])
async def test_resizing_keeps_selection_and_focus(pane: str, key: str) -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go(pane, key)
        await selects_all(seat, [(80, 24), (60, 40), (160, 48), (1, 1), (500, 200), (100, 40), (160, 15)], pane, key)
        await seat.pilot.resize_terminal(160, 48)
        await seat.until(
            lambda: any(f"▌{text}" in seat.text for text in ("◌ lubit", "What is the guide")), "the row in sight"
        )
