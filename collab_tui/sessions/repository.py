"""The repository of a project: where it is, what it begins at, and which worktrees it has."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from collab_tui.config.values import shown
from collab_tui.model.text import clean, one_line
from collab_tui.sessions.git import TIME_LIMIT, Git, GitError, check_version


class WorktreeError(Exception):
    """A worktree cannot be made, looked at or removed; the text says why, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One worktree as git lists it."""

    folder: Path
    branch: str | None = None
    """What is checked out; None: nothing that has a name."""
    lock: str | None = None
    """Why it is locked; None: it is not."""
    is_bare: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """What a project's folder belongs to."""

    git: Git
    common: Path
    """What all its checkouts share."""
    home: Path
    """The main checkout; of a bare one the repository itself."""
    checkout: Path | None
    """The one in which the project's folder is."""
    above: Path | None
    """The checkout of which it is a submodule."""

    def is_there(self) -> bool:
        """It stands where it was found."""
        return self.common.is_dir() and self.git.folder.is_dir()

    async def do(self, *arguments: str, time_limit: float = TIME_LIMIT) -> str:
        """What git prints. Raises `WorktreeError` where it does not do it."""
        try:
            return await self.git.text(*arguments, time_limit=time_limit)
        except GitError as error:
            raise WorktreeError(str(error)) from error

    async def entries(self) -> Sequence[Entry]:
        """All its worktrees, the main one first."""
        return tuple(_entries(await self.do("worktree", "list", "--porcelain", "-z")))

    async def entry(self, folder: Path) -> Entry | None:
        """The worktree in a folder; None: git knows of none there."""
        return next((entry for entry in await self.entries() if is_same(entry.folder, folder)), None)

    async def parted(self, start: str, branch: str) -> str | None:
        """Where a branch parts from a commit; None where they have nothing in common."""
        told = await self.git.run("merge-base", "--end-of-options", start, f"refs/heads/{branch}")
        return told.text if told.code == 0 else None

    async def commit(self, base: str | None) -> str:
        """The commit that a name stands for; None: what is checked out beside the project's folder."""
        place = self.git if self.checkout is not None else Git(self.home, self.git.environment)
        found = await place.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{base or 'HEAD'}^{{commit}}")
        if found.code == 0:
            return found.text
        if base is None:
            raise WorktreeError(
                f"{self.home} has no commit yet, so there is nothing to begin a branch at: commit first"
            )
        raise WorktreeError(f"there is no branch or commit {shown(one_line(clean(base)))} in {self.home}")


async def find_repository(folder: Path, environment: Mapping[str, str]) -> Repository:
    """The repository that a folder belongs to. Raises `WorktreeError`."""
    git = Git(folder, environment)
    if "\n" in str(folder):
        raise WorktreeError(
            f"{one_line(clean(str(folder)))}: the end of a line in its name is more than git can tell us"
        )
    try:
        await check_version(git)
        said = await git.text(
            "rev-parse", "--path-format=absolute", "--git-common-dir", "--absolute-git-dir", "--is-bare-repository"
        )
        common, private, is_bare = said.split("\n")
        if is_bare == "true":
            raise WorktreeError(
                f"{common} is a bare repository, which has no files to work on: put the registry into a checkout of it"
            )
        checkout, above = None, None
        if await git.text("rev-parse", "--is-inside-work-tree") == "true":
            told = await git.text("rev-parse", "--show-toplevel", "--show-superproject-working-tree")
            tops = [Path(line) for line in told.split("\n")]
            checkout, above = tops[0], tops[1] if len(tops) > 1 else None
        if checkout is not None and is_same(Path(common), Path(private)):
            home = checkout
        else:
            home = next(_entries(await git.text("worktree", "list", "--porcelain", "-z"))).folder
    except (GitError, ValueError, StopIteration) as error:
        raise WorktreeError(f"{folder}: {error}. Without a worktree it works all the same") from error
    return Repository(git, _real(Path(common)), home, checkout, above)


def is_same(one: Path, other: Path) -> bool:
    """Both lead to the same place."""
    return os.path.normcase(_real(one)) == os.path.normcase(_real(other))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _entries(told: str) -> Iterator[Entry]:
    """What `git worktree list` says, which ends every attribute with a NUL, and every worktree with another."""
    for part in told.split("\0\0"):
        said = dict(_attribute(line) for line in part.strip("\0").split("\0") if line)
        if "worktree" in said:
            branch = said.get("branch")
            yield Entry(
                Path(said["worktree"]),
                branch.removeprefix("refs/heads/") if branch is not None else None,
                said.get("locked"),
                "bare" in said,
            )


def _attribute(line: str) -> tuple[str, str]:
    name, _, value = line.partition(" ")
    return name, value
