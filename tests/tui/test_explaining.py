"""`e` tells of every value which line set it, who wrote that, and by which rule; enter shows a line of the log."""

from __future__ import annotations

from tests.tui import scenes
from tests.tui.seat import Seat, sitting


async def explained(seat: Seat, pane: str, key: str) -> None:
    await seat.go(pane, key)
    await seat.press("e")
    await seat.dialog("ExplainScreen")
    await seat.sees_no("reading the lines...")


async def test_an_agent() -> None:
    async with sitting(scenes.good_day(), size=(160, 60)) as seat:
        await explained(seat, "agents", "gitcode")
        await seat.sees(
            "Where it comes from",
            "78 %",
            "line 8, gitcode, 36 min ago: its field `progress`",
            "no credentials for staging",
            "line 9, gitcode, 35 min ago: named by its writer and not resolved since",
            "sign of life",
        )
        await seat.press("escape")
        await seat.closed()


async def test_a_request() -> None:
    async with sitting(scenes.good_day()) as seat:
        await explained(seat, "needs", "tagger")
        await seat.sees(
            "Which tagger first? 어느 태거?", "choice", "options make a choice", "the person's", "line 15, sena"
        )


async def test_an_answered_request() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.go("needs", "go")
        seat.decide_elsewhere(scenes.decides("human", "go", "rejected"))
        await seat.sees("✖ rejected by human")
        await explained(seat, "needs", "go")
        await seat.sees("rejected by human", "a decision that names it", "line 4, human")


async def test_a_blocker() -> None:
    async with sitting(scenes.good_day()) as seat:
        await explained(seat, "waits", "blocker:no credentials for staging")
        await seat.sees("named by gitcode, not resolved since", "holds up gitcode, maestro", "line 9, gitcode")


async def test_enter_on_a_blocker_explains_it() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("waits", "blocker:no credentials for staging")
        await seat.press("enter")
        await seat.dialog("ExplainScreen")


async def test_enter_on_an_agent_explains_it() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("agents", "하나")
        await seat.press("enter")
        await seat.dialog("ExplainScreen")
        await seat.sees("하나", "사용자 안내서 📘 guide")


async def test_a_wait_and_a_deadlock() -> None:
    async with sitting(scenes.deadlock()) as seat:
        await explained(seat, "waits", "wait:lubit\ngitcode")
        await seat.sees("lubit waits for gitcode", "a status that names whom it waits for", "line 7, lubit, 41 min ago")
        await seat.press("escape")
        await seat.closed()
        await explained(seat, "needs", seat.list_of("needs").keys[0])
        await seat.sees(
            "sena waits for lubit  ", "lubit waits for gitcode  ", "gitcode waits for sena", "an open request"
        )


async def test_a_line_of_the_log() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("log")
        await seat.press("e")
        await seat.dialog("EventScreen")
        await seat.sees("Line 18", "build the log parsing pipeline")
        await seat.sees_no("folding...")
        await seat.sees("progress: 40 → 72", "next_action: build the log parsing pipeline")


async def test_enter_shows_fields_changes_and_the_raw_line() -> None:
    async with sitting(scenes.good_day(), size=(160, 60)) as seat:
        await seat.go("log")
        await seat.press("home", *["down"] * 8, "enter")
        await seat.dialog("EventScreen")
        await seat.sees_no("folding...")
        await seat.sees(
            "Line 9",
            "the token ended at 13:00",
            "What it changed",
            "blockers: no credentials for staging",
            "status: in_progress → blocked",
            "The line as written",
            '"agent": "gitcode", "event": "blocker",',
            "line 9, ",
        )
