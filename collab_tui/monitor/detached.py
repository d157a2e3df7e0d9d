"""A monitor that runs by itself: started when one is needed, in a session of its own, with nothing of its starter's.

What it says goes to a file beside what it keeps. It ends with `collab-tui monitor --stop`, or with the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from collab_tui.model.text import clean, one_line
from collab_tui.monitor.acting import Acting, who_acts
from collab_tui.registry.append import NotWrittenError
from collab_tui.registry.kept import kept_for

_PATIENCE: Final = 30.0
"""Seconds until it has to be ready: it reads the registry once."""
_PAUSE: Final = 0.02
_LONGEST_TOLD: Final = 2000
"""Characters of what it says when it cannot start."""
_OURS: Final = "COLLAB_"


class NoMonitorError(NotWrittenError):
    """No monitor could be started; the text says why."""


def ensure_monitor(registry: Path, environment: Mapping[str, str] = os.environ, patience: float = _PATIENCE) -> Acting:
    """The monitor that acts on a registry on this machine, started if there is none; it is ready. Takes its time.

    Of two that are started at once one acts, and both callers get that. Raises `NoMonitorError`.
    """
    folder = kept_for(registry)
    if (acting := who_acts(folder)) is not None:
        return acting
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile() as told:
            process = _start(registry, folder, environment, told.fileno())
            acting = _wait(folder, process, patience)
            if acting is not None:
                return acting
            told.seek(0)
            said = one_line(clean(told.read().decode(errors="replace")))[-_LONGEST_TOLD:]
    except OSError as error:
        raise NoMonitorError(f"the monitor cannot be started: {error.strerror or error}") from error
    if process.poll() is None:
        raise NoMonitorError(f"the monitor (process {process.pid}) was not ready within {patience:g} s: {said}")
    raise NoMonitorError(f"the monitor could not start: {said or f'it ended with {process.returncode}'}")


def _start(registry: Path, folder: Path, environment: Mapping[str, str], told: int) -> subprocess.Popen[bytes]:
    how: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        how = {"creationflags": flags}
    process = subprocess.Popen(
        # -P: of the folder that it runs in nothing is imported
        [sys.executable, "-P", "-m", "collab_tui", "monitor", "--detached", "--registry", os.path.abspath(registry)],
        stdin=subprocess.DEVNULL,
        stdout=told,
        stderr=told,
        cwd=folder,
        env={name: value for name, value in environment.items() if not name.upper().startswith(_OURS)},
        **how,
    )
    threading.Thread(target=process.wait, daemon=True).start()  # it is no zombie when it ends before us
    return process


def _wait(folder: Path, process: subprocess.Popen[bytes], patience: float) -> Acting | None:
    """Until somebody acts: perhaps another that was started at the same time. None where nobody does."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        has_failed = process.poll() not in (None, 0)  # 0: it left the turn to another
        if (acting := who_acts(folder)) is not None:
            return acting
        if has_failed:
            return None
        time.sleep(_PAUSE)
    return None
