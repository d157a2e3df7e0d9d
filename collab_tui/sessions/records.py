"""What this machine knows of each session: enough to take it up, to go on with it, to look into it.

One file for each name, in the user's state folder, for the user's eyes only. Nothing that stands in a registry is ever
enough to start a program or to reach one: that is here.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from collab_tui.model.words import name_key
from collab_tui.processes.identity import Identity, is_alive
from collab_tui.protocol.acknowledged import forget_inbox
from collab_tui.protocol.persistence import wholly
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import NotWrittenError, RegistryError
from collab_tui.registry.kept import keep, kept_for
from collab_tui.sessions.log_folder import LogFolder
from collab_tui.sessions.names import BadNameError, checked, resume_id

_FOLDER: Final = "sessions"
_NAME: Final = "record.json"
_ERRORS: Final = ("errors.log", "errors.log.1")
_MAX_RECORDS: Final = 200
"""Records of sessions that are over; of more, those that ended first are forgotten. As many again are of workers."""
_MAX_LOGS: Final = 400
"""Files."""
_MAX_LOG_BYTES: Final = 512 << 20
"""Of all logs together."""
_MAX_RUNS: Final = 20
"""Files of logs of one name."""
_LOG: Final = re.compile(r"(?P<of>[a-z0-9_-]+)-[0-9a-f]{16}\.log(?:\.1)?")


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
    team: str | None = None
    """Whose worktrees it works in, for it takes a seat of that team."""
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
    machine: str | None = None
    """As `registry.machine` tells it; None in records of before."""

    def is_of(self, machine: str, host: str) -> bool:
        """It is a session of that machine, which is called `host` now."""
        return self.machine == machine if self.machine is not None else name_key(self.host) == name_key(host)

    def told(self) -> dict[str, Any]:
        """The fields of its `session_start`."""
        same = ("definition", "driver", "host", "branch", "base", "worker", "monitor")
        about = {"cwd": self.folder, "current_task": self.task, "can_resume": self.resume_id is not None}
        return {name: getattr(self, name) for name in same} | about

    @property
    def process(self) -> Identity | None:
        """Its program, as far as that is one process that is known."""
        return Identity(self.pid, self.pid_started) if self.pid is not None and self.pid_started is not None else None

    def may_run(self) -> bool:
        """It is not known to have ended, and its program is there. Looks at the processes of this machine."""
        return self.ended is None and self.process is not None and is_alive(self.process)


class Records:
    """The records of one registry's sessions."""

    def __init__(self, registry: Path) -> None:
        self._registry = registry
        self.folder = kept_for(registry) / _FOLDER
        self._logs = LogFolder(registry, _FOLDER, _LOG, most=_MAX_LOGS, most_bytes=_MAX_LOG_BYTES, most_each=_MAX_RUNS)

    def private(self, name: str) -> Path:
        """The folder of one session alone, made for the user only. Raises `NotWrittenError`, `BadNameError`."""
        folder = self.folder / checked(name)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise NotWrittenError(f"cannot make {folder}: {error.strerror}") from error
        return folder

    def new_log(self, name: str, run: str) -> Path:
        """Where the output of a run is to be kept, beside the registry; the logs of what runs stay for it.

        Raises `NotWrittenError`.
        """
        running = {Path(record.log) for record in self.all() if record.ended is None}
        try:
            self._logs.make_room(running)
        except OSError as error:
            raise NotWrittenError(f"cannot keep logs in {self._logs.path}: {error.strerror}") from error
        return self._logs.path / f"{name}-{run}.log"

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

    def forget_rest(self, record: Record) -> None:
        """Keep of a session that is over only what it is restored by, and what its program printed beside.

        Of a worker what came for it goes as well: workers come and go, and would push out the others'.
        """
        kept = {self.folder / record.name / name for name in (_NAME, *_ERRORS)} | {Path(record.log)}
        with suppress(OSError):  # the next time
            for file in (self.folder / record.name).iterdir():
                if file not in kept and not file.is_dir():
                    file.unlink(missing_ok=True)
        if record.worker is not None:
            with suppress(RegistryError, OSError):  # it is one of the oldest some day
                forget_inbox(self._registry, record.name, UsedDecisions().folder)

    def forget_old(self) -> None:
        """Keep the records of what runs, and the latest of the others: workers come and go, and count apart."""
        over = [record for record in self.all() if record.ended is not None]
        for is_worker in (True, False):
            kind = [record for record in over if (record.worker is not None) == is_worker]
            for record in kind[: max(0, len(kind) - _MAX_RECORDS)]:
                with suppress(NotWrittenError):  # the next time
                    self.forget(record.name)


class Keeping:
    """The record of one session that runs, replaced whenever something else is known."""

    def __init__(self, records: Records, record: Record, notice: Callable[[str], None]) -> None:
        """`notice` is told what cannot be kept: it is known here all the same."""
        self.record = record
        self._records = records
        self._notice = notice
        self._writing = asyncio.Lock()

    async def change(self, **changes: Any) -> None:
        """Know this too, and keep it."""
        self.record = replace(self.record, **changes)
        async with self._writing:
            try:
                await wholly(asyncio.to_thread(self._records.save, self.record))
            except NotWrittenError as error:
                self._notice(str(error))


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
    if record.name != name or not all(isinstance(text, str) for text in texts):
        return None
    return replace(record, resume_id=resume_id(record.resume_id))
