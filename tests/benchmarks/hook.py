"""The whole process of `collab-tui hook`, as an agent runs it on each use of a tool, against an empty interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.pairs import paired, seconds
from tests.benchmarks.programs import collab_tui, surroundings
from tests.benchmarks.report import Goal, Row
from tests.events import lines, says

_RUNS = 40
_SESSION = "11111111-2222-3333-4444-555555555555"


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """A sign of life that is too early to be recorded, as nearly all are."""
    registry = work / "hook.jsonl"
    registry.write_bytes(lines(says("system", "registry_created", registry="abcdef")))
    environment = {**surroundings(work / "home"), "CLAUDECODE": "1", "COLLAB_REGISTRY": str(registry)}

    def hook(event: str, **fields: object) -> float:
        given = {"session_id": _SESSION, "cwd": str(work), "hook_event_name": event, **fields}
        return start(collab_tui("hook", "claude"), json.dumps(given).encode())

    def start(command: list[str], given: bytes) -> float:
        quiet = subprocess.DEVNULL
        return seconds(
            lambda: subprocess.run(command, env=environment, cwd=work, input=given, stdout=quiet, check=True)
        )

    def use_tool() -> float:
        return hook("PostToolUse", tool_name="Bash", tool_input={"command": "npm test"})

    hook("SessionStart", source="startup")
    use_tool()
    ours, bare, ratio = paired(use_tool, lambda: start([sys.executable, "-c", "pass"], b""), _RUNS)
    yield Row(
        "hook, a sign of life",
        f"{ours * 1e3:.1f} ms",
        f"{bare * 1e3:.1f} ms",
        ratio,
        goal=Goal(3.0),
        note=f"collab-tui hook claude, PostToolUse, not recorded vs python -c pass; {_RUNS} pairs",
    )
