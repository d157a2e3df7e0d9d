"""Keeping files that we made in a worktree out of the commits of its agent, and out of nobody else's sight.

What `info/exclude` says holds in all checkouts of a repository: with it a file that the person made would be missing
from their own status. `extensions.worktreeConfig` changes the format of their repository. So the session alone gets a
setting, in its environment, and git heeds it in that one worktree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from collab_tui.protocol.whole_files import look, put
from collab_tui.sessions.git import Git
from collab_tui.sessions.git_places import git_dir

_PARAMETERS: Final = "GIT_CONFIG_PARAMETERS"
"""How `git -c` tells the programs that it starts. The variables that are meant for others have KEY in their names, and
agents' programs keep such from what they run: half of them left would end every git with an error.
"""
_MOST: Final = 1 << 20
"""Bytes of the user's own list that are heeded."""


async def excluding(
    worktree: Path, files: Collection[str], private: Path, environment: Mapping[str, str]
) -> dict[str, str]:
    """What a session needs in its environment so that its git leaves these files of its worktree alone.

    It needs two files, which are put into the session's `private` folder; what the user has git ignore everywhere stays
    ignored. Raises `GitError`, `RegistryError`.
    """
    place = git_dir(worktree)
    if not files or place is None:
        return {}
    ignored = private / "git-ignored"
    settings = private / "git-settings"
    users = await _users_own(worktree, environment)
    put(look(ignored), users + "".join(f"/{file}\n" for file in sorted(files)))
    put(look(settings), f"[core]\n\texcludesFile = {_in_config(ignored)}\n")
    setting = f"{_quoted(f'includeIf.gitdir/i:{_pattern(place)}.path')}={_quoted(settings.as_posix())}"
    return {_PARAMETERS: " ".join(filter(None, (environment.get(_PARAMETERS), setting)))}


async def _users_own(worktree: Path, environment: Mapping[str, str]) -> str:
    """What the user has git ignore in every repository: the setting of which ours takes the place."""
    named = await Git(worktree, environment).says("config", "--type=path", "--get", "core.excludesFile")
    if named is None:
        home = environment.get("HOME") or environment.get("USERPROFILE") or os.sep
        named = os.path.join(environment.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "git", "ignore")
    place = worktree / named
    if not place.is_file():
        return ""
    try:
        with place.open("rb") as file:
            return file.read(_MOST).decode("utf-8", "replace") + "\n"
    except OSError:  # git cannot read it either
        return ""


def _pattern(place: Path) -> str:
    """What this path alone matches."""
    return re.sub(r"([][*?\\])", r"\\\1", Path(os.path.realpath(place)).as_posix())


def _in_config(path: Path) -> str:
    """As git's configuration has it."""
    return '"' + path.as_posix().replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted(text: str) -> str:
    """As git has it in that variable."""
    return "'" + text.replace("'", "'\\''") + "'"
