"""The agents that one command sets up: where their programs look for hooks, and what they take."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from collab_tui.hooks import claude, codex
from collab_tui.hooks.wiring.entries import Call, Entries, claude_entries, codex_entries
from collab_tui.hooks.wiring.json_text import parse


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
                    "What others send it is put into its session by `codex queue`, which Codex calls experimental; "
                    "where that fails, it gets it at the end of its next turn.",
                    None,
                ),
                ("It keeps MCP servers, with the name they are given, for all your projects.", None),
            ),
        ),
    )
}
"""By id."""
