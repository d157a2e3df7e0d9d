"""Removing a worktree: never by force, and only what stands elsewhere as well."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from collab_tui.sessions.git import LONG_TIME_LIMIT, Git, GitError
from collab_tui.sessions.repository import Repository, WorktreeError
from collab_tui.sessions.syncing import clear
from collab_tui.sessions.worktree_state import look_at, only_ours, worktree_git
from collab_tui.sessions.worktree_task import forget

SESSION: Final = "collab: session "
"""What the lock of a worktree says that a session uses; its name follows."""


class WouldLoseError(WorktreeError):
    """A worktree is not removed: something would be lost, or it is in use."""

    def __init__(self, folder: Path, losses: Sequence[str], done: str = "") -> None:
        """`done` says what came about all the same, as the beginning of the sentence."""
        super().__init__(f"{done}{folder} is not removed: {'; '.join(losses)}")
        self.losses = tuple(losses)


async def remove(
    repository: Repository,
    folder: Path,
    branch: str | None,
    base: str | None = None,
    *,
    lock: str | None = None,
    keeps_commits: bool = False,
) -> None:
    """Remove a worktree, and its branch where git says that it is merged, or where it is still at its base.

    A lock that says `lock` is taken off, also where the worktree stays: at the very end, so that it says until then
    whose the worktree is. With `keeps_commits` those that stand on its branch alone are no loss, for it stays.

    Raises `WouldLoseError` where something would be lost or it is in use, `WorktreeError` for all else.
    """
    entry = await repository.entry(folder)
    if entry is None:
        raise WorktreeError(f"{folder} is no worktree of {repository.home} any more")
    is_locked = entry.lock is not None and entry.lock == lock
    state = await look_at(repository, folder, replace(entry, lock=None) if is_locked else entry)
    if keeps_commits and entry.branch is not None:
        state = replace(state, unpushed=0)
    if not state.losses:
        await asyncio.to_thread(clear, folder)
        await _put_back(worktree_git(repository, folder))
    if is_locked:
        await repository.do("worktree", "unlock", "--", str(folder))
    if state.losses:
        raise WouldLoseError(folder, state.losses)
    await repository.do("worktree", "remove", "--", str(folder), time_limit=LONG_TIME_LIMIT)
    with suppress(OSError):  # others of the agent are there
        folder.parent.rmdir()
    if branch is not None:
        await remove_branch(repository, branch, base)


async def _put_back(git: Git) -> None:
    """Where what is ours was committed, taking it out is a change that is nobody's loss."""
    try:
        if names := [name for name, is_staged in (await only_ours(git)).items() if is_staged]:
            await git.text("checkout", "--quiet", "--", *names)
    except GitError as error:
        raise WorktreeError(f"{git.folder}: {error}") from error


async def remove_branch(repository: Repository, branch: str, base: str | None = None) -> None:
    """Remove a branch that git says is merged, or that is still at its base; else it stays."""
    if base and (await repository.git.run("update-ref", "-d", f"refs/heads/{branch}", base)).code == 0:
        await forget(repository, branch)
    await repository.git.run("branch", "--quiet", "--delete", "--", branch)
