"""The driver of Claude Code with the real one, and a stand-in for its model. Skipped where it is not installed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.sessions.definitions import Definition, DriverKind
from collab_tui.sessions.driver import Launch, QuestionAnswer, ReplyStatus
from collab_tui.sessions.drivers.claude import ClaudeDriver
from tests.sessions.drivers.heard import Heard, until, within_reason
from tests.stand_in.clis import Claude
from tests.stand_in.fixtures import claude
from tests.stand_in.script import Call, Say
from tests.stand_in.server import StandIn

__all__ = ["claude"]

YES = QuestionAnswer(is_approved=True)


@asynccontextmanager
async def talking(
    claude: Claude, model: StandIn, folder: Path, **how: Any
) -> AsyncGenerator[tuple[ClaudeDriver, Heard], None]:
    """A session in a project of its own."""
    of_launch = {name: how.pop(name) for name in ("resume_id", "is_read_only") if name in how}
    work, private = folder / "work", folder / "private"
    for path in (work, private):
        path.mkdir(exist_ok=True)
    definition = Definition("claude", DriverKind.CLAUDE, (claude.program,), **how)
    environment, log = claude.environment(model), folder / "output.log"
    heard = Heard()
    launch = Launch("sena", "0123456789abcdef", definition, work, environment, private, log, **of_launch)
    driver = ClaudeDriver(launch, heard)
    await driver.start()
    try:
        yield driver, heard
    finally:
        await driver.stop(10.0)


async def test_prompts_in_a_row_get_their_own_replies(claude: Claude, tmp_path: Path) -> None:
    model = StandIn([Say(f"reply {number}") for number in range(20)])
    with model.serving():
        async with talking(claude, model, tmp_path, instructions="Be brief.") as (driver, heard):
            replies = [await within_reason(driver.prompt(f"prompt {number}")) for number in range(20)]
        (session,) = set(heard.resume_ids)
        model_again = StandIn([Say("and on")])
        with model_again.serving():
            async with talking(claude, model_again, tmp_path, resume_id=session) as (driver, heard):
                assert (await within_reason(driver.prompt("go on"))).text == "and on"
        assert "prompt 19" in str(model_again.requests[0]["messages"]), "it goes on with that conversation"
    assert [reply.text for reply in replies] == [f"reply {number}" for number in range(20)]
    assert "Be brief." in str(model.requests[0]["system"])
    assert set(heard.resume_ids) == {session}


async def test_what_the_person_says_reaches_it(claude: Claude, tmp_path: Path) -> None:
    question = {"question": "Which first?", "header": "Pick", "multiSelect": False}
    options = [{"label": "rules", "description": "quick"}, {"label": "model", "description": "slow"}]
    model = StandIn(
        [
            *(Call("Bash", {"command": "touch allowed"}), Call("Bash", {"command": "touch rejected"})),
            *(Call("AskUserQuestion", {"questions": [{**question, "options": options}]}), Say("the end")),
        ]
    )
    with model.serving():
        async with talking(claude, model, tmp_path) as (driver, heard):
            heard.answers = [YES, QuestionAnswer(False, comment="not on a Friday"), QuestionAnswer(True, "model")]
            assert (await within_reason(driver.prompt("go"))).text == "the end"
    assert [each.text for each in heard.questions] == [
        *("Allow Bash: touch allowed?", "Allow Bash: touch rejected?", "Which first?")
    ]
    assert "not on a Friday" in model.results[1]
    assert '"Which first?"="model"' in model.results[2]
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["allowed"]
    assert Observed.APPROVAL in heard.states


async def test_an_interrupted_turn_ends_and_is_not_taken_for_the_next(claude: Claude, tmp_path: Path) -> None:
    model = StandIn([Call("Bash", {"command": "touch x"}), *[Say("as it should")] * 20])
    with model.serving():
        async with talking(claude, model, tmp_path) as (driver, heard):
            turn = asyncio.create_task(driver.prompt("go"))
            await heard.asked.wait()
            await driver.interrupt()
            assert (await within_reason(turn)).status is ReplyStatus.INTERRUPTED
            await until(lambda: heard.withdrawn)
            for _ in range(3):
                turn = asyncio.create_task(driver.prompt("cut off"))
                await asyncio.sleep(0)
                turn.cancel()
                await asyncio.wait({turn})
                assert (await within_reason(driver.prompt("once more"))).text == "as it should"
                assert "once more" in str(model.requests[-1]["messages"][-1])


async def test_read_only_it_has_no_tool_that_changes_anything(claude: Claude, tmp_path: Path) -> None:
    model = StandIn([Call("Bash", {"command": "touch x"}), Call("Write", {"file_path": "x", "content": ""}), Say("no")])
    with model.serving():
        how = {"is_read_only": True, "read_only": ("--tools=Read,Glob,Grep",)}
        async with talking(claude, model, tmp_path, **how) as (driver, heard):
            assert (await within_reason(driver.prompt("go"))).text == "no"
    tools = {tool["name"] for tool in model.requests[0]["tools"]}
    assert tools & {"Bash", "Write", "Edit", "Task"} == set()
    assert list((tmp_path / "work").iterdir()) == []
    assert heard.questions == []


@pytest.mark.parametrize(
    ("how", "is_trusted", "runs"),
    [
        ({}, False, []),
        ({}, True, ["hook", "server"]),
        ({"is_read_only": True, "read_only": ("--tools=Read",)}, True, []),
    ],
)
async def test_hooks_and_servers_of_a_project_run_only_where_the_person_trusts_it(
    claude: Claude, tmp_path: Path, how: dict[str, Any], is_trusted: bool, runs: list[str]
) -> None:
    work = tmp_path / "work"
    ran = tmp_path / "ran"
    (work / ".git").mkdir(parents=True)
    (work / ".claude").mkdir()
    ran.mkdir()
    hook = {"hooks": [{"type": "command", "command": f"touch {ran / 'hook'}"}]}
    settings = {"enableAllProjectMcpServers": True, "hooks": {"SessionStart": [hook]}}
    (work / ".claude" / "settings.json").write_text(json.dumps(settings), "utf-8")
    server = {"command": "touch", "args": [str(ran / "server")]}
    (work / ".mcp.json").write_text(json.dumps({"mcpServers": {"theirs": server}}), "utf-8")
    if is_trusted:
        told = {"projects": {str(work.resolve()): {"hasTrustDialogAccepted": True}}}
        (claude.home / ".claude.json").write_text(json.dumps(told), "utf-8")
    model = StandIn([Say("the end")])
    with model.serving():
        async with talking(claude, model, tmp_path, **how) as (driver, _):
            assert (await within_reason(driver.prompt("go"))).text == "the end"
            await until(lambda: len(list(ran.iterdir())) >= len(runs))
    assert sorted(path.name for path in ran.iterdir()) == runs


async def test_its_tasks_are_its_progress(claude: Claude, tmp_path: Path) -> None:
    tasks = [Call("TaskCreate", {"subject": name, "description": name}) for name in ("read", "write")]
    states = [
        Call("TaskUpdate", {"taskId": name, "status": state})
        for name, state in (("1", "completed"), ("2", "in_progress"))
    ]
    model = StandIn([*tasks, *states, Say("planned")])
    with model.serving():
        async with talking(claude, model, tmp_path) as (driver, heard):
            assert (await within_reason(driver.prompt("go"))).text == "planned"
    assert heard.declarations[-1] == {"progress": 50, "current_task": "write"}, model.results
