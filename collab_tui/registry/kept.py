"""Where it is kept, in the user's state folder, how far the rules came in a registry."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

import platformdirs

_FOLDER: Final = "monitor"


def kept_for(registry: Path) -> Path:
    """The folder for one registry, whether or not it is there. The name follows from where the registry is."""
    name = hashlib.sha256(os.path.realpath(registry).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return Path(platformdirs.user_state_dir("collab-tui", appauthor=False)) / _FOLDER / name
