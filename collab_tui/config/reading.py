"""Reading the config files: what is in force, from where, and everything that is wrong."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import platformdirs

from collab_tui.config.allowed import allow, is_allowed
from collab_tui.config.settings import BY_NAME, Config, ConfigError, Restricted, Scope, Setting, Source
from collab_tui.config.values import WrongError, instead_of, shown
from collab_tui.model.requests import is_person_writing
from collab_tui.model.words import name_key

_LONGEST: Final = 1 << 20
"""Bytes of a config file that are read."""


def user_config_file() -> Path:
    """Where the user's settings are, whether or not the file exists."""
    return Path(platformdirs.user_config_dir("collab-tui", appauthor=False)) / "config.toml"


def project_config_file(registry: Path) -> Path:
    """Where the settings beside a registry are, whether or not the file exists."""
    folder = registry.parent if registry.parent.name == ".collab" else registry.parent / ".collab"
    return folder / "config.toml"


def load_config(registry: Path | None = None) -> Config:
    """The settings in force; raises `ConfigError` for files that cannot be read or understood."""
    user = _File(user_config_file())
    project = _File(project_config_file(registry), is_project=True) if registry is not None else None
    if problems := [*user.problems, *(project.problems + _own_keys(user, project) if project else ())]:
        raise ConfigError(*problems)
    waiting = project.restricted if project else None
    if waiting is not None and is_allowed(waiting, _allowed_file()):
        waiting = None
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for file in (user, project) if project else (user,):
        for setting, name, value, source in file.found:
            if waiting is not None and file is project and setting.scope is Scope.RESTRICTED:
                continue
            if not setting.is_table:
                values[setting.name] = value
            elif setting.name == "approvers" and name_key(name) in map(name_key, values.get("approvers", {})):
                continue  # no project's file says that somebody whom the user knows has another key
            else:
                values[setting.name] = {**values.get(setting.name, {}), name: value}
            sources[f"{setting.name}.{name}" if setting.is_table else setting.name] = source
    return Config(**values, sources=sources, waiting=waiting)


def _own_keys(user: _File, project: _File) -> list[str]:
    """A project's file that says which key is the person's own would decide as they do, once it is allowed."""
    person = next((value for setting, _, value, _ in user.found if setting.name == "person"), Config().person)
    own = f"your own key is in {user_config_file().parent}, and no project sets another"
    return [
        f"{source}: {name if name.isidentifier() else shown(name)} in [approvers] is you: {own}"
        for setting, name, _, source in project.found
        if setting.name == "approvers" and is_person_writing(name, person)
    ]


def allow_project(part: Restricted) -> None:
    """Keep that the person allowed this part of a project's file; raises `OSError` when that cannot be written."""
    allow(part, _allowed_file())


def _allowed_file() -> Path:
    return user_config_file().with_name("allowed.json")


@dataclass
class _File:
    """One config file: what it sets, and what is wrong with it."""

    path: Path
    is_project: bool = False
    problems: list[str] = field(default_factory=list)
    found: list[tuple[Setting, str, Any, Source]] = field(default_factory=list)
    """Setting, its own name or for a table the name in it, value, place."""

    def __post_init__(self) -> None:
        try:
            about = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.problems.append(f"{self.path}: it cannot be read: {error.strerror}")
            return
        if not stat.S_ISREG(about.st_mode) or about.st_size > _LONGEST:  # a pipe would never end
            self.problems.append(f"{self.path}: it is no file of at most {_LONGEST:,} bytes")
            return
        import tomllib  # 5 ms that a start without settings need not pay

        from collab_tui.config.lines import line_numbers

        try:
            text = self.path.read_text(encoding="utf-8-sig")
            data = tomllib.loads(text)
        except OSError as error:
            self.problems.append(f"{self.path}: it cannot be read: {error.strerror}")
        except UnicodeDecodeError as error:
            self.problems.append(f"{self.path}: it is not UTF-8 ({error}); save it as UTF-8")
        except ValueError as error:  # a number of thousands of digits is one that is not `tomllib`'s own
            self.problems.append(f"{self.path}: it is not TOML: {error}")
        except RecursionError:
            self.problems.append(f"{self.path}: its values stand too deep in each other")
        else:
            lines = line_numbers(text)
            told = sorted(self._read(data), key=lambda problem: lines[problem[0]])
            self.problems += [f"{self.path}:{lines[path]}: {problem}" for path, problem in told]
            self.found = [
                (BY_NAME[path[0]], path[-1], value, Source(self.path, lines[path])) for path, value in self._values
            ]

    @property
    def restricted(self) -> Restricted | None:
        """What a project's file sets that the person has to allow."""
        content: dict[str, dict[str, Any]] = {}
        for setting, name, value, _ in self.found:
            if setting.scope is Scope.RESTRICTED:
                content.setdefault(setting.name, {})[name] = value
        return Restricted(self.path, content) if content else None

    def _read(self, data: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Take the values over; gives what is wrong, and with which setting."""
        self._values: list[tuple[tuple[str, ...], Any]] = []
        for name, value in data.items():
            setting = BY_NAME.get(name)
            if setting is None:
                yield (name,), f"unknown setting {shown(name)}; {instead_of(name, BY_NAME)}"
            elif setting.scope is Scope.USER and self.is_project:
                yield (name,), f"{name!r} is yours to set, in {user_config_file()}, not a project's"
            elif not setting.is_table:
                yield from self._take(setting, (name,), value)
            elif isinstance(value, dict):
                for inner, its_value in value.items():
                    if inner.strip():
                        yield from self._take(setting, (name, inner), its_value)
                    else:
                        yield (name, inner), f"a name in [{name}] must not be empty"
            else:
                yield (name,), f"{name} = {shown(value)}: it is a table, [{name}] and below it {setting.example}"

    def _take(self, setting: Setting, path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
        try:
            self._values.append((path, setting.read(value)))
        except WrongError as wrong:
            name = path[-1] if path[-1].isidentifier() else shown(path[-1])
            yield path, f"{name} = {shown(value)}: {wrong}"
