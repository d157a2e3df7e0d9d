"""What an agent's program told through a hook, in the same words for every program.

It runs inside other programs' hooks on every tool call: see `registry.append` for what may be imported.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

BEGAN = "began"
"""A session of an agent that was not there."""
RETURNED = "returned"
"""The same agent: its earlier session was resumed."""
CLEARED = "cleared"
"""The same agent goes on with an empty conversation, in a session of another name."""
COMPACTED = "compacted"
"""It forgot most of its conversation."""
LEFT = "left"
"""The session is over, and another one of the same program follows."""
ENDED = "ended"
PROMPTED = "prompted"
"""`text` is what it was asked; empty where no person asked it."""
USES = "uses"
USED = "used"
TOOL_FAILED = "tool failed"
DENIED = "denied"
ASKS = "asks"
"""It wants to use a tool and may not without being allowed to."""
WAITS = "waits"
"""It waits for somebody at its own terminal; `text` says what for."""
PLANNED = "planned"
"""`plan` is its whole list of things to do."""
TASK = "task"
"""`plan` has one of the things to do, found again by its id."""
STOPPED = "stopped"
"""Its turn is over; `text` is what it said last."""
BUSY = "busy"
"""Its turn is over, and something that it started still runs: `text` says what."""
BROKE = "broke"
"""Its turn ended with an error, which `text` tells."""
INTERRUPTED = "interrupted"
ENDS_OF_TURN = (STOPPED, BUSY, BROKE, INTERRUPTED)
HELPER_BEGAN = "helper began"
HELPER_ENDED = "helper ended"

STARTS = (BEGAN, RETURNED, CLEARED)
"""A session begins here."""
TOOL_KINDS = (USES, USED, TOOL_FAILED, DENIED)
"""Signs of life: so many that few are recorded."""
OVER_KINDS = (USED, TOOL_FAILED, DENIED)
"""What it asked for this tool was answered."""
ELSEWHERE = "answered at the agent's own terminal"
TURN_KINDS = (PROMPTED, *ENDS_OF_TURN)
"""Whatever it asked before was answered."""

_SHELLS = ("sh", "bash", "dash", "zsh", "fish", "ksh", "ash")
PENDING, DOING, DONE, DROPPED = "pending", "doing", "done", "dropped"
"""How far a thing to do is."""


class ForeignError(Exception):
    """The payload was not written by the program that the hook is for."""


class Happening:
    """One thing that happened in one session."""

    __slots__ = (
        "cwd",
        "helper",
        "helper_id",
        "kind",
        "plan",
        "process",
        "session",
        "text",
        "tool",
        "tool_input",
        "tool_use",
        "turn",
    )

    def __init__(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        text: str = "",
        plan: tuple[tuple[str, str, str], ...] = (),
        process: int = 0,
    ) -> None:
        """The rest is read from where every program of these puts it."""
        self.kind = kind
        self.session = text_of(payload, "session_id")
        self.cwd = text_of(payload, "cwd")
        self.text = text
        self.tool = text_of(payload, "tool_name")
        self.tool_input = payload.get("tool_input")
        self.tool_use = text_of(payload, "tool_use_id")
        """The program's own name for this use of the tool; empty where it has none."""
        self.turn = text_of(payload, "turn_id") or text_of(payload, "prompt_id")
        """The program's own name for this turn."""
        self.helper = (text_of(payload, "agent_type") or "helper") if text_of(payload, "agent_id") else ""
        """What kind of sub-agent it happened to; empty for the agent itself."""
        self.helper_id = text_of(payload, "agent_id")
        self.plan = plan
        """Id, text and how far it is."""
        self.process = process
        """The agent's program; 0 where that is unknown."""


def text_of(payload: object, name: str) -> str:
    """A field that is a text; empty when it is missing or anything else."""
    value = payload.get(name) if isinstance(payload, dict) else None
    return value if isinstance(value, str) else ""


def listed(value: object, text: str, state: str, states: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    """A whole list of things to do as a tool was given it, by the names of its fields and of its states."""
    found = []
    for number, item in enumerate(value if isinstance(value, list) else ()):
        said = text_of(item, text)
        if said:
            found.append((str(number), said, states.get(text_of(item, state), PENDING)))
    return tuple(found)


def parent_process() -> int:
    """The program that runs this hook; 0 where a shell stands between, which ends with the hook."""
    if sys.platform == "win32":
        return 0  # cmd.exe always does
    try:
        with open(f"/proc/{os.getppid()}/comm", encoding="utf-8", errors="replace") as file:
            name = file.read().strip()
    except OSError:
        name = ""  # elsewhere than on Linux a shell becomes the command that it was given alone
    return 0 if name in _SHELLS else os.getppid()


def number_of(value: object) -> int:
    """The number of a process; 0 for what is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
