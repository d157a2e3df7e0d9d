"""What the person allowed projects to set.

A project's file comes with the project: whoever wrote that could name whose signature counts, or put "approve" on the
key for "next". Such settings are in force only once the person has seen and allowed that very content, for that very
file. What was allowed stands beside the user's settings, in a file that only the user can write.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from collab_tui.config.settings import ConfigError, Restricted


def is_allowed(part: Restricted, allowed: Path) -> bool:
    """The person allowed exactly this; raises `ConfigError` when what was allowed cannot be trusted."""
    return _read(allowed).get(_place(part)) == _digest(part)


def allow(part: Restricted, allowed: Path) -> None:
    """Keep that the person allowed this; what was allowed for the same file before no longer is."""
    known = {**_read(allowed), _place(part): _digest(part)}
    allowed.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = allowed.with_name(f"{allowed.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(json.dumps(known, indent=2) + "\n")
    fresh.replace(allowed)


def _read(allowed: Path) -> Mapping[str, Any]:
    mend = f"`rm {allowed}`, then `collab-tui config allow` in each project"
    try:
        with allowed.open(encoding="utf-8") as file:
            about = os.fstat(file.fileno())
            if os.name == "posix" and (about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
                raise ConfigError(f"{allowed}: others can write it, so it does not count; {mend}")
            known = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{allowed}: it cannot be read ({error}); {mend}") from error
    if not isinstance(known, dict):
        raise ConfigError(f"{allowed}: it is not what `collab-tui config allow` writes; {mend}")
    return known


def _place(part: Restricted) -> str:
    return str(part.path.resolve())


def _digest(part: Restricted) -> str:
    import hashlib  # few projects set anything of the kind

    return hashlib.sha256(json.dumps(part.content, sort_keys=True).encode()).hexdigest()
