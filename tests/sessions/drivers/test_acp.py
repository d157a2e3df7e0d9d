"""An agent by ACP, as a scripted stand-in speaks it: turns, interruptions, ends, starts."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from collab_tui.config.settings import ToolInput
from collab_tui.model.sessions import Observed
from collab_tui.sessions.definitions import DriverKind
from collab_tui.sessions.driver import Delivery, DriverError, QuestionAnswer, ReplyStatus
from collab_tui.sessions.drivers.acp import AcpDriver
from tests.program import PATIENCE
from tests.sessions.drivers.heard import GRACE, Heard, conversation, launch, until, within_reason

pytest.importorskip("acp", reason="agent-client-protocol is not installed")

YES, NO = QuestionAnswer(is_approved=True), QuestionAnswer(is_approved=False)
CANCELLED = {"outcome": "cancelled"}


def selected(option: str) -> dict[str, str]:
    return {"optionId": option, "outcome": "selected"}


def talking(folder: Path, *flags: str, **more: Any) -> AbstractAsyncContextManager[tuple[AcpDriver, Heard]]:
    return conversation(AcpDriver, DriverKind.ACP, folder, *flags, **more)


@pytest.fixture(autouse=True)
def _is_quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever the agent sends, the library logs nothing: that would go to the standard error of the monitor."""
    yield
    assert caplog.text == ""


# Turns


async def test_a_hundred_prompts_in_a_row_get_their_own_replies(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        replies = [await agent.prompt(f"echo {number}") for number in range(100)]
    assert [reply.text for reply in replies] == [f"you said {number}" for number in range(100)]
    assert {(reply.status, reply.delivery) for reply in replies} == {(ReplyStatus.DONE, Delivery.SUBMITTED)}
    assert heard.submissions == 100
    assert heard.states[:4] == [Observed.STARTING, Observed.IDLE, Observed.WORKING, Observed.IDLE]
    assert heard.resume_ids == ["session-1"]


async def test_the_reply_is_what_it_said_last_and_all_of_it_is_shown_and_logged(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        assert (await agent.prompt("steps")).text == "then I am done"
    assert heard.text == "first I look\n[Read a.py]\nthen I am done\n"
    assert (tmp_path / "output.log").read_text("utf-8") == f"\n> steps\n{heard.text}"


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("end_turn", ReplyStatus.DONE),
        ("cancelled", ReplyStatus.INTERRUPTED),
        ("max_tokens", ReplyStatus.FAILED),
        ("refusal", ReplyStatus.FAILED),
        ("of a later version", ReplyStatus.FAILED),
    ],
)
async def test_how_a_turn_ended_is_told(tmp_path: Path, end: str, status: ReplyStatus) -> None:
    async with talking(tmp_path) as (agent, _):
        reply = await agent.prompt(f"ends {end}")
        assert (reply.status, reply.text) == (status, "so far")
        assert bool(reply.reason) is (status is not ReplyStatus.DONE)
        assert (await agent.prompt("echo on")).text == "you said on"


async def test_a_turn_that_fails_says_why_and_the_next_goes_on(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, _):
        reply = await agent.prompt("fail")
        assert (reply.status, reply.reason) == (ReplyStatus.FAILED, "stand-in: Internal error: no")
        assert (await agent.prompt("echo on")).text == "you said on"


async def test_what_is_not_understood_disturbs_nothing(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, _):
        assert (await within_reason(agent.prompt("noise"))).text == "through the noise"
        assert (await agent.prompt("echo on")).text == "you said on"
    assert b"not JSON" in (tmp_path / "private" / "errors.log").read_bytes()


async def test_halves_of_characters_in_two_pieces_are_joined(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, _):
        assert (await within_reason(agent.prompt("half"))).text == "half of \U0001f600, and of  it"
        assert (await agent.prompt("echo on")).text == "you said on"


async def test_a_message_that_is_too_long_to_be_read_ends_its_turn(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, _):
        reply = await within_reason(agent.prompt("huge"))
        assert (reply.status, reply.reason) == (
            ReplyStatus.FAILED,
            "it wrote a line of 17,825,793 bytes, which is too long to be read",
        )
        assert (await agent.prompt("echo on")).text == "you said on"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (ToolInput.SUMMARY, "\n[curl -H 'Authorization: ***' x.org]\n"),
        (ToolInput.NAME, "\n[execute]\n"),
        (ToolInput.OFF, "\n"),
    ],
)
async def test_of_its_tools_as_much_is_shown_as_is_to_be_recorded(tmp_path: Path, how: ToolInput, told: str) -> None:
    async with talking(tmp_path, tool_input=how) as (agent, heard):
        await agent.prompt("secret Authorization: Bearer abcdefghijkl")
    assert heard.text == f"{told}then I am done\n"


async def test_its_plan_is_declared_as_progress(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        await agent.prompt("plan")
    assert heard.declarations == [{"progress": 33, "current_task": "write"}]


# Interruptions


async def test_an_interrupted_turn_says_so_and_the_next_prompt_gets_its_own_reply(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        turn = asyncio.create_task(agent.prompt("hang"))
        await until(lambda: "I work" in heard.text)
        await agent.interrupt()
        assert (await within_reason(turn)).status is ReplyStatus.INTERRUPTED
        assert (await agent.prompt("echo on")).text == "you said on"


async def test_nothing_of_a_cancelled_turn_is_taken_for_the_next_reply(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        for number in range(20):
            turn = asyncio.create_task(agent.prompt("hang"))
            before = heard.text.count("I work")
            if number % 2:
                await until(lambda before=before: heard.text.count("I work") > before)
            else:
                await asyncio.sleep(0)
            turn.cancel()
            with pytest.raises(asyncio.CancelledError):
                await turn
            assert (await within_reason(agent.prompt(f"echo {number}"))).text == f"you said {number}"


async def test_without_the_end_of_the_turn_before_no_prompt_is_given(tmp_path: Path) -> None:
    async with talking(tmp_path, start_limit=2.0) as (agent, heard):
        turn = asyncio.create_task(agent.prompt("deaf"))
        await until(lambda: "I work" in heard.text)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        reply = await agent.prompt("echo on")
    assert (reply.status, reply.delivery) == (ReplyStatus.NOT_SUBMITTED, Delivery.NOT_SUBMITTED)
    assert reply.reason == "the turn before was interrupted, and did not end within 2 s"


# Ends


async def test_a_crash_in_a_turn_is_lost_with_what_it_said_last(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, _):
        reply = await within_reason(agent.prompt("crash"))
        assert (reply.status, reply.delivery, reply.text) == (ReplyStatus.LOST, Delivery.SUBMITTED, "half of a")
        assert reply.reason == "the program ended before the turn did: exit 3: out of memory"
        assert await agent.wait() == "exit 3"
        after = await agent.prompt("echo on")
        assert (after.status, after.reason) == (ReplyStatus.NOT_SUBMITTED, "the program is gone (exit 3)")


async def test_a_stop_ends_the_turn_that_runs(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        turn = asyncio.create_task(agent.prompt("hang"))
        await until(lambda: "I work" in heard.text)
        assert await agent.stop(GRACE) == "signal 15"
        assert (await within_reason(turn)).status is ReplyStatus.LOST


# Starts


async def test_a_session_gets_its_folder_its_servers_and_no_files_or_terminals_of_ours(tmp_path: Path) -> None:
    servers = {"hub": {"command": "hub", "args": ["-v"], "env": ["PATH", "MISSING"]}, "web": {"url": "http://h/"}}
    async with talking(tmp_path, "http", mcp=servers) as (agent, _):
        heard = json.loads((await agent.prompt("heard")).text)
    able = heard["initialize"].get("clientCapabilities", {})
    assert not able.get("terminal")
    assert not any(able.get("fs", {}).values())
    assert heard["session"]["cwd"] == str(tmp_path / "work")
    hub, web = heard["session"]["mcpServers"]
    assert (hub["name"], hub["command"], hub["args"], [each["name"] for each in hub["env"]]) == (
        "hub",
        "hub",
        ["-v"],
        ["PATH"],
    )
    assert (web["type"], web["url"]) == ("http", "http://h/")


async def test_instructions_come_before_the_first_prompt_alone(tmp_path: Path) -> None:
    async with talking(tmp_path, instructions="Be brief.") as (agent, _):
        assert json.loads((await agent.prompt("heard")).text)["prompt"] == ["Be brief.", "heard"]
        assert json.loads((await agent.prompt("heard")).text)["prompt"] == ["heard"]


@pytest.mark.parametrize(("flags", "how"), [((), "load"), (("resumes",), "resume")])
async def test_it_goes_on_with_a_conversation(tmp_path: Path, flags: tuple[str, ...], how: str) -> None:
    async with talking(tmp_path, *flags, resume_id="session-1", instructions="Be brief.") as (agent, heard):
        told = json.loads((await agent.prompt("heard")).text)
        assert (told[how]["sessionId"], told["prompt"]) == ("session-1", ["heard"])
        assert "old turn" not in heard.text


@pytest.mark.parametrize(
    ("flags", "more", "message"),
    [
        (("refuses",), {}, r"stand-in ended at its start \(exit 1\): Please install a newer runtime$"),
        (("silent",), {"start_limit": 2.0}, "stand-in was not ready within 2 s"),
        (("login",), {}, r"stand-in is not logged in.*\(Authentication required: no API key is set\)"),
        (("wrong",), {}, "stand-in does not keep to ACP"),
        (("newer",), {}, "stand-in speaks version 2 of ACP, and collab-tui 1"),
        (("forgets",), {"resume_id": "session-1"}, "stand-in cannot go on with a conversation"),
        ((), {"is_read_only": True}, "stand-in offers no mode in which it changes nothing"),
        ((), {"mcp": {"web": {"url": "http://h/"}}}, "stand-in takes no server of tools by its address, as web is"),
    ],
)
async def test_a_start_that_fails_says_why_and_leaves_nothing(
    tmp_path: Path, flags: tuple[str, ...], more: dict[str, Any], message: str
) -> None:
    agent = AcpDriver(launch(tmp_path, DriverKind.ACP, "acp_program.py", *flags, **more), Heard())
    with pytest.raises(DriverError, match=message):
        await agent.start()
    async with asyncio.timeout(PATIENCE):
        assert await agent.wait()


async def test_without_the_library_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "acp", None)
    agent = AcpDriver(launch(tmp_path, DriverKind.ACP, "acp_program.py"), Heard())
    with pytest.raises(DriverError, match=r"pip install 'collab-tui\[acp\]'"):
        await agent.start()
    assert agent.pid is None  # it was not even started
