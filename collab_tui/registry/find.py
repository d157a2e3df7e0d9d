"""Finding the registry without being told where it is. It runs in hooks: see `append` for what may be imported."""

from __future__ import annotations

import os

from collab_tui.registry.append import UnusableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAMES = (
    os.path.join(".collab", "registry.jsonl"),
    "COLLABORATION_STATE.jsonl",
    os.path.join("session_memory", "COLLABORATION_STATE.jsonl"),
)
"""Where a registry is looked for in a folder, best first."""

VARIABLE = "COLLAB_REGISTRY"


class NotFoundError(UnusableError):
    """There is no registry; the text says how to go on."""


def find_registry(folder: str | os.PathLike[str], environment: Mapping[str, str]) -> str:
    """The path of the registry that `folder` belongs to: `$COLLAB_REGISTRY`, else the first found upward from it.

    In a git worktree its main checkout is looked through as well. Raises `NotFoundError`.
    """
    if named := environment.get(VARIABLE):
        return named
    start = os.path.abspath(folder)
    for place in _places(start):
        for name in NAMES:
            if os.path.isfile(candidate := os.path.join(place, name)):
                return candidate
    raise NotFoundError(
        f"no registry here or above {start}. Three ways to go on:\n"
        "  collab-tui init           make one for this project, in .collab/\n"
        "  collab-tui FILE.jsonl     name one that is there\n"
        "  collab-tui demo           see three agents at work first"
    )


def _places(place: str) -> Iterator[str]:
    while True:
        yield place
        if (main := main_checkout(place)) is not None:
            yield main
        parent = os.path.dirname(place)
        if parent == place:
            return
        place = parent


def main_checkout(worktree: str | os.PathLike[str]) -> str | None:
    """The main checkout of a git worktree; None when `worktree` is not the top of one."""
    marker = os.path.join(worktree, ".git")
    if not os.path.isfile(marker):
        return None
    try:
        kind, _, location = _first_line(marker).partition(": ")
        private = os.path.join(worktree, location)
        shared = os.path.realpath(os.path.join(private, _first_line(os.path.join(private, "commondir"))))
    except (OSError, UnicodeDecodeError):
        return None
    is_checkout = kind == "gitdir" and os.path.basename(shared) == ".git"
    return os.path.dirname(shared) if is_checkout else None


def _first_line(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.readline().strip()
