"""Claude Code's stream-json, as a scripted stand-in speaks it: turns, questions, interruptions, ends."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collab_tui.config.settings import ToolInput
from collab_tui.model.board import RequestKind
from collab_tui.model.sessions import Observed
from collab_tui.sessions.definitions import DriverKind
from collab_tui.sessions.driver import Delivery, DriverError, QuestionAnswer, ReplyStatus
from collab_tui.sessions.drivers.claude import ClaudeDriver
from tests.sessions.drivers.heard import WITHOUT_HALF, Heard, launch, until, within_reason

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups of Unix")

YES, NO = QuestionAnswer(is_approved=True), QuestionAnswer(is_approved=False)
_GRACE = 5.0
_SESSION = "5e551013-0000-4000-8000-000000000000"


def driver(folder: Path, heard: Heard, *flags: str, **more: Any) -> ClaudeDriver:
    return ClaudeDriver(launch(folder, DriverKind.CLAUDE, "claude_program.py", *flags, **more), heard)


@asynccontextmanager
async def talking(folder: Path, *flags: str, **more: Any) -> AsyncGenerator[tuple[ClaudeDriver, Heard], None]:
    heard = Heard()
    claude = driver(folder, heard, *flags, **more)
    await claude.start()
    try:
        yield claude, heard
    finally:
        await claude.stop(_GRACE)


async def answered(folder: Path, prompt: str, *answers: QuestionAnswer, **more: Any) -> tuple[Any, Heard]:
    """What the program was answered when it asked."""
    async with talking(folder, **more) as (claude, heard):
        heard.answers = list(answers)
        reply = await within_reason(claude.prompt(prompt))
    return json.loads(reply.text), heard


# Turns


@pytest.mark.parametrize("flags", [(), ("--old",)])
async def test_a_hundred_prompts_in_a_row_get_their_own_replies(tmp_path: Path, flags: tuple[str, ...]) -> None:
    async with talking(tmp_path, *flags) as (claude, heard):
        replies = [await within_reason(claude.prompt(f"echo {number}")) for number in range(100)]
    assert [reply.text for reply in replies] == [f"you said {number}" for number in range(100)]
    assert {(reply.status, reply.delivery) for reply in replies} == {(ReplyStatus.DONE, Delivery.SUBMITTED)}
    assert heard.submissions == 100
    assert heard.states[:4] == [Observed.STARTING, Observed.IDLE, Observed.WORKING, Observed.IDLE]
    assert set(heard.resume_ids) == {_SESSION}


async def test_what_it_says_and_does_is_shown_and_logged(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, heard):
        reply = await claude.prompt("steps")
    assert reply.text == "then I am done"
    assert heard.text == "first I look\n* Bash: make test\nthen I am done\n"
    logged = (tmp_path / "output.log").read_text("utf-8")
    assert logged == "\n> steps\nfirst I look\n* Bash: make test\n12 passed\nthen I am done\n"


async def test_the_result_of_another_turn_is_not_the_reply(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, _):
        assert (await within_reason(claude.prompt("others"))).text == "my own words"


async def test_a_turn_lasts_until_what_it_left_in_the_background_is_done(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, _):
        assert (await within_reason(claude.prompt("after"))).text == "at last"
        assert (await within_reason(claude.prompt("echo on"))).text == "you said on"


async def test_a_turn_that_fails_says_why_and_the_next_goes_on(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, _):
        reply = await within_reason(claude.prompt("fail"))
        assert (reply.status, reply.reason) == (ReplyStatus.FAILED, "error max turns")
        reply = await within_reason(claude.prompt("limit"))
        assert (reply.status, reply.reason) == (ReplyStatus.FAILED, "API Error: 429 slow down")
        assert (await within_reason(claude.prompt("echo on"))).status is ReplyStatus.DONE


@pytest.mark.parametrize(
    ("prompt", "said"),
    [("noise", "through the noise"), ("pieces", "안녕"), ("half", WITHOUT_HALF)],
)
async def test_what_is_no_message_disturbs_nothing(tmp_path: Path, prompt: str, said: str) -> None:
    async with talking(tmp_path) as (claude, _):
        assert (await within_reason(claude.prompt(prompt))).text == said
        assert (await within_reason(claude.prompt("echo on"))).text == "you said on"


async def test_a_message_that_is_too_long_to_be_read_ends_its_turn(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, _):
        reply = await within_reason(claude.prompt("huge"))
        assert (reply.status, reply.reason) == (
            ReplyStatus.FAILED,
            "it wrote a line of 17,825,793 bytes, which is too long to be read",
        )
        assert (await within_reason(claude.prompt("echo on"))).text == "you said on"


async def test_a_turn_after_which_it_is_idle_has_ended(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, _):
        reply = await within_reason(claude.prompt("silent"))
        assert (reply.status, reply.reason) == (ReplyStatus.FAILED, "it does not say how its turn ended")
        reply = await within_reason(claude.prompt("silent nobody's"))
        assert (reply.status, reply.text) == (ReplyStatus.DONE, "nobody's")
        assert (await within_reason(claude.prompt("echo on"))).text == "you said on"


@pytest.mark.parametrize("prompt", ["todos", "tasks"])
async def test_its_list_of_tasks_is_declared_as_progress(tmp_path: Path, prompt: str) -> None:
    async with talking(tmp_path) as (claude, heard):
        await within_reason(claude.prompt(prompt))
    progress = 33 if prompt == "todos" else 50
    assert heard.declarations[-1] == {"progress": progress, "current_task": "write"}


# Interruptions and ends


@pytest.mark.parametrize("flags", [(), ("--old",)])
async def test_nothing_of_a_cancelled_turn_is_taken_for_the_next_reply(tmp_path: Path, flags: tuple[str, ...]) -> None:
    async with talking(tmp_path, *flags) as (claude, heard):
        for number in range(20):
            turn = asyncio.create_task(claude.prompt("hang"))
            before = heard.text.count("I work")
            if number % 2:
                await until(lambda before=before: heard.text.count("I work") > before)
            else:
                await asyncio.sleep(0)  # before its program has begun
            turn.cancel()
            with pytest.raises(asyncio.CancelledError):
                await turn
            assert (await within_reason(claude.prompt(f"echo {number}"))).text == f"you said {number}"


async def test_an_interrupted_turn_says_so(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, heard):
        turn = asyncio.create_task(claude.prompt("hang"))
        await until(lambda: "I work" in heard.text)
        await claude.interrupt()
        assert (await within_reason(turn)).status is ReplyStatus.INTERRUPTED
        assert (await within_reason(claude.prompt("echo on"))).text == "you said on"


async def test_interrupting_it_before_it_has_begun_ends_that_turn(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, _):
        turn = asyncio.create_task(claude.prompt("hang"))
        await asyncio.sleep(0)
        await claude.interrupt()
        assert (await within_reason(turn)).status is ReplyStatus.INTERRUPTED


async def test_without_the_end_of_the_turn_before_no_prompt_is_given(tmp_path: Path) -> None:
    async with talking(tmp_path, start_limit=1.0) as (claude, heard):
        turn = asyncio.create_task(claude.prompt("deaf"))
        await until(lambda: "I work" in heard.text)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        reply = await claude.prompt("echo on")
    assert (reply.status, reply.delivery) == (ReplyStatus.NOT_SUBMITTED, Delivery.NOT_SUBMITTED)


async def test_a_crash_in_a_turn_is_told_with_its_last_words(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, _):
        reply = await within_reason(claude.prompt("crash"))
        assert (reply.text, reply.status, reply.delivery) == ("half of a", ReplyStatus.LOST, Delivery.SUBMITTED)
        assert reply.reason == "the program ended before the turn did: exit 3: out of memory"
        assert await claude.wait() == "exit 3"
        assert (await claude.prompt("echo on")).status is ReplyStatus.NOT_SUBMITTED


async def test_a_program_that_begins_no_conversation_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="not logged in"):
        await driver(tmp_path, Heard(), "--refuses").start()


# What it asks


async def test_what_the_person_allows_it_does_and_it_is_shown_in_full(tmp_path: Path) -> None:
    said, heard = await answered(tmp_path, "run rm -rf build", YES)
    assert said == {
        "behavior": "allow",
        "updatedInput": {"command": "rm -rf build", "description": "perfectly harmless"},
    }
    (question,) = heard.questions
    assert (question.kind, question.text) == (RequestKind.APPROVAL, "Allow Bash: rm -rf build?")
    work = tmp_path / "work"
    assert question.details == f"tool: Bash\nin: {work}\n\ncommand: rm -rf build\ndescription: perfectly harmless"
    assert heard.states.count(Observed.APPROVAL) == 1


async def test_what_the_person_rejects_it_does_not_and_is_told_why(tmp_path: Path) -> None:
    said, _ = await answered(tmp_path, "run ls", QuestionAnswer(is_approved=False, comment="not on a Friday"))
    assert said == {"behavior": "deny", "message": "not on a Friday", "interrupt": False}


async def test_what_nobody_could_judge_is_not_asked(tmp_path: Path) -> None:
    said, heard = await answered(tmp_path, "long")
    assert said["behavior"] == "deny"
    assert heard.questions == []


async def test_a_read_only_session_may_change_nothing_and_asks_for_nothing(tmp_path: Path) -> None:
    said, heard = await answered(tmp_path, "run touch x", is_read_only=True, read_only=("--tools=Read",))
    assert said["behavior"] == "deny"
    assert heard.questions == []


async def test_what_cannot_be_dealt_with_is_answered_all_the_same(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, heard):
        heard.is_broken = True
        reply = await within_reason(claude.prompt("run ls"))
    assert json.loads(reply.text)["error"] == "collab-tui cannot deal with it"
    assert b"no space left on device" in (tmp_path / "private" / "errors.log").read_bytes()


async def test_where_nothing_is_to_be_recorded_it_is_refused_and_told_why(tmp_path: Path) -> None:
    said, heard = await answered(tmp_path, "run ls", tool_input=ToolInput.OFF)
    assert said["behavior"] == "deny"
    assert said["message"] == 'Nothing is asked on the board: `[hooks] tool_input` is "off".'
    assert heard.questions == []


@pytest.mark.parametrize(("how", "told"), [(ToolInput.NAME, "* Bash\n"), (ToolInput.OFF, "")])
async def test_of_its_tools_no_more_is_shown_than_is_to_be_recorded(tmp_path: Path, how: ToolInput, told: str) -> None:
    async with talking(tmp_path, tool_input=how) as (claude, heard):
        await within_reason(claude.prompt("steps"))
    assert heard.text == f"first I look\n{told}then I am done\n"


async def test_of_what_it_is_to_be_allowed_no_more_is_shown_either(tmp_path: Path) -> None:
    _, heard = await answered(tmp_path, "run ls", YES, tool_input=ToolInput.NAME)
    assert str(heard.questions[0].details).endswith("\n\ncommand: ls\ndescription: 18 characters, not recorded")


async def test_its_plan_is_shown_whole(tmp_path: Path) -> None:
    said, heard = await answered(tmp_path, "plan", YES)
    assert said["behavior"] == "allow"
    assert (heard.questions[0].kind, heard.questions[0].details) == (RequestKind.APPROVAL, "1. read\n2. write")


async def test_its_questions_are_answered_in_turn(tmp_path: Path) -> None:
    blue, both = QuestionAnswer(True, "blue"), QuestionAnswer(True, "S and L", "if there are any")
    said, heard = await answered(tmp_path, "choose two", blue, both)
    assert said["updatedInput"]["answers"] == {
        "Which colour?": "blue",
        "Which sizes?": "S and L (if there are any)",
    }
    one, other = heard.questions
    assert (one.kind, one.options, one.details) == (RequestKind.CHOICE, ["red", "blue"], "red: warm\nblue: cold")
    assert (other.kind, other.details) == (RequestKind.QUESTION, "Several may be named:\nS\nL")


async def test_a_request_that_we_do_not_know_is_answered_with_an_error(tmp_path: Path) -> None:
    said, _ = await answered(tmp_path, "unknown")
    assert said == {"subtype": "error", "request_id": "u", "error": "collab-tui does not do attest"}


async def test_a_question_that_it_takes_back_is_withdrawn(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, heard):
        assert (await within_reason(claude.prompt("cancelled ls"))).text == "never mind"
        await until(lambda: heard.withdrawn == len(heard.questions))


async def test_a_question_of_a_turn_that_is_cancelled_is_withdrawn(tmp_path: Path) -> None:
    async with talking(tmp_path) as (claude, heard):
        turn = asyncio.create_task(claude.prompt("run ls"))
        await heard.asked.wait()
        turn.cancel()
        await until(lambda: heard.withdrawn)
        assert (await within_reason(claude.prompt("echo on"))).text == "you said on"


# How it is started


async def test_it_gets_what_its_definition_names(tmp_path: Path) -> None:
    more = {"model": ("--model", "opus"), "instructions": "Be brief.", "tools": ("Read", "Bash(git log:*)")}
    hub = {"command": "hub", "args": ["serve"], "env": ["LANG"]}
    started = {"resume_id": "1234", "mcp": {"hub": hub, "far": {"url": "https://hub.example/mcp"}}, **more}
    async with talking(tmp_path, **started) as (claude, heard):
        told = json.loads((await within_reason(claude.prompt("heard"))).text)
    arguments = told["arguments"]
    for flag, value in (
        ("--model", "opus"), ("--append-system-prompt", "Be brief."), ("--resume", "1234"),
        ("--permission-mode", "manual"), ("--permission-prompt-tool", "stdio"),
    ):  # fmt: skip
        assert arguments[arguments.index(flag) + 1] == value
    assert "--allowedTools=Read,Bash(git log:*)" in arguments
    assert told["environment"]["CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS"] == "1"
    assert told["servers"]["mcpServers"]["hub"]["command"] == "hub"
    assert told["servers"]["mcpServers"]["far"] == {"type": "http", "url": "https://hub.example/mcp"}
    assert (tmp_path / "private" / "servers.json").stat().st_mode & 0o777 == 0o600
    assert heard.resume_ids[0] == "1234"


def arguments_of(folder: Path, **more: Any) -> Sequence[str]:
    return driver(folder, Heard(), **more)._arguments()


UNTRUSTED = ("--setting-sources=user", "--strict-mcp-config")


def test_what_lies_in_a_project_that_the_person_does_not_trust_is_no_setting(tmp_path: Path) -> None:
    assert tuple(arguments_of(tmp_path)[-2:]) == UNTRUSTED


@pytest.mark.parametrize("whose", ["folder", "above", "repository"])
def test_what_lies_in_a_project_that_the_person_trusts_is(tmp_path: Path, whose: str) -> None:
    repository = tmp_path / "elsewhere" / "repository"
    private = repository / ".git" / "worktrees" / "work"
    private.mkdir(parents=True)
    (private / "commondir").write_text("../..\n", "utf-8")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / ".git").write_text(f"gitdir: {private}\n", "utf-8")
    place = {"folder": tmp_path / "work", "above": tmp_path, "repository": repository}[whose]
    settings = {"projects": {str(place): {"hasTrustDialogAccepted": True}}}
    (tmp_path / ".claude.json").write_text(json.dumps(settings), "utf-8")
    assert not set(UNTRUSTED) & set(arguments_of(tmp_path))
    read_only = arguments_of(tmp_path, is_read_only=True, read_only=("--tools=Read",))
    assert tuple(read_only[-2:]) == UNTRUSTED


def test_what_the_definition_says_of_settings_stands(tmp_path: Path) -> None:
    assert not set(UNTRUSTED) & set(arguments_of(tmp_path, model=("--setting-sources", "project")))


async def test_read_only_is_refused_without_a_mode_for_it(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="changes nothing"):
        await driver(tmp_path, Heard(), is_read_only=True).start()
