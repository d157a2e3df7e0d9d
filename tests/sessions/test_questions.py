"""What a session's agent asks: on the board in its own name, answered by the person alone, taken back when void."""

from __future__ import annotations

import asyncio

import pytest

from collab_tui.model.board import RequestKind
from collab_tui.model.fold import Fold
from collab_tui.model.sessions import Observed
from collab_tui.protocol.answers import decision, seal_of
from collab_tui.protocol.trust import Trust
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.driver import Question, QuestionAnswer
from tests.sessions.house import Agent, House, eventually

MAY_I = Question(RequestKind.APPROVAL, "Allow Bash: rm -r build?", "command: rm -r build", about={"tool_use": "t1"})


def answer(house: House, given: str, comment: str | None = None, number: int = 0) -> None:
    """The person answers one of the requests, with their signature."""
    registry = JsonlRegistry(house.path)
    read_to_end(registry, Fold())
    request = house.board().requests[number]
    registry.append(decision(request, "human", given, comment), seal=seal_of(registry, Trust("human"), request.event))


async def asking(house: House, question: Question = MAY_I) -> asyncio.Task[QuestionAnswer | None]:
    """The program asks, and it stands on the board."""
    before = len(house.lines("decision_request"))
    task = asyncio.create_task(Agent.last["sena"].listener.ask(question))  # type: ignore[arg-type]
    await eventually(lambda: len(house.lines("decision_request")) > before)
    return task


async def test_a_question_is_the_sessions_own_request_and_its_answer_goes_back(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        task = await asking(house)
        (request,) = house.lines("decision_request")
        assert (request["agent"], request["target"], request["kind"]) == ("sena", "human", "approval")
        assert (request["details"], request["tool_use"]) == ("command: rm -r build", "t1")
        await eventually(lambda: house.observed("sena") is Observed.APPROVAL)
        answer(house, "rejected", "build is shared")
        assert await task == QuestionAnswer(False, None, "build is shared")
        await eventually(lambda: session.observed is Observed.IDLE)


async def test_an_unsigned_answer_is_none(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        task = await asking(house)
        request = house.lines("decision_request")[0]["id"]
        house.say("human", "decision", request_id=request, verdict="approved")
        house.say("lubit", "decision", request_id=request, verdict="approved")
        answer(house, "rejected")
        assert await task == QuestionAnswer(False, None, None)


async def test_a_choice_comes_back_in_its_words(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        task = await asking(house, Question(RequestKind.CHOICE, "Which tagger?", options=("rules", "model")))
        await eventually(lambda: house.observed("sena") is Observed.INPUT)
        answer(house, "model")
        assert await task == QuestionAnswer(True, "model", None)


async def test_what_the_program_does_not_wait_for_any_more_is_withdrawn(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        task = await asking(house)
        task.cancel()
        await asyncio.wait({task})
        assert house.lines("request_withdrawn", agent="sena")
        assert not any(request.is_open for request in house.board().requests)


async def test_what_a_program_that_ended_had_asked_is_withdrawn(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        task = await asking(house)
        Agent.last["sena"].end("signal 9")
        await session.ended()
        assert not any(request.is_open for request in house.board().requests)
        assert await task is None


async def test_the_same_question_twice_at_once_takes_two_answers(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        first, second = await asking(house), await asking(house)
        answer(house, "approved")
        await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
        assert [first.done(), second.done()] == [True, False]
        answer(house, "rejected", number=1)
        assert await second == QuestionAnswer(False, None, None)


async def test_after_a_restart_the_same_question_finds_its_request(house: House) -> None:
    Agent.is_lasting = True
    async with house.manager() as manager:
        await manager.create_session("sena")
        task = await asking(house)
    task.cancel()
    await asyncio.wait({task})
    assert not house.lines("request_withdrawn"), "its monitor ended, and it runs on"
    async with house.manager() as manager:
        await manager.take_up()
        again = asyncio.create_task(Agent.last["sena"].listener.ask(MAY_I))  # type: ignore[arg-type]
        answer(house, "approved")
        assert await again == QuestionAnswer(True, None, None)
    assert len(house.lines("decision_request")) == 1


async def test_what_is_too_long_to_be_judged_is_not_asked(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        told = await Agent.last["sena"].listener.ask(Question(RequestKind.APPROVAL, "May I?", "x" * 200_000))
    assert told is None
    assert not house.lines("decision_request")
    assert any("too long" in notice for notice in house.notices)


async def test_of_a_long_question_all_is_shown_to_be_judged(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        task = await asking(house, Question(RequestKind.APPROVAL, "run " + "a" * 600 + " && rm -r ~", "in /tmp"))
        (request,) = house.lines("decision_request")
        assert "&& rm -r ~" not in request["request"]
        assert "&& rm -r ~" in request["details"]
        task.cancel()
        await asyncio.wait({task})


@pytest.mark.parametrize("name", ["agent", "event", "id", "target", "kind", "session"])
async def test_a_program_cannot_say_in_whose_name_it_asks(house: House, name: str) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        task = await asking(house, Question(RequestKind.QUESTION, "Why?", about={name: "human"}))
        (request,) = house.lines("decision_request")
        assert (request["agent"], request["target"], request["kind"]) == ("sena", "human", "question")
        assert request["session"] == house.session("sena").run
        task.cancel()
        await asyncio.wait({task})
