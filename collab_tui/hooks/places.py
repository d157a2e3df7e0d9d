"""Where hooks keep what one of them has to know of the ones before it: the user's state folder. And their own log.

hooks/SESSION/   one folder a session: see `session`
hooks/names/     which session writes under which name
hooks/kept/      agents' configuration files as they were before `connect` first changed them
hooks/log        what went wrong: hooks never fail, so nobody would hear of it
"""

from __future__ import annotations

import os
import sys
import time

MAX_LOG = 200_000
"""Bytes of the log; then it becomes `log.1` and begins anew."""
_LONGEST = 500


def folder(environment: os._Environ[str] | dict[str, str] = os.environ) -> str:
    """The folder of the hooks, whether or not it is there: in the one that platformdirs calls the user's state."""
    state = environment.get("XDG_STATE_HOME", "")
    if sys.platform == "win32":
        state = environment.get("WIN_PD_OVERRIDE_LOCAL_APPDATA", "").strip() or environment.get("LOCALAPPDATA", "")
        state = state or os.path.join(os.path.expanduser("~"), "AppData", "Local")
    elif not os.path.isabs(state):
        below = ("Library", "Application Support") if sys.platform == "darwin" else (".local", "state")
        state = os.path.join(os.path.expanduser("~"), *below)
    return os.path.join(state, "collab-tui", "hooks")


def log(agent: str, what: str) -> None:
    """Note what went wrong, in one line. Where even that fails there is nobody to tell."""
    try:
        place = folder()
        os.makedirs(place, mode=0o700, exist_ok=True)
        path = os.path.join(place, "log")
        line = ascii(" ".join(what.split())[:_LONGEST])[1:-1]
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            os.write(descriptor, f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {agent} {line}\n".encode())
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if size > MAX_LOG:
            os.replace(path, f"{path}.1")
    except OSError:
        return
