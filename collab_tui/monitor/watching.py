"""Who sees to it now that what a registry tells of a running session is so.

A line that says "working" is as true as whoever wrote it is alive. So what runs is told apart from what ran when it was
last told of: on another machine, without a monitor, or gone with it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path

from collab_tui.model.sessions import Session
from collab_tui.monitor.acting import who_acts
from collab_tui.processes.identity import Identity, is_alive
from collab_tui.protocol.commands import is_same_host
from collab_tui.registry.kept import kept_for
from collab_tui.sessions.records import Record, Records


class Watch(Enum):
    """Who sees to it."""

    MONITOR = "monitor"
    """A monitor of this machine."""
    NOBODY = "nobody"
    """Its program runs, and no monitor looks at it."""
    GONE = "gone"
    """Its monitor is gone, and its program with it."""
    ELSEWHERE = "elsewhere"
    """Another machine, or another user of this one: nobody here can tell."""
    UNKNOWN = "unknown"
    """It was not looked yet, or it is the past."""


def watch(registry: Path, sessions: Iterable[Session]) -> Mapping[str, Watch]:
    """Run -> who sees to it, for those that are told to run."""
    has_monitor = who_acts(kept_for(registry)) is not None
    return {each.run: _watch_of(registry, each, has_monitor) for each in sessions if each.observed.is_running}


def record_of(registry: Path, session: Session) -> Record | None:
    """What is kept here of this very session; None for one of another machine or user, or of an earlier start."""
    if not is_same_host(session.host, socket.gethostname()):
        return None
    record = Records(registry).load(session.name)
    return record if record is not None and record.run == session.run else None


def _watch_of(registry: Path, session: Session, has_monitor: bool) -> Watch:
    record = record_of(registry, session)
    if record is None:
        return Watch.ELSEWHERE
    if has_monitor:
        return Watch.MONITOR
    lives = record.pid is not None and is_alive(Identity(record.pid, record.pid_started or ""))
    return Watch.NOBODY if lives else Watch.GONE
