"""Sessions as the registry tells of them: started, prompted, ended, failed, each once and truly."""

from __future__ import annotations

import asyncio

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.sessions.driver import Delivery, Reply, ReplyStatus
from collab_tui.sessions.manager import SessionError
from collab_tui.sessions.prompts import PromptRefusedError
from tests.sessions.house import MONITOR_ID, Agent, House, NoProgramError, eventually


async def test_a_session_registers_itself_and_is_seen_working_idle_and_ended(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena", task="metrics")
        (start,) = house.lines("session_start")
        assert start["agent"] == "sena"
        assert start["run"] == session.run
        assert (start["definition"], start["driver"], start["monitor"]) == ("sena", "command", MONITOR_ID)
        assert (start["host"], start["cwd"]) == (manager.host, str(house.project))
        assert start["current_task"] == "metrics"
        await eventually(lambda: house.observed("sena") is Observed.IDLE)
        Agent.last["sena"].is_slow = True
        waiting = asyncio.create_task(session.send_prompt_and_wait("count them", 60))
        await eventually(lambda: house.observed("sena") is Observed.WORKING)
        Agent.last["sena"].may_end.set()
        reply = await waiting
        assert (reply.text, reply.status, reply.delivery) == (
            "reply to count them",
            ReplyStatus.DONE,
            Delivery.SUBMITTED,
        )
        await eventually(lambda: house.observed("sena") is Observed.IDLE)
        await eventually(lambda: house.session("sena").last_line == "reply to count them")
        assert await manager.destroy_session("sena") == "exit 0"
        assert Agent.last["sena"].stopped == 2.0
    assert house.observed("sena") is Observed.STOPPED
    assert [end["reason"] for end in house.lines("session_end")] == ["stopped"]
    agent = house.board().agent("sena")
    assert agent is not None
    assert agent.gone


@pytest.mark.parametrize(
    ("how", "observed"),
    [("exit 0", Observed.STOPPED), ("exit 1", Observed.FAILED), ("signal 9", Observed.FAILED)],
)
async def test_one_that_ends_by_itself_is_told_of_at_once_and_once(house: House, how: str, observed: Observed) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        Agent.last["sena"].is_slow = True
        waiting = asyncio.create_task(session.send_prompt_and_wait("go on", 60))
        await eventually(lambda: Agent.last["sena"].prompts)
        Agent.last["sena"].end(how)
        assert await session.ended() == how
        assert house.observed("sena") is observed
        assert house.session("sena").why == how
        assert (await waiting).status is ReplyStatus.LOST
        assert not manager.sessions
        with pytest.raises(PromptRefusedError, match="ended"):
            session.send_prompt("late")
    assert [end["reason"] for end in house.lines("session_end")] == [how]


async def test_a_program_that_cannot_be_started_leaves_a_reason_and_nothing_else(house: House) -> None:
    async with house.manager() as manager:
        Agent.start_error = NoProgramError("there is no such program")
        with pytest.raises(SessionError, match="there is no such program"):
            await manager.create_session("sena")
        assert not manager.sessions
        assert (house.observed("sena"), house.session("sena").why) == (
            Observed.FAILED,
            "failed: there is no such program",
        )
        assert Agent.last["sena"].stopped is not None, "what may run of it is ended"
        Agent.start_error = None
        assert (await manager.create_session("sena")).observed is Observed.IDLE, "and the name is free again"


async def test_one_that_never_becomes_ready_is_ended_at_its_limit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab_tui.sessions.start_limit._MARGIN", 0.0)
    house.define("slow", ["slow"], start_limit=0.05)
    async with house.manager() as manager:
        Agent.never_ready = True
        with pytest.raises(SessionError, match=r"not ready within 0\.05 s"):
            await manager.create_session("slow")
    assert house.observed("slow") is Observed.FAILED


async def test_a_start_that_is_cancelled_ends_what_it_began_and_says_so(house: House) -> None:
    async with house.manager() as manager:
        Agent.never_ready = True
        starting = asyncio.create_task(manager.create_session("sena"))
        await eventually(lambda: house.lines("session_start"))
        starting.cancel()
        await asyncio.wait({starting})
        assert starting.cancelled()
        assert Agent.last["sena"].stopped is not None
        assert (house.observed("sena"), house.session("sena").why) == (Observed.STOPPED, "stopped before it was ready")
        assert not manager.is_starting("sena")


async def test_a_start_can_be_stopped_by_its_name(house: House) -> None:
    async with house.manager() as manager:
        Agent.never_ready = True
        starting = asyncio.create_task(manager.create_session("sena"))
        await eventually(lambda: house.lines("session_start"))
        assert await manager.destroy_session("sena") == "stopped before it was ready"
        with pytest.raises(SessionError, match="stopped before it was ready"):
            await starting


@pytest.mark.parametrize("name", ["../x", "a:b", "-x", "human", "monitor", "all", "x" * 49, "con"])
async def test_names_that_are_not_an_agents_are_refused(house: House, name: str) -> None:
    async with house.manager() as manager:
        with pytest.raises(SessionError):
            await manager.create_session("sena", name=name)
    assert not house.lines("session_start")


async def test_a_name_in_use_is_refused_also_while_it_starts_and_in_another_spelling(house: House) -> None:
    async with house.manager() as manager:
        Agent.never_ready = True
        starting = asyncio.create_task(manager.create_session("sena"))
        await eventually(lambda: house.lines("session_start"))
        with pytest.raises(SessionError, match="already"):
            await manager.create_session("lubit", name="sena")
        starting.cancel()
        await asyncio.wait({starting})
        Agent.never_ready = False
        await manager.create_session("lubit", name="sena")
        with pytest.raises(SessionError, match="already"):
            await manager.create_session("sena")


async def test_the_name_of_an_agent_at_its_own_terminal_is_refused(house: House) -> None:
    house.say("lubit", "status_update", status="in_progress")
    async with house.manager() as manager:
        with pytest.raises(SessionError, match="takes part here already"):
            await manager.create_session("lubit")
        house.say("lubit", "session_end")
        await manager.create_session("lubit")


async def test_an_unknown_agent_and_one_that_cannot_only_look_are_refused(house: House) -> None:
    async with house.manager() as manager:
        with pytest.raises(SessionError, match="no agent is defined"):
            await manager.create_session("senna")
        with pytest.raises(SessionError, match=r"only look: write in its definition read_only = \["):
            await manager.create_session("sena", is_read_only=True)


async def test_prompts_that_come_while_it_works_wait_and_are_counted(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena", prompt="first")
        agent = Agent.last["sena"]
        await session.idle()
        agent.is_slow = True
        prompts = [session.send_prompt(text) for text in ("second", "third", "fourth")]
        await eventually(lambda: house.session("sena").queued == 2)
        replies = []
        for prompt in prompts:
            await prompt.given()
            agent.may_end.set()
            replies.append((await asyncio.shield(prompt.reply)).text)
        assert replies == ["reply to second", "reply to third", "reply to fourth"]
        assert [text for text, _ in session.history] == ["first", "second", "third", "fourth"]


async def test_delivery_is_told_behind_what_waits_before_it(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        agent = Agent.last["sena"]
        agent.is_slow = True
        session.send_prompt("first")
        second = asyncio.create_task(manager.send_prompt("sena", "second"))
        await eventually(lambda: session.queued)
        assert not second.done()
        agent.may_end.set()
        assert await second is Delivery.SUBMITTED
        assert agent.prompts == ["first", "second"]


async def test_a_prompt_counts_as_submitted_only_once_its_driver_is_sure(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        agent = Agent.last["sena"]
        agent.is_slow, agent.takes_prompts = True, False
        sending = asyncio.create_task(manager.send_prompt("sena", "work"))
        await eventually(lambda: agent.turns and session.observed is Observed.WORKING)
        agent.listener.observed(Observed.APPROVAL)
        await asyncio.sleep(0)
        assert not sending.done(), "it works, but at what?"
        agent.next_reply = lambda text: Reply("", ReplyStatus.NOT_SUBMITTED, 0.0, Delivery.NOT_SUBMITTED, "a draft")
        agent.may_end.set()
        assert await sending is Delivery.NOT_SUBMITTED
        sending = asyncio.create_task(manager.send_prompt("sena", "again"))
        await eventually(lambda: agent.turns)
        agent.listener.submitted()
        assert await sending is Delivery.SUBMITTED
        assert agent.turns, "whose turn goes on"


async def test_one_session_that_goes_wrong_does_not_touch_the_others(house: House) -> None:
    async with house.manager() as manager:
        sena, lubit = await asyncio.gather(manager.create_session("sena"), manager.create_session("lubit"))

        def break_it(text: str) -> None:
            raise ZeroDivisionError("a bug in the driver")

        Agent.last["sena"].next_reply = break_it  # type: ignore[assignment]
        broken = await sena.send_prompt_and_wait("one")
        assert (broken.status, broken.reason) == (ReplyStatus.FAILED, "ZeroDivisionError: a bug in the driver")
        assert (await lubit.send_prompt_and_wait("two")).text == "reply to two"
        Agent.last["sena"].end("signal 11")
        await sena.ended()
        assert (await lubit.send_prompt_and_wait("three")).status is ReplyStatus.DONE


async def test_a_prompt_that_takes_too_long_is_interrupted_and_the_session_stays(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        agent = Agent.last["sena"]
        agent.is_slow = True
        reply = await session.send_prompt_and_wait("for ever", 0.05)
        assert reply.status is ReplyStatus.TIMED_OUT
        await eventually(lambda: agent.interrupted == ["for ever"])
        agent.is_slow = False
        assert (await session.send_prompt_and_wait("and now?", 60)).text == "reply to and now?"


async def test_a_stop_that_is_cancelled_ends_it_all_the_same(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        stopping = asyncio.create_task(manager.destroy_session("sena"))
        await asyncio.sleep(0)
        stopping.cancel()
        await asyncio.wait({stopping})
        assert await session.ended() == "exit 0"
        assert house.observed("sena") is Observed.STOPPED
        assert not manager.sessions


async def test_lines_about_output_are_few_and_the_last_one_is_right(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab_tui.sessions.observing.BETWEEN_LINES", 0.1)
    monkeypatch.setattr("collab_tui.sessions.observing.BETWEEN", 0.1)
    async with house.manager() as manager:
        await manager.create_session("sena")
        for number in range(2000):
            Agent.last["sena"].listener.said(f"line \x1b[2J{number}\n")
        await eventually(lambda: (house.session("sena").last_line or "").endswith("1999"))
        assert "\x1b" not in (house.session("sena").last_line or "")
    assert len(house.lines("session_observed", target="sena")) < 8


async def test_what_an_agent_declares_is_told_in_its_own_name(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.sessions.observing.BETWEEN", 0.05)
    async with house.manager() as manager:
        await manager.create_session("sena")
        Agent.last["sena"].listener.declared({"progress": 40, "current_task": "metrics", "agent": "human"})
        await eventually(lambda: house.lines("status_update"))
    (told,) = house.lines("status_update")
    assert (told["agent"], told["progress"], told["current_task"]) == ("sena", 40, "metrics")


async def test_a_program_gets_only_what_is_allowed_of_the_environment(house: House) -> None:
    house.define("sena", ["sena"], environment=["GH_TOKEN"])
    environment = {"PATH": "/bin", "GH_TOKEN": "t", "AWS_SECRET": "s", "COLLAB_DSN": "d", "EXTRA": "e"}
    async with house.manager(environment=environment) as manager:
        session = await manager.create_session("sena", environment=["EXTRA"])
        given = Agent.last["sena"].launch.environment
    assert given == {
        "PATH": "/bin",
        "GH_TOKEN": "t",
        "EXTRA": "e",
        "COLLAB_REGISTRY": str(house.path),
        "COLLAB_AGENT": "sena",
        "COLLAB_SESSION": session.run,
    }


async def test_when_all_ends_what_lasts_is_left_and_the_rest_is_stopped(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        Agent.is_lasting = True
        await manager.create_session("lubit")
    assert Agent.last["sena"].stopped is not None or Agent.last["sena"].left
    assert (Agent.last["lubit"].left, Agent.last["lubit"].stopped) == (True, None)
    assert house.observed("lubit") is Observed.IDLE
    with pytest.raises(SessionError, match="about to end"):
        await manager.create_session("sena")


async def test_when_all_ends_a_program_has_as_long_to_end_as_at_any_other_time(house: House) -> None:
    async with house.manager(grace=1.5) as manager:
        await manager.create_session("sena")
    assert Agent.last["sena"].stopped == 1.5


async def test_the_end_is_told_as_soon_as_it_can_be_written(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.sessions.session._PATIENCE", 0.05)
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        away = house.path.with_name("away")
        house.path.rename(away)
        Agent.last["sena"].end("exit 3")
        await session.ended()
        assert not house.path.exists(), "no other registry is made"
        away.rename(house.path)
        await eventually(lambda: house.observed("sena") is Observed.FAILED)
        await eventually(lambda: house.lines("session_end"))
