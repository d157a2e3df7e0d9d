"""`collab-tui config`: what is in force, and from where; and allowing what a project's file sets."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from collab_tui.cli.arguments import asked_yes, make_parser, registry_path, show_anything
from collab_tui.cli.settings import load_settings
from collab_tui.config import Config, ConfigError, Restricted, load_config, project_config_file, user_config_file
from collab_tui.config.reading import allow_project
from collab_tui.config.settings import BY_NAME, SETTINGS, Shape
from collab_tui.config.values import key, shown
from collab_tui.model.text import clean, one_line
from collab_tui.protocol.presence import why_not_the_person
from collab_tui.registry.append import RefusedError, UnusableError

_EXAMPLES = """\
  collab-tui config             every setting and key, its value, and the file and line that set it
  collab-tui config --json
  collab-tui config allow       see what the project's file may only set with your leave, and allow it

A project's file comes with the project. What it says in [keys], [approvers] and [[rule]] is in force only once you
allowed that very content; `theme`, `columns` and the like are in force at once; `person` is for your own file alone."""

_LONGEST = 100
"""Characters of a value that are printed."""
_WIDEST = 24
"""Characters that every value is given room for; longer ones push what follows aside."""


@dataclass(frozen=True, slots=True)
class _Value:
    """One setting in force."""

    value: Any
    default: Any
    origin: str
    """default, file or environment."""
    place: str
    """File and line, or the variable; empty for a default."""


def main(arguments: list[str]) -> int:
    """Print the settings in force, or allow a project's."""
    parser = make_parser("config", "Print every setting in force, its value, and where it was set.", _EXAMPLES)
    parser.add_argument("action", nargs="?", choices=["allow"], help="allow what waits in the project's file")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(arguments)
    if options.action and options.json:
        parser.error("allow asks, and has nothing to say in JSON")
    show_anything()
    registry = _registry(options.registry)
    if options.action == "allow":
        return _allow(registry)
    try:
        config = load_config(registry)
        _check_screen(config)
    except ConfigError as error:
        raise UnusableError("\n".join(error.problems)) from error
    if options.json:
        print(json.dumps(_document(config, registry), indent=2))
    else:
        for line in _lines(config, registry):
            print(line.rstrip())
    return 0


def _registry(given: str | None) -> Path | None:
    """The registry whose project is meant; None where there is none, and only the user's file counts."""
    try:
        return Path(registry_path(given))
    except UnusableError:
        if given or os.environ.get("COLLAB_REGISTRY"):
            raise
        return None


def _check_screen(config: Config) -> None:
    from collab_tui.tui.settings import screen_problems

    if problems := screen_problems(config):
        raise ConfigError(*problems)


# What is in force


def _settings(config: Config) -> dict[str, _Value]:
    """Every setting but the keys."""
    default = Config()
    found = {}
    for setting in SETTINGS:
        if setting.shape is not Shape.VALUE:
            continue
        value_of, source = attrgetter(setting.name), config.sources.get(setting.name)
        found[setting.name] = _Value(
            value_of(config), value_of(default), "file" if source else "default", str(source or "")
        )
    found |= _from_environment(found, os.environ)
    for table in ("approvers", "agents"):
        for name, value in getattr(config, table).items():
            told = value if isinstance(value, str) else asdict(value)
            found[f"{table}.{name}"] = _Value(told, None, "file", str(config.sources[f"{table}.{name}"]))
    for number, rule in enumerate(config.rules, 1):
        told = f"{rule.name}: {'on' if rule.is_on else 'off'}"
        found[f"rule.{number}"] = _Value(told, None, "file", str(rule.source))
    for number, decide in enumerate(config.decide, 1):
        found[f"decide.{number}"] = _Value(str(decide), None, "file", str(decide.source))
    return found


def _from_environment(found: Mapping[str, _Value], environ: Mapping[str, str]) -> dict[str, _Value]:
    """What the environment decides, whatever the files say."""
    from collab_tui.tui.theme import NO_COLOR

    if not environ.get("NO_COLOR"):
        return {}
    return {"theme": _Value(NO_COLOR, found["theme"].value, "environment", "$NO_COLOR")}


def _keys(config: Config) -> dict[str, _Value]:
    """The keys of every command, as people write them."""
    from collab_tui.tui.actions import ACTIONS
    from collab_tui.tui.keymap import make_keymap

    keymap, _ = make_keymap(config)
    found = {}
    for action in ACTIONS:
        source = config.sources.get(f"keys.{action.id}")
        found[action.id] = _Value(
            keymap.all_text(action), action.key_text, "file" if source else "default", str(source or "")
        )
    return found


def _document(config: Config, registry: Path | None) -> dict[str, Any]:
    def told(values: Mapping[str, _Value]) -> dict[str, Any]:
        return {
            name: {"value": value.value, "default": value.default, "from": value.origin, "place": value.place or None}
            for name, value in values.items()
        }

    return {
        "registry": str(registry) if registry else None,
        "files": {whose: {"path": str(path), "exists": path.exists()} for whose, path in _files(registry)},
        "settings": told(_settings(config)),
        "keys": told(_keys(config)),
        "waiting": {"path": str(config.waiting.path), "content": config.waiting.content} if config.waiting else None,
    }


def _files(registry: Path | None) -> list[tuple[str, Path]]:
    return [("user", user_config_file())] + ([("project", project_config_file(registry))] if registry else [])


def _lines(config: Config, registry: Path | None) -> Iterator[str]:
    for whose, path in _files(registry):
        yield f"{whose:<9} {one_line(clean(str(path)))}{'' if path.exists() else '  (there is none)'}"
    if registry is None:
        yield "project   no registry here or above: your own settings alone"
    yield ""
    yield from _table(_settings(config), _told)
    yield ""
    yield "the keys of the commands"
    yield from _table(_keys(config), str)
    if config.waiting is not None:
        yield ""
        yield f"waits to be allowed: {', '.join(_names(config.waiting))} in {one_line(clean(str(config.waiting.path)))}"
        yield "See it and allow it: collab-tui config allow"


def _table(values: Mapping[str, _Value], told: Callable[[Any], str]) -> Iterator[str]:
    first = max(map(len, values))
    second = min(_WIDEST, max(len(told(value.value)) for value in values.values()))
    for name, value in values.items():
        place = one_line(clean(value.place)) or "default"
        was = f"  instead of {told(value.default)}" if value.place and value.default is not None else ""
        yield f"{one_line(clean(name)):<{first}}  {told(value.value):<{second}}  {place}{was}"


def _told(value: Any) -> str:
    return "not set" if value is None else shown(value, _LONGEST)


# Allowing


def _names(part: Restricted) -> list[str]:
    return [
        f"{table}.{name if name.isidentifier() else shown(name, None)}"
        for table, values in part.content.items()
        for name in values
    ]


def _show(header: str, values: Mapping[str, Any]) -> None:
    """A table as the file has it."""
    print(f"  {header}")
    for name, value in values.items():
        print(f"  {key(name)} = {shown(value, None)}")
    print()


def _allow(registry: Path | None) -> int:
    part = load_settings(registry).waiting
    if part is None:
        print("Nothing waits to be allowed.")
        return 0
    if (why := why_not_the_person(os.environ, sys.stdin)) is not None:
        raise RefusedError(f"only you can allow what a project sets: {why}")
    print(f"{one_line(clean(str(part.path)))} sets what needs your leave:\n")
    for table, values in part.content.items():
        if BY_NAME[table].shape is Shape.LIST:
            for one in values.values():
                _show(f"[[{table}]]", one)
        else:
            _show(f"[{table}]", values)
    print("Keys decide what you do when you press one, approvers whose signature counts as a decision, and rules what")
    print("is done by itself.")
    if not asked_yes("Allow exactly this?"):
        print("Nothing was allowed.")
        return 1
    try:
        allow_project(part)
    except OSError as error:
        raise UnusableError(f"cannot write beside {user_config_file()}: {error.strerror}") from error
    print("It is in force from now on, until the project's file says something else.")
    return 0
