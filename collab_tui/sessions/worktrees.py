"""Worktrees of agents: one for each agent and task, on a branch `collab/AGENT/TASK`.

Nothing is ever forced, and nothing is removed that stands nowhere else: not a file, not a commit.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collab_tui.registry.append import RegistryError, hold
from collab_tui.sessions import leftovers, making
from collab_tui.sessions.leftovers import Leftover
from collab_tui.sessions.names import BadNameError, checked
from collab_tui.sessions.repository import Entry, Repository, WorktreeError, find_repository
from collab_tui.sessions.worktree_folder import place_for, worktrees_of
from collab_tui.sessions.worktree_removal import SESSION, WouldLoseError, remove
from collab_tui.sessions.worktree_state import (
    WorktreeState,
    difference,
    ignored,
    look_at,
    worktree_git,
    written_by_commits,
)
from collab_tui.sessions.worktree_task import name_for
from collab_tui.sessions.worktree_use import USED, is_marked, is_there, marked

__all__ = ["Leftover", "Worktree", "WorktreeError", "WorktreeState", "Worktrees", "WouldLoseError"]

_LOCK: Final = "collab-worktrees"
_LOCK_LIMIT: Final = 120.0
"""Seconds to wait for others who make or remove worktrees of the repository."""


@dataclass(frozen=True, slots=True)
class Worktree:
    """A checkout of its own for one agent's task."""

    folder: Path
    branch: str
    base: str
    """The commit at which the branch parts from what it began at; empty: it is looked for."""
    is_new: bool


class Worktrees:
    """The worktrees of one project."""

    def __init__(
        self,
        project: Path,
        base_folder: Path | None = None,
        base_branch: str | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """`project` is a folder in the repository, that of the registry; without a base folder they are beside it."""
        self._project = project
        self._base_folder = base_folder
        self._base_branch = base_branch
        self._environment = environment
        self._turn = asyncio.Lock()
        self._found: Repository | None = None

    async def make(self, agent: str, task: str | None, *, base: str | None = None) -> Worktree:
        """The worktree for a task of an agent: the one that stands, or a new one whose branch begins at `base`.

        The task is given in its own words: another that would have the same name gets a number. Raises `WorktreeError`;
        then there is nothing that was not there before.
        """
        try:
            checked(agent, "name of an agent")
        except BadNameError as error:
            raise WorktreeError(str(error)) from error
        repository = await self._repository()
        start = await repository.commit(base or self._base_branch)
        async with self._alone(repository):
            name = await name_for(repository, agent, task)
            branch = f"collab/{agent}/{name}"
            folder = await place_for(repository, worktrees_of(repository, self._base_folder), agent, name)
            is_new = not await making.standing(repository, folder, branch)
            is_branch_new = is_new and await making.add(repository, folder, branch, start, task)
        if is_new:  # writing many files takes long, and others need not wait for it
            await making.fill(repository, folder, branch if is_branch_new else None, start)
        return Worktree(folder, branch, await repository.parted(start, branch) or start, is_new)

    async def state(self, worktree: Worktree) -> WorktreeState:
        """What is in it and nowhere else. Raises `WorktreeError`."""
        repository = await self._repository()
        return await look_at(repository, worktree.folder, await _entry(repository, worktree.folder))

    async def is_at_base(self, worktree: Worktree) -> bool:
        """Nothing is committed on its branch. Raises `WorktreeError`."""
        return await (await self._repository()).commit(worktree.branch) == worktree.base

    async def place_of_project(self) -> Path:
        """Where the project is, from the top of a checkout of its repository. Raises `WorktreeError`."""
        repository = await self._repository()
        top = repository.checkout or repository.home
        place, top = await asyncio.to_thread(lambda: (self._project.resolve(), top.resolve()))
        return place.relative_to(top) if place.is_relative_to(top) else Path()

    async def ignored(self, worktree: Worktree) -> Sequence[str]:
        """What git ignores in it, which goes with it. Raises `WorktreeError`."""
        repository = await self._repository()
        await _entry(repository, worktree.folder)
        return await ignored(repository, worktree.folder)

    async def diff(self, worktree: Worktree) -> str:
        """All that it changed since its base, as text. Raises `WorktreeError`."""
        repository = await self._repository()
        await _entry(repository, worktree.folder)
        base = worktree.base or await self._base_of(repository, worktree.branch)
        return await difference(repository, worktree.folder, base)

    async def written_by_commits(self, worktree: Worktree) -> Mapping[Path, bool]:
        """The places outside of it that a commit there writes, or never does. Raises `WorktreeError`."""
        repository = await self._repository()
        return await asyncio.to_thread(written_by_commits, repository, worktree.folder, worktree.branch)

    async def lock(self, worktree: Worktree, session: str) -> None:
        """Keep git from removing or forgetting it while a session uses it. Raises `WorktreeError`."""
        repository = await self._repository()
        async with self._alone(repository):  # git fails while another worktree is half made
            entry = await _entry(repository, worktree.folder)
            if entry.lock == SESSION + session:
                return
            if entry.lock is not None:
                raise WorktreeError(f"{worktree.folder} is locked: {entry.lock or 'no reason is given'}")
            await repository.do("worktree", "lock", "--reason", SESSION + session, "--", str(worktree.folder))

    async def use(self, worktree: Worktree) -> None:
        """Keep git from removing or forgetting it while this process uses it, or until it is to be removed.

        One that was used by a process that is gone is taken over. Raises `WorktreeError`.
        """
        repository, mine = await self._repository(), marked(USED)
        async with self._alone(repository):
            entry = await _entry(repository, worktree.folder)
            if entry.lock == mine:
                return
            if is_marked(entry.lock, USED) and not is_there(entry.lock, USED):
                await repository.do("worktree", "unlock", "--", str(worktree.folder))
            elif entry.lock is not None:
                raise WorktreeError(f"{worktree.folder} is locked: {entry.lock or 'no reason is given'}")
            await repository.do("worktree", "lock", "--reason", mine, "--", str(worktree.folder))

    async def clear(
        self, agent: str, in_use: Collection[str], over: Collection[Path], notice: Callable[[str], None]
    ) -> None:
        """Remove those of an agent that are left by who is gone, and what keeps one tell `notice`.

        `in_use` are the names of the sessions that there are, `over` the folders of those of the agent that ended.
        Commits stay on their branches. Raises `WorktreeError`.
        """
        repository = await self._repository()
        async with self._alone(repository):
            place = worktrees_of(repository, self._base_folder) / agent
            await leftovers.clear(repository, place, in_use, over, notice)

    async def unlock(self, worktree: Worktree, session: str) -> None:
        """Undo `lock`; what others locked stays locked. Raises `WorktreeError`."""
        repository = await self._repository()
        async with self._alone(repository):
            if (await _entry(repository, worktree.folder)).lock == SESSION + session:
                await repository.do("worktree", "unlock", "--", str(worktree.folder))

    async def check(self) -> None:
        """Raises `WorktreeError` where none can be made."""
        await (await self._repository()).commit(self._base_branch)

    async def remove(self, worktree: Worktree, *, keeps_commits: bool = False) -> None:
        """Remove it, and its branch where that is merged, or still at its base; this process uses it no more.

        Commits that stand nowhere else keep it, unless with `keeps_commits`: then they stay on its branch.

        Raises `WouldLoseError` where something would be lost or it is in use, `WorktreeError` for all else.
        """
        removing = asyncio.ensure_future(self._remove(worktree, keeps_commits=keeps_commits))
        await asyncio.shield(removing)  # half of it would be worse than all

    async def leftovers(self, in_use: Collection[str]) -> Sequence[Leftover]:
        """What crashes left; `in_use` are the names of the sessions that there are. Raises `WorktreeError`."""
        return await leftovers.leftovers(await self._repository(), in_use)

    async def prune(self, in_use: Collection[str]) -> Sequence[Leftover]:
        """Remove what of it nothing would be lost of; gives all, with why the rest is kept. Raises `WorktreeError`."""
        repository = await self._repository()
        async with self._alone(repository):
            return await leftovers.prune(repository, in_use)

    async def _remove(self, worktree: Worktree, *, keeps_commits: bool) -> None:
        repository = await self._repository()
        async with self._alone(repository):
            folder, branch = worktree.folder, worktree.branch
            await remove(repository, folder, branch, worktree.base, lock=marked(USED), keeps_commits=keeps_commits)

    async def _repository(self) -> Repository:
        """As it was found first, while it is there."""
        if self._found is None or not self._found.is_there():
            self._found = await find_repository(self._project, self._environment)
        return self._found

    async def _base_of(self, repository: Repository, branch: str) -> str:
        base = await repository.parted(await repository.commit(self._base_branch), branch)
        if base is None:
            raise WorktreeError(f"{branch} has nothing in common with what it would be compared with")
        return base

    @asynccontextmanager
    async def _alone(self, repository: Repository) -> AsyncIterator[None]:
        """Nobody else of ours makes or removes worktrees of the repository meanwhile."""
        async with self._turn:  # so that no more than one thread waits
            place = str(repository.common / _LOCK)
            holding = asyncio.get_running_loop().run_in_executor(None, hold, place, _LOCK_LIMIT)
            try:
                lock = await asyncio.shield(holding)
            except RegistryError as error:
                raise WorktreeError(f"others make or remove worktrees: {error}") from error
            except asyncio.CancelledError:
                holding.add_done_callback(_let_go)
                raise
            try:
                yield
            finally:
                os.close(lock)


async def _entry(repository: Repository, folder: Path) -> Entry:
    """Raises `WorktreeError` where git knows of none there, and says why."""
    entry = await repository.entry(folder)
    if entry is None:
        worktree_git(repository, folder)
        raise WorktreeError(f"{folder} is no worktree of {repository.home} any more")
    return entry


def _let_go(holding: asyncio.Future[int]) -> None:
    if not holding.cancelled() and holding.exception() is None:
        os.close(holding.result())
