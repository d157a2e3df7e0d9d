"""What is in a worktree and nowhere else, and what it changed: asked of git, and of the processes that work there."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collab_tui.model.text import clean, one_line
from collab_tui.sessions.git import Git, GitError, explained, running
from collab_tui.sessions.git_places import common_dir, git_dir
from collab_tui.sessions.git_programs import git_programs
from collab_tui.sessions.repository import Entry, Repository, WorktreeError
from collab_tui.sessions.syncing.files import AGENTS_FOLDER
from collab_tui.sessions.syncing.syncing import is_only_ours, names_in, read

MAX_DIFF: Final = 1 << 20
"""Bytes of a difference that are shown."""
_MOST_TOLD: Final = 20
"""Files that are told by their names."""
_MOST_COMMITS: Final = 10_000
_OLD_LOCK: Final = 30.0
"""Seconds after which a lock of git's is told: few things that git does take as long."""


@dataclass(frozen=True, slots=True)
class WorktreeState:
    """A worktree as it is now."""

    changed: int | None
    """How many files differ from the last commit, new ones included and what we put there not; None: it was not looked
    at, and `warning` says why."""
    unpushed: int
    """How many commits stand on no other branch, tag or remote one."""
    dirty: tuple[str, ...]
    """Some of the changed files, as `git status` tells them."""
    is_locked: bool
    lock: str
    """Why."""
    occupied_by: tuple[int, ...]
    """Processes that have their folder in it; empty where the system does not tell."""
    warning: str | None
    """What is odd about it."""

    @property
    def losses(self) -> tuple[str, ...]:
        """What speaks against removing it."""
        return tuple(self._losses())

    def _losses(self) -> Iterator[str]:
        if self.changed is None:
            yield f"nobody knows what: {self.warning}"
        elif self.changed:
            more = f" and {self.changed - len(self.dirty)} more" if self.changed > len(self.dirty) else ""
            yield f"{_count(self.changed, 'file')} not committed: {', '.join(self.dirty)}{more}"
        if self.unpushed:
            yield f"{_count(self.unpushed, 'commit')} that stand{'s' if self.unpushed == 1 else ''} nowhere else"
        if self.is_locked:
            yield f"it is locked: {self.lock or 'no reason is given'}"
        if self.occupied_by:
            several = "es" if len(self.occupied_by) > 1 else ""
            yield f"in use by process{several} {', '.join(map(str, self.occupied_by))}"


async def look_at(repository: Repository, folder: Path, entry: Entry) -> WorktreeState:
    """Raises `WorktreeError` for a folder that is no worktree of the repository any more."""
    git = worktree_git(repository, folder)
    warnings = list(_odd(git, entry))
    try:
        programs = await git_programs(git)
        if programs.run:
            names = ", ".join(programs.run)
            warnings.append(f"its configuration has git run programs when we look ({names}), so we do not")
        changes = await _changes(git) if not programs.run else None
        if programs.stopped:
            names = ", ".join(programs.stopped)
            warnings.append(f"its configuration names programs for git, which we do not run but you might: {names}")
        unpushed = await _unpushed(git, entry.branch)
    except GitError as error:
        raise WorktreeError(f"{folder}: {error}") from error
    return WorktreeState(
        len(changes) if changes is not None else None,
        unpushed,
        tuple(changes or ())[:_MOST_TOLD],
        entry.lock is not None,
        entry.lock or "",
        occupants(folder),
        "; ".join(warnings) or None,
    )


async def difference(repository: Repository, folder: Path, base: str) -> str:
    """What differs from a commit: committed, not committed and new files, as `git diff` has it, cleaned.

    Raises `WorktreeError`, also where git would run a program of the worktree's own configuration.
    """
    git = worktree_git(repository, folder)
    try:
        if names := ", ".join((await git_programs(git)).run):
            raise WorktreeError(
                f"{folder}: its configuration has git run programs when we look ({names}), so there is no difference "
                "to see: `git config --unset` them there, or put those that you trust into your own ~/.gitconfig"
            )
        with tempfile.TemporaryDirectory(prefix="collab-tui-") as private:
            index = Path(private, "index")
            own = {"GIT_INDEX_FILE": str(index)}
            if git.git_dir is not None and (git.git_dir / "index").is_file():
                shutil.copy2(git.git_dir / "index", index)  # by its time git knows which files it has to read again
            added = await git.run("add", "--intent-to-add", "--ignore-errors", "--", ".", more=own)
            ours = [_but(name) for name in await only_ours(git)]
            shown = (
                "--no-ext-diff",
                "--no-textconv",
                "--no-color",
                "--ignore-submodules=dirty",
                "--end-of-options",
                base,
            )
            told = await git.run("diff", *shown, "--", ".", *ours, at_most=MAX_DIFF, more=own)
    except (GitError, OSError) as error:
        raise WorktreeError(f"{folder}: {error}") from error
    if told.code:
        raise WorktreeError(f"{folder}: there is no commit {base[:40]} to compare with")
    text = clean(told.data.decode("utf-8", "replace"))
    if told.is_cut:
        text += f"\n[and more: only the first {MAX_DIFF:,} bytes are shown]\n"
    if added.code:
        text += f"\n[and what git cannot compare: {explained('add', added)}]\n"
    return text


async def ignored(repository: Repository, folder: Path) -> Sequence[str]:
    """Files and whole folders that git ignores there, but not what is ours: they go with it, and count as no loss.

    Raises `WorktreeError`.
    """
    git = worktree_git(repository, folder)
    try:
        ours = [_but(name) for name in await only_ours(git)]
        options = ("-z", "--others", "--ignored", "--exclude-standard", "--directory")
        told = await git.text("ls-files", *options, "--", ".", *ours)
    except GitError as error:
        raise WorktreeError(f"{folder}: {error}") from error
    return [one_line(clean(name)) for name in told.split("\0") if name]


def worktree_git(repository: Repository, folder: Path) -> Git:
    """Git for a worktree, with its own part of the repository as the repository has it.

    Raises `WorktreeError` where the two do not point at each other.
    """
    private = git_dir(folder)
    if private is None:
        raise WorktreeError(f"{folder} is no worktree any more: `git worktree prune` forgets it")
    private = Path(os.path.realpath(private))
    if private.parent != repository.common / "worktrees":
        if private.exists():
            raise WorktreeError(f"{folder} says that it belongs to {private}, and not to {repository.common}")
        raise WorktreeError(
            f"{folder} belongs to {private}, which is gone: if {repository.home} was moved, "
            f"`git -C {repository.home} worktree repair {folder}`"
        )
    if (common := common_dir(private)) != repository.common:  # an agent that may commit can write there
        raise WorktreeError(
            f"{private / 'commondir'} was changed, and leads to {common} instead of {repository.common}: run no git in "
            f"{folder} before it says `../..` again"
        )
    return Git(folder, repository.git.environment, private, repository.common)


def written_by_commits(repository: Repository, folder: Path, branch: str) -> Mapping[Path, bool]:
    """The places outside of a worktree that a commit there writes, made where missing, and in them what it never does.

    What is never written is what would lead the next git that anybody runs there to settings, and so to programs, of
    whoever wrote it. Raises `WorktreeError`.
    """
    private, family = worktree_git(repository, folder).git_dir, Path("refs", "heads", branch).parent
    if private is None:
        return {}
    common, own_settings = repository.common, private / "config.worktree"
    written = (private, common / "objects", common / family, common / "logs" / family)
    try:
        for place in written:
            place.mkdir(parents=True, exist_ok=True)
        own_settings.touch()
    except OSError as error:
        raise WorktreeError(f"cannot make {error.filename}: {error.strerror}") from error
    submodules = private / "modules"  # not made: git does not remove a worktree with that folder
    never = (private / "commondir", private / "gitdir", own_settings, submodules)
    return {**dict.fromkeys(written, True), **dict.fromkeys(never, False)}


def occupants(folder: Path) -> tuple[int, ...]:
    """Processes that have their folder there, but for our own git, as far as the system tells: only Linux does."""
    found = []
    real = os.path.realpath(folder)
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return ()
    for name in processes:
        try:
            place = os.readlink(f"/proc/{name}/cwd")
        except OSError:  # another user's, or it ended
            continue
        if place == real or place.startswith(real + os.sep):
            found.append(int(name))
    return tuple(sorted({*found} - running()))


async def _changes(git: Git) -> Sequence[str]:
    options = ("--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=dirty", "--no-renames")
    ours = await only_ours(git)
    new = [_but(name) for name, is_staged in ours.items() if not is_staged]
    told = (await git.text("status", *options, "--", ".", *new)).rstrip("\0")
    changes = [
        change
        for change in told.split("\0")
        if change and not (change[:2] in (" M", " D") and ours.get(change[3:], False))
    ]
    return [one_line(clean(change.strip())) for change in changes]


def _but(name: str) -> str:
    """All but this file, as git is told so."""
    return f":(exclude,top,literal){name}"


async def only_ours(git: Git) -> Mapping[str, bool]:
    """Files of a worktree that differ from what is staged by what is ours alone, and whether they are staged at all."""
    names = names_in(git.folder)
    told = await git.text("ls-files", "-z", "--", *names, f":(glob){AGENTS_FOLDER}/*.md")
    staged = frozenset(told.split("\0"))
    found = {}
    for name in sorted({*names, *staged} - {""}):
        before = await git.run("cat-file", "blob", f":{name}") if name in staged else None
        data = before.data if before is not None and before.code == 0 else None
        if is_only_ours(name, data, await asyncio.to_thread(read, git.folder, name)):
            found[name] = name in staged
    return found


async def _unpushed(git: Git, branch: str | None) -> int:
    elsewhere = ("--remotes", "--tags", *((f"--exclude={branch}",) if branch is not None else ()), "--branches")
    counted = ("--count", f"--max-count={_MOST_COMMITS}")
    told = await git.run("rev-list", *counted, "HEAD", "--not", *elsewhere, "--")
    if told.code == 0:
        return int(told.text)
    if (await git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")).code == 0:
        raise GitError(explained("rev-list", told))
    return 0  # there is no commit yet on what is checked out


def _odd(git: Git, entry: Entry) -> Iterator[str]:
    if entry.branch is None:
        yield "no branch is checked out there"
    if git.git_dir is not None:
        lock = git.git_dir / "index.lock"
        try:
            age = time.time() - lock.stat().st_mtime
        except OSError:
            return
        if age > _OLD_LOCK:
            yield f"{lock} has been there for {age / 60:.0f} min: a git that was killed left it, or one is at work"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}"
