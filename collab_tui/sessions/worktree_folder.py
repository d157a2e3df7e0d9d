"""Where worktrees are put, and that nobody else can lead us out of there."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from collab_tui.sessions.git import Git
from collab_tui.sessions.repository import Entry, Repository, WorktreeError

_SETTING: Final = "give another folder as sessions.worktrees in your own settings"


def worktrees_of(repository: Repository, folder: Path | None) -> Path:
    """The folder for the worktrees of a repository: beside it, or one of its own below a given folder."""
    home = repository.home
    if folder is None:
        return home.with_name(f"{home.name}.worktrees")
    digest = hashlib.sha256(os.fsencode(repository.common)).hexdigest()[:8]
    return Path(os.path.abspath(folder.expanduser())) / f"{home.name}-{digest}"


async def place_for(repository: Repository, base: Path, agent: str, task: str) -> Path:
    """The folder of one worktree, of which the last part is not there yet, or a worktree already.

    Makes what is above it. Raises `WorktreeError` for a link on the way, for what others can write, and for a folder
    inside a checkout that does not ignore it.
    """
    for checkout, inside in _checkouts_around(repository, base, await repository.entries()):
        ignored = await Git(checkout, repository.git.environment).run("check-ignore", "--quiet", "--", inside)
        if ignored.code:
            raise WorktreeError(
                f"{base} is inside of the checkout {checkout}, which does not ignore it: {_SETTING}, or ignore it there"
            )
    return _made(base, agent) / task


def _checkouts_around(repository: Repository, base: Path, entries: Sequence[Entry]) -> Iterator[tuple[Path, str]]:
    """Checkouts that the base is in, with the name of a file there: it would be part of one that does not ignore it."""
    real = Path(os.path.realpath(base))
    if real.is_relative_to(repository.common):
        raise WorktreeError(f"{base} is inside of {repository.common}, which is git's own: {_SETTING}")
    checkouts = [entry.folder for entry in entries if not entry.is_bare]
    for checkout in (*checkouts, *([repository.above] if repository.above is not None else [])):
        top = Path(os.path.realpath(checkout))
        if real.is_relative_to(top) and top.is_dir():
            yield top, (real.relative_to(top) / "x").as_posix()


def _made(base: Path, agent: str) -> Path:
    """The folder of an agent's worktrees, which only the user can write."""
    _check_above(base)
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        for place in (base, base / agent):
            place.mkdir(mode=0o700, exist_ok=True)
            _check_own(place)
    except OSError as error:
        raise WorktreeError(f"cannot make {base / agent}: {error.strerror}; {_SETTING}") from error
    return base / agent


def check_no_link(place: Path) -> None:
    """Raises `WorktreeError` for a symbolic link."""
    if place.is_symlink():
        real = os.path.realpath(place)
        raise WorktreeError(f"{place} is a symbolic link, and leads to {real}: {_SETTING}, without links in its path")


def _check_above(base: Path) -> None:
    """No link leads to the base, and nobody can put another in the place of a folder above it."""
    for place in (*reversed(base.parents), base):
        check_no_link(place)
        if place == base or os.name != "posix" or not place.exists():
            continue
        mode = place.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise WorktreeError(f"everybody can write {place}, and so replace what is in it: `chmod o-w {place}`")


def _check_own(place: Path) -> None:
    check_no_link(place)
    about = place.stat()
    is_open = bool(about.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    if os.name == "posix" and (about.st_uid != os.geteuid() or is_open):
        raise WorktreeError(f"others can write {place}, so no agent is started there: `chmod go-w {place}`, and own it")
