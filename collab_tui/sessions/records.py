"""What this machine knows of each session: enough to take it up, to go on with it, to look into it.

One file for each name, in the user's state folder, for the user's eyes only. Nothing that stands in a registry is ever
enough to start a program or to reach one: that is here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from collab_tui.registry.append import NotWrittenError
from collab_tui.registry.kept import keep, kept_for
from collab_tui.sessions.names import BadNameError, checked

_FOLDER: Final = "sessions"
_NAME: Final = "record.json"
_MAX_RECORDS: Final = 200
"""Records of sessions that are over, with their logs; of more, those that ended first are forgotten."""


@dataclass(frozen=True, slots=True)
class Record:
    """One session, as it has to be known after a restart."""

    name: str
    run: str
    definition: str
    driver: str
    monitor: str
    """The id of the monitor that started it."""
    host: str
    folder: str
    """Where it works."""
    log: str
    """Where its output is kept."""
    branch: str | None = None
    """Of its worktree; None: it works in no worktree of its own."""
    base: str | None = None
    task: str | None = None
    worker: str | None = None
    is_read_only: bool = False
    environment: Sequence[str] = ()
    """Names of variables that it got beside those of its definition."""
    handle: Mapping[str, Any] | None = field(default=None, compare=False)
    """By what its driver finds it again; None: it ends with its monitor."""
    resume_id: str | None = None
    pid: int | None = None
    pid_started: str | None = None
    """When that process started, as `processes.identity` tells it."""
    ended: str | None = None
    """How it ended, once that stands in the registry; None while it runs, for all that is known."""


class Records:
    """The records of one registry's sessions."""

    def __init__(self, registry: Path) -> None:
        self.folder = kept_for(registry) / _FOLDER

    def private(self, name: str) -> Path:
        """The folder of one session alone, made for the user only. Raises `NotWrittenError`, `BadNameError`."""
        folder = self.folder / checked(name)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise NotWrittenError(f"cannot make {folder}: {error.strerror}") from error
        return folder

    def load(self, name: str) -> Record | None:
        """The record of a name; None when there is none, or none that can be understood."""
        try:
            return _understood((self.folder / checked(name) / _NAME).read_bytes(), name)
        except (OSError, BadNameError):
            return None

    def all(self) -> list[Record]:
        """Every record, those changed first coming first."""
        try:
            files = sorted(self.folder.glob(f"*/{_NAME}"), key=_changed_at)
        except OSError:
            return []
        found = (self.load(file.parent.name) for file in files)
        return [record for record in found if record is not None]

    def save(self, record: Record) -> None:
        """Replace the record, whole or not at all. Raises `NotWrittenError`."""
        path = self.private(record.name) / _NAME
        try:
            keep(path, asdict(record))
        except OSError as error:
            raise NotWrittenError(f"cannot keep what is known of {record.name}, in {path}: {error.strerror}") from error

    def forget(self, name: str) -> None:
        """Remove the record, and what else was kept of the session. Raises `NotWrittenError`."""
        folder = self.folder / checked(name)
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise NotWrittenError(f"cannot remove {folder}: {error.strerror}") from error

    def forget_old(self) -> None:
        """Keep the records of what runs, and the latest of the others."""
        over = [record for record in self.all() if record.ended is not None]
        for record in over[: max(0, len(over) - _MAX_RECORDS)]:
            with suppress(NotWrittenError):  # the next time
                self.forget(record.name)


def _changed_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _understood(kept: bytes, name: str) -> Record | None:
    """What a file says; None for what is no record, or another's."""
    try:
        found = json.loads(kept)
        known = {one.name for one in fields(Record)}
        record = Record(**{key: value for key, value in found.items() if key in known})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    texts = (record.name, record.run, record.definition, record.driver, record.folder, record.log)
    return record if record.name == name and all(isinstance(text, str) for text in texts) else None
