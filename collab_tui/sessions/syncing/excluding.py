"""Keeping files that we made in a worktree out of its commits, through `info/exclude` of its repository.

All checkouts of a repository share that file. What would be a worktree's alone is worse: `extensions.worktreeConfig`
changes the format of the user's repository, and takes the place of their own `core.excludesFile`. So each worktree has
a block of its own there, with nothing but the files that we made in it, for as long as they are there. Files that are
in a commit are not touched by it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from collab_tui.model.text import clean, one_line
from collab_tui.protocol.whole_files import look, put
from collab_tui.registry.append import hold
from collab_tui.sessions.git_places import common_dir, git_dir
from collab_tui.sessions.syncing.blocks import Block, Style, blocks, with_block, without

_LOCK_LIMIT: Final = 10.0
"""Seconds."""


def exclude(worktree: Path, files: Collection[str]) -> None:
    """Keep these of its files out of commits, and no others. Raises `RegistryError`, `DamagedError`."""
    private = git_dir(worktree)
    if private is None:
        return
    name = _name(worktree)
    note = f"# made by collab-tui in {one_line(clean(str(worktree)))}\n"
    body = note + "".join(f"/{file}\n" for file in sorted(files))
    place = _file(common_dir(private))
    if not files and not place.exists():
        return

    def changed(text: str) -> str:
        if files:
            return with_block(text, Style.HASH, Block(name, False, body))
        return without(text, Style.HASH, lambda other: other == name)

    _change(place, changed)


def forget_others(common: Path, worktrees: Collection[Path]) -> None:
    """Take out the blocks of all but these worktrees. Raises as `exclude`."""
    place = _file(common)
    kept = {_name(worktree) for worktree in worktrees}
    found = look(place).text or ""
    if any(block.name not in kept for block in blocks(found, Style.HASH)):
        _change(place, lambda text: without(text, Style.HASH, lambda name: name not in kept))


def _change(place: Path, changed: Callable[[str], str]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = hold(str(place), _LOCK_LIMIT)
    try:
        found = look(place)
        text = found.text or ""
        if (after := changed(text)) != text:
            put(found, after)
    finally:
        os.close(lock)


def _file(common: Path) -> Path:
    return common / "info" / "exclude"


def _name(worktree: Path) -> str:
    """By which its block is known."""
    return hashlib.sha256(os.path.realpath(worktree).encode("utf-8", "surrogateescape")).hexdigest()[:16]
