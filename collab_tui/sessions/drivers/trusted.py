"""What the person trusts, as their agents' programs keep it: only then what lies in a project is obeyed as settings.

Without a screen neither program asks: Claude Code runs what a project has for hooks and servers, and Codex notes that
the project is trusted.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from collab_tui.sessions.drivers.json_lines import object_of
from collab_tui.sessions.git_places import common_dir, git_dir


def is_trusted_by_claude(folder: Path, environment: Mapping[str, str]) -> bool:
    """The person said so in Claude Code, of the folder, one above it, or the repository that it is a worktree of."""
    place = _folder(environment, "CLAUDE_CONFIG_DIR")
    settings = _read(place / ".claude.json", json.loads) if place is not None else {}
    projects = object_of(settings.get("projects"))
    repository = [path for path in (_repository(folder),) if path is not None]
    places = (path for each in (Path(os.path.realpath(folder)), *repository) for path in (each, *each.parents))
    return any(object_of(projects.get(path.as_posix())).get("hasTrustDialogAccepted") is True for path in places)


def codex_settings(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """The person's own settings of Codex; empty where they cannot be read."""
    place = _folder(environment, "CODEX_HOME", ".codex")
    return _read(place / "config.toml", tomllib.loads) if place is not None else {}


def is_known_to_codex(folder: Path, settings: Mapping[str, Any]) -> bool:
    """The person said whether they trust the folder, or the repository that it is a worktree of."""
    projects = object_of(settings.get("projects"))
    return any(
        str(path) in projects for path in (Path(os.path.realpath(folder)), _repository(folder)) if path is not None
    )


def _folder(environment: Mapping[str, str], variable: str, name: str = "") -> Path | None:
    """Where a program keeps its own."""
    home = environment.get("HOME") or environment.get("USERPROFILE")
    if given := environment.get(variable):
        return Path(given)
    return Path(home, name) if home else None


def _read(path: Path, parsed: Any) -> Mapping[str, Any]:
    try:
        return object_of(parsed(path.read_text("utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}


def _repository(folder: Path) -> Path | None:
    """The checkout that the folder is in; of a worktree that of its repository."""
    real = Path(os.path.realpath(folder))
    private = next(_private(real), None)
    if private is None:
        return None
    common = common_dir(private)
    return Path(os.path.realpath(common)).parent if common.name == ".git" else None


def _private(real: Path) -> Iterator[Path]:
    return (private for place in (real, *real.parents) if (private := git_dir(place)) is not None)
