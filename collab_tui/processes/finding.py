"""Where programs lie, as they are found before they are started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_OF_CMD: Final = frozenset("&|<>^%!\r\n")
"""What `cmd.exe` may take for a word of its own, in whatever quotes."""
_LONGEST: Final = 7000
"""Characters of a line that `cmd.exe` takes, and some to spare for quotes."""


def find_program(name: str, environment: Mapping[str, str], folder: Path | None = None) -> str | None:
    """A program by its path from `folder`, or by its name in the absolute folders of PATH; None where there is none.

    Of a mere name none is found that only lies where we happen to be.
    """
    if os.path.dirname(name):
        places = [os.path.join(folder, name)] if folder is not None else []
    else:
        folders = environment.get("PATH", os.defpath).split(os.pathsep)
        places = [os.path.join(each, name) for each in folders if os.path.isabs(each)]
    endings = _endings(name, environment)
    return next((found for place in places for ending in endings if (found := shutil.which(place + ending))), None)


def _endings(name: str, environment: Mapping[str, str]) -> Sequence[str]:
    """What the name of a program ends with; nothing more where the system goes by the mode, or it has such an end."""
    if os.name != "nt":
        return ("",)
    endings = environment.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";")
    return ("",) if name.upper().endswith(tuple(map(str.upper, endings))) else endings


def why_not_in_batch(path: str, arguments: Sequence[str]) -> str | None:
    """Why a batch file of Windows cannot be given them: it goes through `cmd.exe`, which reads them once more."""
    hint = f"{path} is a batch file: name the program that it starts"
    if wrong := next((each for each in arguments if not _OF_CMD.isdisjoint(each)), None):
        return f"{min(_OF_CMD.intersection(wrong))!r} in an argument would be read by cmd.exe; {hint}"
    if len(" ".join((path, *arguments))) > _LONGEST:
        return f"its arguments are too long for cmd.exe; {hint}"
    return None
