"""Where a checkout has its part of a repository, as its own files say it. Nothing is run."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_LONGEST: Final = 8192
"""Bytes that are read of a file of git's."""


def git_dir(checkout: Path) -> Path | None:
    """Where a checkout has its HEAD and its index; None where it says nothing of it."""
    marker = checkout / ".git"
    try:
        kind = os.lstat(marker).st_mode
    except OSError:
        return None
    if stat.S_ISDIR(kind):
        return marker
    if not stat.S_ISREG(kind):
        return None
    said = first_line(marker)
    return checkout / said.removeprefix("gitdir: ") if said is not None and said.startswith("gitdir: ") else None


def common_dir(private: Path) -> Path:
    """What all checkouts of a repository share, from the part of one of them."""
    said = first_line(private / "commondir")
    return Path(os.path.realpath(private / said)) if said is not None else private


def first_line(path: Path) -> str | None:
    """None where there is no such file, or it holds something else."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            return file.readline(_LONGEST).rstrip("\n") or None
    except (OSError, ValueError):
        return None
