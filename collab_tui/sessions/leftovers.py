"""What crashes left of worktrees: told, and removed on request as far as nothing would be lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from collab_tui.protocol.persistence import wholly
from collab_tui.sessions.making import is_being_made, is_half_made, take_away, why_keep
from collab_tui.sessions.repository import Entry, Repository, WorktreeError, is_same
from collab_tui.sessions.worktree_removal import SESSION, remove, remove_branch
from collab_tui.sessions.worktree_state import look_at
from collab_tui.sessions.worktree_use import USED, is_marked, is_there

_BRANCHES: Final = "collab/"


@dataclass(frozen=True, slots=True)
class Leftover:
    """A worktree or a branch of ours that nobody uses."""

    branch: str | None
    folder: Path | None
    """None: a branch alone."""
    why: str
    """Why it counts as left over."""
    kept: str | None
    """What would be lost, or why else it is not removed; None: nothing would be lost."""


async def leftovers(repository: Repository, in_use: Collection[str]) -> Sequence[Leftover]:
    """What is half made and whose maker is gone, worktrees without their folder or their session, and branches without
    a worktree or a commit of their own. `in_use` are the names of the sessions that there are. Raises `WorktreeError`.
    """
    entries = [entry for entry in await repository.entries() if (entry.branch or "").startswith(_BRANCHES)]
    found = [
        Leftover(entry.branch, entry.folder, why, await _kept(repository, entry))
        for entry in entries
        if (why := _why_left(entry, in_use)) is not None
    ]
    return [*found, *[branch async for branch in _idle(repository, {entry.branch for entry in entries})]]


async def prune(repository: Repository, in_use: Collection[str]) -> Sequence[Leftover]:
    """Remove those of which nothing would be lost; gives all, with why the others are kept. Raises `WorktreeError`.

    Nobody else of ours may make or remove worktrees meanwhile.
    """
    done = []
    for leftover in await leftovers(repository, in_use):
        kept = leftover.kept
        if kept is None:
            try:
                await _prune(repository, leftover)
            except WorktreeError as error:
                kept = str(error)
        done.append(replace(leftover, kept=kept))
    return done


async def clear(
    repository: Repository, place: Path, in_use: Collection[str], over: Collection[Path], notice: Callable[[str], None]
) -> None:
    """Remove the worktrees of one agent that are left, which are all in the folder `place`; empty, that goes too.

    Commits are no loss, for they stay on their branch; `notice` is told what keeps a worktree, which is unlocked then.
    `over` are the folders of sessions of the agent that ended. Raises `WorktreeError`. Nobody else of ours may make or
    remove worktrees meanwhile. Cancelled, it comes to the end of the one that it is at.
    """
    for entry in await repository.entries():
        is_of_agent = (entry.branch or "").startswith(f"{_BRANCHES}{place.name}/") and is_same(
            entry.folder.parent, place
        )
        is_over = entry.lock is None and any(is_same(entry.folder, folder) for folder in over)
        if is_of_agent and (is_over or _why_left(entry, in_use) is not None):
            try:
                if is_half_made(entry) and (why := await why_keep(repository, entry)) is not None:
                    raise WorktreeError(f"{entry.folder} was left half made, and is not removed: {why}")
                await wholly(_take(repository, entry, keeps_commits=True))
            except WorktreeError as error:
                notice(str(error))
    with suppress(OSError):  # it is not there, or not empty
        await asyncio.to_thread(place.rmdir)


def _why_left(entry: Entry, in_use: Collection[str]) -> str | None:
    session = (entry.lock or "").removeprefix(SESSION) if (entry.lock or "").startswith(SESSION) else None
    if is_half_made(entry):
        return None if is_being_made(entry) else "it was being made when that was cut short"
    if is_marked(entry.lock, USED):
        return None if is_there(entry.lock, USED) else "the process that used it is gone"
    if entry.lock is not None and session is None:
        return None  # somebody else's lock says that it is to stay
    if session is not None and session in in_use:
        return None
    if not entry.folder.is_dir():
        return "its folder is gone"
    return f"its session {session} is not there any more" if session is not None else None


async def _kept(repository: Repository, entry: Entry) -> str | None:
    if is_half_made(entry):
        return await why_keep(repository, entry)
    if not entry.folder.is_dir():
        return None
    try:
        state = await look_at(repository, entry.folder, replace(entry, lock=None))
    except WorktreeError as error:
        return str(error)
    return "; ".join(state.losses) or None


async def _idle(repository: Repository, checked_out: Collection[str | None]) -> AsyncIterator[Leftover]:
    told = await repository.git.run("for-each-ref", "--format=%(refname)", "--merged=HEAD", f"refs/heads/{_BRANCHES}")
    for name in told.text.split("\n") if told.code == 0 else ():
        branch = name.removeprefix("refs/heads/")
        if branch and branch not in checked_out:
            yield Leftover(branch, None, "it has no worktree, and no commit of its own", None)


async def _prune(repository: Repository, leftover: Leftover) -> None:
    if leftover.folder is not None:
        if (entry := await repository.entry(leftover.folder)) is not None:
            await _take(repository, entry)
    elif leftover.branch is not None:
        await remove_branch(repository, leftover.branch)


async def _take(repository: Repository, entry: Entry, *, keeps_commits: bool = False) -> None:
    """Remove one that is left, and its branch where no commit stands on that alone."""
    if is_half_made(entry):
        await take_away(repository, entry.folder)
    elif entry.folder.is_dir():
        await remove(repository, entry.folder, entry.branch, lock=entry.lock, keeps_commits=keeps_commits)
        return
    else:
        if entry.lock is not None:
            await repository.do("worktree", "unlock", "--", str(entry.folder))
        await repository.do("worktree", "remove", "--", str(entry.folder))
    if entry.branch is not None:
        await remove_branch(repository, entry.branch)
