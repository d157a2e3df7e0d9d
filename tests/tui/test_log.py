"""The log: follows, is filtered as one types, costs what is in sight, shows every line, also unreadable ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from collab_tui.model.event import Item
from collab_tui.tui.actions import USUAL_FILTERS
from tests.tui import scenes
from tests.tui.scenes import Event, told, updates
from tests.tui.seat import Seat, sitting


def story(count: int) -> list[Event]:
    """So many lines of two agents."""
    return [updates(("sena", "lubit")[n % 2], 50, next_action=f"step {n:05}", progress=n % 100) for n in range(count)]


def title(seat: Seat) -> str:
    """What the frame of the log says above and below."""
    log = seat.log
    return f"{log.border_title} | {log.border_subtitle}"


async def test_it_follows_the_end() -> None:
    async with sitting(story(100)) as seat:
        await seat.sees("step 00099")
        for number in range(100, 160):
            seat.write(updates("sena", next_action=f"step {number:05}"))
        await seat.sees("step 00159")
        assert "160" in title(seat)


async def test_home_end_and_pages() -> None:
    async with sitting(story(300)) as seat:
        await seat.go("log")
        await seat.press("home")
        await seat.sees("step 00000")
        assert seat.log.selected == 0
        await seat.press("pagedown")
        assert 5 < (seat.log.selected or 0) < 100
        seat.write(updates("sena", next_action="the newest"))
        await seat.read(301)
        await seat.sees("step 00000" if seat.log.scroll_offset.y == 0 else "step 000")
        assert "next: the newest" not in seat.text
        await seat.press("end")
        await seat.sees("next: the newest")
        assert seat.log.is_following
        seat.write(updates("sena", next_action="even newer"))
        await seat.sees("next: even newer")
        await seat.press("up", "up", "pageup", "j", "k")
        assert seat.log.selected is not None


async def test_filtering_as_one_types_with_the_count_in_the_frame() -> None:
    async with sitting(story(300)) as seat:
        await seat.press("slash")
        for text, count in (("agent:sena", 150), (" progress>97", 3), (" -00198", 2)):
            await seat.type(text)
            await seat.until(lambda count=count: f"| {count} of 300" in title(seat), f"{count} of 300")
        assert "agent:sena progress>97 -00198" in title(seat)
        await seat.sees("step 00098", "step 00298")
        assert "step 00099" not in seat.text
        seat.write(updates("sena", progress=99, next_action="found"), updates("lubit", progress=99, next_action="not"))
        await seat.sees("found", "3 of 302")
        await seat.press("enter")
        assert seat.pane == "log"
        await seat.press("up", "up", "enter")
        await seat.dialog("EventScreen")
        await seat.sees("Line 299")
        await seat.press("escape")
        await seat.closed()
        await seat.press("escape")
        await seat.until(lambda: title(seat) == "Log | 302", "no filter")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("canary", 2),
        ("event:decision_request", 4),
        ("agent:하나", 2),
        ("status:in_progress", 7),
        ("time>14:00", 2),
        ("progress>=55", 3),
        ("-agent:sena", 13),
        ("한국어", 1),
        ("[/]", 0),
    ],
)
async def test_filters(query: str, count: int) -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.press("slash")
        await seat.type(query)
        await seat.until(lambda: f"| {count} of 18" in title(seat), f"{count} of 18")
        await seat.press("escape")
        await seat.until(lambda: title(seat) == "Log | 18", "no filter")


@pytest.mark.parametrize(("number", "_what", "query"), USUAL_FILTERS)
async def test_a_number_filters_in_a_usual_way(number: str, _what: str, query: str) -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("log")
        await seat.press("4", number)
        await seat.until(lambda: query in title(seat) and ("of 18" in title(seat)) == bool(query), query)
        await seat.sees("1-5 usual filters")
        await seat.wrote_nothing()


async def test_keys_are_words_while_the_filter_is_typed() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("slash")
        await seat.type("ax1qn")
        await seat.sees("ax1qn")
        await seat.wrote_nothing()


@pytest.mark.parametrize("count", [200, 6000])
async def test_moving_asks_for_what_is_in_sight_however_long_it_is(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(story(count)) as seat:
        asked: list[int] = []
        items = seat.app.desk.registry.items

        def counted(first: int, last: int) -> Sequence[Item]:
            asked.append(last - first)
            return items(first, last)

        monkeypatch.setattr(seat.app.desk.registry, "items", counted)
        await seat.go("log")
        await seat.press("home")
        await seat.sees("step 00000")
        for _ in range(3):
            await seat.press("pagedown")
        await seat.press("end")
        await seat.sees(f"step {count - 1:05}")
        seat.write(*(updates("lubit", next_action=f"new {n}") for n in range(10)))
        await seat.sees("new 9")
        assert sum(asked) <= 8 * 64, asked


async def test_a_frame_looks_up_only_the_lines_of_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(story(5000)) as seat:
        looked_up: set[int] = set()
        item = seat.log.item

        def noted(position: int) -> Item | None:
            looked_up.add(position)
            return item(position)

        monkeypatch.setattr(seat.log, "item", noted)
        await seat.go("log")
        await seat.press("home")
        await seat.sees("step 00000")
        assert len(looked_up) <= 3 * seat.log.size.height


async def test_unreadable_lines_are_visible_and_open() -> None:
    async with sitting([*scenes.calm(), "this is no JSON\n", "[1, 2]\n", b"\xff\xfe half\n"]) as seat:
        await seat.sees("! ", "this is no JSON", "a JSON array, not an object", "3 problems")
        await seat.go("log")
        await seat.press("up", "up", "enter")
        await seat.dialog("EventScreen")
        await seat.sees("Line 5", "This line cannot be read: a JSON array, not an object", "[1, 2]")
        await seat.sees_no("folding...")
        await seat.press("escape")
        await seat.closed()


async def test_a_torn_tail_is_shown_when_it_is_whole() -> None:
    async with sitting(scenes.calm()) as seat:
        whole = scenes.line(updates("orion", status="idle", next_action="be whole"))
        seat.write(whole[:30])
        seat.write(whole[30:])
        await seat.sees("be whole", "3 agents")
        assert "problem" not in seat.lines[0]


async def test_lines_of_other_days_have_their_day() -> None:
    scene = [updates("sena", 60 * 24 * 3, next_action="long ago"), updates("sena", 1, next_action="just now")]
    async with sitting(scene) as seat:
        await seat.sees("10-17 14:03:30", "10-20 14:02:30")


async def test_events_that_nobody_knows_are_told() -> None:
    fields: dict[str, Any] = {"score": 0.93, "note": "잘 됨", "nested": {"deep": [1, 2]}}
    async with sitting([told("validator", "validation_started", 1, **fields)]) as seat:
        await seat.sees("validation_started", "score: 0.93", "note: 잘 됨", "nested: ")


async def test_a_filter_that_was_hardly_meant_is_doubted() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.press("slash")
        await seat.type("agnt:sena")
        await seat.sees("unknown field agnt: did you mean agent:?")
        for _ in "nt:sena":
            await seat.press("backspace")
        await seat.type("ent:sena")
        await seat.sees_no("unknown field")
