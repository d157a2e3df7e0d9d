"""What Codex is given whichever way it is talked to: the servers of its tools, and what it is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from collab_tui.sessions.definitions import Definition
from collab_tui.sessions.driver import DriverError


def codex_servers(definition: Definition) -> dict[str, dict[str, Any]]:
    """Its servers of tools, and which of these need no leave. Raises `DriverError` for a tool that is none of them."""
    servers: dict[str, dict[str, Any]] = {}
    for name, given in definition.mcp.items():
        servers[name] = {"url": given["url"]} if "url" in given else {"command": given["command"]}
        if "url" not in given:
            servers[name] |= {"args": list(given.get("args", ())), "env_vars": list(given.get("env", ()))}
    for each in definition.tools:
        prefix, _, named = each.partition("__")
        server = next((name for name in servers if named == name or named.startswith(f"{name}__")), None)
        if prefix != "mcp" or server is None:
            known = "its program can be given no tool unasked but those of its servers, as mcp__SERVER__TOOL"
            raise DriverError(f"{definition.name}: {known}: not {each[:60]!a}")
        if tool := named[len(server) + 2 :]:
            servers[server].setdefault("tools", {})[tool] = {"approval_mode": "approve"}
        else:
            servers[server]["default_tools_approval_mode"] = "approve"
    return servers


def codex_settings_of(definition: Definition) -> list[str]:
    """The same, and its instructions, as settings on its command line. Raises `DriverError`."""
    settings: dict[str, Any] = {}
    if definition.instructions:
        settings["developer_instructions"] = definition.instructions
    settings |= {f"mcp_servers.{name}": server for name, server in codex_servers(definition).items()}
    return [word for name, value in settings.items() for word in ("-c", f"{name}={_toml(value)}")]


def _toml(value: Any) -> str:
    """On one line. Texts, and lists of them, are written as in JSON."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_toml(key)} = {_toml(each)}' for key, each in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)
