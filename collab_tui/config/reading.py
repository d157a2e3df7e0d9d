"""Reading the config files: what is in force, from where, and everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from collab_tui.config.allowed import allow, is_allowed
from collab_tui.config.settings import (
    BY_NAME,
    TABLES,
    Config,
    ConfigError,
    HookSettings,
    Restricted,
    Scope,
    SessionSettings,
    Setting,
    Shape,
)
from collab_tui.config.source import Source
from collab_tui.config.toml_file import TomlError, read_toml
from collab_tui.config.values import WrongError, instead_of, key, shown
from collab_tui.config.workers import WorkerSettings
from collab_tui.model.requests import is_person_writing
from collab_tui.model.words import name_key


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
    if problems := [
        *user.problems,
        *(project.problems + _own_keys(user, project) if project else ()),
        *_same_names(*user.found, *(project.found if project else ())),
    ]:
        raise ConfigError(*problems)
    waiting = project.restricted if project else None
    if waiting is not None and is_allowed(waiting, allowed_file()):
        waiting = None
    files = (user, project) if project else (user,)
    config = _config(
        (
            found
            for file in files
            for found in file.found
            if waiting is None or file is user or found.setting.scope is not Scope.RESTRICTED
        ),
        waiting,
    )
    if unsigned := _unsigned_words(config):
        raise ConfigError(*unsigned)
    if registry is None or all(stream.is_for(registry) for stream in config.streams):
        return config
    return replace(config, streams=tuple(stream for stream in config.streams if stream.is_for(registry)))


def load_harmless(registry: Path | None = None) -> tuple[Config, tuple[str, ...]]:
    """The settings to look at what runs, and to end it, whatever is wrong in the files; and what is wrong.

    Where something is, only what is right and starts nothing is in it: no rules, streams or programs, and of a
    project's file nothing that the person has to allow.
    """
    try:
        return load_config(registry), ()
    except ConfigError as error:
        user = _File(user_config_file())
        project = _File(project_config_file(registry), is_project=True).found if registry is not None else []
        harmless = (one for one in (*user.found, *project) if one.setting.scope is not Scope.RESTRICTED)
        approvers = (one for one in user.found if one.setting.name == "approvers")
        return _config(one for one in (*harmless, *approvers) if not _runs(one)), error.problems


def _config(taken: Iterable[_Found], waiting: Restricted | None = None) -> Config:
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for found in taken:
        found.add_to(values, sources)
    return Config(**_gathered(values, sources), sources=sources, waiting=waiting)


def _gathered(values: dict[str, Any], sources: Mapping[str, Source]) -> dict[str, Any]:
    """The values of tables of fixed names gathered, and each rule with its place."""
    hooks = {name.partition(".")[2]: values.pop(name) for name in list(values) if name.startswith("hooks.")}
    rules = (replace(rule, source=sources[f"rule.{n}"]) for n, rule in enumerate(values.pop("rules", ()), 1))
    workers = {name.partition(".")[2]: values.pop(name) for name in list(values) if name.startswith("workers.")}
    decide = (replace(rule, source=sources[f"decide.{n}"]) for n, rule in enumerate(values.pop("decides", ()), 1))
    streams = (replace(one, source=sources[f"stream.{n}"]) for n, one in enumerate(values.pop("streams", ()), 1))
    values |= {"workers": WorkerSettings(**workers), "decide": tuple(decide), "streams": tuple(streams)}
    sessions = {name.partition(".")[2]: values.pop(name) for name in list(values) if name.startswith("sessions.")}
    values |= {"sessions": SessionSettings(**sessions)}
    return values | {"hooks": HookSettings(**hooks), "rules": tuple(rules)}


def _same_names(*found: _Found) -> list[str]:
    """Rules and streams are told apart by their names, also in what they did."""
    problems, known = [], dict[tuple[str, str], Source]()
    for one in (one for one in found if one.setting.name in ("rule", "stream")):
        named = one.setting.name, name_key(one.value.name)
        if named in known:
            told = f"{shown(one.value.name)} is the {named[0]} at {known[named]}, too: give one of them another name"
            problems.append(f"{one.source}: {told}")
        known.setdefault(named, one.source)
    return problems


def _unsigned_words(config: Config) -> list[str]:
    """Anybody can write in the name of the person, or of an approver: only their decisions are signed."""
    approvers = set(map(name_key, config.approvers))
    problems = []
    for rule in (rule for rule in config.rules if rule.then.takes_time and not rule.when.is_of_decisions):
        source = rule.when.source
        if source is not None and (is_person_writing(source, config.person) or name_key(source) in approvers):
            does = "run" if rule.then.run is not None else "prompt"
            told = f"{does} with from = {shown(source)}: messages are not signed, anybody can write one in that name"
            problems.append(f'{rule.source}: {told}; give event = "decision", or a verdict')
    return problems


def _own_keys(user: _File, project: _File) -> list[str]:
    """A project's file that says which key is the person's own would decide as they do, once it is allowed."""
    person = next((found.value for found in user.found if found.setting.name == "person"), Config().person)
    own = f"your own key is in {user_config_file().parent}, and no project sets another"
    return [
        f"{found.source}: {key(found.name)} in [approvers] is you: {own}"
        for found in project.found
        if found.setting.name == "approvers" and is_person_writing(found.name, person)
    ]


def allow_project(part: Restricted) -> None:
    """Keep that the person allowed this part of a project's file; raises `OSError` when that cannot be written."""
    allow(part, allowed_file())


def allowed_file() -> Path:
    """Where it is kept what the person allowed projects to set, whether or not anything was."""
    return user_config_file().with_name("allowed.json")


def _programs_of_others(found: Iterable[_Found]) -> Iterator[str]:
    """What a file that others can write has run in the user's name."""
    for one in found:
        if _runs(one):
            mend = f"`chmod go-w {one.source.path}`, and see that the file is yours"
            yield f"{one.source}: others can write this file, so it starts no programs and prompts no sessions: {mend}"


def _runs(one: _Found) -> bool:
    """It has a program run."""
    is_program = one.setting.name in ("notify_command", "workers.report")
    return is_program or (one.setting.name == "rule" and one.value.then.takes_time)


@dataclass(frozen=True, slots=True)
class _Found:
    """One setting as a file has it."""

    setting: Setting
    name: str
    """Its own, or for a table or a list that of the one in it."""
    raw: Any
    value: Any
    source: Source

    def add_to(self, values: dict[str, Any], sources: dict[str, Source]) -> None:
        """Take it over; what a file read later says takes the place of what an earlier one said."""
        name = self.setting.name
        match self.setting.shape:
            case Shape.VALUE:
                values[name] = self.value
                sources[name] = self.source
            case Shape.TABLE:
                if name == "approvers" and name_key(self.name) in map(name_key, values.get(name, {})):
                    return  # no project's file says that somebody whom the user knows has another key
                values[name] = {**values.get(name, {}), self.name: self.value}
                sources[f"{name}.{self.name}"] = self.source
            case Shape.LIST:
                listed = values.setdefault(f"{name}s", [])
                listed.append(self.value)
                sources[f"{name}.{len(listed)}"] = self.source


@dataclass
class _File:
    """One config file: what it sets, and what is wrong with it."""

    path: Path
    is_project: bool = False
    problems: list[str] = field(default_factory=list)
    found: list[_Found] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            file = read_toml(self.path)
        except TomlError as error:
            self.problems.append(str(error))
            return
        if file is None:
            return
        told = sorted((file.line_of(path), problem) for path, problem in self._read(file.data))
        self.problems += [f"{self.path}:{line}: {problem}" for line, problem in told]
        self.found = [
            _Found(setting, path[-1], raw, value, Source(self.path, file.line_of(path)))
            for setting, path, raw, value in self._values
        ]
        if file.is_writable_by_others:
            self.problems += _programs_of_others(self.found)

    @property
    def restricted(self) -> Restricted | None:
        """What a project's file sets that the person has to allow."""
        content: dict[str, dict[str, Any]] = {}
        for found in self.found:
            if found.setting.scope is Scope.RESTRICTED:
                content.setdefault(found.setting.name, {})[found.name] = found.raw
        return Restricted(self.path, content) if content else None

    def _read(self, data: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Take the values over; gives what is wrong, and with which setting."""
        self._values: list[tuple[Setting, tuple[str, ...], Any, Any]] = []
        for name, value in data.items():
            if name not in TABLES:
                yield from self._read_one((name,), value)
            elif isinstance(value, dict):
                for inner, its_value in value.items():
                    yield from self._read_one((name, inner), its_value)
            else:
                yield (name,), f"{name} = {shown(value)}: it is a table, [{name}]"

    def _read_one(self, path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
        name = ".".join(path)
        setting = BY_NAME.get(name) if "." not in path[-1] else None  # `"hooks.brief"` in quotes is one name
        if setting is None:
            known = [other.rpartition(".")[2] for other in BY_NAME if other.rpartition(".")[0] == ".".join(path[:-1])]
            where = f" in [{path[0]}]" if len(path) > 1 else ""
            known += sorted(TABLES) if not where else ()
            yield path, f"unknown setting {shown(path[-1])}{where}; {instead_of(path[-1], known)}"
        elif setting.scope is Scope.USER and self.is_project:
            yield path, f"{name!r} is yours to set, in {user_config_file()}, not a project's"
        elif setting.shape is Shape.VALUE:
            yield from self._take(setting, path, value)
        elif setting.shape is Shape.TABLE and isinstance(value, dict):
            for inner, its_value in value.items():
                if inner.strip():
                    yield from self._take(setting, (name, inner), its_value)
                else:
                    yield (name, inner), f"a name in [{name}] must not be empty"
        elif setting.shape is Shape.LIST and isinstance(value, list):
            for number, its_value in enumerate(value, 1):
                yield from self._take(setting, (name, str(number)), its_value)
        elif setting.shape is Shape.TABLE:
            yield path, f"{name} = {shown(value)}: it is a table, [{name}] and below it {setting.example}"
        else:
            yield path, f"{name} = {shown(value)}: each is a table of its own, [[{name}]] and below it its values"

    def _take(self, setting: Setting, path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
        read = setting.read_in_project if self.is_project and setting.read_in_project else setting.read
        try:
            self._values.append((setting, path, value, read(value)))
        except WrongError as wrong:
            told = f"{key(path[-1])} = {shown(value)}: {wrong}"
            if wrong.path or setting.shape is Shape.LIST:
                number = f" {path[-1]}" if setting.shape is Shape.LIST else f".{key(path[-1])}"
                told = f"{setting.name}{number}: {wrong}"
            yield path + wrong.path, told
