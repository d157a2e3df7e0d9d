"""Telling the source what became of a worker: the user's own program gets it as JSON on standard input.

It is told at least once: a monitor that ends meanwhile tells it again, and `worker` says that it is the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from collab_tui.processes.programs import Program, allowed_environment, run
from collab_tui.registry.kept import kept_for
from collab_tui.workers.job import Job

TIME_LIMIT: Final = 30.0
"""Seconds."""


def document(job: Job, registry: Path) -> dict[str, Any]:
    """What is told."""
    names = ("task", "title", "project", "stream", "cause", "session", "verdict", "result", "log")
    told = {name: value for name in names if (value := getattr(job, name)) is not None}
    outcome = job.outcome.value if job.outcome else None
    return {"worker": job.id, "kind": job.kind.value, "outcome": outcome, "why": job.told, **told} | {
        "registry": str(registry)
    }


async def report(
    arguments: Sequence[str], job: Job, registry: Path, environment: Mapping[str, str], stop: asyncio.Event
) -> str | None:
    """Run the program; gives why it did not take it, None when it did."""
    log = kept_for(registry) / "reports" / f"{job.id}.log"
    program = Program(
        arguments,
        json.dumps(document(job, registry)).encode() + b"\n",
        allowed_environment(environment),
        registry.parent,
        TIME_LIMIT,
        log,
    )
    ended = await run(program, stop)
    return None if ended.outcome == "exit 0" else f"{arguments[0]}: {ended.outcome}"
