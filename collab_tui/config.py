"""Settings: the user's file, the project's file, defaults; each value knows where it came from.

The user's file is `config.toml` in the user's configuration folder, the project's `.collab/config.toml` beside the
registry. The project's values win, except that only the user's file may name the person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import platformdirs

from collab_tui.model.moment import Limits, Order


class ConfigError(Exception):
    """A config file cannot be used; the message says which, why and what is allowed."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings."""

    person: str = "human"
    """Name under which the person answers and is addressed."""
    stale_after: float = 30
    """Minutes after which a waiting or blocked agent counts as silent."""
    stale_after_working: float = 5
    """Minutes after which a working agent counts as silent."""
    theme: str = "collab-dark"
    order: str = Order.NEED.value
    """Order of the agents: need, name or activity."""
    ascii: bool = False
    """Only ASCII signs, for terminals that draw others too wide."""
    sources: dict[str, str] = field(default_factory=dict)
    """Setting -> the file that set it."""

    @property
    def limits(self) -> Limits:
        """The silence limits as durations."""
        return Limits(timedelta(minutes=self.stale_after), timedelta(minutes=self.stale_after_working))


_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "person": str,
    "stale_after": (int, float),
    "stale_after_working": (int, float),
    "theme": str,
    "order": str,
    "ascii": bool,
}
_ONLY_USER: Final = frozenset({"person"})

COMMENTED_CONFIG: Final = """\
# Settings of this project for collab-tui. Every line is optional; those shown are the defaults.
# Your own settings for all projects stand in config.toml in your configuration folder (Linux: ~/.config/collab-tui/).

# stale_after = 30          # minutes without a sign of life until a waiting or blocked agent counts as silent
# stale_after_working = 5   # the same for one that says it is working
# theme = "collab-dark"     # any theme that the palette (ctrl+p) offers
# order = "need"            # order of the agents: need, name or activity
# ascii = false             # only ASCII signs, for terminals that draw others too wide
"""


def user_config_file() -> Path:
    """Where the user's settings are, whether or not the file exists."""
    return Path(platformdirs.user_config_dir("collab-tui", appauthor=False)) / "config.toml"


def project_config_file(registry: Path) -> Path:
    """Where the settings beside a registry are, whether or not the file exists."""
    folder = registry.parent if registry.parent.name == ".collab" else registry.parent / ".collab"
    return folder / "config.toml"


def load_config(registry: Path | None = None) -> Config:
    """The settings in force; raises `ConfigError` for a file that cannot be read or understood."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    files = [(user_config_file(), True)]
    if registry is not None:
        files.append((project_config_file(registry), False))
    for path, is_user in files:
        for name, value in _read(path).items():
            _check(path, name, value, is_user)
            values[name] = value
            sources[name] = str(path)
    return Config(**values, sources=sources)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    import tomllib  # 5 ms that a start without settings need not pay

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _check(path: Path, name: str, value: object, is_user: bool) -> None:
    if name not in _TYPES:
        raise ConfigError(f"{path}: unknown setting {name!r}; known are {', '.join(_TYPES)}")
    if name in _ONLY_USER and not is_user:
        raise ConfigError(f"{path}: {name!r} is yours to set, in {user_config_file()}, not a project's")
    if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and _TYPES[name] is not bool):
        raise ConfigError(f"{path}: {name} = {value!r} is of the wrong type")
    if name == "order" and value not in set(Order):
        raise ConfigError(f"{path}: order = {value!r}; it is one of {', '.join(Order)}")
    if isinstance(value, int | float) and not isinstance(value, bool) and not 0 < value < 1e6:
        raise ConfigError(f"{path}: {name} = {value} is out of range")
