"""What a run says in one line."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path
from typing import Final

import collab_tui
from collab_tui.model.text import clean, one_line
from collab_tui.orchestrator.agent import CannotWorkError, WorkError
from collab_tui.orchestrator.plan import PipelineError

LONGEST_ERROR: Final = 500
"""Characters."""
_PATHS: Final = sysconfig.get_paths()
_OF_OTHERS: Final = (
    *(_PATHS[name] for name in ("stdlib", "purelib", "platlib")),
    str(Path(collab_tui.__file__).parent),
)
"""Folders of code that who wrote a callable did not write."""


def in_words(error: BaseException) -> str:
    """An error as one line; of what is not ours also what kind of error it is, and where it came up."""
    text = str(error)
    if isinstance(error, WorkError | CannotWorkError | PipelineError) and text:
        return short(text)
    said = short(": ".join(filter(None, (type(error).__name__, text))))
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(("<", *_OF_OTHERS))]
    return short(f"{said} ({Path(own[-1].filename).name}:{own[-1].lineno})") if own else said


def short(text: str) -> str:
    """It as one line, cut."""
    line = one_line(clean(text))
    return line if len(line) <= LONGEST_ERROR else f"{line[: LONGEST_ERROR - 1]}…"
