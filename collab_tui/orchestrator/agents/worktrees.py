"""Worktrees of a run's tasks: one for each, the same for all its attempts and rounds, whoever works on it.

The work on a task stands on the branch `collab/run-ID/TASK`. A reviewer looks at it in a worktree of its own, on a
branch that begins there and goes with it. What nothing would be lost of is removed when it is over: commits stay on
their branch, and files that are not committed stay where they are, and that is told.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from collab_tui.config import ConfigError, load_config
from collab_tui.model.runs import Work
from collab_tui.orchestrator.agent import Assignment, CannotWorkError, Surroundings, WorkError
from collab_tui.protocol.persistence import wholly
from collab_tui.protocol.wording import listed
from collab_tui.sessions.records import Records
from collab_tui.sessions.worktrees import Worktree, WorktreeError, Worktrees

_MOST_NAMED: Final = 5
"""Files that are not committed."""
_STATUS: Final = 3
"""Characters before a name in what `git status` tells of a file."""


def team_of(run: str) -> str:
    """Whose the worktrees of a run are."""
    return f"run-{run}"


def words_for(assignment: Assignment) -> str:
    """By which words the worktree and the session of an assignment are known: of a review others than of the work."""
    if assignment.work is Work.WORK:
        return assignment.task.key
    return f"{assignment.task.key} review {assignment.attempt}"  # with spaces, which no key has


def has_worktree(assignment: Assignment) -> bool:
    """It is not done in the project itself, as a review of what stands on no branch is."""
    return assignment.work is Work.WORK or assignment.branch_of is not None


def worktrees_of(surroundings: Surroundings) -> Worktrees:
    """The project's, as the settings put them. Raises `CannotWorkError`."""
    try:
        sessions = load_config(surroundings.registry).sessions
    except ConfigError as error:
        raise CannotWorkError(str(error)) from error
    folder = Path(sessions.worktrees).expanduser() if sessions.worktrees is not None else None
    return Worktrees(surroundings.project, folder, sessions.base, surroundings.environment)


async def check_worktrees(surroundings: Surroundings, whose: str) -> None:
    """Raises `CannotWorkError` where no worktree can be made."""
    try:
        await (await asyncio.to_thread(worktrees_of, surroundings)).check()
    except WorktreeError as error:
        raise CannotWorkError(f"{whose} is to work in a worktree: {error}") from error


async def clear_worktrees(surroundings: Surroundings) -> None:
    """Let go of those of the run that a process of it left which is gone, or a session of it that is over."""
    records = await asyncio.to_thread(Records(surroundings.registry).all)
    running = {record.name for record in records if record.may_run()}
    if surroundings.sessions is not None:
        running |= {*surroundings.sessions.sessions}
    team = team_of(surroundings.run)
    over = [Path(record.folder) for record in records if record.team == team and record.name not in running]
    try:
        worktrees = await asyncio.to_thread(worktrees_of, surroundings)
        await worktrees.clear(team, running, over, surroundings.notice)
    except (WorktreeError, CannotWorkError) as error:
        surroundings.notice(str(error))


class TaskWorktrees:
    """Those that one seat worked in and did not let go of yet."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._found: Worktrees | None = None
        self._held: dict[str, Worktree] = {}
        """By the words for which they were made."""

    async def make(self, words: str, assignment: Assignment) -> Worktree:
        """The worktree for an assignment: the one that stands, or a new one. Raises `WorkError`, `CannotWorkError`."""
        worktrees = await self._worktrees()
        try:
            worktree = await worktrees.make(team_of(assignment.run), words, base=assignment.branch_of)
            self._held[words] = worktree
            await worktrees.use(worktree)
        except WorktreeError as error:
            raise WorkError(str(error)) from error
        return worktree

    async def project_in(self, worktree: Worktree) -> Path:
        """The place of the project in a worktree; its top where the project is not committed. Raises `WorkError`."""
        try:
            place = worktree.folder / await (await self._worktrees()).place_of_project()
        except WorktreeError as error:
            raise WorkError(str(error)) from error
        return place if await asyncio.to_thread(place.is_dir) else worktree.folder

    async def branch_for(self, words: str) -> str | None:
        """The branch of such a worktree, if commits stand there: else it goes with its worktree. Never raises."""
        if (worktree := self._held.get(words)) is None:
            return None
        try:
            is_empty = await (await self._worktrees()).is_at_base(worktree)
        except (WorktreeError, CannotWorkError):  # then nobody knows, and whoever looks there sees for themselves
            is_empty = False
        return None if is_empty else worktree.branch

    async def check_committed(self, words: str) -> None:
        """Raises `WorkError` where files of such a worktree are not committed: nobody who judges it sees those."""
        if (worktree := self._held.get(words)) is None:
            return
        try:
            state = await (await self._worktrees()).state(worktree)
        except WorktreeError as error:
            raise WorkError(str(error)) from error
        if state.changed:
            files = listed((line[_STATUS:] for line in state.dirty), _MOST_NAMED)
            more = f" of {state.changed:,}" if state.changed > _MOST_NAMED else ""
            raise WorkError(
                f"files are not committed, and whoever judges the work sees commits only: {files}{more}: commit what "
                "belongs to the work, and remove or ignore the rest"
            )

    def hold(self, words: str, worktree: Worktree) -> None:
        """One that a session made: it is let go of here as well."""
        self._held[words] = worktree

    async def let_go(self, words: str) -> None:
        """Remove what nothing would be lost of, and tell of the rest; nothing where none is held. Never raises."""
        if (worktree := self._held.pop(words, None)) is not None:
            await wholly(self._remove(worktree))

    async def let_go_all(self) -> None:
        """The same of all."""
        for words in tuple(self._held):
            await self.let_go(words)

    async def _remove(self, worktree: Worktree) -> None:
        if not worktree.folder.is_dir():  # another seat let go of it
            return
        try:
            await (await self._worktrees()).remove(worktree, keeps_commits=True)
        except (WorktreeError, CannotWorkError) as error:
            self._surroundings.notice(str(error))

    async def _worktrees(self) -> Worktrees:
        if self._found is None:
            self._found = await asyncio.to_thread(worktrees_of, self._surroundings)
        return self._found
