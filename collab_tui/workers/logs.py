"""A log of each worker: what it was told, what it said, its verdict, what came of it.

They stand in `logs/decisions/` and `logs/executions/` beside the registry, for the user's eyes only, the latest of
them; an event has only where. What an agent's program prints in full is in the log of its session.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from collab_tui.model.text import clean
from collab_tui.model.workers import WorkerKind
from collab_tui.sessions.names import task_name
from collab_tui.workers.job import Job

LOGS: Final = "logs"
"""The folder, beside the registry."""
MAX_LOGS: Final = 200
"""Files of each kind that are kept, the latest."""
MAX_BYTES: Final = 64 << 20
"""Of all logs of a kind together; of more, the oldest go."""
LONGEST_PART: Final = 1 << 18
"""Characters of one part of a log."""
MAX_FILE: Final = 1 << 20
"""Bytes of one log; what comes beyond goes to a new one, and the one before is kept as `.1`."""

_OURS: Final = re.compile(r"\d{8}-\d{6}-[a-z0-9_-]+-[0-9a-f]{16}\.log(?:\.1)?")


class Logs:
    """The logs beside one registry."""

    def __init__(self, registry: Path) -> None:
        self.folder = registry.parent / LOGS

    def path_of(self, job: Job) -> Path:
        """Where the log of a worker stands: its time and task can be read from its name."""
        kind = "decisions" if job.kind is WorkerKind.DECISION else "executions"
        at = time.strftime("%Y%m%d-%H%M%S", time.gmtime(job.queued_at))
        return self.folder / kind / f"{at}-{task_name(job.task)}-{job.id}.log"

    def write(self, path: Path, heading: str, text: str) -> bool:
        """Add a part, whatever is in it cleaned; False where it cannot be kept, which stops nothing."""
        body = clean(text if len(text) <= LONGEST_PART else f"{text[:LONGEST_PART]}\n[and more, which was not kept]")
        part = f"== {heading}  {time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime())}\n\n{body.strip()}\n\n".encode()
        try:
            if path.parent.resolve() != self.folder.parent.resolve() / LOGS / path.parent.name:
                return False  # a link leads elsewhere: a project may hold one
            if not path.exists():
                self._make_room(path.parent)
            elif path.stat().st_size + len(part) > MAX_FILE:
                os.replace(path, path.with_suffix(".log.1"))
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                file.write(part)
        except OSError:
            return False
        return True

    def _make_room(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignored = self.folder / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n", encoding="utf-8")
        left, size = MAX_LOGS - 1, 0
        ours = (file for file in folder.iterdir() if _OURS.fullmatch(file.name))
        for file in sorted(ours, key=lambda file: file.name, reverse=True):
            left, size = left - 1, size + file.stat().st_size
            if left < 0 or size > MAX_BYTES:
                with suppress(OSError):  # the next time
                    file.unlink(missing_ok=True)


def read_log(registry: Path, named: str) -> str | None:
    """What a log says that a line of the registry names; None where there is none here.

    Anybody can write a line, so nothing is read but a file in the logs of this registry.
    """
    folder = registry.parent.resolve() / LOGS
    path = (registry.parent / named).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return None
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_FILE)
    except OSError:
        return None
