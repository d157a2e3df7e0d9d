"""Our own program, as others are told to run it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from collab_tui.model.text import clean
from collab_tui.registry.append import UnusableError

PROGRAM_NAME: Final = "collab-tui"


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
