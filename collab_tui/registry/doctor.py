"""What is wrong with the file of a registry: its access, its lock, its end and the drive it is on.

Looking changes nothing: no file is made, the lock's neither, and nothing waits longer than a moment.
"""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from collab_tui.model.ages import age
from collab_tui.model.event import MAX_LINE, Event, decode
from collab_tui.model.findings import Finding, Severity, Subject
from collab_tui.model.text import clean, one_line
from collab_tui.registry.append import LOCK_TIMEOUT
from collab_tui.registry.filesystem import Mount, mount_of, silent_file_system
from collab_tui.registry.jsonl import SETTLED_AFTER
from collab_tui.registry.lock_state import LockState, lock_state

_LITTLE_SPACE: Final = 100 << 20
"""Bytes."""
_LOCAL_LOCKS: Final = frozenset({"nobrl", "nolock", "local_lock=all", "local_lock=flock"})
"""Mount options with which a lock shuts out nobody on other machines (measured: a tenth of the lines was lost)."""

_Found = Iterator[Finding]


class _File(NamedTuple):
    path: Path
    status: os.stat_result
    """Of the file itself, behind a link."""
    kind: str | None
    """The type of a file system that announces nothing; None on a local disk."""
    mount: Mount | None

    @property
    def name(self) -> str:
        """The path, to be shown within a line."""
        return shown(self.path)


def check_file(path: Path) -> list[Finding]:
    """What is wrong with the file. Raises `OSError` when there is nothing to look at."""
    file = _File(path, path.stat(), silent_file_system(path.parent), mount_of(path.parent))
    checks: list[Callable[[_File], _Found]] = [_lock, _links, _drive, _space, _end]
    if sys.platform != "win32":
        checks += [_owner, _mode, _folder]
    checks.append(_read_only)
    return [finding for check in checks for finding in check(file)]


def shown(path: Path | str) -> str:
    """A path for a place within one line."""
    return one_line(clean(str(path)))


def _found(severity: Severity, kind: str, text: str, mend: str) -> Finding:
    return Finding(severity, Subject.FILE, kind, text, mend)


def _lock(file: _File) -> _Found:
    state, holder, seconds = lock_state(f"{file.path}.lock")
    sidecar = f"{file.name}.lock"
    if state is LockState.UNUSABLE:
        text = f"the lock beside it cannot be used: {holder}"
        mend = f"Every append fails until you may read and write {sidecar}, a plain file."
        yield _found(Severity.WARNING, "lock_unusable", text, mend)
    elif state is LockState.STOPPED:
        text = f"locked by {holder}, which was stopped; nobody can append"
        yield _found(
            Severity.ERROR, "lock_held", text, "Let it go on (fg, or kill -CONT), or end it: its lock ends with it."
        )
    elif state is LockState.HELD and seconds > LOCK_TIMEOUT:
        text = f"locked for {age(seconds)} by {holder}; nobody else can append"
        mend = f"See what it does; if it hangs, end it: its lock ends with it. Do not delete {sidecar}."
        yield _found(Severity.ERROR, "lock_held", text, mend)
    elif state is LockState.HELD:
        text = f"locked for {age(seconds)} by {holder}"
        yield _found(Severity.NOTE, "lock_held", text, "Look again: a lock is held for a moment.")


def _links(file: _File) -> _Found:
    if file.path.is_symlink():
        text = "the path is a symbolic link, to which nothing is appended"
        mend = f"Name the file itself: {shown(os.path.realpath(file.path))}"
        yield _found(Severity.WARNING, "symbolic_link", text, mend)
    if file.status.st_nlink > 1:
        more = file.status.st_nlink - 1
        text = f"the file has {more} other name{'' if more == 1 else 's'}; who writes there does not see our lock"
        mend = f"Find it with `find / -xdev -inum {file.status.st_ino}`, and use one name only."
        yield _found(Severity.WARNING, "hard_link", text, mend)


def _drive(file: _File) -> _Found:
    options = file.mount.options if file.mount is not None else frozenset()
    if useless := sorted(_LOCAL_LOCKS & options):
        text = f"mounted with {', '.join(useless)}: a lock shuts out nobody on other machines, and lines get lost"
        mend = "Mount the drive without that, or let one machine only append."
        yield _found(Severity.WARNING, "local_locks", text, mend)
    elif file.kind is not None:
        text = f"on a network file system ({one_line(file.kind)})"
        mend = "Append with `collab-tui emit` only: what programs append by hand on two machines gets lost."
        yield _found(Severity.NOTE, "network", text, mend)


def _space(file: _File) -> _Found:
    free = shutil.disk_usage(file.path.parent).free
    if free < _LITTLE_SPACE:
        text = f"{free // (1 << 20)} MiB are left on its drive; appends fail when it is full"
        yield _found(Severity.WARNING, "disk_full", text, "Make room on the drive.")


def _end(file: _File) -> _Found:
    """A tail without a newline that is no event yet."""
    tail = _tail(file.path)
    if not tail or tail.endswith(b"\n"):
        return
    fragment = tail.rpartition(b"\n")[2]
    if not fragment.strip() or _is_event(fragment):
        return
    seconds = max(0.0, time.time() - file.status.st_mtime)
    size = f"{len(fragment):,} bytes" if len(tail) < MAX_LINE else f"over {MAX_LINE:,} bytes"
    text = f"the last line is unfinished: {size} without a newline, for {age(seconds)}"
    if seconds > SETTLED_AFTER:
        mend = "Its writer died or the disk was full: the next append begins a line of its own, and this one is lost."
        yield _found(Severity.WARNING, "unfinished_line", text, mend)
    else:
        yield _found(Severity.NOTE, "unfinished_line", text, "A writer is at it, most likely: look again.")


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - MAX_LINE))
        return file.read(MAX_LINE)


def _is_event(fragment: bytes) -> bool:
    return isinstance(next(iter(decode(fragment, 0))), Event)


def _owner(file: _File) -> _Found:
    owner = file.status.st_uid
    if owner in (me := os.geteuid(), 0) or me == 0 or file.kind is not None:
        return  # root may do everything anyway; network drives show owners of other machines
    text = f"it belongs to {_user_name(owner)}, not to you, who may change and remove it"
    yield _found(Severity.WARNING, "owner", text, "If you do not trust that user, use a registry of your own.")


def _mode(file: _File) -> _Found:
    mode = stat.S_IMODE(file.status.st_mode)
    shared = mode & stat.S_IWGRP and not _is_own_group(file.status)
    if file.kind is not None:
        return  # network drives show modes that the server does not go by
    if mode & stat.S_IWOTH or shared:
        who = "every user of this machine" if mode & stat.S_IWOTH else f"group {_group_name(file.status.st_gid)}"
        text = f"mode {mode:04o}: {who} may change what stands there, and write as anybody"
        yield _found(Severity.WARNING, "mode", text, f"chmod go-w {shlex.quote(file.name)}")
    elif mode & stat.S_IROTH:
        text = f"mode {mode:04o}: every user of this machine may read it"
        yield _found(Severity.NOTE, "mode", text, f"If that is not wanted: chmod go= {shlex.quote(file.name)}")


def _folder(file: _File) -> _Found:
    """Who may write into the folder can replace the file, unless it is sticky."""
    status = os.stat(file.path.parent)
    if file.kind is None and status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        folder = shlex.quote(shown(file.path.parent))
        text = (
            f"its folder has mode {stat.S_IMODE(status.st_mode):04o}: every user of this machine may replace the file"
        )
        yield _found(Severity.WARNING, "folder_mode", text, f"chmod o-w {folder}")


def _read_only(file: _File) -> _Found:
    if not os.access(file.path, os.W_OK):
        mounted = file.mount is not None and "ro" in file.mount.options
        text = "you can read it, but not append" + (": its drive is mounted read-only" if mounted else "")
        yield _found(Severity.NOTE, "read_only", text, "To answer from the board you need to be allowed to write it.")
    elif not os.path.lexists(f"{file.path}.lock") and not os.access(file.path.parent, os.W_OK):
        text = "nobody made the lock beside it yet, and you may not make files in its folder: your appends fail"
        yield _found(Severity.WARNING, "lock_missing", text, f"Get write access to {shown(file.path.parent)}.")


def _is_own_group(status: os.stat_result) -> bool:
    """The group that many systems make for one user alone."""
    return _group_name(status.st_gid) == _user_name(status.st_uid)


def _user_name(number: int) -> str:
    import pwd

    try:
        return one_line(pwd.getpwuid(number).pw_name)
    except KeyError:
        return f"user {number}"


def _group_name(number: int) -> str:
    import grp

    try:
        return one_line(grp.getgrgid(number).gr_name)
    except KeyError:
        return f"number {number}"
