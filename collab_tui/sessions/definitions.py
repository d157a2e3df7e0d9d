"""Definitions of agents: which program, how to talk to it, what it may do, what it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from collab_tui.config.source import Source


class DefinitionError(Exception):
    """A definition that cannot be used; the text says which file and line, why, and what to do about it."""


class DriverKind(StrEnum):
    """How a program is talked to."""

    CLAUDE = "claude"
    """Claude Code's stream-json."""
    CODEX = "codex"
    """Codex' app-server."""
    ACP = "acp"
    """The Agent Client Protocol."""
    TERMINAL = "terminal"
    """A tmux pane; without tmux, a terminal of our own."""
    COMMAND = "command"
    """A process for each prompt, or a line for each."""


class Exchange(StrEnum):
    """How a `command` program takes prompts."""

    PROCESS = "process"
    """Each prompt starts it anew: the prompt is its standard input, the reply its standard output."""
    LINES = "lines"
    """It stays: each prompt is a line of JSON `{"id", "prompt"}`, each reply one `{"id", "reply", "status"?}`."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One agent as defined in `.collab/agents/NAME.toml`, in the user's own `agents/NAME.toml`, or built in."""

    name: str
    driver: DriverKind
    command: Sequence[str]
    """The program and its arguments; no shell reads them."""
    role: str | None = None
    instructions: str | None = None
    """What it is told at its start, and what stands in the files that its program reads."""
    model: Sequence[str] = ()
    """Arguments that choose its model."""
    read_only: Sequence[str] | None = None
    """Arguments with which it changes nothing; none where its driver sees to that, by the protocol or a sandbox.

    None: it is never started to only look, so no decision worker uses it.
    """
    resume: Sequence[str] | None = None
    """Arguments that go on with a conversation, `{id}` standing for it; the structured drivers know theirs."""
    environment: Sequence[str] = ()
    """Names of variables that it gets beside those that every program gets."""
    tools: Sequence[str] = ()
    """Tools that it may use unasked, in its program's own words."""
    mcp: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name -> a server of tools for it: `command`, `args`, `env` (names of variables), or `url`."""
    exchange: Exchange = Exchange.PROCESS
    ready: Sequence[str] = ()
    """Regular expressions: one that matches a line at the end of the screen says that it takes a prompt."""
    busy: Sequence[str] = ()
    """The same: it does not."""
    dialog: Sequence[str] = ()
    """The same: it waits for a key of the person."""
    is_multiline: bool = False
    """It tells lines that are pasted from such that are typed. Asked only where the terminal does not know."""
    quiet: float = 2.0
    """Seconds without output after which a screen that shows no sign counts as ready."""
    start_limit: float = 60.0
    """Seconds until it has to be ready."""
    is_worktree: bool = True
    """It works in a worktree of its own."""
    source: Source | None = None
    """Where it stands; None: built in."""
    is_project: bool = False
    """It comes with the project, so it acts only once the person allowed that very content."""
