"""`codex queue`: a prompt for a session that is open at somebody's terminal. With 0.169.0 an idle one takes it up
within seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys

from collab_tui.hooks import places
from collab_tui.processes.finding import find_program

_SERVER = "app-server"
_PATIENCE = 30.0
"""Seconds that the program may take."""


def queue(text: str, session: str, process: int) -> bool:
    """Queue a text in the session that this process of Codex runs; False when that did not work."""
    program = _program(process)
    if program is None:
        places.log("codex", "what came was not given to it: there is no program codex to queue it with")
        return False
    try:
        done = subprocess.run(
            [program, "queue", "--thread", session, "--message", text],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        places.log("codex", f"what came was not given to it: {type(error).__name__}")
        return False
    if done.returncode:
        places.log("codex", f"what came was not given to it: {done.stderr[-300:].decode('utf-8', 'replace')}")
    return done.returncode == 0


def is_interactive(process: int) -> bool:
    """This process of Codex has a screen of its own; False where that cannot be told."""
    words = _command(process) if process else []
    return bool(words) and not {"exec", "e", "review", _SERVER}.intersection(words[1:])


def is_shared(process: int) -> bool:
    """This process of Codex runs the sessions of many screens, and goes on when they are closed."""
    return _SERVER in _command(process)[1:]


def _command(process: int) -> list[str]:
    """How the process was started; nothing where that cannot be told, as on Windows."""
    try:
        if os.path.isdir("/proc/self"):
            with open(f"/proc/{process}/cmdline", encoding="utf-8", errors="replace") as file:
                return file.read().split("\0")
        asked = ["ps", "-o", "command=", "-p", str(process)]
        done = subprocess.run(asked, capture_output=True, timeout=_PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.decode("utf-8", "replace").split()


def _program(process: int) -> str | None:
    """The very program that runs the session, where the system tells; else the one in PATH."""
    if sys.platform == "linux":
        try:
            found = os.readlink(f"/proc/{process}/exe")
        except OSError:
            found = ""
        if os.path.basename(found) == "codex":
            return found
    return find_program("codex", os.environ)
