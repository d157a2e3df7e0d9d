"""Which agents there are: built in, the user's own, and the project's that the person allowed.

The user's own file of a name takes the place of a built-in agent, and of whatever the project says of that name. A
project's file acts only once the person allowed that very content. Until then its name stands for nothing, a built-in
one's neither: what the project meant to narrow must not start as it was before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collab_tui.config import ConfigError, Restricted, project_config_file, user_config_file
from collab_tui.config.allowed import is_allowed
from collab_tui.config.reading import allow_project, allowed_file
from collab_tui.config.toml_file import TomlError, TomlFile, read_toml
from collab_tui.config.values import instead_of, shown
from collab_tui.model.text import clean, one_line
from collab_tui.sessions.built_in import BUILT_IN
from collab_tui.sessions.definition_file import read_definition
from collab_tui.sessions.definitions import Definition, DefinitionError
from collab_tui.sessions.names import BadNameError, checked

_FOLDER: Final = "agents"
_MOST: Final = 500
"""Files of one folder that are read."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A definition of the project that the person has to allow."""

    definition: Definition
    part: Restricted
    """The file and what it says: this is shown, and this is allowed."""

    def allow(self) -> None:
        """Keep that the person allowed exactly this. Raises `DefinitionError` where that cannot be kept."""
        try:
            allow_project(self.part)
        except ConfigError as error:
            raise DefinitionError(str(error)) from error
        except OSError as error:
            raise DefinitionError(f"cannot write {allowed_file()}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Definitions:
    """The agents of a project, as this user has them."""

    all: Mapping[str, Definition]
    """Name -> what may be started under it, in the order of the names."""
    waiting: Mapping[str, Waiting]
    """Name -> what would be, once it is allowed."""
    problems: Mapping[str, str]
    """Name -> what is wrong with its file, one mistake on each line: nothing is started under it."""

    def of(self, name: str) -> Definition:
        """The definition in force. Raises `DefinitionError` with what to do about it."""
        if (problem := self.problems.get(name)) is not None:
            raise DefinitionError(problem)
        if (waiting := self.waiting.get(name)) is not None:
            raise DefinitionError(
                f"{waiting.part.path} defines {name}, and what a project says of agents acts only once you allowed it: "
                f"`collab-tui session allow {name}` shows it and asks"
            )
        if (definition := self.all.get(name)) is None:
            known = [*self.all, *self.waiting]
            raise DefinitionError(f"no agent is defined as {shown(one_line(clean(name)))}; {instead_of(name, known)}")
        return definition

    def to_allow(self, name: str) -> Waiting:
        """What waits under a name. Raises `DefinitionError` where nothing does."""
        if (waiting := self.waiting.get(name)) is not None:
            return waiting
        definition = self.of(name)
        place = definition.source.path if definition.source is not None else "built in"
        why = "is allowed" if definition.is_project else "needs no leave"
        raise DefinitionError(f"{name} {why}: {place}")


def load_definitions(registry: Path) -> Definitions:
    """Every agent that is defined for the project of a registry. Never raises: each mistake is told with its name."""
    found = dict(BUILT_IN)
    waiting: dict[str, Waiting] = {}
    problems: dict[str, str] = {}
    yours = set()
    for name, file in _files(_user_agents()):
        yours.add(name)
        try:
            found[checked(name, "name of an agent")] = _yours(name, file)
        except (BadNameError, DefinitionError, TomlError) as error:
            problems[name] = _told(error, file)
    for name, file in _files(_project_agents(registry)):
        if name in yours:
            continue
        found.pop(name, None)
        try:
            waits = _projects(checked(name, "name of an agent"), file)
            if is_allowed(waits.part, allowed_file()):
                found[name] = waits.definition
            else:
                waiting[name] = waits
        except (BadNameError, ConfigError, DefinitionError, TomlError) as error:
            problems[name] = _told(error, file)
    in_force = {name: found[name] for name in sorted(found) if name not in problems}
    return Definitions(in_force, waiting, problems)


def _user_agents() -> Path:
    """The folder of the user's own definitions, whether or not it is there."""
    return user_config_file().with_name(_FOLDER)


def _project_agents(registry: Path) -> Path:
    """The folder of the project's, whether or not it is there."""
    return project_config_file(registry).with_name(_FOLDER)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names and files; of a folder that cannot be read there are none."""
    for file in sorted(folder.glob("*.toml"))[:_MOST]:
        yield file.stem, file


def _yours(name: str, path: Path) -> Definition:
    file = _read(path)
    if file.is_writable_by_others:
        mend = f"`chmod go-w {path}`, and see that the file is yours"
        raise DefinitionError(f"{path}: others can write this file, so nothing that it names is started: {mend}")
    return read_definition(name, file, is_project=False)


def _projects(name: str, path: Path) -> Waiting:
    file = _read(path)
    return Waiting(read_definition(name, file, is_project=True), Restricted(path, {name: file.data}))


def _read(path: Path) -> TomlFile:
    file = read_toml(path)
    if file is None:
        raise DefinitionError(f"{path}: it is gone")
    return file


def _told(error: Exception, path: Path) -> str:
    return f"{path}: {error}" if isinstance(error, BadNameError) else str(error)
