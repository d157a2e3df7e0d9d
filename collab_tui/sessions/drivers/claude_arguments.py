"""What Claude Code is started with, whichever way it is talked to: what it may do, and what it is told."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from collab_tui.sessions.driver import DriverError, Launch
from collab_tui.sessions.drivers.trusted import is_trusted_by_claude

_MODE: Final = "--permission-mode"
_SOURCES: Final = "--setting-sources"
_UNTRUSTED: Final = (f"{_SOURCES}=user", "--strict-mcp-config")
"""Nothing of the project is a setting, and of servers there are none but those it is given here."""


def claude_arguments(launch: Launch, speaking: Sequence[str] | None) -> list[str]:
    """The program and its arguments, but for the conversation that it goes on with. Raises `DriverError`.

    `speaking` is what it needs to be talked to by its pipes. With None it is in a terminal, where it asks the person
    itself whether to trust the folder, and the person's own settings say what it may do unasked.
    """
    definition = launch.definition
    arguments = [*definition.command, *(speaking or ()), *definition.model]
    is_mode_said = any(part.startswith(_MODE) for part in arguments)
    if launch.is_read_only or (speaking is not None and not is_mode_said):
        arguments += [_MODE, "manual"]
    if launch.is_read_only:
        if definition.read_only is None:
            raise DriverError(f"{definition.name} has no mode in which it changes nothing: see read_only")
        arguments += definition.read_only
    if launch.is_read_only or (speaking is not None and not _says_sources(arguments) and not _is_trusted(launch)):
        arguments += _UNTRUSTED
    if definition.instructions:
        arguments += ["--append-system-prompt", definition.instructions]
    if definition.mcp:
        arguments += [f"--mcp-config={_servers(launch)}"]
    if definition.tools:
        arguments += [f"--allowedTools={','.join(definition.tools)}"]
    return arguments


def _says_sources(arguments: Sequence[str]) -> bool:
    """The definition says itself which settings are read."""
    return any(each.partition("=")[0] == _SOURCES for each in arguments)


def _is_trusted(launch: Launch) -> bool:
    return is_trusted_by_claude(launch.folder, launch.environment)


def _servers(launch: Launch) -> str:
    """A file that names its servers of tools."""
    servers: dict[str, dict[str, Any]] = {}
    for name, given in launch.definition.mcp.items():
        if "url" in given:
            servers[name] = {"type": "http", "url": given["url"]}
            continue
        wanted = {each: launch.environment.get(each) for each in given.get("env", ())}
        env = {each: value for each, value in wanted.items() if value is not None}
        servers[name] = {"type": "stdio", "command": given["command"], "args": list(given.get("args", ())), "env": env}
    return written(launch, "servers.json", {"mcpServers": servers})


def written(launch: Launch, name: str, settings: Mapping[str, Any]) -> str:
    """The path of a file of settings: what servers get of the environment is for nobody else's eyes."""
    path = launch.private / name
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(settings, file, indent=2)
    except OSError as error:
        raise DriverError(f"cannot write {path}: {error.strerror}") from None
    return str(path)
