"""How things stand with an agent's entries: there, complete, run by a program that is there, trusted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from collab_tui.hooks.wiring import codex_trust
from collab_tui.hooks.wiring.agents import Agent, Scope
from collab_tui.hooks.wiring.codex_trust import Trust
from collab_tui.hooks.wiring.json_text import JsonError
from collab_tui.hooks.wiring.merging import differences, ours
from collab_tui.protocol.hook_entries import call_of
from collab_tui.protocol.whole_files import look
from collab_tui.registry.append import UnusableError


class State(StrEnum):
    """How complete the entries of one file are."""

    NONE = "not connected"
    COMPLETE = "connected"
    OUTDATED = "outdated"
    OFF = "switched off"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Standing:
    """One file of one agent."""

    scope: Scope
    path: Path
    state: State
    why: tuple[str, ...] = ()
    """What differs from what `connect` would write, or why the file cannot be read."""
    name: str | None = None
    """What the agent is called on the board; None: by its program's name."""
    registry: str | None = None
    """The registry it was given; None: it looks for one."""
    program: str | None = None
    """The path by which our program is run."""
    is_program_there: bool = False
    trust: Trust | None = None
    """Whether Codex runs them; None for other agents."""


def standing(agent: Agent, scope: Scope, project: Path, program: str, environment: Mapping[str, str]) -> Standing:
    """Look at one file; never raises. `program` is the path that `connect` would write today."""
    path = agent.file(scope, project, environment)
    try:
        text = look(path).text
        present = ours(text, agent.id) if text is not None else []
        if text is None or not present:
            return Standing(scope, path, State.NONE)
        call = call_of(present[0].handler)
        why = differences(text, agent.id, agent.entries(replace(call, program=program)))
        is_off = agent.is_switched_off(text)
    except UnusableError as error:
        return Standing(scope, path, State.UNREADABLE, (str(error),))
    except JsonError as error:
        return Standing(scope, path, State.UNREADABLE, (f"{path}:{error.line}: {error.what}",))
    state = State.OFF if is_off else State.OUTDATED if why else State.COMPLETE
    trust = None
    if agent.id == "codex":
        trust = codex_trust.trust(agent.user_folder(environment) / "config.toml", path, present)
    is_there = os.access(call.program, os.X_OK)
    return Standing(scope, path, state, tuple(why), call.name, call.registry, call.program, is_there, trust)
