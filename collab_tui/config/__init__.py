"""Settings: the user's file, the project's file, defaults; each value knows where it came from.

The user's file is `config.toml` in the user's configuration folder, the project's `.collab/config.toml` beside the
registry. The project's values win, except for those that are the user's alone.
"""

from collab_tui.config.reading import load_config, load_harmless, project_config_file, user_config_file
from collab_tui.config.settings import COMMENTED_CONFIG, Column, Config, ConfigError, Restricted
from collab_tui.config.source import Source

__all__ = [
    "COMMENTED_CONFIG",
    "Column",
    "Config",
    "ConfigError",
    "Restricted",
    "Source",
    "load_config",
    "load_harmless",
    "project_config_file",
    "user_config_file",
]
