"""A log of each worker: what it was told, what it said, its verdict, what came of it.

They stand in `logs/decisions/` and `logs/executions/` beside the registry, for the user's eyes only, the latest of
them; an event has only where. What an agent's program prints in full is in the log of its session.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Final

from collab_tui.model.text import clean
from collab_tui.model.workers import WorkerKind
from collab_tui.sessions.log_folder import LogFolder, find_log, pointer
from collab_tui.sessions.names import task_name
from collab_tui.workers.job import Job

MAX_LOGS: Final = 200
"""Files of each kind that are kept, the latest."""
MAX_BYTES: Final = 64 << 20
"""Of all logs of a kind together; of more, the oldest go."""
LONGEST_PART: Final = 1 << 18
"""Characters of one part of a log."""
MAX_FILE: Final = 1 << 20
"""Bytes of one log; what comes beyond goes to a new one, and the one before is kept as `.1`."""

_KINDS: Final = {WorkerKind.DECISION: "decisions", WorkerKind.EXECUTION: "executions"}
_OURS: Final = re.compile(r"\d{8}-\d{6}-[a-z0-9_-]+-[0-9a-f]{16}\.log(?:\.1)?")


class Logs:
    """The logs beside one registry."""

    def __init__(self, registry: Path) -> None:
        self._registry = registry
        self._folders = {
            kind: LogFolder(registry, name, _OURS, most=MAX_LOGS, most_bytes=MAX_BYTES) for kind, name in _KINDS.items()
        }

    def place_of(self, job: Job) -> str:
        """Where the log of a worker stands, as its events name it: its name tells its time and task."""
        at = time.strftime("%Y%m%d-%H%M%S", time.gmtime(job.queued_at))
        name = f"{at}-{task_name(job.task)}-{job.id}.log"
        return pointer(self._registry, self._folders[job.kind].path / name)

    def write(self, job: Job, heading: str, text: str) -> bool:
        """Add a part, whatever is in it cleaned; False where it cannot be kept, which stops nothing."""
        body = clean(text if len(text) <= LONGEST_PART else f"{text[:LONGEST_PART]}\n[and more, which was not kept]")
        part = f"== {heading}  {time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime())}\n\n{body.strip()}\n\n".encode()
        folder, path = self._folders[job.kind], self._registry.parent / self.place_of(job)
        try:
            folder.check()
            if not path.exists():
                folder.make_room()
            elif path.stat().st_size + len(part) > MAX_FILE:
                os.replace(path, path.with_suffix(".log.1"))
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                file.write(part)
        except OSError:
            return False
        return True


def read_log(registry: Path, named: str) -> str | None:
    """What a log says that a line of the registry names; None where there is none here.

    Anybody can write a line, so nothing is read but a file in the logs of this registry.
    """
    parts = [_read(path) for end in (".1", "") if (path := find_log(registry, named + end)) is not None]
    return "".join(filter(None, parts)) if parts and parts[-1] is not None else None


def _read(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_FILE)
    except OSError:
        return None
