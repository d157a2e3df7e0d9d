"""The real Codex as a session, with a stand-in of its model. Skipped where it is not installed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.sessions.definitions import Definition, DriverKind
from collab_tui.sessions.driver import Launch, QuestionAnswer, ReplyStatus
from collab_tui.sessions.drivers.codex import CodexDriver
from tests.program import PATIENCE
from tests.sessions.drivers.heard import Heard, until, within_reason
from tests.sessions.repositories import Project
from tests.stand_in.clis import Codex
from tests.stand_in.fixtures import codex
from tests.stand_in.script import Call, Move, Say
from tests.stand_in.server import StandIn

__all__ = ["codex"]

_GRACE = 10.0


NO_TMP = """\
sandbox_mode = "read-only"
[sandbox_workspace_write]
exclude_slash_tmp = true
exclude_tmpdir_env_var = true
"""
"""Settings of a user with which it may not write into `/tmp` either, where the tests are."""


def runs(command: str) -> Call:
    """A command for which it needs leave."""
    return Call("exec_command", {"cmd": command, "sandbox_permissions": "require_escalated", "justification": "to see"})


def said(results: list[str]) -> Move:
    return Say(f"it says: {results[-1]}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    return path


@asynccontextmanager
async def talking(
    codex: Codex, model: StandIn, project: Path, **more: Any
) -> AsyncGenerator[tuple[CodexDriver, Heard], None]:
    private = project.parent / "private"
    private.mkdir(mode=0o700, exist_ok=True)
    settings = _without_trust(codex.settings(model, project))
    definition = Definition("codex", DriverKind.CODEX, (codex.program,), model=settings, instructions="Be brief.")
    log = project.parent / "output.log"
    launch = Launch("lubit", "0123456789abcdef", definition, project, codex.environment(model), private, log, **more)
    heard = Heard()
    driver = CodexDriver(launch, heard)
    await driver.start()
    try:
        yield driver, heard
    finally:
        await driver.stop(_GRACE)


def _without_trust(settings: Sequence[str]) -> list[str]:
    """Of a user who was never asked whether they trust the project."""
    pairs = zip(settings[::2], settings[1::2], strict=True)
    return [part for pair in pairs if not pair[1].startswith("projects=") for part in pair]


async def test_it_asks_leave_in_band_and_goes_on_as_it_is_answered(codex: Codex, project: Path) -> None:
    model = StandIn([runs("touch allowed"), Say("the first is over"), runs("touch rejected"), said, Say("the last")])
    with model.serving():
        async with talking(codex, model, project) as (driver, heard):
            heard.answers = [QuestionAnswer(is_approved=True), QuestionAnswer(is_approved=False, comment="not here")]
            first = await within_reason(driver.prompt("first"))
            second = await within_reason(driver.prompt("second"))
            third = await within_reason(driver.prompt("third"))
    assert [first.text, third.text] == ["the first is over", "the last"]
    assert "rejected by user" in second.text
    assert {reply.status for reply in (first, second, third)} == {ReplyStatus.DONE}
    assert os.listdir(project) == ["allowed"]
    assert [question.text for question in heard.questions] == [
        "Allow Bash: touch allowed?",
        "Allow Bash: touch rejected?",
    ]
    assert "not here" in str(model.requests[3]["input"][-1])
    assert Observed.APPROVAL in heard.states


async def test_an_interruption_withdraws_what_it_asks_and_it_takes_the_next_prompt(codex: Codex, project: Path) -> None:
    model = StandIn([runs("touch late"), Say("after it")])
    with model.serving():
        async with talking(codex, model, project) as (driver, heard):
            turn = asyncio.create_task(driver.prompt("first"))
            async with asyncio.timeout(PATIENCE):
                await heard.asked.wait()
            await driver.interrupt()
            assert (await within_reason(turn)).status is ReplyStatus.INTERRUPTED
            await until(lambda: heard.withdrawn)
            assert (await within_reason(driver.prompt("second"))).text == "after it"
    assert os.listdir(project) == []


async def test_it_goes_on_with_a_conversation_in_another_process(codex: Codex, project: Path) -> None:
    model = StandIn([Say("the word is plum"), Say("as I said")])
    with model.serving():
        async with talking(codex, model, project) as (driver, heard):
            await within_reason(driver.prompt("which word?"))
        async with talking(codex, model, project, resume_id=heard.resume_ids[-1]) as (driver, _):
            assert (await within_reason(driver.prompt("and again?"))).text == "as I said"
    assert "the word is plum" in str(model.requests[1]["input"])


@pytest.mark.parametrize("is_read_only", [False, True])
async def test_a_project_that_nobody_trusts_is_not_obeyed_and_not_trusted_from_then_on(
    codex: Codex, project: Path, is_read_only: bool
) -> None:
    ran = project.parent / "ran"
    (project / ".git").mkdir()
    (project / ".codex").mkdir()
    server = f'[mcp_servers.theirs]\ncommand = "touch"\nargs = ["{ran}"]\n'
    (project / ".codex" / "config.toml").write_text(server, "utf-8")
    model = StandIn([Call("exec_command", {"cmd": "touch inside"}), Say("the end")])
    with model.serving():
        async with talking(codex, model, project, is_read_only=is_read_only) as (driver, heard):
            assert (await within_reason(driver.prompt("go"))).text == "the end"
    assert not ran.exists()
    assert not (codex.home / ".codex" / "config.toml").exists()
    assert (project / "inside").exists() is not is_read_only
    assert heard.questions == [], "in its folder it works as in one that is trusted"


async def test_it_commits_in_its_worktree_and_writes_nothing_else_of_the_repository(
    codex: Codex, tmp_path: Path
) -> None:
    repository = Project(tmp_path / "repository", tmp_path)
    worktree = await repository.worktrees().make("lubit", "t1")
    writable = await repository.worktrees().written_by_commits(worktree)
    (codex.home / ".codex" / "config.toml").write_text(NO_TMP, "utf-8")
    commit = "touch f && git add f && git -c user.name=n -c user.email=e commit --quiet -m made"
    private = repository.folder / ".git" / "worktrees" / "t1"
    kept = [*(private / name for name in ("commondir", "gitdir", "config.worktree")), worktree.folder / ".git"]
    kept += [repository.folder / ".git" / name for name in ("config", "refs/heads/main", "hooks/post-commit")]
    (repository.folder / ".git" / "hooks").mkdir(exist_ok=True)
    others = "; ".join(f"echo '#' >> {file}; mv {file} {file}-2" for file in kept)
    others += f"; mkdir -p {private}/modules/their-own"
    model = StandIn([Call("exec_command", {"cmd": f"{commit}; {others}"}), said])
    before = [file.read_text("utf-8") if file.exists() else None for file in kept]
    with model.serving():
        async with talking(codex, model, worktree.folder, writable=writable) as (driver, heard):
            reply = await within_reason(driver.prompt("go"))
    assert repository.git("log", "-1", "--format=%s", worktree.branch) == "made", reply.text
    assert [file.read_text("utf-8") if file.exists() else None for file in kept] == before
    assert not (private / "modules").exists()
    assert (await repository.worktrees().state(worktree)).changed == 0
    assert heard.questions == []


async def test_one_that_only_looks_changes_nothing_and_asks_nobody(codex: Codex, project: Path) -> None:
    model = StandIn([runs("touch changed"), Call("exec_command", {"cmd": "touch changed"}), said])
    with model.serving():
        async with talking(codex, model, project, is_read_only=True) as (driver, heard):
            reply = await within_reason(driver.prompt("change something"))
    assert reply.status is ReplyStatus.DONE
    assert os.listdir(project) == []
    assert heard.questions == []


async def test_while_its_model_cannot_be_reached_that_is_seen(codex: Codex, project: Path) -> None:
    model = StandIn([])
    with model.serving():
        pass  # nobody listens there any more
    async with talking(codex, model, project) as (driver, heard):
        turn = asyncio.create_task(driver.prompt("hello"))
        await until(lambda: any((why or "").startswith("tries again: ") for why in heard.whys))
        await driver.interrupt()
        assert (await within_reason(turn)).status is ReplyStatus.INTERRUPTED
    assert heard.states[-1] is Observed.IDLE
