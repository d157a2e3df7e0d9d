"""What the registry says of a session: its agent's status, seldom what it prints, and what is so, whoever denies it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.model.words import Status
from collab_tui.sessions import telling_again
from collab_tui.sessions.observing import Observing
from tests.sessions.house import Agent, House, eventually
from tests.sessions.test_questions import answer, asking


def status(house: House) -> Status | None:
    agent = house.board().agent("sena")
    assert agent is not None
    return agent.status


async def test_an_agent_without_hooks_is_in_progress_in_a_turn_also_after_an_answer_and_idle_after_it(
    house: House,
) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        assert status(house) is Status.IDLE
        agent = Agent.last["sena"]
        agent.is_slow = True
        session.send_prompt("work")
        await eventually(lambda: status(house) is Status.IN_PROGRESS)
        task = await asking(house)
        await eventually(lambda: status(house) is Status.WAITING)
        answer(house, "approved")
        await task
        await eventually(lambda: status(house) is Status.IN_PROGRESS)
        agent.may_end.set()
        await eventually(lambda: status(house) is Status.IDLE)


async def test_what_the_agent_itself_declared_in_its_turn_stays(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        agent = Agent.last["sena"]
        agent.is_slow = True
        session.send_prompt("work")
        await eventually(lambda: status(house) is Status.IN_PROGRESS)
        house.say("sena", "status_update", status="completed")
        await eventually(lambda: (found := session._me.board.agent("sena")) and found.status is Status.COMPLETED)
        agent.may_end.set()
        await session.idle()
        await eventually(lambda: house.observed("sena") is Observed.IDLE)
        assert status(house) is Status.COMPLETED
        session.send_prompt("more")
        await eventually(lambda: status(house) is Status.IN_PROGRESS)


async def test_that_it_waited_for_an_answer_is_over_with_its_turn(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        agent = Agent.last["sena"]
        agent.is_slow = True
        session.send_prompt("work")
        await eventually(lambda: status(house) is Status.IN_PROGRESS)
        request = house.say("sena", "decision_request", target="human", kind="question", request="Which?")
        house.say("sena", "request_withdrawn", request_id=request)
        assert status(house) is Status.WAITING
        await eventually(lambda: (found := session._me.board.request(request)) and not found.is_open)
        agent.may_end.set()
        await eventually(lambda: status(house) is Status.IDLE)


async def test_a_screen_that_only_redraws_is_not_told_of(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.sessions.observing.BETWEEN", 0.0)
    house.define("sena", ["sena"], driver="terminal")
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        await eventually(lambda: house.observed("sena") is Observed.IDLE)
        agent = Agent.last["sena"]
        for number in range(20):
            agent.listener.said(f"12:00:{number}\n")
            await asyncio.sleep(0)
        session._observing.note(queued=1)
        await eventually(lambda: house.session("sena").queued == 1)
        told = [line["last_line"] for line in house.lines("session_observed") if "last_line" in line]
        assert told == ["12:00:19"], "with something else, and by itself never"


async def test_lines_that_a_program_prints_are_told_each_thirty_seconds_and_with_its_state(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("collab_tui.sessions.observing.time.monotonic", lambda: now)
    async with house.manager() as manager:
        registry = manager._place.registry
        observing = Observing(registry, "sena", "0" * 16, house.notices.append, tells_lines=True)
        observing.note(observed="idle")
        await observing.flush()
        observing.note(last_line="one")
        assert observing._left() == 30.0
        observing.note(queued=1)
        assert observing._left() == 2.0
        observing.note(observed="working")
        assert observing._left() == 0.0
        await observing.flush()
        assert house.lines("session_observed")[-1]["last_line"] == "one"


@pytest.mark.parametrize(
    ("agent", "event", "fields"),
    [
        ("sena", "session_end", {"reason": "stopped"}),
        ("monitor", "session_observed", {"target": "sena", "observed": "lost"}),
        ("sena", "session_start", {"run": "f" * 16, "host": "elsewhere", "monitor": "m"}),
    ],
)
async def test_a_line_that_denies_what_runs_is_answered_with_what_is_so(
    house: House, agent: str, event: str, fields: dict[str, str]
) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        await eventually(lambda: house.observed("sena") is Observed.IDLE)
        house.say(agent, event, **{"run": session.run, **fields})
        await eventually(lambda: len(house.lines("session_start", run=session.run)) == 2)
        await eventually(lambda: house.observed("sena") is Observed.IDLE)
        known = house.board().agent("sena")
        assert known is not None
        assert not known.gone
        assert (house.session("sena").run, house.session("sena").host) == (session.run, manager.host)


async def test_who_goes_on_denying_it_does_not_make_us_fill_the_registry(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(telling_again, "time", SimpleNamespace(monotonic=lambda: now))
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        await eventually(lambda: house.observed("sena") is Observed.IDLE)
        for number in range(30):
            house.say("sena", "session_end", run=session.run, reason=str(number))
            written = house.path.read_bytes().count(b"\n")
            await manager._place.following.until(lambda board, written=written: board.position >= written)
        assert len(house.lines("session_start")) <= 2
        now = 1000.0
        house.say("lubit", "message", target="all", message="it is looked at once more")
        await eventually(lambda: house.observed("sena") is Observed.IDLE)
        assert len(house.lines("session_start")) <= 3, "but the last word is ours"


async def test_what_nobody_denies_is_told_once(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        for number in range(20):
            await session.send_prompt_and_wait(str(number))
        house.say("lubit", "message", target="all", message="hello")
        await eventually(lambda: house.observed("sena") is Observed.IDLE)
        assert len(house.lines("session_start")) == 1
