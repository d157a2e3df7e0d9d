"""The project that a registry belongs to."""

from __future__ import annotations

import os
from pathlib import Path

from collab_tui.registry.find import NAMES, NotFoundError, find_registry, main_checkout


def project_of(registry: Path, folder: Path) -> tuple[Path, bool]:
    """The folder of the project of which `folder` is a part, and whether the registry is found from there by itself.

    That is the folder in which the registry stands, or a worktree of it; for a registry that stands elsewhere it is
    `folder`.
    """
    registry = Path(os.path.abspath(registry))
    names = [Path(name).parts for name in NAMES if registry.match(name)]
    home = registry.parents[max(map(len, names)) - 1] if names else None
    folder = Path(os.path.abspath(folder))
    for place in (folder, *folder.parents):
        tops = [os.path.realpath(top) for top in (place, main_checkout(place)) if top is not None]
        if home is not None and os.path.realpath(home) in tops:
            return place, _finds(place, registry)
    return folder, _finds(folder, registry)


def _finds(folder: Path, registry: Path) -> bool:
    try:
        return find_registry(folder, {}) == str(registry)
    except NotFoundError:
        return False
