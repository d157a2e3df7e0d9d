"""Codex' app-server, as a scripted stand-in speaks it: turns, interruptions, ends, starts."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from collab_tui.config.settings import ToolInput
from collab_tui.model.sessions import Observed
from collab_tui.sessions.definitions import DriverKind
from collab_tui.sessions.driver import Delivery, DriverError, LostError, QuestionAnswer, ReplyStatus
from collab_tui.sessions.drivers import json_lines
from collab_tui.sessions.drivers.codex import CodexDriver
from tests.program import PATIENCE
from tests.sessions.drivers.heard import GRACE, WITHOUT_HALF, Heard, conversation, go_on, launch, until, within_reason

YES, NO = QuestionAnswer(is_approved=True), QuestionAnswer(is_approved=False)


def talking(folder: Path, *flags: str, **more: Any) -> AbstractAsyncContextManager[tuple[CodexDriver, Heard]]:
    return conversation(CodexDriver, DriverKind.CODEX, folder, *flags, **more)


# Turns


async def test_a_hundred_prompts_in_a_row_get_their_own_replies(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        replies = [await codex.prompt(f"echo {number}") for number in range(100)]
    assert [reply.text for reply in replies] == [f"you said {number}" for number in range(100)]
    assert {(reply.status, reply.delivery) for reply in replies} == {(ReplyStatus.DONE, Delivery.SUBMITTED)}
    assert heard.submissions == 100
    assert heard.states[:4] == [Observed.STARTING, Observed.IDLE, Observed.WORKING, Observed.IDLE]
    assert set(heard.resume_ids) == {"thread-1"}


async def test_the_reply_is_what_it_said_last_and_all_of_it_is_shown_and_logged(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        reply = await codex.prompt("steps")
    assert reply.text == "then I am done"
    assert heard.text == "first I look\n* Bash: make test\nthen I am done\n"
    assert (tmp_path / "output.log").read_text("utf-8") == f"\n> steps\n{heard.text}"


async def test_what_is_told_of_a_turn_before_it_has_a_name_counts(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, _):
        assert (await within_reason(codex.prompt("early bird"))).text == "you said bird"
        assert (await within_reason(codex.prompt("echo 2"))).text == "you said 2"


async def test_a_turn_that_fails_says_why_and_the_next_goes_on(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, _):
        reply = await codex.prompt("fail")
        assert (reply.status, reply.reason) == (ReplyStatus.FAILED, "the model is over its limit")
        assert (await codex.prompt("echo on")).text == "you said on"


async def test_a_prompt_that_is_not_taken_was_not_submitted(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, _):
        reply = await codex.prompt("refused")
        assert (reply.status, reply.delivery) == (ReplyStatus.NOT_SUBMITTED, Delivery.NOT_SUBMITTED)
        assert reply.reason == "the conversation is full"
        assert (await codex.prompt("echo on")).status is ReplyStatus.DONE


async def test_a_prompt_without_an_answer_is_unverified_and_no_other_is_given_after_it(tmp_path: Path) -> None:
    async with talking(tmp_path, start_limit=1.0) as (codex, _):
        reply = await codex.prompt("mute")
        assert (reply.status, reply.delivery) == (ReplyStatus.TIMED_OUT, Delivery.UNVERIFIED)
        assert (await codex.prompt("echo on")).status is ReplyStatus.NOT_SUBMITTED


async def test_words_of_other_turns_and_threads_are_not_the_reply(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, _):
        assert (await codex.prompt("others")).text == "my own words"


async def test_what_is_no_message_disturbs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "LONGEST", 100_000)
    async with talking(tmp_path) as (codex, _):
        assert (await within_reason(codex.prompt("noise"))).text == "through the noise"
        assert (await codex.prompt("echo on")).text == "you said on"
    assert b"not JSON" in (tmp_path / "private" / "errors.log").read_bytes()


async def test_halves_of_characters_are_marked(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, _):
        assert (await within_reason(codex.prompt("half"))).text == WITHOUT_HALF


async def test_a_message_that_is_too_long_to_be_read_ends_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "LONGEST", 100_000)
    async with talking(tmp_path) as (codex, _):
        reply = await within_reason(codex.prompt("huge"))
        assert (reply.status, reply.reason) == (
            ReplyStatus.FAILED,
            "it wrote a line of 300,001 bytes, which is too long to be read",
        )
        assert (await codex.prompt("echo on")).text == "you said on"


async def test_many_helpers_do_not_make_it_forget_its_own_turn(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        turn = asyncio.create_task(codex.prompt("helpers"))
        await until(lambda: heard.resume_ids)
        go_on(tmp_path)
        assert (await within_reason(turn)).text == "all done"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (ToolInput.SUMMARY, '* Bash: curl -H "Authorization: ***" x.org\n* hub: take\n'),
        (ToolInput.NAME, "* Bash\n* hub: take\n"),
        (ToolInput.OFF, ""),
    ],
)
async def test_of_its_tools_as_much_is_shown_as_is_to_be_recorded(tmp_path: Path, how: ToolInput, told: str) -> None:
    async with talking(tmp_path, tool_input=how) as (codex, heard):
        await codex.prompt("secret Authorization: Bearer abcdefghijkl")
    assert heard.text == f"{told}then I am done\n"


async def test_its_plan_is_declared_as_progress(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        await codex.prompt("plan")
    assert heard.declarations == [{"progress": 33, "current_task": "write"}]


# Interruptions


async def test_an_interrupted_turn_says_so_and_the_next_prompt_gets_its_own_reply(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        turn = asyncio.create_task(codex.prompt("hang"))
        await until(lambda: "I work" in heard.text)
        await codex.interrupt()
        assert (await within_reason(turn)).status is ReplyStatus.INTERRUPTED
        assert (await codex.prompt("echo on")).text == "you said on"


async def test_nothing_of_a_cancelled_turn_is_taken_for_the_next_reply(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        for number in range(20):
            turn = asyncio.create_task(codex.prompt("hang"))
            before = heard.text.count("I work")
            if number % 2:
                await until(lambda before=before: heard.text.count("I work") > before)
            else:
                await asyncio.sleep(0)  # it is cancelled before its turn has a name
            turn.cancel()
            with pytest.raises(asyncio.CancelledError):
                await turn
            assert (await within_reason(codex.prompt(f"echo {number}"))).text == f"you said {number}"


async def test_without_the_end_of_the_turn_before_no_prompt_is_given(tmp_path: Path) -> None:
    async with talking(tmp_path, start_limit=1.0) as (codex, heard):
        turn = asyncio.create_task(codex.prompt("deaf"))
        await until(lambda: heard.resume_ids)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        reply = await codex.prompt("echo on")
    assert (reply.status, reply.delivery) == (ReplyStatus.NOT_SUBMITTED, Delivery.NOT_SUBMITTED)
    assert reply.reason == "the turn before was interrupted, and did not end within 1 s"


async def test_interrupting_a_prompt_that_was_not_taken_is_nothing(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, _):
        turn = asyncio.create_task(codex.prompt("refused"))
        await asyncio.sleep(0)
        interrupting = asyncio.create_task(codex.interrupt())
        assert (await within_reason(turn)).status is ReplyStatus.NOT_SUBMITTED
        async with asyncio.timeout(PATIENCE):
            await interrupting


async def test_interrupting_nothing_is_nothing(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, _):
        await codex.interrupt()
        await codex.prompt("echo 1")
        await codex.interrupt()
        assert (await codex.prompt("echo 2")).text == "you said 2"


# Ends


async def test_a_crash_in_a_turn_is_lost_with_what_it_said_last(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        reply = await within_reason(codex.prompt("crash"))
        assert (reply.status, reply.delivery, reply.text) == (ReplyStatus.LOST, Delivery.SUBMITTED, "half of a")
        assert reply.reason == "the program ended before the turn did: exit 3: out of memory"
        assert await codex.wait() == "exit 3"
        after = await codex.prompt("echo on")
        assert (after.status, after.reason) == (ReplyStatus.NOT_SUBMITTED, "the program is gone (exit 3)")
    assert heard.states[-1] is Observed.WORKING  # who waits for the end of the program says what it is now


async def test_a_program_that_closes_its_output_is_ended(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, _):
        reply = await within_reason(codex.prompt("closes"))
        assert reply.status is ReplyStatus.LOST
        assert await codex.wait() == "signal 15"


async def test_a_stop_ends_the_turn_that_runs(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        turn = asyncio.create_task(codex.prompt("hang"))
        await until(lambda: "I work" in heard.text)
        assert await codex.stop(GRACE) == "signal 15"
        assert (await within_reason(turn)).status is ReplyStatus.LOST


# Starts


async def heard_at_start(folder: Path, **more: Any) -> dict[str, Any]:
    async with talking(folder, **more) as (codex, _):
        told: dict[str, Any] = json.loads((await codex.prompt("heard")).text)
        return told


async def test_a_thread_gets_its_folder_its_bounds_and_its_instructions(tmp_path: Path) -> None:
    heard = await heard_at_start(tmp_path, instructions="Be brief.", mcp={"hub": {"command": "hub", "env": ["KEY"]}})
    assert heard["initialize"]["clientInfo"]["name"] == "collab_tui"
    assert "initialized" in heard
    assert heard["thread"] == {
        "cwd": str(tmp_path / "work"),
        "sandbox": "workspace-write",
        "approvalPolicy": "on-request",
        "developerInstructions": "Be brief.",
        "config": {"mcp_servers.hub": {"command": "hub", "args": [], "env_vars": ["KEY"]}},
    }


async def test_what_the_definition_says_of_its_bounds_stands(tmp_path: Path) -> None:
    heard = await heard_at_start(tmp_path, model=("-c", 'sandbox_mode="read-only"', "-m", "big"))
    assert "sandbox" not in heard["thread"]
    assert heard["arguments"][2:6] == ["-c", 'sandbox_mode="read-only"', "-c", 'model="big"']


UNTRUSTED = 'projects={{"{}" = {{trust_level = "untrusted"}}}}'


async def test_a_folder_of_which_the_person_said_nothing_is_not_trusted(tmp_path: Path) -> None:
    heard = await heard_at_start(tmp_path)
    assert heard["arguments"][-2:] == ["-c", UNTRUSTED.format((tmp_path / "work").resolve())]


async def test_what_the_person_or_the_definition_says_of_trust_stands(tmp_path: Path) -> None:
    said = ("-c", 'projects={"/w"={trust_level="trusted"}}')
    assert (await heard_at_start(tmp_path, model=said))["arguments"][-2:] == list(said)
    (tmp_path / ".codex").mkdir()
    settings = f'[projects."{(tmp_path / "work").resolve()}"]\ntrust_level = "trusted"\n'
    (tmp_path / ".codex" / "config.toml").write_text(settings, "utf-8")
    assert "projects" not in str((await heard_at_start(tmp_path))["arguments"])


async def test_what_it_writes_when_it_commits_comes_beside_what_the_person_lets_it_write(tmp_path: Path) -> None:
    (tmp_path / ".codex").mkdir()
    settings = '[sandbox_workspace_write]\nwritable_roots = ["/t"]\nnetwork_access = true\nexclude_slash_tmp = true\n'
    (tmp_path / ".codex" / "config.toml").write_text(settings, "utf-8")
    more = {"writable": {Path("/r/objects"): True, Path("/r/commondir"): False}}
    thread = (await heard_at_start(tmp_path, **more))["thread"]
    assert "sandbox" not in thread
    assert thread["config"]["default_permissions"] == "collab_tui"
    assert thread["config"]["permissions.collab_tui"] == {
        "extends": ":workspace",
        "filesystem": {"/t": "write", ":slash_tmp": "read", "/r/objects": "write", "/r/commondir": "read"},
        "network": {"enabled": True},
    }


@pytest.mark.parametrize(
    "more", [{"is_read_only": True}, {"model": ("-c", "sandbox_workspace_write.network_access=true")}]
)
async def test_one_that_only_looks_or_has_its_own_bounds_writes_nothing_beside_its_folder(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    heard = await heard_at_start(tmp_path, writable={Path("/r/objects"): True}, **more)
    assert "config" not in heard["thread"]
    assert heard["thread"]["sandbox"] == ("read-only" if "is_read_only" in more else "workspace-write")


async def test_one_that_only_looks_is_never_asked_for_more(tmp_path: Path) -> None:
    heard = await heard_at_start(tmp_path, is_read_only=True, model=("-c", 'sandbox_mode="danger-full-access"'))
    assert (heard["thread"]["sandbox"], heard["thread"]["approvalPolicy"]) == ("read-only", "never")


async def test_tools_of_its_servers_need_no_leave_where_the_definition_says_so(tmp_path: Path) -> None:
    servers = {"hub": {"command": "hub"}, "web": {"url": "http://127.0.0.1:1/"}}
    heard = await heard_at_start(tmp_path, mcp=servers, tools=("mcp__hub__next_task", "mcp__web"))
    assert heard["thread"]["config"] == {
        "mcp_servers.hub": {
            "command": "hub",
            "args": [],
            "env_vars": [],
            "tools": {"next_task": {"approval_mode": "approve"}},
        },
        "mcp_servers.web": {"url": "http://127.0.0.1:1/", "default_tools_approval_mode": "approve"},
    }


async def test_a_tool_that_it_cannot_be_given_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"no tool unasked but those of its servers.*'Bash'"):
        await heard_at_start(tmp_path, tools=("Bash",))


async def test_it_goes_on_with_a_conversation(tmp_path: Path) -> None:
    async with talking(tmp_path, resume_id="thread-1") as (codex, heard):
        assert heard.resume_ids == ["thread-1"]
        assert (await codex.prompt("echo on")).text == "you said on"


@pytest.mark.parametrize(
    ("flags", "more", "message"),
    [
        (("refuses",), {}, r"stand-in ended at its start \(exit 2\): Error: no such setting$"),
        (("silent",), {"start_limit": 1.0}, "stand-in was not ready within 1 s"),
        ((), {"resume_id": "thread-7"}, "stand-in does not go on with that conversation: no rollout found"),
    ],
)
async def test_a_start_that_fails_says_why_and_leaves_nothing(
    tmp_path: Path, flags: tuple[str, ...], more: dict[str, Any], message: str
) -> None:
    codex = CodexDriver(launch(tmp_path, DriverKind.CODEX, "codex_program.py", *flags, **more), Heard())
    with pytest.raises(DriverError, match=message):
        await codex.start()
    async with asyncio.timeout(PATIENCE):
        assert await codex.wait()


async def test_it_cannot_be_taken_up(tmp_path: Path) -> None:
    codex = CodexDriver(launch(tmp_path, DriverKind.CODEX, "codex_program.py", handle={"pid": 1}), Heard())
    with pytest.raises(LostError):
        await codex.start()
