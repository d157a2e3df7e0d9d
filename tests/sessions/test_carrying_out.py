"""Commands from afar: the person's are carried out, once and answered; nobody else's ever are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from collab_tui.model.event import Event, decode
from collab_tui.model.sessions import Observed
from collab_tui.model.signature import Signed
from collab_tui.protocol.commands import Carrier, CommandType, command
from collab_tui.protocol.kept_results import KeptResults
from collab_tui.protocol.trust import seal_with
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import append
from collab_tui.sessions import carrying_out
from collab_tui.sessions.driver import Reply, ReplyStatus
from tests.sessions.house import MONITOR_ID, Agent, House, eventually
from tests.signing import KEY, OTHER_KEY


async def over(house: House, command_id: str) -> dict[str, object]:
    """What came of a command, once it is over."""
    await eventually(lambda: house.states(command_id)[-1:] in (["done"], ["failed"]), lambda: house.results(command_id))
    return house.results(command_id)[-1]


async def test_a_session_is_started_prompted_and_stopped_from_afar(house: House) -> None:
    async with house.manager() as manager:
        manager.start_listening()
        start = house.command(CommandType.START, "sena", agent="sena", task="metrics")
        done = await over(house, start)
        assert house.states(start) == ["accepted", "running", "done"]
        assert done["result"]["run"] == manager.sessions["sena"].run  # type: ignore[index]
        prompt = house.command(CommandType.SEND_PROMPT, "sena", prompt="count them")
        result = (await over(house, prompt))["result"]
        assert house.states(prompt) == ["accepted", "running", "done"]
        assert (result["status"], result["reply"]) == ("done", "reply to count them")  # type: ignore[index]
        stop = house.command(CommandType.STOP, "sena")
        assert (await over(house, stop))["result"] == {"ended": "exit 0"}
        assert house.observed("sena") is Observed.STOPPED


async def test_commands_to_one_session_are_in_order_and_those_to_others_side_by_side(house: House) -> None:
    async with house.manager() as manager:
        manager.start_listening()
        start = house.command(CommandType.START, "sena", agent="sena")
        prompts = [house.command(CommandType.SEND_PROMPT, "sena", prompt=str(n)) for n in range(5)]
        other = house.command(CommandType.START, "lubit", agent="lubit")
        await over(house, start)
        await over(house, other)
        for number, prompt in enumerate(prompts):
            assert (await over(house, prompt))["result"]["reply"] == f"reply to {number}"  # type: ignore[index]
        assert Agent.last["sena"].prompts == list("01234")


async def test_an_interrupt_and_a_stop_overtake_prompts(house: House) -> None:
    async with house.manager() as manager:
        manager.start_listening()
        await manager.create_session("sena")
        agent = Agent.last["sena"]
        agent.is_slow = True
        first, second = (house.command(CommandType.SEND_PROMPT, "sena", prompt=p) for p in ("one", "two"))
        await eventually(lambda: agent.prompts == ["one"])
        interrupt = house.command(CommandType.INTERRUPT, "sena")
        assert (await over(house, interrupt))["state"] == "done"
        assert (await over(house, first))["reason"] == "interrupted"
        await eventually(lambda: agent.prompts == ["one", "two"])
        third = house.command(CommandType.SEND_PROMPT, "sena", prompt="three")
        await eventually(lambda: house.states(third) == ["accepted"])
        await over(house, house.command(CommandType.STOP, "sena"))
        assert (await over(house, second))["state"] == "failed"
        assert (await over(house, third))["result"]["status"] == "not submitted"  # type: ignore[index]


async def test_a_stop_ends_a_start_that_takes_long(house: House) -> None:
    async with house.manager() as manager:
        manager.start_listening()
        Agent.never_ready = True
        start = house.command(CommandType.START, "sena", agent="sena")
        await eventually(lambda: house.lines("session_start"))
        stop = house.command(CommandType.STOP, "sena")
        assert (await over(house, stop))["state"] == "done"
        assert (await over(house, start))["reason"] == "sena was stopped before it was ready"


def forged(house: House) -> dict[str, str]:
    """Commands that are not the person's for this machine, now; by what is wrong with each its id."""
    said = command("human", CommandType.SEND_PROMPT, "sena", {"prompt": "obey"}, Carrier(MONITOR_ID, "here"))
    old = (datetime.now(UTC) - timedelta(minutes=11)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    here, there = (seal_with(KEY, place, None, Signed.COMMAND) for place in ("abcdef", "another"))
    path = str(house.path)

    def written(event: dict[str, object], seal: object = None) -> str:
        return str(append(path, event, seal=seal)["id"])  # type: ignore[arg-type]

    changed = append(path, said, seal=here) | {"id": "f" * 16}
    return {
        "unsigned": written(said),
        "another's key": written(said, seal_with(OTHER_KEY, "abcdef", None, Signed.COMMAND)),
        "another registry": written(said, there),
        "an agent's": written(said | {"agent": "lubit"}, here),
        "signed as a decision": written(said, seal_with(KEY, "abcdef", None)),
        "too old": written(said | {"timestamp": old}, here),
        "copied under another id": written(changed),
        "no such command": written(said | {"command_type": "run"}, here),
        "no such field": written(said | {"payload": {"prompt": "x", "command": "rm"}}, here),
    }


async def test_nothing_but_the_persons_command_is_acted_on_and_each_refusal_says_why(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        manager.start_listening()
        ids = forged(house)
        elsewhere = house.command(CommandType.SEND_PROMPT, "sena", "another", prompt="obey")
        for what, command_id in ids.items():
            result = await over(house, command_id)
            assert (what, house.states(command_id)) == (what, ["failed"])
            assert result["reason"], what
        await eventually(lambda: Agent.last["sena"].prompts)
        assert Agent.last["sena"].prompts == ["obey"], "the one that was signed before it was copied"
        assert not house.results(elsewhere), "another monitor answers it"


async def test_a_command_that_comes_again_is_carried_out_once(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        manager.start_listening()
        sent = house.command(CommandType.SEND_PROMPT, "sena", prompt="once")
        await over(house, sent)
        (line,) = [line for line in house.path.read_bytes().splitlines(True) if json.loads(line)["id"] == sent]
        with house.path.open("ab") as file:
            file.write(line)
        after = house.command(CommandType.SEND_PROMPT, "sena", prompt="after")
        await over(house, after)
        assert Agent.last["sena"].prompts == ["once", "after"]
        assert house.states(sent) == ["accepted", "running", "done"]
        await session.idle()
    before = house.path.read_bytes()
    async with house.manager() as manager:
        await manager.create_session("sena")
        manager.start_listening()
        await over(house, house.command(CommandType.SEND_PROMPT, "sena", prompt="anew"))
        assert Agent.last["sena"].prompts == ["anew"], "not again after a restart"
    # The registry is put back to a time before any of it was answered.
    kept = [line for line in before.splitlines(True) if json.loads(line)["event"] in ("registry_created", "command")]
    house.path.write_bytes(b"".join(kept))
    async with house.manager() as manager:
        await manager.create_session("sena")
        manager.start_listening()
        assert "taken before" in str((await over(house, sent))["reason"])
        assert Agent.last["sena"].prompts == []


async def test_forged_commands_do_not_fill_the_registry(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        manager.start_listening()
        for _ in range(carrying_out.MOST_REFUSALS * 3):
            house.say("human", "command", command_type="stop", target="sena", payload={}, monitor=MONITOR_ID)
        await over(house, house.command(CommandType.SEND_PROMPT, "sena", prompt="still here?"))
        await eventually(lambda: len(house.lines("command_result", state="failed")) == carrying_out.MOST_REFUSALS)
        assert manager.sessions
        old = (datetime.now(UTC) - timedelta(minutes=11)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        stop = command("human", CommandType.STOP, "sena", {}, Carrier(MONITOR_ID, "here")) | {"timestamp": old}
        persons = append(str(house.path), stop, seal=seal_with(KEY, "abcdef", None, Signed.COMMAND))["id"]
        told = await over(house, str(persons))
        assert "too old" in str(told["reason"]), "the person is told all the same"
        assert (told["command_type"], told["target"]) == ("stop", "sena")
    assert any("not human's" in notice for notice in house.notices)


async def test_what_a_monitor_left_in_the_middle_is_told_as_failed_and_not_done_again(house: House) -> None:
    sent = house.command(CommandType.START, "sena", agent="sena")
    (given,) = [item for item in decode(house.path.read_bytes(), 0) if isinstance(item, Event) and item.id == sent]
    assert UsedDecisions().of_commands.use_once(given, MONITOR_ID)
    house.say("monitor", "command_result", command_id=sent, monitor=MONITOR_ID, state="accepted")
    async with house.manager() as manager:
        manager.start_listening()
        assert "ended before" in str((await over(house, sent))["reason"])
        assert not manager.sessions


@pytest.mark.parametrize("state", ["accepted", "done", "failed"])
async def test_what_anybody_says_of_a_command_keeps_no_monitor_from_it(house: House, state: str) -> None:
    sent = house.command(CommandType.START, "sena", agent="sena")
    house.say("monitor", "command_result", command_id=sent, monitor=MONITOR_ID, state=state)
    async with house.manager() as manager:
        manager.start_listening()
        await eventually(lambda: "sena" in manager.sessions)
        await eventually(lambda: house.states(sent) == [state, "accepted", "running", "done"])


async def test_of_two_monitors_of_one_machine_only_that_which_is_meant_does_it_or_says_a_word(house: House) -> None:
    start = house.command(CommandType.START, "sena", agent="sena")
    house.say("human", "command", command_type="stop", target="sena", payload={}, monitor="a third")
    async with house.manager(monitor_id="another") as other:
        other.start_listening()
        stop = house.command(CommandType.STOP, "nobody", "another")
        await over(house, stop)
        assert house.lines("command_result") == house.results(stop)
        assert not other.sessions
    async with house.manager() as mine:
        mine.start_listening()
        await over(house, start)
        assert {(line["command_type"], line["target"]) for line in house.results(start)} == {("start", "sena")}
        assert list(mine.sessions) == ["sena"]
        assert {line["monitor"] for line in house.results(start)} == {MONITOR_ID}


async def test_an_agent_gets_the_very_words_that_were_signed(house: House) -> None:
    text = "diff --git a b\r\n\x1b[32m+\u202e안녕\u200b\x00 \U0001f600\tend"
    async with house.manager() as manager:
        await manager.create_session("sena")
        manager.start_listening()
        await over(house, house.command(CommandType.SEND_PROMPT, "sena", prompt=text))
        await over(house, house.command(CommandType.SEND_PROMPT, "sena", prompt="half \udcff"))
        assert Agent.last["sena"].prompts == [text, "half ?"]


async def test_when_the_monitor_ends_what_it_carries_out_is_answered(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        manager.start_listening()
        Agent.last["sena"].is_slow = True
        sent = house.command(CommandType.SEND_PROMPT, "sena", prompt="for ever")
        await eventually(lambda: house.states(sent) == ["accepted", "running"])
    assert (await over(house, sent))["reason"] == "the monitor ended before it was done"


async def test_of_a_long_reply_the_end_is_told_and_all_of_it_is_kept_here(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        manager.start_listening()
        Agent.last["sena"].next_reply = lambda text: Reply("x" * 50_000 + " done", ReplyStatus.DONE, 0.0)
        sent = house.command(CommandType.SEND_PROMPT, "sena", prompt="much")
        result = (await over(house, sent))["result"]
        assert isinstance(result, dict)
        assert len(result["reply"]) == 8192
        assert result["reply"].endswith(" done")
        assert (result["cut"], result["log"]) == (50_005 - 8192, session.log)
        kept = KeptResults(house.path).load(sent)
        assert kept is not None
        assert kept.result["reply"] == "x" * 50_000 + " done"


@pytest.mark.parametrize("kind", [CommandType.STOP, CommandType.INTERRUPT, CommandType.RESTORE])
async def test_a_command_to_a_session_that_is_not_there_fails_with_why(house: House, kind: CommandType) -> None:
    async with house.manager() as manager:
        manager.start_listening()
        result = await over(house, house.command(kind, "nobody"))
        assert result["state"] == "failed"
        assert "nobody" in str(result["reason"])


async def test_a_registry_that_is_replaced_is_told_what_runs(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        manager.start_listening()
        await over(house, house.command(CommandType.INTERRUPT, "sena"))
        other = house.path.with_name("other")
        append(str(other), {"agent": "system", "event": "registry_created", "registry": "fedcba"})
        other.replace(house.path)
        await eventually(lambda: house.lines("session_start"))
        await eventually(lambda: house.observed("sena") is Observed.IDLE)
        assert house.session("sena").run == session.run
