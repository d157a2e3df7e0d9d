"""Where pipelines are found: a file by its path; by its name one of the user's own, of ours, or of the project's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collab_tui.config import project_config_file, user_config_file
from collab_tui.config.values import instead_of, shown
from collab_tui.orchestrator.plan import PipelineError

BUILT_IN: Final = Path(__file__).parent / "built_in"
"""Those that come with collab-tui."""
_FOLDER: Final = "pipelines"
_ENDING: Final = ".toml"
_MOST: Final = 500
"""Files of one folder that are looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """A pipeline that can be named."""

    name: str
    path: Path
    is_project: bool
    """It comes with the project."""
    is_built_in: bool = False
    """It comes with collab-tui; else, and if not with the project, it is the user's own."""


def pipelines(registry: Path) -> Sequence[Found]:
    """Those of the user, of the project of a registry and of ours, by name.

    The user's own take the place of all others. What comes with a project takes no other's place: whoever names one
    of ours gets that, also in a project that they did not write.
    """
    users = user_config_file().with_name(_FOLDER)
    projects = project_config_file(Path(os.path.abspath(registry))).with_name(_FOLDER)
    found = {
        file.stem: Found(file.stem, file, folder == projects, folder == BUILT_IN)
        for folder in (projects, BUILT_IN, users)
        for file in sorted(folder.glob(f"*{_ENDING}"))[:_MOST]
    }
    return [found[name] for name in sorted(found)]


def find_pipeline(given: str, registry: Path) -> Path:
    """The file that is meant, with its whole path: one with a folder or an ending is a path. Raises `PipelineError`."""
    if os.path.dirname(given) or given.endswith(_ENDING):
        return Path(os.path.abspath(given))
    known = {each.name: each.path for each in pipelines(registry)}
    if given in known:
        return known[given]
    beside = f"; for the file beside you give ./{given}" if os.path.isfile(given) else ""
    raise PipelineError(f"there is no pipeline {shown(given)}; {instead_of(given, known)}{beside}")
