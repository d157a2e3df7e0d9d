"""Making a worktree: all of it, or nothing.

While it is made it is locked, and the lock says by which process. So what a kill leaves behind is told from everything
else, and whoever comes later sees that its maker is gone.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from collab_tui.sessions.git import LONG_TIME_LIMIT, GitError
from collab_tui.sessions.git_programs import git_programs
from collab_tui.sessions.repository import Entry, Repository, WorktreeError, is_same
from collab_tui.sessions.worktree_folder import check_no_link
from collab_tui.sessions.worktree_state import look_at, occupants, worktree_git
from collab_tui.sessions.worktree_task import forget, note
from collab_tui.sessions.worktree_use import is_marked, is_there, marked

_MAKING: Final = "collab: being made by process "


async def standing(repository: Repository, folder: Path, branch: str) -> bool:
    """Whether the worktree is there already; if not, nothing is in its way then.

    What was left half made of it, by one who is gone, is taken away. Raises `WorktreeError`.
    """
    check_no_link(folder)
    for entry in await repository.entries():
        if not is_same(entry.folder, folder):
            if entry.branch == branch:
                raise WorktreeError(f"{branch} is checked out in {entry.folder}: give the task another name")
        elif is_half_made(entry):
            if await _is_whole_now(repository, entry):
                return True
        elif not await asyncio.to_thread(folder.exists):
            raise WorktreeError(
                f"{folder} was removed without git, which still knows it: `collab-tui session worktrees --prune` makes "
                "it forget what is gone"
            )
        elif entry.branch != branch:
            now = f"{entry.branch} is" if entry.branch else "no branch is"
            raise WorktreeError(f"in {folder} {now} checked out, and not {branch}: `git -C {folder} status` tells more")
        else:
            worktree_git(repository, folder)
            return True
    if _is_taken(folder):
        raise WorktreeError(f"{folder} is there already, and is no worktree of {repository.home}: move it away")
    return False


async def add(repository: Repository, folder: Path, branch: str, start: str, task: str | None) -> bool:
    """Make the worktree, without files yet, on its branch, which begins at `start` if there is none of that name.

    Gives whether the branch is new. Nobody else of ours may be at it. Raises `WorktreeError`.
    """
    await _check_filters(repository)
    is_new = await _is_branch_new(repository, branch)
    options = ["--quiet", "--no-checkout", "--lock", "--reason", marked(_MAKING)]
    options += ["--no-track", "-b", branch] if is_new else []
    what = ("--", str(folder), start if is_new else branch)
    adding = asyncio.ensure_future(repository.do("worktree", "add", *options, *what))
    try:
        await asyncio.shield(adding)
        if is_new:
            await note(repository, branch, task)
    except BaseException as error:
        await _undone(repository, folder, branch if is_new else None, start, error, adding)
        raise
    return is_new


async def fill(repository: Repository, folder: Path, new_branch: str | None, start: str) -> None:
    """Write its files; it is whole then. Raises `WorktreeError`, and takes it away first: `new_branch`, too."""
    try:
        git = worktree_git(repository, folder)
        await git.text("reset", "--hard", "--quiet", "--no-recurse-submodules", time_limit=LONG_TIME_LIMIT)
        await repository.do("worktree", "unlock", "--", str(folder))
    except BaseException as error:
        await _undone(repository, folder, new_branch, start, error)
        raise


def is_half_made(entry: Entry) -> bool:
    """It was not whole yet when it was last heard of."""
    return is_marked(entry.lock, _MAKING)


def is_being_made(entry: Entry) -> bool:
    """Whoever makes it is at it."""
    return is_there(entry.lock, _MAKING)


async def why_keep(repository: Repository, entry: Entry) -> str | None:
    """What is in one that is half made and git did not put there, or who works there; None: nothing."""
    if not entry.folder.is_dir():
        return None
    if _has_index(repository, entry):
        state = await look_at(repository, entry.folder, replace(entry, lock=None))
        return "; ".join(state.losses) or None
    if pids := occupants(entry.folder):
        return f"in use by process {pids[0]}"
    tree = await repository.do("ls-tree", "-r", "-z", "--name-only", "--full-tree", entry.branch or "HEAD")
    return await asyncio.to_thread(_other_files, entry.folder, frozenset(tree.split("\0")))


async def take_away(repository: Repository, folder: Path) -> None:
    """Remove what is half made, the branch not. Raises `WorktreeError`."""
    if await repository.entry(folder) is not None:
        await repository.git.run("worktree", "unlock", "--", str(folder))
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        await repository.do("worktree", "remove", "--", str(folder))
    _remove_empty(folder)


async def _is_whole_now(repository: Repository, entry: Entry) -> bool:
    """Whether all its files were written, so that it can be used; if not, it is taken away."""
    if is_being_made(entry):
        raise WorktreeError(f"{entry.folder} is being made just now: try again")
    if entry.folder.is_dir() and _has_index(repository, entry):
        await repository.do("worktree", "unlock", "--", str(entry.folder))
        return True
    if why := await why_keep(repository, entry):
        raise WorktreeError(f"{entry.folder} was left half made, and is not removed: {why}")
    await take_away(repository, entry.folder)
    return False


def _has_index(repository: Repository, entry: Entry) -> bool:
    """Git writes it when all files are there."""
    private = worktree_git(repository, entry.folder).git_dir
    return private is not None and (private / "index").exists()


async def _undone(
    repository: Repository,
    folder: Path,
    new_branch: str | None,
    start: str,
    error: BaseException,
    adding: asyncio.Future[str] | None = None,
) -> None:
    """Take all of it away, also when that is cancelled; raises what then is to be told of an error of git's."""
    what = f"{folder} could not be made: {error}"
    try:
        await _to_its_end(_take_back(repository, folder, new_branch, start, adding))
    except WorktreeError as left:
        raise WorktreeError(f"{what}; and it is left half made: {left}") from error
    if isinstance(error, GitError | WorktreeError):
        raise WorktreeError(f"{what}. Nothing is left of it") from error


async def _take_back(
    repository: Repository, folder: Path, new_branch: str | None, start: str, adding: asyncio.Future[str] | None
) -> None:
    if adding is not None:
        await asyncio.gather(adding, return_exceptions=True)
    await take_away(repository, folder)
    if new_branch is not None:  # only while it is as it was made
        await repository.git.run("update-ref", "-d", f"refs/heads/{new_branch}", start)
        await forget(repository, new_branch)


async def _to_its_end(undoing: Coroutine[Any, Any, None]) -> None:
    await asyncio.shield(asyncio.ensure_future(undoing))


async def _check_filters(repository: Repository) -> None:
    """Files are written with the filters that the repository's configuration names."""
    try:
        programs = await git_programs(repository.git)
    except GitError as error:
        raise WorktreeError(str(error)) from error
    if programs.run:
        raise WorktreeError(
            f"the configuration of {repository.home} has git run programs for files ({', '.join(programs.run)}): those "
            "that you trust, put into your own ~/.gitconfig (`git config --global KEY VALUE`), word for word"
        )


async def _is_branch_new(repository: Repository, branch: str) -> bool:
    """Whether it has to be made. Raises where the name of another is in its way."""
    parts = branch.split("/")
    names = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    told = await repository.do("for-each-ref", "--format=%(refname)", *(f"refs/heads/{name}" for name in names))
    known = {name.removeprefix("refs/heads/") for name in told.split("\n")}
    for other in sorted(known):
        if other in names[:-1] or other.startswith(f"{branch}/"):
            raise WorktreeError(f"there is a branch {other}, so there can be none named {branch}: rename that one")
    return branch not in known


def _is_taken(folder: Path) -> bool:
    return folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))


def _other_files(folder: Path, known: frozenset[str]) -> str | None:
    for place, _, files in os.walk(folder):
        for file in files:
            name = Path(place, file).relative_to(folder).as_posix()
            if name != ".git" and name not in known:
                return f"{name} is in it"
    return None


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # it is not there, or holds what is not ours
        folder.rmdir()
