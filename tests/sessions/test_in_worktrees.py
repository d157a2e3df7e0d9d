"""Sessions in worktrees of their own: made, locked, counted, kept, and removed only when nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.sessions.manager import SessionError
from collab_tui.sessions.worktree_removal import SESSION
from collab_tui.sessions.worktrees import WouldLoseError
from tests.sessions.house import Agent, House, NoProgramError, eventually
from tests.sessions.repositories import Project


@pytest.fixture
def project(house: House, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project is a repository, and `sena` works in worktrees."""
    monkeypatch.setattr("collab_tui.sessions.observing.BETWEEN", 0.01)
    house.define("sena", ["sena"], worktree=True)
    return Project(house.project, house.home)


def is_there(folder: Path) -> bool:
    return folder.exists()


def is_locked(project: Project, branch: str) -> bool:
    entries = project.git("worktree", "list", "--porcelain").split("\n\n")
    return any(f"refs/heads/{branch}" in entry and f"locked {SESSION}sena" in entry for entry in entries)


async def test_a_session_works_in_a_worktree_on_a_branch_of_its_own_and_its_changes_are_counted(
    house: House, project: Project
) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena", task="Fix the login")
        shown = house.session("sena")
        assert shown.branch == "collab/sena/fix-the-login"
        folder = Path(shown.cwd or "")
        assert (folder / "a.txt").read_text(encoding="utf-8") == "one\n"
        assert folder != house.project
        assert is_locked(project, shown.branch or "")
        (folder / "new.txt").write_text("new\n", encoding="utf-8")
        await session.send_prompt_and_wait("write")
        await eventually(lambda: house.session("sena").changed == 1)
        project.commit("second", folder)
        await session.send_prompt_and_wait("commit")
        await eventually(lambda: (house.session("sena").changed, house.session("sena").unpushed) == (0, 1))
        (folder / "last.txt").write_text("last\n", encoding="utf-8")
        await manager.destroy_session("sena")
        assert house.session("sena").changed == 1, "as it is at the end"
        assert not is_locked(project, shown.branch or "")
        assert (folder / "new.txt").exists(), "it is not removed unasked"
        again = await manager.create_session("sena", task="Fix the login")
        assert again.record.folder == str(folder), "and is found again"


async def test_a_worktree_is_removed_on_request_but_never_with_what_stands_nowhere_else(
    house: House, project: Project
) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena", task="login")
        folder = Path(session.record.folder)
        (folder / "new.txt").write_text("new\n", encoding="utf-8")
        with pytest.raises(WouldLoseError, match=r"^it was stopped, but .*new\.txt"):
            await manager.destroy_session("sena", remove_worktree=True)
        assert house.observed("sena") is Observed.STOPPED
        assert (folder / "new.txt").exists()
        (folder / "new.txt").unlink()
        assert await manager.destroy_session("sena", remove_worktree=True) == "it did not run"
        assert not is_there(folder)


async def test_a_start_that_fails_removes_the_worktree_that_it_made_and_keeps_one_that_stood(
    house: House, project: Project
) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena", task="stood")
        stood = Path(house.session("sena").cwd or "")
        await manager.destroy_session("sena")
        Agent.start_error = NoProgramError("no such program")
        for task in ("stood", "new"):
            with pytest.raises(SessionError, match="no such program"):
                await manager.create_session("sena", task=task)
        assert is_there(stood)
        assert not is_there(Path(house.session("sena").cwd or ""))
        assert "collab/sena/new" not in project.branches()


async def test_a_start_that_is_cancelled_leaves_no_worktree(house: House, project: Project) -> None:
    async with house.manager() as manager:
        Agent.never_ready = True
        starting = asyncio.create_task(manager.create_session("sena", task="new"))
        await eventually(lambda: house.lines("session_start"))
        starting.cancel()
        await asyncio.wait({starting})
    assert not is_there(Path(house.session("sena").cwd or ""))
    assert "collab/sena/new" not in project.branches()


async def test_where_there_is_no_repository_it_is_said_and_nothing_is_started(house: House) -> None:
    house.define("sena", ["sena"], worktree=True)
    async with house.manager() as manager:
        with pytest.raises(SessionError, match="repository"):
            await manager.create_session("sena")
        assert not house.lines("session_start")
        assert (await manager.create_session("sena", in_worktree=False)).record.folder == str(house.project)


async def test_many_at_once(house: House, project: Project) -> None:
    async with house.manager() as manager:
        names = [f"sena-{number}" for number in range(8)]
        await asyncio.gather(*(manager.create_session("sena", name=name) for name in names))
        assert {session.name for session in house.board().sessions} == set(names)
        assert len({session.cwd for session in house.board().sessions}) == 8
