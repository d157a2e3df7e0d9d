"""Who is at work here: a person at a terminal, or a program that an agent runs.

What is done in the person's name is done by the person: not by a model that calls our commands. This keeps a model from
doing it by mistake or by being talked into it; it does not keep out a program that sets out to deceive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TextIO

AGENT_MARKS: Final = (
    "CLAUDECODE",
    "COPILOT_CLI",
    "GEMINI_CLI",
    "CODEX_SANDBOX",
    "CODEX_SANDBOX_NETWORK_DISABLED",
    "CODEX_THREAD_ID",
    "CODEX_CI",
    "CURSOR_AGENT",
    "OPENCODE",
    "OPENCODE_CLIENT",
    "QWEN_CODE",
    "ANTIGRAVITY_AGENT",
    "AUGMENT_AGENT",
    "CLINE_ACTIVE",
    "GOOSE_TERMINAL",
    "AI_AGENT",
    "COLLAB_AGENT",
    "AGENT",
)
"""Variables that agent CLIs set in the processes they start, the usual ones of several makers last, ours among them."""


def agent_mark(environment: Mapping[str, str]) -> str | None:
    """The variable that says that an agent started this process; None where none does."""
    return next((name for name in AGENT_MARKS if environment.get(name, "").strip()), None)


def refusal(mark: str) -> str:
    """What is said to an agent that would decide as the person."""
    return f"this runs inside an agent's process (${mark} is set): the person decides from a terminal of their own"


def why_not_the_person(environment: Mapping[str, str], stdin: TextIO | None) -> str | None:
    """Why nobody can tell that the person themselves is at work here; None where they seem to be."""
    if (mark := agent_mark(environment)) is not None:
        return refusal(mark)
    if stdin is None or not stdin.isatty():
        return "standard input is no terminal, and only a person at a terminal decides as the person"
    return None
