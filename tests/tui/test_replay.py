"""The past: the board of any moment, played, stepped and sought through, of a file or from the live board and back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from math import inf
from typing import Any

import pytest

from collab_tui.config import Config
from collab_tui.model import timeline
from collab_tui.model.event import Item
from collab_tui.model.timeline import Timeline
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.tui.actions import ACTIONS, Where
from collab_tui.tui.widgets.replay_bar import ReplayBar
from tests.program import PATIENCE
from tests.tui import scenes
from tests.tui.scenes import Event, asks, decides, told, updates
from tests.tui.seat import NAME, Seat, replaying, sitting

DAY = 24 * 60.0


def story() -> list[Event]:
    """Two days: a request and its answer, a blocker, a gap of a day, two agents that wait for each other."""
    return [
        updates("sena", 2 * DAY, status="in_progress", current_task="write the parser", progress=10),
        updates("lubit", 2 * DAY - 1, status="in_progress", current_task="validate", progress=5),
        asks("sena", "go", "Take the fast parser?", 2 * DAY - 2, target="human"),
        updates("lubit", 2 * DAY - 12, progress=20),
        decides("human", "go", "approved", 2 * DAY - 14),
        told("lubit", "blocker", 2 * DAY - 15, blocker="no golden logs"),
        told("human", "blocker_resolved", 2 * DAY - 16, blocker="no golden logs", target="lubit"),
        updates("lubit", 60, status="in_progress", next_action="after the gap"),
        updates("sena", 50, status="waiting_for_lubit"),
        updates("lubit", 40, status="waiting_for_sena"),
        asks("lubit", "way", "Which way out?", 30, options=["wait", "talk"], default="talk"),
        updates("orion", 20, status="idle"),
    ]


LAST = len(story())


def bar(seat: Seat) -> str:
    """The state line of the bar."""
    return seat.line_with(" of ")


# A saved registry


async def test_it_plays_from_the_first_event_to_the_last_and_stops() -> None:
    async with replaying(story(), None, speed=1000) as seat:
        await seat.sees("◷ replay", "▶ 1000x")
        assert "live" not in seat.text
        await seat.at(LAST)
        await seat.sees("event 12 of 12", "‖ 1000x", "3 agents", "Which way out?")


async def test_at_a_place_it_stands_still() -> None:
    async with replaying(story(), "3") as seat:
        await seat.sees("event 3 of 12", "2025-10-18 14:05:30", "‖ 30x", "Take the fast parser?", "1 needs you")
        assert "no golden logs" not in seat.text
        assert "orion" not in seat.text


@pytest.mark.parametrize(("place", "position"), [("14:18:30", 6), ("10-20 13:13:30", 9), ("50%", 6), ("+2d", 12)])
async def test_a_place_may_be_a_time(place: str, position: int) -> None:
    async with replaying(story(), place) as seat:
        await seat.at(position)
        await seat.sees("‖ 30x")


async def test_a_place_that_means_none_is_told_and_the_first_event_is_shown() -> None:
    async with replaying(["no JSON\n", {"agent": "sena", "event": "hello"}], "16:31") as seat:
        await seat.at(1)
        await seat.sees("No event here has a time", "no time yet")


async def test_every_time_on_the_board_is_that_of_the_moment() -> None:
    async with replaying(story(), "4") as seat:
        await seat.sees("waits 10 min", "14:15")
        assert "silent" not in seat.text
        await seat.press("right", "right", "right", "right")
        await seat.sees("event 8 of 12", "2025-10-20 13:03:30", "⋯ silent 46 h")


async def test_steps_go_to_the_next_event_either_way_and_stop_at_the_ends() -> None:
    async with replaying(story(), "2") as seat:
        for key, position in (("left", 1), ("left", 1), ("right", 2), ("right", 3)):
            await seat.press(key)
            await seat.at(position)
        await seat.press("end")
        await seat.at(LAST)
        await seat.press("right")
        await seat.at(LAST)


@pytest.mark.parametrize("pane", ["agents", "needs", "log"])
async def test_home_and_end_are_the_first_and_last_event_wherever_the_keys_go(pane: str) -> None:
    async with replaying(story(), "6") as seat:
        await seat.go(pane)
        await seat.press("end")
        await seat.at(LAST)
        await seat.press("home")
        await seat.at(1)
        assert seat.pane == pane


async def test_brackets_jump_to_decisions_blockers_and_deadlocks() -> None:
    async with replaying(story(), "1") as seat:
        for key, position in (
            ("right_square_bracket", 5),
            ("right_curly_bracket", 6),
            ("left_square_bracket", 5),
            ("right_parenthesis", 10),
            ("left_curly_bracket", 6),
        ):
            await seat.press(key)
            await seat.at(position)
        assert "There is no" not in seat.toasts
        for key, what in (
            ("left_parenthesis", "no earlier deadlock"),
            ("right_curly_bracket", "no later blocker"),
            ("left_square_bracket", "no earlier decision"),
        ):
            await seat.press("home" if "earlier" in what else "end")
            await seat.press(key)
            await seat.until(lambda what=what: what in seat.toasts, what)


async def test_the_bar_tells_what_there_is() -> None:
    async with replaying(story(), "1") as seat:
        await seat.sees("⟲ 1 deadlock  ▲ 2 requests  ■ 1 blocker  ✔ 1 decision", "gaps shortened")
        columns = seat.lines[-2]
        assert [columns.index(sign) for sign in "▲✔■⟲"] == sorted(columns.index(sign) for sign in "▲✔■⟲")
        assert seat.lines[-3].index("┃") == 1
        await seat.press("end")
        await seat.at(LAST)
        assert seat.lines[-3].rstrip().endswith("┃")


async def test_a_colon_goes_where_is_written() -> None:
    async with replaying(story(), "1") as seat:
        for text, position in (("4", 4), ("#9", 9), ("10-18 14:15:30", 4), ("14:17:30", 5), ("+10m", 7), ("50%", 6)):
            await seat.press("colon")
            await seat.dialog("GoToScreen")
            await seat.type(text)
            await seat.press("enter")
            await seat.closed()
            await seat.at(position)


async def test_what_means_no_place_is_told_in_the_dialog_which_stays_open() -> None:
    async with replaying(story(), "1") as seat:
        await seat.press("colon")
        await seat.dialog("GoToScreen")
        await seat.type("soon")
        await seat.press("enter")
        await seat.sees("That is no event and no time")
        await seat.press(*["backspace"] * 4, "7")
        await seat.sees_no("That is no event")
        await seat.press("enter")
        await seat.closed()
        await seat.at(7)
        await seat.press("colon")
        await seat.dialog("GoToScreen")
        await seat.press("escape")
        await seat.closed()
        assert seat.past
        assert seat.past.position == 7


async def test_plus_and_minus_change_the_speed() -> None:
    async with replaying(story(), "1") as seat:
        for key, speed in (("plus", "100x"), ("equals_sign", "300x"), ("minus", "100x"), ("minus", "30x")):
            await seat.press(key)
            await seat.sees(f"‖ {speed}")
        await seat.press(*["plus"] * 9)
        await seat.sees("‖ max")
        assert "gaps shortened" not in seat.text


async def test_space_plays_and_pauses_and_a_step_pauses() -> None:
    async with replaying(story(), "1", config=Config()) as seat:
        await seat.press("minus", "minus", "minus", "minus")
        await seat.sees("‖ 1x")
        await seat.press("space")
        await seat.sees("▶ 1x")
        await seat.press("space")
        await seat.sees("‖ 1x")
        await seat.press("space", "right")
        await seat.sees("‖ 1x")


async def test_at_the_end_space_begins_again() -> None:
    async with replaying(story(), "100%") as seat:
        await seat.at(LAST)
        seat.app.replay and seat.app.replay.change_speed(1)
        await seat.press("space")
        await seat.until(lambda: seat.past and seat.past.position < LAST, "the beginning")
        assert seat.past
        assert seat.past.is_playing


async def test_full_speed_shows_every_event() -> None:
    shown: list[int] = []
    async with replaying(story(), "1") as seat:
        show = seat.board.show

        def noted(view: Any, latest: Sequence[Item] = ()) -> None:
            shown.append(view.past.position)
            show(view, latest)

        seat.board.show = noted  # type: ignore[method-assign]
        assert seat.app.replay
        seat.app.replay.play(inf)
        await seat.at(LAST)
    assert list(dict.fromkeys(shown)) == list(range(1, LAST + 1))


async def test_a_gap_that_is_being_shortened_is_told_and_the_clock_goes_on_in_it() -> None:
    async with replaying(story(), "7") as seat:
        await seat.press("space")
        await seat.sees("46 h gap shortened")
        first = seat.board.view and seat.board.view.moment.now
        await seat.until(lambda: seat.board.view and first and seat.board.view.moment.now > first, "a later clock")
        await seat.at(8)


# What cannot be done there


@pytest.mark.parametrize("key", ["a", "x", "1", "9", "u", "d", "m"])
async def test_keys_that_decide_are_off_and_say_why(key: str) -> None:
    async with replaying(story(), "11") as seat:
        await seat.go("needs")
        await seat.press(key)
        await seat.until(lambda: "This is the past, event 11 of 12: nothing can be answered here" in seat.toasts, "why")
        assert "returns to live" not in seat.toasts
        assert seat.screen == "BoardScreen"
        await seat.wrote_nothing()


async def test_they_are_not_in_the_footer_nor_in_the_hints_nor_in_the_palette() -> None:
    async with replaying(story(), "3") as seat:
        await seat.go("needs", "go")
        await seat.sees("enter read", "space play  ← → step", "[ ] decision")
        assert "approve" not in seat.text
        titles = {command.title for command in seat.app.get_system_commands(seat.board)}
        assert not titles & {action.title for action in ACTIONS if action.where is Where.PRESENT}
        assert {"Play, or pause", "The next decision", "Save a picture of this moment, or its text"} <= titles
        assert "Return to the live board" not in titles


@pytest.mark.parametrize(("position", "key", "press"), [(3, "go", "a"), (3, "go", "x"), (11, "way", "1")])
async def test_a_request_opens_as_it_was_and_cannot_be_answered(position: int, key: str, press: str) -> None:
    async with replaying(story(), str(position)) as seat:
        await seat.go("needs", key)
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.sees("waits       0 s", f"This is the past, event {position} of 12: nothing can be answered here.")
        await seat.press(press)
        await seat.until(lambda: "This is the past" in seat.toasts, "why")
        assert not seat.app.screen.query("Button, TextArea")
        await seat.press("escape")
        await seat.closed()
        await seat.wrote_nothing()


async def test_explaining_and_problems_are_of_the_moment() -> None:
    async with replaying([*story(), "no JSON\n"], "6") as seat:
        await seat.go("agents", "lubit")
        await seat.press("e")
        await seat.dialog("ExplainScreen")
        await seat.sees("no golden logs", "line 6", "0 s ago")
        await seat.press("escape")
        await seat.closed()
        assert "problem" not in seat.lines[0]
        await seat.press("end")
        await seat.sees("1 problem")


# The log


async def test_the_log_ends_at_the_position_and_follows_it() -> None:
    async with replaying([updates("sena", 500 - n, next_action=f"step {n:03}") for n in range(300)], "100") as seat:
        await seat.sees("step 099")
        assert "step 100" not in seat.text
        assert str(seat.log.border_subtitle) == "100"
        await seat.press("right")
        await seat.sees("step 100")
        assert "step 101" not in seat.text
        await seat.press("left", "left")
        await seat.sees("step 098")
        assert "step 099" not in seat.text


async def test_a_selected_line_that_is_not_there_yet_is_let_go() -> None:
    async with replaying(story(), "9") as seat:
        await seat.go("log")
        await seat.press("up", "up")
        assert seat.log.selected == 7
        await seat.press("left")
        await seat.at(8)
        assert seat.log.selected == 7
        await seat.press("left")
        await seat.at(7)
        assert seat.log.selected is None
        assert seat.log.is_following


async def test_the_filter_knows_only_what_is_there() -> None:
    async with replaying(story(), "12") as seat:
        await seat.press("slash")
        await seat.type("agent:lubit")
        await seat.until(lambda: str(seat.log.border_subtitle) == "6 of 12", "six lines")
        await seat.press("enter")
        for position, count in ((6, 3), (1, 0), (12, 6)):
            seat.app.replay and seat.app.replay.seek(position)
            await seat.at(position)
            assert str(seat.log.border_subtitle) == f"{count} of {position}"


async def test_steps_read_no_page_of_the_log_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    items = JsonlRegistry.items
    async with replaying([updates("sena", 500 - n, next_action=f"step {n:03}") for n in range(300)], "200") as seat:
        await seat.sees("step 199")

        def counted(registry: JsonlRegistry, first: int, last: int) -> Sequence[Item]:
            asked.append(last - first)
            return items(registry, first, last)

        monkeypatch.setattr(JsonlRegistry, "items", counted)
        for position in range(201, 221):
            await seat.press("right")
            await seat.at(position)
        await seat.sees("step 219")
    assert [count for count in asked if count == 64] == []


async def test_keys_of_the_past_are_words_while_the_filter_is_typed() -> None:
    async with replaying(story(), "6") as seat:
        await seat.press("slash")
        await seat.type("a [b] {c} (d) :+-= y t")
        await seat.press("left", "right", "home", "end")
        assert seat.widget("#filter").value == "a [b] {c} (d) :+-= y t"  # type: ignore[attr-defined]
        assert seat.past
        assert (seat.past.position, seat.past.is_playing) == (6, False)


# The mouse


async def test_a_click_on_the_bar_goes_there_and_the_mouse_can_be_dragged() -> None:
    async with replaying(story(), "1") as seat:
        assert seat.past
        timeline, width = seat.past.timeline, seat.app.size.width - 2
        for position in (5, LAST, 2):
            column = timeline.column_of(position, width)
            await seat.pilot.click(ReplayBar, offset=(1 + column, 1))
            await seat.at(timeline.position_of_column(column, width))
        await seat.pilot.mouse_down(ReplayBar, offset=(1, 2))
        await seat.at(timeline.position_of_column(0, width))
        await seat.pilot.hover(ReplayBar, offset=(1 + width // 2, 2))
        await seat.at(timeline.position_of_column(width // 2, width))
        await seat.pilot.mouse_up(ReplayBar, offset=(1 + width // 2, 2))
        await seat.pilot.hover(ReplayBar, offset=(4, 1))
        await seat.at(timeline.position_of_column(width // 2, width))


@pytest.mark.parametrize(("size", "lines"), [((160, 48), 3), ((60, 40), 3), ((80, 24), 2), ((40, 10), 1), ((1, 1), 1)])
async def test_the_bar_takes_fewer_lines_on_a_lower_terminal(size: tuple[int, int], lines: int) -> None:
    async with replaying(story(), "5", size=size) as seat:
        assert seat.board.query_one(ReplayBar).size.height == lines


async def test_the_bar_has_only_ascii_signs_where_they_are_wanted() -> None:
    async with replaying(story(), "5", config=Config(ascii=True)) as seat:
        await seat.sees("< replay  event 5 of 12", "^ 2 requests", "+ 1 decision")
        assert all(line.isascii() for line in seat.lines[-4:])


# What a line changed


async def test_what_a_line_changed_is_told_from_the_nearest_kept_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "_STEP", 4)
    asked: list[int] = []
    async with replaying(story(), "10") as seat:
        await seat.go("log")
        items = JsonlRegistry.items

        def noted(registry: JsonlRegistry, first: int, last: int) -> Sequence[Item]:
            asked.append(first)
            return items(registry, first, last)

        await seat.sees("waiting_for_sena")
        monkeypatch.setattr(JsonlRegistry, "items", noted)
        await seat.press("e")
        await seat.dialog("EventScreen")
        await seat.sees("Line 10", "status: in_progress → waiting", "waits for: sena")
        assert asked == [8]


# Searching for deadlocks


async def test_a_search_for_a_deadlock_is_told_and_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    search = Timeline.search_deadlocks

    def slow(timeline: Timeline, count: int) -> None:
        go_on.wait(PATIENCE)
        search(timeline, 1)

    monkeypatch.setattr(Timeline, "search_deadlocks", slow)
    try:
        async with replaying(story(), "1") as seat:
            await seat.press("right_parenthesis")
            await seat.sees("searching for a deadlock, 0 %")
            await seat.press("escape")
            await seat.sees_no("searching for a deadlock")
            await seat.press("right_parenthesis")
            await seat.sees("searching for a deadlock")
            go_on.set()
            await seat.at(10)
            await seat.sees_no("searching for a deadlock")
    finally:
        go_on.set()


# Odd registries


async def test_an_empty_registry_has_nothing_to_replay() -> None:
    async with replaying([], None, speed=30) as seat:
        await seat.sees("There is nothing to replay", "It is empty.", "0 of 0")
        await seat.press(
            "right", "left", "home", "end", "space", "right_square_bracket", "e", "enter", "right_parenthesis"
        )
        await seat.until(lambda: "no later deadlock" in seat.toasts, "no deadlock")


async def test_one_line() -> None:
    async with replaying(story()[:1], None, speed=30) as seat:
        await seat.sees("event 1 of 1", "write the parser", "‖ 30x")
        await seat.press("right", "left", "end", "home")
        await seat.at(1)


async def test_only_unreadable_lines() -> None:
    async with replaying(["no JSON\n", "[1]\n", b"\xff\n"], "3") as seat:
        await seat.sees("3 of 3", "no time yet", "3 problems", "a JSON array, not an object")
        await seat.press("left")
        await seat.sees("2 of 3", "2 problems")


async def test_lines_without_times_are_played() -> None:
    events = [{"agent": "sena", "event": "status_update", "progress": n} for n in range(20)]
    async with replaying(events, None, speed=1000) as seat:
        await seat.at(20)
        await seat.sees("no time yet", "19 %")


async def test_times_that_run_backwards_and_far_ahead_are_played() -> None:
    events = [updates("sena", ago, progress=n) for n, ago in enumerate((90, 80, 300, -500 * DAY, 70, 60, 40))]
    async with replaying(events, None, speed=1000) as seat:
        await seat.at(7)
        await seat.sees("2025-10-20 13:23:30", "6 %")
        assert "silent" not in seat.text


async def test_a_last_line_without_newline_counts_and_is_marked() -> None:
    lines = [*story()[:2], scenes.line(story()[2]).rstrip("\n")]
    async with replaying(lines, "100%") as seat:
        await seat.at(3)
        await seat.sees("3 of 3", "Take the fast parser?", "1 problem")
        await seat.press("left")
        await seat.at(2)
        assert "problem" not in seat.lines[0]


async def test_a_registry_that_became_another_is_told_and_what_is_shown_stays() -> None:
    async with replaying(story(), "6") as seat:
        NAME.write_bytes(b"")
        await seat.press("home")
        await seat.until(lambda: "The registry is another by now" in seat.toasts, "that it is another")
        await seat.at(6)
        await seat.sees("no golden logs", "event 6 of 12")


async def test_a_registry_that_is_gone_is_told() -> None:
    async with replaying(story(), "6") as seat:
        NAME.unlink()
        await seat.press("right_parenthesis", "home")
        await seat.until(lambda: "The registry is another by now" in seat.toasts, "that it is another")


# From the live board and back


async def test_t_goes_to_the_past_where_the_board_is_and_esc_comes_back() -> None:
    async with sitting(story()) as seat:
        await seat.press("t")
        await seat.sees("◷ replay", "event 12 of 12", "live 12, 0 new", "esc back to live")
        await seat.until(lambda: seat.past and seat.past.reading is None, "the end of reading")
        await seat.press("left_square_bracket")
        await seat.at(5)
        seat.write(updates("vega", status="idle"))
        await seat.sees("event 5 of 12", "live 13, 1 new")
        assert "vega" not in seat.text
        assert "orion" not in seat.text
        await seat.press("end")
        await seat.at(12)
        assert "vega" not in seat.text
        await seat.press("escape")
        await seat.sees("● live", "vega", "4 agents", "t back in time")
        assert "replay" not in seat.lines[0]
        assert not seat.board.query_one(ReplayBar).display
        seat.write(updates("altair", status="idle"))
        await seat.sees("altair", "5 agents")


@pytest.mark.parametrize("scene", [[], None])
async def test_without_a_line_there_is_no_past_to_go_to(scene: list[Event] | None) -> None:
    async with sitting(scene) as seat:
        await seat.press("t")
        await seat.sees_no("replay", "back in time")


async def test_the_past_begins_at_once_and_what_is_not_read_yet_is_shown_when_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()
    items = JsonlRegistry.items
    async with sitting(story()) as seat:
        await seat.sees("Which way out?")

        def slow(registry: JsonlRegistry, first: int, last: int) -> Sequence[Item]:
            go_on.wait(PATIENCE)
            return items(registry, first, last)

        monkeypatch.setattr(JsonlRegistry, "items", slow)
        try:
            await seat.press("t")
            await seat.sees("◷ replay", "reading 0 %", "Which way out?")
            await seat.press("left", "left")
            go_on.set()
            await seat.at(10)
            await seat.sees_no("reading")
        finally:
            go_on.set()


@pytest.mark.parametrize(
    ("asked", "position"),
    [
        (["5"], 5),
        (["50%"], 6),
        (["-1d"], 7),
        (["home", "end"], LAST),
        (["end", "home"], 1),
        (["50%", "home", "right"], 2),
    ],
)
async def test_where_to_go_is_kept_until_all_is_read_unless_another_place_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: list[str], position: int
) -> None:
    go_on = threading.Event()
    items = JsonlRegistry.items

    def slow(registry: JsonlRegistry, first: int, last: int) -> Sequence[Item]:
        go_on.wait(PATIENCE)
        return items(registry, first, last)

    async with sitting(story()) as seat:
        await seat.sees("Which way out?")
        monkeypatch.setattr(JsonlRegistry, "items", slow)
        try:
            await seat.press("t")
            await seat.sees("reading 0 %")
            for text in asked:
                if text in ("home", "end", "right"):
                    await seat.press(text)
                    continue
                await seat.press("colon")
                await seat.dialog("GoToScreen")
                await seat.type(text)
                await seat.press("enter")
                await seat.closed()
            go_on.set()
            await seat.sees_no("reading")
            await seat.at(position)
        finally:
            go_on.set()


async def test_a_frozen_picture_goes_to_the_past_where_it_is() -> None:
    async with sitting(story()[:8]) as seat:
        await seat.press("space")
        await seat.sees("frozen, 0 new")
        seat.write(*story()[8:])
        await seat.sees("frozen, 4 new")
        await seat.press("t")
        await seat.sees("event 8 of 12", "live 12, 0 new")
        assert "frozen" not in seat.text
        await seat.press("escape")
        await seat.sees("● live", "Which way out?")


async def test_keys_that_decide_name_the_way_back_and_work_again_there() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.press("t")
        await seat.sees("◷ replay")
        await seat.press("a")
        await seat.until(lambda: "esc returns to live" in seat.toasts, "the way back")
        await seat.press("escape")
        await seat.sees("● live", "a approve")


async def test_a_registry_that_is_replaced_ends_the_visit() -> None:
    async with sitting(story()) as seat:
        await seat.press("t")
        await seat.sees("◷ replay")
        await seat.press("home")
        new = NAME.with_suffix(".new")
        new.write_text(scenes.line(updates("vega", status="idle")), encoding="utf-8")
        new.replace(NAME)
        await seat.sees("vega", "● live")
        assert "The registry was replaced" in seat.toasts


async def test_escape_leaves_the_filter_before_the_past() -> None:
    async with sitting(story()) as seat:
        await seat.press("t")
        await seat.sees("◷ replay")
        await seat.press("slash")
        await seat.type("sena")
        await seat.press("escape")
        await seat.until(lambda: not seat.widget("#filter").display, "no filter")
        assert seat.past is not None
        await seat.press("escape")
        await seat.sees("● live")


async def test_one_key_freezes_the_present_and_plays_the_past_also_when_other_keys_are_changed() -> None:
    config = Config(keys={"approve": ("f8",), "step_on": ("l",)})
    async with sitting(story(), config=config) as seat:
        await seat.press("space")
        await seat.sees("frozen")
        await seat.press("space")
        await seat.sees("● live")
        await seat.press("t")
        await seat.sees("◷ replay", "← l step")
        await seat.press("home", "l")
        await seat.at(2)
        await seat.press("space")
        await seat.sees("▶ 30x")


async def test_the_title_and_the_needs_are_those_of_the_live_board(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(scenes.calm()) as seat:
        shown: list[int] = []
        monkeypatch.setattr(seat.app._caller._title, "show", shown.append)
        await seat.press("t", "home")
        await seat.at(1)
        await seat.sees("Nothing waits for you")
        assert set(shown) == {1}
