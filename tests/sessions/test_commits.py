"""What an agent writes when it commits in its worktree, and what it could do with that."""

from __future__ import annotations

from pathlib import Path

import pytest

from collab_tui.sessions.worktrees import WorktreeError
from tests.sessions.repositories import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project", tmp_path)


async def test_a_commit_writes_its_own_part_of_the_repository_and_never_all_of_it(project: Project) -> None:
    worktrees = project.worktrees()
    worktree = await worktrees.make("lubit", "t1")
    project.git("pack-refs", "--all")
    places = await worktrees.written_by_commits(worktree)
    common = project.folder / ".git"
    branches = "refs/heads/collab/lubit"
    private = common / "worktrees/t1"
    assert places == {
        **dict.fromkeys((private, common / "objects", common / branches, common / "logs" / branches), True),
        **{private / name: False for name in ("commondir", "gitdir", "config.worktree", "modules")},
    }
    assert all(place.is_dir() for place, is_written in places.items() if is_written)
    await worktrees.remove(worktree)


async def test_a_worktree_whose_part_leads_to_another_repository_is_not_looked_at(
    project: Project, tmp_path: Path
) -> None:
    worktrees = project.worktrees()
    worktree = await worktrees.make("lubit", "t1")
    other = Project(tmp_path / "other", tmp_path)
    other.git("config", "core.fsmonitor", f"touch {tmp_path / 'ran'}")
    (project.folder / ".git/worktrees/t1/commondir").write_text(str(other.folder / ".git"), "utf-8")
    for looking in (worktrees.state, worktrees.diff):
        with pytest.raises(WorktreeError, match="commondir was changed, and leads to"):
            await looking(worktree)
    assert not (tmp_path / "ran").exists()
