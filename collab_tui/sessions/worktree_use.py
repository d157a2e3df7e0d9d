"""Locks of worktrees that say which process has them: nobody else touches them, and once it is gone they are free."""

from __future__ import annotations

import os
from typing import Final

from collab_tui.processes.identity import Identity, identity_of, is_alive

USED: Final = "collab: in use by process "
"""What the lock of a worktree says that a process uses; which one follows."""


def marked(beginning: str) -> str:
    """What a lock of this process says."""
    me = identity_of(os.getpid())
    return f"{beginning}{os.getpid()} {me.started if me is not None else ''}".rstrip()


def is_marked(lock: str | None, beginning: str) -> bool:
    """It is such a lock, of whichever process."""
    return (lock or "").startswith(beginning)


def is_there(lock: str | None, beginning: str) -> bool:
    """The process that such a lock tells of still runs."""
    pid, _, started = (lock or "").removeprefix(beginning).partition(" ")
    return pid.isdecimal() and is_alive(Identity(int(pid), started))
