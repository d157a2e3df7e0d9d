"""Real repositories to make worktrees in, away from the user's settings of git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from collab_tui.sessions.worktrees import Worktree, WorktreeError, Worktrees

RULES = "# Rules\nBe kind.\n"


class Project:
    """A repository with a commit, and the registry's folder in it."""

    def __init__(self, folder: Path, home: Path, *options: str, commit: bool = True) -> None:
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", *options)
        if not commit:
            return
        self.write("a.txt", "one\n")
        self.write("src/b.txt", "two\n")
        self.write("AGENTS.md", RULES)
        self.commit("first")

    def write(self, name: str, text: str) -> Path:
        """A file of the main checkout."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
        return file

    def commit(self, message: str, folder: Path | None = None) -> str:
        """Commit everything; gives the commit."""
        self.git("add", "--all", folder=folder)
        self.git("commit", "--quiet", "--message", message, folder=folder)
        return self.git("rev-parse", "HEAD", folder=folder)

    def git(self, *arguments: str, folder: Path | None = None, fails: bool = False) -> str:
        """What git prints, run as a person would."""
        who = ("-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "protocol.file.allow=always")
        done = subprocess.run(
            ["git", *who, *arguments],  # as a person would
            cwd=folder or self.folder,
            env=self.environment,
            capture_output=True,
            check=False,
        )
        assert fails or done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def worktrees(self, base_folder: Path | None = None, base_branch: str | None = None) -> Worktrees:
        return Worktrees(self.folder, base_folder, base_branch, self.environment)

    def branches(self) -> set[str]:
        return set(self.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split())

    def known(self) -> int:
        """How many worktrees git knows of beside the main one."""
        return self.git("worktree", "list", "--porcelain").count("worktree ") - 1


def assert_nothing_is_made(project: Project) -> None:
    assert (project.known(), project.branches()) == (0, {"main"})
    base = project.folder.with_name("work.worktrees")
    assert list(base.glob("*/*")) == []


async def refused(worktrees: Worktrees, agent: str = "lubit", task: str = "t1", base: str | None = None) -> str:
    """Why no worktree is made."""
    with pytest.raises(WorktreeError) as error:
        await worktrees.make(agent, task, base=base)
    return str(error.value)


async def not_removed(worktrees: Worktrees, worktree: Worktree) -> str:
    """Why a worktree is not removed."""
    with pytest.raises(WorktreeError) as error:
        await worktrees.remove(worktree)
    return str(error.value)
