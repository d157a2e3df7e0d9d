"""The keys that answer a request, from the board: the line that is appended, and the row that says so."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.program import PATIENCE
from tests.tui import scenes
from tests.tui.seat import sitting


@pytest.mark.parametrize(
    ("key", "verdict", "said"), [("a", "approved", "✔ approved by human"), ("x", "rejected", "✖ rejected by human")]
)
async def test_one_key_approves_or_rejects(key: str, verdict: str, said: str) -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press(key)
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go", "verdict": verdict})
        await seat.sees(said, "decision            ✔" if key == "a" else "decision            ✖")


@pytest.mark.parametrize(("key", "option"), [("1", "rules"), ("2", "model 한국어"), ("3", "both")])
async def test_a_number_chooses(key: str, option: str) -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("needs", "tagger")
        await seat.press(key)
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "tagger", "answer": option})
        await seat.sees(f"✔ {option} by human")


async def test_numbers_up_to_nine() -> None:
    options = [f"plan {number}" for number in range(1, 12)]
    scene = [scenes.asks("sena", "plans", "Which plan?", options=options)]
    async with sitting(scene) as seat:
        await seat.looked()
        await seat.press("9")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "plans", "answer": "plan 9"})


async def test_keys_of_another_kind_of_request_do_nothing() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("needs", "tagger")
        await seat.press("a", "x", "4", "9")
        await seat.go_and_look("needs", "go-canary")
        await seat.press("1")
        await seat.go_and_look("needs", "title")
        await seat.press("a", "x", "1")
        assert seat.screen == "BoardScreen"
        await seat.wrote_nothing()


async def test_the_person_may_have_another_name() -> None:
    from collab_tui.config import Config

    async with sitting(scenes.calm(), config=Config(person="Hana")) as seat:
        await seat.looked()
        await seat.press("a")
        await seat.wrote({"agent": "Hana", "event": "decision", "request_id": "go", "verdict": "approved"})


async def test_answering_from_the_agent_and_from_the_wait() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("agents", "gitcode")
        await seat.press("a")
        first = {"agent": "human", "event": "decision", "request_id": "go-canary", "verdict": "approved"}
        await seat.wrote(first)
        await seat.go_and_look("waits", "wait:sena\nhuman")
        await seat.press("3")
        await seat.wrote(first, {"agent": "human", "event": "decision", "request_id": "tagger", "answer": "both"})
        await seat.until(lambda: len(seat.board.view.moment.needs) == 1, "one need left")


async def test_a_request_to_another_agent_can_be_answered_when_it_is_selected() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("needs", "metrics-v2")
        await seat.press("x")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "metrics-v2", "verdict": "rejected"})
        await seat.sees("✖ rejected by human")


async def test_the_request_of_a_deadlock_is_answered_where_the_deadlock_is_shown() -> None:
    async with sitting(scenes.deadlock()) as seat:
        await seat.sees("deadlock  gitcode → sena → lubit → gitcode", "1 deadlock")
        await seat.looked()
        await seat.press("a")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "contract", "verdict": "approved"})


async def test_the_row_says_sending_until_the_answer_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(scenes.calm()) as seat:
        go_on, append = threading.Event(), seat.app.desk.registry.append

        def slow(*args: Any, **how: Any) -> object:
            assert go_on.wait(PATIENCE)
            return append(*args, **how)

        monkeypatch.setattr(seat.app.desk.registry, "append", slow)
        await seat.looked()
        await seat.press("a")
        await seat.sees("sending...")
        await seat.press("a")
        assert "Its answer is on its way" in seat.toasts
        go_on.set()
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go", "verdict": "approved"})
        await seat.sees_no("sending...")
        await seat.sees("✔ approved by human")


async def test_the_clicked_key_of_the_footer_is_a_pressed_one() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        footer = seat.lines[-1]
        await seat.pilot.click("#keys", offset=(footer.index("approve"), 0))
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go", "verdict": "approved"})


async def test_a_double_click_opens_a_request() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.pilot.click("#needs", offset=(5, 1), times=2)
        await seat.dialog("RequestScreen")
        await seat.sees("GO for the canary?", "Approve", "Reject")


@pytest.mark.parametrize(("key", "what"), [("1-9", "Which option?"), ("1-5", "Show in the log")])
async def test_a_click_on_several_keys_of_the_footer_asks_which(key: str, what: str) -> None:
    async with sitting([scenes.asks("sena", "r", "Which?", options=["one", "two", "three"])]) as seat:
        await seat.go("needs" if key == "1-9" else "log")
        await seat.sees(f" {key} ")
        await seat.pilot.click("#keys", offset=(seat.lines[-1].index(f" {key} ") + 1, 0))
        await seat.dialog("ChooseScreen")
        await seat.sees(what)
