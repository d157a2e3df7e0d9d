"""Who acts on a registry on this machine: which process, since when, and where it says what it does.

The monitor that acts notes itself beside what it keeps, once it is ready, for the user's eyes only. The note counts for
as long as that very process runs, so one that was killed leaves nothing that misleads.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from collab_tui.processes.identity import Identity, identity_of, is_alive
from collab_tui.registry.append import NotWrittenError
from collab_tui.registry.kept import keep

_NAME: Final = "acting.json"
_PAUSE: Final = 0.05
"""Seconds between two looks whether it ended."""


@dataclass(frozen=True, slots=True)
class Acting:
    """The monitor that acts."""

    pid: int
    started: str
    """When the process began, as `processes.identity` tells it."""
    since: str
    """When it was ready, in RFC 3339."""
    log: str | None
    """Where it says what it does; None: in the terminal it was started in."""

    @classmethod
    def myself(cls, log: Path | None) -> Self:
        """This process, from now. Raises `NotWrittenError` where the system does not tell when it began."""
        me = identity_of(os.getpid())
        if me is None:
            raise NotWrittenError("the system does not tell since when this process runs")
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return cls(me.pid, me.started, now, str(log) if log is not None else None)

    @property
    def identity(self) -> Identity:
        """The very process."""
        return Identity(self.pid, self.started)

    def note(self, folder: Path) -> None:
        """Say so to whoever asks; the turn is held. Raises `NotWrittenError`."""
        try:
            keep(folder / _NAME, asdict(self))
        except OSError as error:
            raise NotWrittenError(f"cannot write {folder / _NAME}: {error.strerror}") from error

    def end(self, folder: Path) -> None:
        """Take the note away; the turn is held still, so it is nobody else's."""
        with suppress(OSError):  # what stays names a process that is gone
            (folder / _NAME).unlink()


def who_acts(folder: Path) -> Acting | None:
    """The monitor that acts and is ready, by what is kept for its registry; None where there is none."""
    try:
        acting = Acting(**json.loads((folder / _NAME).read_bytes()))
        return acting if is_alive(acting.identity) else None
    except (OSError, ValueError, TypeError):
        return None


def ask_to_end(acting: Acting) -> None:
    """Ask that very process to end, and no other; nothing where it is gone.

    Windows has no such asking: there it is ended, and the next monitor goes on as after a crash.
    """
    if sys.platform == "linux":
        try:
            handle = os.pidfd_open(acting.pid)
        except OSError:
            return  # it is gone
        try:
            if is_alive(acting.identity):  # from here on the handle is of no other
                signal.pidfd_send_signal(handle, signal.SIGTERM)
        except ProcessLookupError:
            return
        finally:
            os.close(handle)
    elif is_alive(acting.identity):
        with suppress(ProcessLookupError):
            os.kill(acting.pid, signal.SIGTERM)


def has_ended(acting: Acting, within: float) -> bool:
    """Wait until it is gone, some seconds at most."""
    deadline = time.monotonic() + within
    while is_alive(acting.identity):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE)
    return True
