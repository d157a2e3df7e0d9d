"""What a definition's file says: every key, the values that it takes, and everything that is wrong with it.

    base = "claude"
    role = "reviews what others wrote"
    model = ["--model", "opus"]
    tools = ["Bash(git log:*)"]
    environment = ["GH_TOKEN"]
    instructions = \"\"\"
    Read the change first. Say what is wrong with it; change nothing.
    \"\"\"

With `base` it begins as a built-in agent is, and what the file says takes the place of that; names in `environment`
are added. Without it `driver` and `command` have to be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from collab_tui.config import values
from collab_tui.config.source import Source
from collab_tui.config.toml_file import TomlFile
from collab_tui.config.values import WrongError, instead_of, shown
from collab_tui.sessions.built_in import BUILT_IN
from collab_tui.sessions.definitions import Definition, DefinitionError, DriverKind, Exchange
from collab_tui.sessions.names import BadNameError, checked

_LONGEST_INSTRUCTIONS: Final = 1 << 15
"""Characters."""
_LONGEST_ROLE: Final = 120
_LONGEST_ITEM: Final = 4000
_LONGEST_PATTERN: Final = 500


def read_definition(name: str, file: TomlFile, *, is_project: bool) -> Definition:
    """The agent that a file defines. Raises `DefinitionError` with every mistake in it, one on each line."""
    found: dict[str, Any] = {}
    wrong: list[tuple[int, str]] = []
    for key, value in file.data.items():
        try:
            found |= _FIELDS({key: value})
        except WrongError as error:
            wrong.append((file.line_of(error.path), str(error)))
    if not wrong:
        wrong = [(file.line_of((key,)), problem) for key, problem in _contradictions(found)]
    if wrong:
        raise DefinitionError(
            "\n".join(f"{file.path}:{line}: {problem}" for line, problem in sorted(wrong, key=itemgetter(0)))
        )
    base = BUILT_IN.get(found.pop("base", ""))
    given = {_CALLED.get(key, key): value for key, value in found.items()}
    told = {"name": name, "source": Source(file.path, 1), "is_project": is_project}
    if base is None:
        return Definition(**given | told)
    if "environment" in given:
        given["environment"] = tuple(dict.fromkeys((*base.environment, *given["environment"])))
    return replace(base, **given | told)


def _contradictions(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What does not hold together, and with which key."""
    base = BUILT_IN.get(found.get("base", ""))
    if base is None:
        for key in ("driver", "command"):
            if key not in found:
                yield key, f'it needs {key}, or a built-in agent to begin with: base = "claude"'
        if "driver" not in found:
            return
    driver = found["driver"] if "driver" in found or base is None else base.driver
    for key, only in _ONLY_OF.items():
        if key in found and driver != only:
            yield key, f'{key} is of driver = "{only}", and this one has "{driver}": leave it out'
    command = found.get("command", base.command if base is not None else ())
    if driver == DriverKind.TERMINAL and command and Path(command[0]).stem not in _TAKE_TOOLS:
        for key in ("tools", "mcp"):
            if key in found:
                yield key, f"nobody can give {key} to {shown(command[0])} in a terminal: leave it out"


# Values


def _driver(value: Any) -> DriverKind:
    return DriverKind(values.one_of(DriverKind)(value))


def _exchange(value: Any) -> Exchange:
    return Exchange(values.one_of(Exchange)(value))


def _base(value: Any) -> str:
    name = values.name(value)
    if name not in BUILT_IN:
        raise WrongError(f"there is no built-in agent {shown(name)}; {instead_of(name, BUILT_IN)}")
    return name


_arguments: Final = values.texts('["--model", "opus"]')


def _resume(value: Any) -> tuple[str, ...]:
    arguments = _arguments(value)
    if not any("{id}" in argument for argument in arguments):
        raise WrongError('one of its texts has "{id}", which stands for the conversation: ["--resume", "{id}"]')
    return arguments


def _read_only(value: Any) -> tuple[str, ...]:
    return values.texts('["--dry-run"], with which it changes nothing; [] if it never does')(value)


def _tools(value: Any) -> tuple[str, ...]:
    return values.texts('["Bash(git log:*)"]')(value)


def _patterns(value: Any) -> tuple[str, ...]:
    patterns = values.texts('["^> $"]')(value)
    for pattern in patterns:
        if len(pattern) > _LONGEST_PATTERN:
            raise WrongError(f"a regular expression has at most {_LONGEST_PATTERN} characters")
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise WrongError(f"{shown(pattern)} is no regular expression: {error}") from error
    return patterns


def _servers(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        raise WrongError('it is a table of servers: [mcp.hub] and below it command = "hub-mcp"')
    found = {}
    for name, server in value.items():
        try:
            found[checked(name, "server")] = _server(server)
        except BadNameError as error:
            raise WrongError(str(error), name) from error
        except WrongError as error:
            raise WrongError(str(error), name, *error.path) from None
    return found


def _server(value: Any) -> dict[str, Any]:
    server = _SERVER(value)
    if ("command" in server) == ("url" in server):
        raise WrongError("it takes command or url, one of them")
    if "url" in server and (beside := next((key for key in ("args", "env") if key in server), None)):
        raise WrongError(f"{beside} is of command, and this one has url: leave it out", beside)
    return server


def _url(value: Any) -> str:
    url = values.text(_LONGEST_ITEM)(value)
    if not re.match(r"https?://[^\s/]", url):
        raise WrongError('it takes an address: "https://hub.example/mcp"')
    return url


_SERVER: Final = values.record(command=values.text(_LONGEST_ITEM), args=_arguments, env=values.variables, url=_url)
_FIELDS: Final = values.record(
    base=_base,
    driver=_driver,
    command=values.program,
    role=values.line(_LONGEST_ROLE),
    instructions=values.text(_LONGEST_INSTRUCTIONS),
    model=_arguments,
    read_only=_read_only,
    resume=_resume,
    environment=values.variables,
    tools=_tools,
    mcp=_servers,
    exchange=_exchange,
    ready=_patterns,
    busy=_patterns,
    dialog=_patterns,
    multiline=values.flag,
    quiet=values.number(over=0, most=3600, unit="seconds"),
    start_limit=values.number(over=0, most=3600, unit="seconds"),
    worktree=values.flag,
)
_CALLED: Final = {"worktree": "is_worktree", "multiline": "is_multiline"}
"""Key of the file -> what the value is called here, where that is another."""
_TAKE_TOOLS: Final = ("claude", "codex")
"""Programs that are given tools and servers in a terminal."""
_ONLY_OF: Final = {
    "exchange": DriverKind.COMMAND,
    **dict.fromkeys(("ready", "busy", "dialog", "multiline", "quiet"), DriverKind.TERMINAL),
}
"""Key -> the driver that it is for."""
