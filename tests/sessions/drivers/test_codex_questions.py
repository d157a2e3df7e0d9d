"""What Codex' app-server asks, as a scripted stand-in speaks it, and what it is answered."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from collab_tui.config.settings import ToolInput
from collab_tui.model.board import RequestKind
from collab_tui.model.sessions import Observed
from collab_tui.sessions.definitions import DriverKind
from collab_tui.sessions.driver import QuestionAnswer, ReplyStatus
from collab_tui.sessions.drivers.codex import CodexDriver
from tests.program import PATIENCE
from tests.sessions.drivers.heard import Heard, conversation, go_on, until, within_reason

YES, NO = QuestionAnswer(is_approved=True), QuestionAnswer(is_approved=False)


def talking(folder: Path, *flags: str, **more: Any) -> AbstractAsyncContextManager[tuple[CodexDriver, Heard]]:
    return conversation(CodexDriver, DriverKind.CODEX, folder, *flags, **more)


async def test_a_command_is_allowed_in_band(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        heard.answers = [YES]
        assert (await codex.prompt("run make install")).text == "{'decision': 'accept'}"
    (question,) = heard.questions
    assert (question.kind, question.text) == (RequestKind.APPROVAL, "Allow Bash: make install?")
    assert question.details == "tool: Bash\nin: /w\n\ncommand: /bin/bash -lc 'make install'\ndescription: it has to"
    assert Observed.APPROVAL in heard.states


async def test_a_rejection_comes_with_the_persons_words(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        heard.answers = [QuestionAnswer(is_approved=False, comment="use the sandbox")]
        reply = await codex.prompt("run make install")
    assert reply.text == "{'decision': 'decline'} | About your question 'Allow Bash: make install?': use the sandbox"


async def test_a_question_that_nobody_answers_is_declined(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        heard.answers = [None]
        assert (await codex.prompt("run make")).text == "{'decision': 'decline'}"


async def test_a_question_answered_elsewhere_is_withdrawn(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        turn = asyncio.create_task(codex.prompt("resolved"))
        async with asyncio.timeout(PATIENCE):
            await heard.asked.wait()
        go_on(tmp_path)
        await until(lambda: heard.withdrawn)
        assert not turn.done()
        await until(lambda: heard.states[-1] is Observed.WORKING)
        go_on(tmp_path)
        assert (await within_reason(turn)).text == "it was answered elsewhere"


async def test_an_interruption_withdraws_the_question_of_its_turn(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        turn = asyncio.create_task(codex.prompt("run make"))
        async with asyncio.timeout(PATIENCE):
            await heard.asked.wait()
        await codex.interrupt()
        assert (await within_reason(turn)).status is ReplyStatus.INTERRUPTED
        await until(lambda: heard.withdrawn and heard.states[-1] is Observed.IDLE)


async def test_a_question_of_a_program_that_ended_is_withdrawn(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        assert (await codex.prompt("dies")).text == "that was all"
        async with asyncio.timeout(PATIENCE):
            await heard.asked.wait()
        assert heard.states[-1] is Observed.APPROVAL
        go_on(tmp_path)
        await until(lambda: heard.withdrawn)
        assert await codex.wait() == "exit 3"


async def test_a_change_of_files_is_shown_and_allowed(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        heard.answers = [YES]
        assert (await codex.prompt("change")).text == "{'decision': 'accept'}"
    (question,) = heard.questions
    assert question.text == "Allow changes of /w/a.py?"
    assert question.details is not None
    assert question.details.startswith("path: /w/a.py\nkind: update\ndiff: 3 lines, 21 bytes")
    assert question.details.endswith("\n  @@ -1 +1 @@\n  -old\n  +new")


@pytest.mark.parametrize(
    ("answer", "result"),
    [(YES, {"permissions": {"network": {"enabled": True}}, "scope": "turn"}), (NO, {"permissions": {}})],
)
async def test_more_permissions_are_given_as_asked_and_for_the_turn(
    tmp_path: Path, answer: QuestionAnswer, result: object
) -> None:
    async with talking(tmp_path) as (codex, heard):
        heard.answers = [answer]
        assert (await codex.prompt("more")).text == str(result)
    assert heard.questions[0].text == "Allow the use of the network, in this turn?"


async def test_its_own_questions_are_asked_one_by_one_but_for_secrets(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        heard.answers = [QuestionAnswer(is_approved=True, text="blue"), None]
        assert (await codex.prompt("question")).text == "{'answers': {'colour': {'answers': ['blue']}}}"
    colour, why = heard.questions
    assert (colour.kind, colour.text, colour.options) == (RequestKind.CHOICE, "Which colour?", ["red", "blue"])
    assert colour.details == "red: warm\nblue: cold"
    assert (why.kind, why.text) == (RequestKind.QUESTION, "And why?")


@pytest.mark.parametrize(
    ("what", "answer", "result"),
    [
        ("tool", YES, {"action": "accept", "content": {}}),
        ("tool", NO, {"action": "decline"}),
        ("text", QuestionAnswer(is_approved=True, text="Ann"), {"action": "accept", "content": {"name": "Ann"}}),
        ("choice", QuestionAnswer(is_approved=True, text="L"), {"action": "accept", "content": {"size": "L"}}),
        ("yes", YES, {"action": "accept", "content": {"sure": True}}),
        ("yes", None, {"action": "decline"}),
    ],
)
async def test_what_a_server_of_tools_asks_is_answered(
    tmp_path: Path, what: str, answer: QuestionAnswer | None, result: object
) -> None:
    async with talking(tmp_path) as (codex, heard):
        heard.answers = [answer]
        assert (await codex.prompt(f"elicit {what}")).text == str(result)
    assert len(heard.questions) == 1


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("elicit two", "{'action': 'decline'}"),
        ("change unseen", "{'decision': 'decline'}"),
        ("long", "{'decision': 'decline'}"),
        ("unknown", "{'code': -32601, 'message': 'collab-tui does not do attestation/generate'}"),
    ],
)
async def test_what_cannot_be_asked_is_refused_unasked(tmp_path: Path, prompt: str, answer: str) -> None:
    async with talking(tmp_path) as (codex, heard):
        assert (await within_reason(codex.prompt(prompt))).text == answer
    assert heard.questions == []


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [("run make", {"decision": "decline"}), ("change", {"decision": "decline"}), ("more", {"permissions": {}})],
)
async def test_an_agent_that_only_looks_gets_no_leave_to_change(tmp_path: Path, prompt: str, answer: object) -> None:
    async with talking(tmp_path, is_read_only=True) as (codex, heard):
        assert (await within_reason(codex.prompt(prompt))).text == str(answer)
    assert heard.questions == []


async def test_what_cannot_be_dealt_with_is_answered_all_the_same(tmp_path: Path) -> None:
    async with talking(tmp_path) as (codex, heard):
        heard.is_broken = True
        reply = await within_reason(codex.prompt("run make"))
    assert reply.text == "{'code': -32603, 'message': 'collab-tui cannot deal with it'}"
    assert b"no space left on device" in (tmp_path / "private" / "errors.log").read_bytes()


async def test_where_nothing_is_to_be_recorded_it_is_refused_and_said_why(tmp_path: Path) -> None:
    async with talking(tmp_path, tool_input=ToolInput.OFF) as (codex, heard):
        assert (await codex.prompt("run make")).text == "{'decision': 'decline'}"
    assert heard.questions == []
    assert '[refused: Nothing is asked on the board: `[hooks] tool_input` is "off".]' in heard.text


async def test_of_what_it_is_to_be_allowed_no_more_is_shown_than_is_to_be_recorded(tmp_path: Path) -> None:
    async with talking(tmp_path, tool_input=ToolInput.NAME) as (codex, heard):
        heard.answers = [YES]
        await codex.prompt("change")
    (question,) = heard.questions
    assert question.details == "path: /w/a.py\nkind: 6 characters, not recorded\ndiff: 21 characters, not recorded"
