"""Finding the registry without being told where it is, and making one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from collab_tui.config import COMMENTED_CONFIG
from collab_tui.registry.append import UnusableError, append

NAMES: Final = (
    ".collab/registry.jsonl",
    "COLLABORATION_STATE.jsonl",
    "session_memory/COLLABORATION_STATE.jsonl",
)
"""Where a registry is looked for in a folder, best first."""

VARIABLE: Final = "COLLAB_REGISTRY"


class NotFoundError(UnusableError):
    """There is no registry; the text says how to go on."""


def find_registry(folder: Path, environment: Mapping[str, str]) -> Path:
    """The registry that `folder` belongs to: `$COLLAB_REGISTRY`, else the first found upward from it.

    In a git worktree its main checkout is looked through as well. Raises `NotFoundError`.
    """
    if named := environment.get(VARIABLE):
        return Path(named)
    for place in _places(folder.absolute()):
        for name in NAMES:
            if (candidate := place / name).is_file():
                return candidate
    raise NotFoundError(
        f"no registry here or above {folder}. Three ways to go on:\n"
        "  collab-tui init           make one for this project, in .collab/\n"
        "  collab-tui FILE.jsonl     name one that is there\n"
        "  collab-tui demo           see three agents at work first"
    )


def _places(folder: Path) -> Iterator[Path]:
    for place in (folder, *folder.parents):
        yield place
        if (main := main_checkout(place)) is not None:
            yield main


def main_checkout(worktree: Path) -> Path | None:
    """The main checkout of a git worktree; None when `worktree` is not the top of one."""
    marker = worktree / ".git"
    try:
        if not marker.is_file():
            return None
        kind, _, location = marker.read_text(encoding="utf-8").strip().partition(": ")
        private = (worktree / location).resolve()
        common = (private / "commondir").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    shared = (private / common).resolve()
    return shared.parent if kind == "gitdir" and shared.name == ".git" else None


def make_registry(folder: Path) -> list[Path]:
    """Make `.collab/` with a registry and a commented config in a folder; gives the files that were made.

    What is there already stays as it is.
    """
    home = folder / ".collab"
    home.mkdir(mode=0o700, exist_ok=True)
    made = []
    registry, config = home / "registry.jsonl", home / "config.toml"
    if not registry.exists():
        append(str(registry), {"agent": "system", "event": "registry_created", "registry": os.urandom(16).hex()})
        made.append(registry)
    if not config.exists():
        config.write_text(COMMENTED_CONFIG, encoding="utf-8")
        made.append(config)
    return made
