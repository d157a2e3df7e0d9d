"""`d` and `m` write what nobody asked for."""

from __future__ import annotations

from textual.widgets import Select

from tests.tui import scenes
from tests.tui.seat import Seat, sitting


async def opened(seat: Seat, key: str, kind: str) -> None:
    await seat.go("agents", "lubit")
    await seat.press(key)
    await seat.dialog(kind)


async def test_a_message_to_the_selected_agent() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "m", "MessageScreen")
        await seat.type("기다려 주세요, please wait")
        await seat.press("ctrl+s")
        await seat.wrote(
            {"agent": "human", "event": "message", "target": "lubit", "message": "기다려 주세요, please wait"}
        )
        await seat.closed()
        await seat.sees("→ lubit  기다려 주세요, please wait")


async def test_a_message_to_all() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "m", "MessageScreen")
        seat.app.screen.query_one("#target", Select).value = "all"
        await seat.type("lunch")
        await seat.pilot.click("#send")
        await seat.wrote({"agent": "human", "event": "message", "target": "all", "message": "lunch"})


async def test_an_empty_message_is_not_sent() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "m", "MessageScreen")
        await seat.press("ctrl+s")
        await seat.sees("Write something first.")
        await seat.press("escape")
        await seat.closed()
        await seat.wrote_nothing()


async def test_a_decision_that_nobody_asked_for() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "d", "DecideScreen")
        await seat.press("ctrl+s")
        await seat.sees("Say what the decision is about.")
        await seat.type("the golden logs")
        await seat.press("ctrl+s")
        await seat.wrote(
            {
                "agent": "human",
                "event": "decision",
                "target": "lubit",
                "decision_for": "the golden logs",
                "verdict": "approved",
            }
        )
        await seat.closed()
        await seat.sees("✔ approved  the golden logs")


async def test_a_rejection_with_words() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "d", "DecideScreen")
        await seat.type("deploying today")
        seat.app.screen.query_one("#given", Select).value = "rejected"
        seat.widget("#text").focus()
        await seat.type("never on friday")
        await seat.press("ctrl+s")
        decision = {"agent": "human", "event": "decision", "target": "lubit", "decision_for": "deploying today"}
        await seat.wrote(decision | {"verdict": "rejected", "comment": "never on friday"})


async def test_a_decision_in_words() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "d", "DecideScreen")
        await seat.type("order of work")
        seat.app.screen.query_one("#given", Select).value = "words"
        await seat.press("ctrl+s")
        await seat.sees("Write the decision in words.")
        seat.widget("#text").focus()
        await seat.type("parser first")
        await seat.press("ctrl+s")
        decision = {"agent": "human", "event": "decision", "target": "lubit", "decision_for": "order of work"}
        await seat.wrote(decision | {"answer": "parser first"})


async def test_without_a_selected_agent_it_asks_whom() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("log")
        await seat.press("d")
        await seat.dialog("DecideScreen")
        await seat.press("ctrl+s")
        await seat.sees("Choose whom it concerns.")
        await seat.press("escape")
        await seat.closed()
        await seat.wrote_nothing()
