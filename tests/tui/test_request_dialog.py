"""Enter opens the whole request: what it shows, and what the keys and buttons of each kind of request append."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import TextArea

from tests.tui import scenes
from tests.tui.seat import Seat, sitting


async def opened(seat: Seat, request_id: str) -> None:
    await seat.go_and_look("needs", request_id)
    await seat.press("enter")
    await seat.dialog("RequestScreen")


async def test_it_shows_the_whole_request() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.sees(
            "Approval",
            "GO for canary 5 % at 14:30?",
            "gitcode",
            "34 min",
            "maestro",
            "in 26 min",
            "high",
            "Smoke test: 40 of 40 🎉",
            "Rolling back takes 40 seconds, rehearsed twice.",
            "deploy/plan-phase-4.md",
            "deploy/smoke-test.log",
            "in its own words",
            "comment (optional)",
        )


@pytest.mark.parametrize(("key", "verdict"), [("a", "approved"), ("x", "rejected")])
async def test_an_approval_with_a_comment(key: str, verdict: str) -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.press("tab")
        await seat.type("좋아요, after the backup")
        await seat.press("shift+tab", key)
        decision = {"agent": "human", "event": "decision", "request_id": "go-canary", "verdict": verdict}
        await seat.wrote(decision | {"comment": "좋아요, after the backup"})
        await seat.closed()
        await seat.sees(f"{verdict} by human")


async def test_keys_in_the_box_are_words() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.press("tab")
        await seat.type("ax1q")
        assert seat.app.screen.query_one("#box", TextArea).text == "ax1q"
        await seat.wrote_nothing()


@pytest.mark.parametrize("button", ["#approved", "#rejected"])
async def test_the_buttons_answer(button: str) -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await seat.pilot.click(button)
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go-canary", "verdict": button[1:]})
        await seat.closed()


async def test_a_question_is_answered_in_words() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "title")
        await seat.press("ctrl+s")
        await seat.sees("Write an answer first.")
        await seat.type("함께 Together")
        await seat.press("ctrl+s")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "title", "answer": "함께 Together"})
        await seat.closed()
        await seat.sees("✔ 함께 Together by human")


async def test_a_question_answered_approved_is_an_answer_and_no_verdict() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "title")
        await seat.type("approved")
        await seat.pilot.click("#send")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "title", "answer": "approved"})


async def test_a_choice_by_number_by_click_and_in_words() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "tagger")
        await seat.sees("1 rules", "2 model 한국어", "3 both", "default")
        await seat.press("2")
        decision = {"agent": "human", "event": "decision", "request_id": "tagger"}
        await seat.wrote(decision | {"answer": "model 한국어"})
    async with sitting(scenes.good_day(), path=Path("other.jsonl")) as seat:
        await opened(seat, "tagger")
        await seat.pilot.click("#option-3")
        await seat.until(lambda: seat.appended, "an answer")


async def test_a_choice_in_words() -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "tagger")
        await seat.press("tab")
        await seat.type("rules, then the model")
        await seat.press("ctrl+s")
        await seat.wrote(
            {"agent": "human", "event": "decision", "request_id": "tagger", "answer": "rules, then the model"}
        )
        await seat.closed()


@pytest.mark.parametrize("way", ["escape", "#cancel"])
async def test_leaving_appends_nothing(way: str) -> None:
    async with sitting(scenes.good_day()) as seat:
        await opened(seat, "go-canary")
        await (seat.pilot.click(way) if way.startswith("#") else seat.press(way))
        await seat.closed()
        await seat.wrote_nothing()


async def test_it_fits_a_small_terminal() -> None:
    async with sitting(scenes.good_day(), size=(60, 20)) as seat:
        await opened(seat, "go-canary")
        await seat.sees("GO for canary 5 % at 14:30?", "Approve")
        await seat.press("a")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go-canary", "verdict": "approved"})


FORGED = "low" + "\u2800" * 40 + "who says so signed: by human, with the key 9b7714245d16ba11 "


@pytest.mark.parametrize("size", [(100, 40), (60, 40)])
@pytest.mark.parametrize("field", ["request", "urgency", "default", "target", "agent", "id", "options"])
async def test_where_the_names_of_our_facts_stand_no_words_of_an_agent_do(field: str, size: tuple[int, int]) -> None:
    asked = {"id": "go", "agent": "gitcode", "event": "decision_request", "request": "GO?", "target": "human"}
    said = asked | {field: FORGED * 4} | {"details": "to the point"}
    async with sitting([said | {"options": [FORGED * 4]} if field == "options" else said], size=size) as seat:
        await seat.go_and_look("needs")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.sees("asked by", "in its own words")
        body = seat.widget("#facts").region
        dialog = seat.widget("#dialog").region
        at_edge = {line[body.x : body.x + 12].strip() for line in seat.lines[dialog.y : dialog.bottom]}
        assert "who says so" not in at_edge
        facts = [line[body.x : body.right] for line in seat.lines[body.y : body.bottom]]
        assert {line[:12].strip() for line in facts} <= {"", "asked by", "asked of", "waits", "line", "digest"}
        assert "\u2800" not in "".join(facts)


async def test_an_urgency_of_the_usual_words_is_a_fact_and_any_other_the_askers_words() -> None:
    scene = [scenes.asks("sena", "one", "GO?", urgency="High"), scenes.asks("sena", "two", "GO?", urgency="now!")]
    async with sitting(scene) as seat:
        await opened(seat, "one")
        await seat.sees("urgency     high")
        await seat.press("escape")
        await seat.closed()
        await opened(seat, "two")
        await seat.sees("in its own words", "urgency: now!")


async def test_a_long_fact_goes_on_below_itself() -> None:
    asked = scenes.line(scenes.asks("gitcode", "go", "GO?", 4))[:-2] + ', "request": "GO to production?"}\n'
    async with sitting([asked], size=(60, 40)) as seat:
        await opened(seat, "go")
        await seat.sees("digest      none, so it cannot be answered:", "            'request' stands in it twice")


async def test_two_quick_keys_are_one_answer_and_no_error() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.press("a", "a")
        await seat.closed()
        await seat.sees("approved by human")
        assert not seat.toasts


async def test_a_key_pressed_before_the_dialog_could_be_read_does_nothing() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.until(lambda: seat.screen == "RequestScreen", "the dialog")
        seat.app.screen._shown_at += 60
        await seat.press("a")
        await seat.sees("It only just opened")
        await seat.wrote_nothing()
