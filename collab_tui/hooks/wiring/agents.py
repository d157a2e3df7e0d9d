"""The agents that one command sets up: where their programs look for hooks, and what they take."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from collab_tui.hooks import claude, codex
from collab_tui.hooks.wiring.json_text import parse
from collab_tui.protocol.hook_entries import Call, Entries, claude_entries, codex_entries


class Scope(StrEnum):
    """Where the sessions are that entries hold for."""

    PROJECT = "project"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent's program that runs hooks of ours."""

    id: str
    """What it is called on the command line, and by `collab-tui hook`."""
    title: str
    """What its hooks call it in the registry, as the driver of a session."""
    entries: Callable[[Call], Entries]
    project_file: str
    """Below the project's folder; not one that a project shares, since it names a path of this machine."""
    home: str
    """Where its program keeps what is the user's, below the user's own folder."""
    home_variable: str
    """Names that folder, where it is set."""
    user_file: str
    """Below that folder."""
    instructions: str
    """The file in a project that it reads at the start of a session."""
    off_switch: str | None
    """The setting that keeps all hooks from running when it is true."""
    notes: tuple[tuple[str, str | None], ...]
    """What the person has to know of it, and a command that goes with it."""
    tool_notes: tuple[tuple[str, str | None], ...]
    """The same of our tools in it."""
    measured: str
    """The version of its program with which all this was seen to work."""
    if_older: str
    """What an older one may not do."""

    def file(self, scope: Scope, project: Path, environment: Mapping[str, str]) -> Path:
        """Where its entries stand, whether or not the file is there."""
        if scope is Scope.PROJECT:
            return project / self.project_file
        return self.user_folder(environment) / self.user_file

    def user_folder(self, environment: Mapping[str, str]) -> Path:
        """Where its program keeps what is the user's."""
        named = environment.get(self.home_variable)
        return Path(os.path.abspath(named)) if named else Path.home() / self.home

    def is_switched_off(self, text: str) -> bool:
        """The configuration keeps all hooks from running. Raises `JsonError`."""
        settings = parse(text).value
        return self.off_switch is not None and isinstance(settings, dict) and settings.get(self.off_switch) is True


AGENTS: Final = {
    agent.id: agent
    for agent in (
        Agent(
            "claude",
            claude.DRIVER,
            claude_entries,
            project_file=".claude/settings.local.json",
            home=".claude",
            home_variable="CLAUDE_CONFIG_DIR",
            user_file="settings.json",
            instructions="CLAUDE.md",
            off_switch="disableAllHooks",
            notes=(
                (
                    "What it may not do unasked it asks in its terminal and on the board at once, and the first answer "
                    "counts. In auto mode, its default, it seldom asks; so that it does:",
                    "claude --permission-mode manual",
                ),
            ),
            tool_notes=(),
            measured="2.1.328",
            if_older="An older one may not know `args`, `async` or `asyncRewake` in its hooks: then nothing is heard "
            "of it, or its start hangs on the entry with --inbox. Update it before you start it here.",
        ),
        Agent(
            "codex",
            codex.DRIVER,
            codex_entries,
            project_file=".codex/hooks.json",
            home=".codex",
            home_variable="CODEX_HOME",
            user_file="hooks.json",
            instructions="AGENTS.md",
            off_switch=None,
            notes=(
                (
                    "Codex asks once, and after every change, whether to trust the hooks: choose "
                    '"Trust all and continue", then Enter. Until then none of them runs, and `codex exec` does not '
                    "even say so.",
                    None,
                ),
                (
                    f"What it may not do unasked it asks on the board for {codex.longest_wait({}):.0f} s. Meanwhile "
                    "nobody can answer in its terminal; without an answer it asks there.",
                    None,
                ),
                (
                    "A plain `codex` is a screen of a server that all its sessions share, and closing it tells nobody: "
                    "the board shows it idle until its next session. So it is not woken: what others send it gets with "
                    "its next prompt, and at the end of its turn. This one is woken while idle, by `codex queue`, "
                    "which Codex calls experimental, and the board is told when it is closed:",
                    "codex --no-daemon",
                ),
            ),
            tool_notes=(
                ("Codex keeps them, with the name they are given, for all your projects.", None),
                (
                    "So that its first turn has them too, in its config.toml under [mcp_servers.collab]:",
                    "required = true",
                ),
                (
                    "And there, so that it may use them unasked, without which `codex exec` never does:",
                    'default_tools_approval_mode = "approve"',
                ),
            ),
            measured="0.169.0",
            if_older="An older one may run only some of its hooks, or none.",
        ),
    )
}
"""By id."""
