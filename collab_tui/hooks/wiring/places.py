"""Where things are that entries name: our own program, and the project that a registry belongs to."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from collab_tui.hooks.wiring.entries import PROGRAM_NAME
from collab_tui.model.text import clean
from collab_tui.registry.append import UnusableError
from collab_tui.registry.find import NAMES, NotFoundError, find_registry, main_checkout


def program() -> str:
    """The absolute path of our installed program: the one that runs, else the one beside the interpreter, else the one
    in PATH. Raises `UnusableError` where there is none that others can run.
    """
    beside = os.path.join(os.path.dirname(sys.executable), PROGRAM_NAME)
    running = sys.argv[0] if Path(sys.argv[0]).stem.casefold() == PROGRAM_NAME else None
    for candidate in (running and os.path.abspath(running), beside, PROGRAM_NAME):
        if candidate and (found := shutil.which(candidate)):
            return fit("the path of this program", os.path.abspath(found))
    raise UnusableError(f"agents run {PROGRAM_NAME} by its path, and there is no such program: is it installed?")


def fit(what: str, text: str) -> str:
    """A text that can stand in a configuration. Raises `UnusableError` for one that would look like another there, or
    steer the terminal that shows it.
    """
    if clean(text) != text or not set("\n\t").isdisjoint(text):
        raise UnusableError(f"{what} cannot stand in a configuration file: {text!a}")
    return text


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
