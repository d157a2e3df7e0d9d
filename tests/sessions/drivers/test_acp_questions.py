"""What an agent wants leave for by ACP, as a scripted stand-in speaks it, and what it is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from collab_tui.config.settings import ToolInput
from collab_tui.model.board import RequestKind
from collab_tui.model.sessions import Observed
from collab_tui.sessions.definitions import DriverKind
from collab_tui.sessions.driver import QuestionAnswer, ReplyStatus
from collab_tui.sessions.drivers.acp import AcpDriver
from tests.program import PATIENCE
from tests.sessions.drivers.heard import Heard, conversation, go_on, until, within_reason

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


# Leave for tools


@pytest.mark.parametrize(
    ("options", "answer", "outcome"),
    [
        ("plain", YES, selected("yes")),
        ("plain", NO, selected("no")),
        ("plain", None, CANCELLED),
        ("many", QuestionAnswer(is_approved=True, text="Always"), selected("all")),
        ("many", QuestionAnswer(is_approved=True, text="Reject"), selected("no")),
        ("many", QuestionAnswer(is_approved=True, text="sure"), CANCELLED),
        ("many", YES, selected("yes")),
        ("many", NO, selected("no")),
        ("never", YES, CANCELLED),
        ("never", NO, selected("never")),
    ],
)
async def test_leave_is_given_or_not_as_the_person_says(
    tmp_path: Path, options: str, answer: QuestionAnswer | None, outcome: object
) -> None:
    async with talking(tmp_path) as (agent, heard):
        heard.answers = [answer]
        assert (await agent.prompt(f"run {options}")).text == str(outcome)
    (question,) = heard.questions
    assert question.text == "Allow make install?"
    told = f"tool: make install\nkind: execute\nin: {tmp_path / 'work'}\n\ncommand:\n  make\n  install\nn: 1"
    assert question.details == told
    assert Observed.APPROVAL in heard.states or Observed.INPUT in heard.states


async def test_more_than_yes_and_no_are_options_by_their_names(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        heard.answers = [NO, NO]
        await agent.prompt("run plain")
        await agent.prompt("run many")
    plain, many = heard.questions
    assert (plain.kind, list(plain.options)) == (RequestKind.APPROVAL, [])
    assert (many.kind, list(many.options)) == (RequestKind.CHOICE, ["Allow", "Always", "Reject"])


async def test_a_change_that_was_told_before_is_shown_with_the_question(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        heard.answers = [YES]
        await agent.prompt("edit")
    (question,) = heard.questions
    assert question.text == "Allow Edit a.py?"
    assert question.details is not None
    assert question.details.startswith(f"tool: Edit a.py\nkind: edit\nin: {tmp_path / 'work'}\n\npath: /w/a.py\n")
    assert question.details.endswith("change:\n  @@ -1,2 +1,2 @@\n   one\n  -two\n  +2")


async def test_a_cancelled_turn_has_its_question_withdrawn_and_answered_as_cancelled(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        turn = asyncio.create_task(agent.prompt("run plain"))
        async with asyncio.timeout(PATIENCE):
            await heard.asked.wait()
        await agent.interrupt()
        assert (await within_reason(turn)).status is ReplyStatus.INTERRUPTED
        assert json.loads((await agent.prompt("heard")).text)["after"] == CANCELLED
    assert heard.withdrawn == 1


async def test_a_question_of_a_program_that_ended_is_withdrawn(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        assert (await agent.prompt("dies")).text == "that was all"
        async with asyncio.timeout(PATIENCE):
            await heard.asked.wait()
        assert heard.states[-1] is Observed.APPROVAL
        go_on(tmp_path)
        await until(lambda: heard.withdrawn)
        assert await agent.wait() == "exit 3"


async def test_kinds_of_tools_that_the_definition_names_need_no_leave(tmp_path: Path) -> None:
    async with talking(tmp_path, tools=("execute",)) as (agent, heard):
        assert (await agent.prompt("run many")).text == str(selected("yes"))
        assert (await agent.prompt("run never")).text == str(CANCELLED)
    assert heard.questions == []


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("long", str(selected("no"))),
        ("unknown", "{'code': -32601, 'message': 'Method not found', 'data': {'method': 'fs/read_text_file'}}"),
    ],
)
async def test_what_cannot_be_asked_is_refused_unasked(tmp_path: Path, prompt: str, answer: str) -> None:
    async with talking(tmp_path) as (agent, heard):
        assert (await within_reason(agent.prompt(prompt))).text == answer
    assert heard.questions == []


async def test_what_cannot_be_dealt_with_is_answered_all_the_same(tmp_path: Path) -> None:
    async with talking(tmp_path) as (agent, heard):
        heard.is_broken = True
        assert "Internal error" in (await within_reason(agent.prompt("run plain"))).text


async def test_where_nothing_is_to_be_recorded_it_is_refused_and_said_why(tmp_path: Path) -> None:
    async with talking(tmp_path, tool_input=ToolInput.OFF) as (agent, heard):
        assert (await agent.prompt("run plain")).text == str(selected("no"))
    assert heard.questions == []
    assert '[refused: Nothing is asked on the board: `[hooks] tool_input` is "off".]' in heard.text


async def test_of_what_it_is_to_be_allowed_no_more_is_shown_than_is_to_be_recorded(tmp_path: Path) -> None:
    async with talking(tmp_path, tool_input=ToolInput.NAME) as (agent, heard):
        heard.answers = [YES]
        await agent.prompt("edit")
    (question,) = heard.questions
    assert "change" not in str(question.details)


# Changing nothing


async def test_an_agent_that_only_looks_gets_no_leave_to_change(tmp_path: Path) -> None:
    async with talking(tmp_path, "modes", is_read_only=True, tools=("execute",)) as (agent, heard):
        assert (await agent.prompt("run many")).text == str(selected("no"))
        assert (await agent.prompt("edit")).text == str(selected("no"))
        assert (await agent.prompt("fetch")).text == str(selected("no"))
        assert (await agent.prompt("look")).text == str(selected("yes"))
    assert heard.questions == []


@pytest.mark.parametrize(
    ("flag", "told", "value"),
    [("modes", "mode", "https://x.org/modes#plan"), ("option", "option", ["mode", "read-only"])],
)
async def test_it_is_put_into_its_mode_that_changes_nothing(
    tmp_path: Path, flag: str, told: str, value: object
) -> None:
    async with talking(tmp_path, flag, is_read_only=True) as (agent, _):
        assert json.loads((await agent.prompt("heard")).text)[told] == value


@pytest.mark.parametrize("flag", ["modes", "option"])
async def test_it_is_ended_when_it_leaves_that_mode(tmp_path: Path, flag: str) -> None:
    async with talking(tmp_path, flag, is_read_only=True) as (agent, _):
        reply = await within_reason(agent.prompt("leave"))
        assert reply.status is ReplyStatus.FAILED
        assert "in which it changes nothing, and was ended" in reply.reason
        assert (await agent.prompt("echo on")).status is ReplyStatus.NOT_SUBMITTED


async def test_arguments_that_forbid_changes_do_where_it_has_no_mode(tmp_path: Path) -> None:
    async with talking(tmp_path, is_read_only=True, read_only=("--look",)) as (agent, _):
        assert json.loads((await agent.prompt("heard")).text)["arguments"] == ["--look"]
