"""The worktree of a session by what is kept of it: what is in it and nowhere else, and what it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from collab_tui.sessions.records import Record
from collab_tui.sessions.worktrees import Worktree, WorktreeError, Worktrees


def worktree_of(record: Record) -> Worktree | None:
    """None for a session that works in no worktree of its own."""
    if record.branch is None:
        return None
    return Worktree(Path(record.folder), record.branch, record.base or "", is_new=False)


async def losses_of(record: Record) -> Sequence[str]:
    """What is in it and nowhere else, or why nobody knows. That the session itself is in it does not count."""
    worktree = worktree_of(record)
    if worktree is None or not worktree.folder.is_dir():
        return ()
    try:
        state = await Worktrees(worktree.folder).state(worktree)
    except WorktreeError as error:
        return (str(error),)
    return replace(state, is_locked=False, lock="", occupied_by=()).losses


async def ignored_of(record: Record) -> Sequence[str]:
    """What git ignores in it; empty where nobody knows, as then it is not removed either."""
    worktree = worktree_of(record)
    if worktree is None or not worktree.folder.is_dir():
        return ()
    try:
        return await Worktrees(worktree.folder).ignored(worktree)
    except WorktreeError:
        return ()


async def diff_of(record: Record) -> str:
    """What it holds that its base does not; empty without a worktree. Raises `WorktreeError` where git cannot tell."""
    worktree = worktree_of(record)
    if worktree is None:
        return ""
    if not worktree.folder.is_dir():
        raise WorktreeError(
            f"{worktree.folder} is not there any more; what it committed is on {worktree.branch}, if kept"
        )
    return await Worktrees(worktree.folder).diff(worktree)
