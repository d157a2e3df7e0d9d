"""What kind of file system a path is on: remote changes are announced by no kernel, so they have to be polled for."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Final, NamedTuple

_MOUNTS: Final = Path("/proc/self/mountinfo")
_SILENT: Final = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "drvfs",
        "virtiofs",
        "vboxsf",
        "prl_fs",
        "afs",
        "ceph",
        "lustre",
        "gpfs",
        "afpfs",
        "webdav",
    ]
)
"""Types that do not report what others change on them (measured for NFS, SMB, 9p and FUSE).

A container's `overlay` does report what is written through it."""
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def silent_file_system(path: Path) -> str | None:
    """The type of the path's file system if changes on it go unannounced, else None."""
    kind = _windows_type(path) if sys.platform == "win32" else mount_type(path)
    return kind if kind in _SILENT or kind.startswith("fuse") else None


class Mount(NamedTuple):
    """One line of the mount table."""

    kind: str
    """The type of the file system."""
    options: frozenset[str]
    """Those of the mount and of the file system behind it, `ro` or `local_lock=all` say."""


def mount_type(path: Path, mounts: Path = _MOUNTS) -> str:
    """The file system type from the mount table; empty where there is none."""
    mount = mount_of(path, mounts)
    return mount.kind if mount is not None else ""


def mount_of(path: Path, mounts: Path = _MOUNTS) -> Mount | None:
    """The mount that a path is on, from the mount table; None where there is none.

    The table, because statfs tells what a server answers: 9p says ext4.
    """
    real = os.path.realpath(path)
    best, found = "", None
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError:
        return None
    for line in lines:
        fields, separator, rest = line.partition(" - ")
        if not separator:
            continue
        own, behind = fields.split(" "), rest.split(" ")
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), own[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, found = point, Mount(behind[0], frozenset((own[5] + "," + behind[-1]).split(",")))
    return found


def _windows_type(path: Path) -> str:
    """`smbfs` for a network drive or share; the only difference that matters there."""
    import ctypes  # only there, and only once

    drive = os.path.splitdrive(os.path.realpath(path))[0]
    if drive.startswith("\\\\"):
        return "smbfs"
    remote = 4
    get_drive_type = ctypes.windll.kernel32.GetDriveTypeW  # type: ignore[attr-defined,unused-ignore]
    return "smbfs" if get_drive_type(drive + "\\") == remote else ""
