"""The settings of the monitor, read again when their files change."""

from __future__ import annotations

import os
from pathlib import Path

from collab_tui.config import Config, load_config, project_config_file, user_config_file
from collab_tui.config.reading import allowed_file
from collab_tui.reactions.looking import Setup

_State = tuple[tuple[int, int, int] | None, ...]


class SettingsFiles:
    """The files that say what rules there are for one registry."""

    def __init__(self, registry: Path) -> None:
        self._registry = registry
        self._places = (user_config_file(), project_config_file(registry), allowed_file())
        self._state = self._look()

    def read(self) -> Config:
        """What they say now. Raises `ConfigError`."""
        self._state = self._look()
        return load_config(self._registry)

    @staticmethod
    def read_own() -> Config:
        """What the user's own file says, whatever the project's does. Raises `ConfigError`."""
        return load_config()

    def have_changed(self) -> bool:
        """They are not as they were when they were read last, rightly or not."""
        return self._look() != self._state

    def _look(self) -> _State:
        return tuple(map(_state_of, self._places))


def _state_of(place: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(place)
    except OSError:
        return None  # it is not there, or nothing can be read of it
    return status.st_mtime_ns, status.st_size, status.st_ino


def setup_of(config: Config) -> Setup:
    """What of the settings matters to rules."""
    return Setup(tuple(config.rules), config.person, config.limits, config.approvers, config.notify_command)
