"""The programs that are measured from outside, and the surroundings they get."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_KEPT = ("PATH", "PYTHONPATH", "SYSTEMROOT", "TEMP", "TMP")
"""With PYTHONPATH another checkout can be measured by the same interpreter."""
_MINIMAL = Path(__file__).with_name("minimal_app.py")


def collab_tui(*arguments: str | Path) -> list[str]:
    """Our program as installed beside this interpreter."""
    script = Path(sys.executable).with_name("collab-tui.exe" if os.name == "nt" else "collab-tui")
    return [str(script), *map(str, arguments)]


def minimal_app(*arguments: str | Path) -> list[str]:
    """The least that Textual can do; with a file it shows the end of it."""
    return [sys.executable, "-P", str(_MINIMAL), *map(str, arguments)]


def surroundings(home: Path) -> dict[str, str]:
    """An environment in which nothing of the user's takes part; byte code is kept, as for any installed program."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    home.mkdir(exist_ok=True)
    return {
        **kept,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }
