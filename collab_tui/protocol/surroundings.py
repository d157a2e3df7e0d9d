"""What is around a registry: the settings in force, and the programs of this machine that can be used with it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from collab_tui.config import Config, ConfigError, load_config
from collab_tui.model.findings import Finding, Severity, Subject
from collab_tui.model.text import clean, one_line
from collab_tui.processes.finding import find_program

_ASKED: Final = {"git": "--version", "tmux": "-V"}
"""Program -> the option by which it tells its version. Agent CLIs are looked for, and not run."""
_AGENTS: Final = {
    "claude": "Claude Code",
    "codex": "Codex",
    "copilot": "Copilot",
    "gemini": "Gemini CLI",
    "opencode": "OpenCode",
    "cursor-agent": "Cursor",
    "aider": "Aider",
    "goose": "Goose",
    "qwen": "Qwen Code",
}
_PATIENCE: Final = 2.0
"""Seconds that a program may take to tell its version."""
_PATIENCE_WITH_AGENTS: Final = 5.0
"""The same for an agent's program, which may be started by another that starts slowly."""


def settings(registry: Path) -> tuple[Config, list[Finding]]:
    """The settings in force for a registry, the defaults where they cannot be read, and what is wrong with them."""
    try:
        config = load_config(registry)
    except ConfigError as error:
        return Config(), list(setting_findings(error.problems))
    if config.waiting is None:
        return config, []
    names = ", ".join(sorted(map(str, config.waiting.content)))
    text = f"the project's settings of {one_line(clean(names))} are not in force: you did not allow them"
    mend = f"Read {one_line(clean(str(config.waiting.path)))}; if you agree, `collab-tui config allow`."
    return config, [Finding(Severity.NOTE, Subject.SETTINGS, "settings_waiting", text, mend)]


def setting_findings(problems: Iterable[str]) -> Iterable[Finding]:
    """Settings that cannot be used, each told with its file, line and mend."""
    for problem in problems:
        mend = "Mend that line: until then the board ends with this, and every command but to see or stop what runs."
        yield Finding(Severity.ERROR, Subject.SETTINGS, "settings", one_line(clean(problem)), mend)


def installed(environment: Mapping[str, str]) -> list[Finding]:
    """Which programs are there."""
    paths = {name: find_program(name, environment) for name in _ASKED}
    found = [_version(name, path) for name, path in paths.items() if path is not None]
    missing = [name for name, path in paths.items() if path is None]
    agents = [f"{told} ({name})" for name, told in _AGENTS.items() if find_program(name, environment)]
    texts = {
        "tools": f"installed: {', '.join(found)}" if found else "",
        "no_tools": f"not installed: {', '.join(missing)}" if missing else "",
        "agents": f"agent CLIs: {', '.join(agents)}" if agents else "no agent CLI in your PATH",
    }
    return [Finding(Severity.NOTE, Subject.MACHINE, kind, text) for kind, text in texts.items() if text]


def version_told(path: str) -> str | None:
    """The version that an agent's program tells, as its three numbers; None where it tells none in time."""
    told = re.search(r"\b\d{1,9}\.\d{1,9}\.\d{1,9}\b", _asked(path, "--version", _PATIENCE_WITH_AGENTS) or "")
    return told[0] if told else None


def _version(name: str, path: str) -> str:
    """The program's name and what it says of its version, if it says anything in time."""
    told = _asked(path, _ASKED[name], _PATIENCE)
    if told is None:
        return f"{name} (does not tell its version)"
    return f"{name} {told.removeprefix(name).removeprefix(' version').strip()}"[:60]


def _asked(path: str, option: str, patience: float) -> str | None:
    """What a program says to an option, in one line; None where it cannot be run, or takes longer."""
    try:
        told = subprocess.run(
            [path, option],
            cwd=os.path.dirname(path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return one_line(clean(told[:200].decode("utf-8", "replace")))
