"""The settings of a command."""

from __future__ import annotations

from pathlib import Path

from collab_tui.cli.arguments import complain
from collab_tui.config import Config, ConfigError, load_config, load_harmless
from collab_tui.registry.append import UnusableError


def load_settings(registry: Path | None = None) -> Config:
    """The settings in force; a file that cannot be used ends the command with one line about it."""
    try:
        return load_config(registry)
    except ConfigError as error:
        raise UnusableError(str(error)) from error


def load_to_brake(registry: Path | None = None) -> Config:
    """The same for a command that shows what runs, or ends it: a mistake in the files is told, and holds nothing up."""
    config, problems = load_harmless(registry)
    if problems:
        complain(f"warning: what is wrong in the settings is left out: {ConfigError(*problems)}")
    return config


def load_screen_settings(registry: Path | None = None) -> Config:
    """The same for a command that shows a screen: its theme and keys are checked too."""
    from collab_tui.tui.settings import screen_problems

    config = load_settings(registry)
    if problems := screen_problems(config):
        raise UnusableError(str(ConfigError(*problems)))
    return config
