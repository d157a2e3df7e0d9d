"""What programs in a terminal are started with."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from collab_tui.protocol.hook_entries import IN_SESSION
from collab_tui.sessions.built_in import BUILT_IN
from collab_tui.sessions.driver import DriverError, Launch
from collab_tui.sessions.drivers.terminal_arguments import arguments
from tests.sessions.drivers.terminals import command_launch

MCP = {"hub": {"command": "hub-mcp", "args": ["--fast"], "env": ("HUB_KEY", "MISSING")}, "web": {"url": "https://h/"}}


def launch_of(name: str, folder: Path, **more: object) -> Launch:
    """A built-in agent, whose program is a file that does nothing."""
    program = folder / "bin" / name
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    built_in = BUILT_IN.get(f"{name}-terminal", BUILT_IN["claude-terminal"])
    definition = replace(built_in, command=(name, "--own"), **more)  # type: ignore[arg-type]
    environment = {"PATH": str(program.parent), "HOME": str(folder), "HUB_KEY": "k"}
    return replace(command_launch(folder, (name,)), definition=definition, environment=environment)


def test_claude_code_is_told_what_its_definition_says(tmp_path: Path) -> None:
    launch = launch_of("claude", tmp_path, instructions="be brief", tools=("Bash(touch:*)", "Read"), mcp=MCP)
    words = arguments(replace(launch, resume_id="c-1"))
    servers, settings = (launch.private / name for name in ("servers.json", "settings.json"))
    assert words == [
        str(tmp_path / "bin" / "claude"),
        *("--own", "--append-system-prompt", "be brief", f"--mcp-config={servers}"),
        *("--allowedTools=Bash(touch:*),Read", "--resume", "c-1", "--settings", str(settings)),
    ]
    assert json.loads(servers.read_text("utf-8")) == {
        "mcpServers": {
            "hub": {"type": "stdio", "command": "hub-mcp", "args": ["--fast"], "env": {"HUB_KEY": "k"}},
            "web": {"type": "http", "url": "https://h/"},
        }
    }
    assert (servers.stat().st_mode | settings.stat().st_mode) & 0o077 == 0
    hooks = json.loads(settings.read_text("utf-8"))["hooks"]
    handlers = [handler for groups in hooks.values() for group in groups for handler in group["hooks"]]
    assert handlers
    assert all(IN_SESSION in handler["args"] for handler in handlers)


def test_claude_code_that_may_only_look_obeys_nothing_of_the_project(tmp_path: Path) -> None:
    words = arguments(replace(launch_of("claude", tmp_path), is_read_only=True))
    assert words[2:-2] == [
        *("--permission-mode", "manual", "--tools=Read,Glob,Grep"),
        *("--setting-sources=user", "--strict-mcp-config"),
    ]


def test_codex_is_told_what_its_definition_says(tmp_path: Path) -> None:
    told = 'be "brief"\n한국 🎉'
    launch = launch_of("codex", tmp_path, instructions=told, tools=("mcp__hub__find it", "mcp__web"), mcp=MCP)
    words = arguments(replace(launch, resume_id="c-1"))
    assert words[1] == "--own"
    assert words[-2:] == ["resume", "c-1"]
    assert set(words[2:-2:2]) == {"-c"}
    assert tomllib.loads("\n".join(words[3:-2:2])) == {
        "developer_instructions": told,
        "mcp_servers": {
            "hub": {
                "command": "hub-mcp",
                "args": ["--fast"],
                "env_vars": ["HUB_KEY", "MISSING"],
                "tools": {"find it": {"approval_mode": "approve"}},
            },
            "web": {"url": "https://h/", "default_tools_approval_mode": "approve"},
        },
    }


def test_any_other_program_gets_its_own_words_alone(tmp_path: Path) -> None:
    launch = launch_of("aider", tmp_path, instructions="be brief", model=("--model", "x"))
    assert arguments(launch) == [str(tmp_path / "bin" / "aider"), "--own", "--model", "x"]
    with pytest.raises(DriverError, match="no mode in which it changes nothing"):
        arguments(replace(launch, definition=replace(launch.definition, read_only=None), is_read_only=True))
