"""The ways to talk to agents' programs, one file each; only the one that is needed is loaded."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from collab_tui.sessions.definitions import Definition, DriverKind, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab_tui.sessions.driver import Driver, Launch, Listener

_DRIVERS: Final = {
    DriverKind.CLAUDE: ("claude", "ClaudeDriver"),
    DriverKind.CODEX: ("codex", "CodexDriver"),
    DriverKind.ACP: ("acp", "AcpDriver"),
    DriverKind.TERMINAL: ("terminal", "TerminalDriver"),
    DriverKind.COMMAND: ("command", "CommandDriver"),
}

_LINES: Final = ("lines", "LinesDriver")


def driver_class(definition: Definition) -> Callable[[Launch, Listener], Driver]:
    """What makes a driver for an agent so defined."""
    module, name = _DRIVERS[definition.driver]
    if definition.driver is DriverKind.COMMAND and definition.exchange is Exchange.LINES:
        module, name = _LINES
    return cast("Callable[[Launch, Listener], Driver]", getattr(import_module(f"{__name__}.{module}"), name))
