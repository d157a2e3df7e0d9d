"""Where a session runs: the machine, the folder and the branch, for whoever looks for it later."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final

_LONGEST: Final = 4096
"""Bytes that are read of a file of git's."""
_BRANCH: Final = "ref: refs/heads/"


def whereabouts() -> dict[str, str]:
    """The fields `host`, `cwd` and, inside a git checkout, `branch` of a `session_start`."""
    found = {"host": socket.gethostname()}
    try:
        folder = Path.cwd()
    except OSError:  # it was removed
        return found
    found["cwd"] = str(folder)
    branch = branch_of(folder)
    return found | ({"branch": branch} if branch is not None else {})


def branch_of(folder: Path) -> str | None:
    """The branch checked out in the folder's repository; None outside of one, or where no branch is checked out."""
    for place in (folder, *folder.parents):
        marker = place / ".git"
        head = _first_line(marker / "HEAD") or _head_of_worktree(marker)
        if head is not None:
            return head.removeprefix(_BRANCH) if head.startswith(_BRANCH) else None
    return None


def _head_of_worktree(marker: Path) -> str | None:
    """The HEAD of a worktree or submodule, whose `.git` is a file that says where it is."""
    said = _first_line(marker)
    if said is None or not said.startswith("gitdir: "):
        return None
    return _first_line(marker.parent / said.removeprefix("gitdir: ") / "HEAD")


def _first_line(path: Path) -> str | None:
    """None where there is no such file, or it holds something else."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline(_LONGEST).strip() or None
    except (OSError, UnicodeDecodeError, ValueError):
        return None
