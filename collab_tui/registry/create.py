"""Making a registry for a project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from collab_tui.config import COMMENTED_CONFIG
from collab_tui.registry.append import UnusableError, append

_IGNORED: Final = """\
# What agents ran and were asked stands in the registry, perhaps with secrets. To commit it all the same, delete this:
/registry.jsonl*
"""


def make_registry(folder: Path) -> list[Path]:
    """Make `.collab/` with a registry, which git ignores, and a commented config; gives the files that were made.

    What is there already stays as it is.
    """
    home = folder / ".collab"
    try:
        home.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise UnusableError(f"cannot make {home}: {error.strerror}") from error
    made = []
    registry, ignored, config = (home / name for name in ("registry.jsonl", ".gitignore", "config.toml"))
    if not registry.exists():
        append(str(registry), {"agent": "system", "event": "registry_created", "registry": os.urandom(16).hex()})
        made.append(registry)
    if not os.path.lexists(ignored):
        ignored.write_text(_IGNORED, encoding="utf-8")
        made.append(ignored)
    if not config.exists():
        config.write_text(COMMENTED_CONFIG, encoding="utf-8")
        made.append(config)
    return made
