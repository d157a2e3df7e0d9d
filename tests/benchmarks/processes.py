"""What the system counted for a program and everything it started. Linux: from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path


def cpu_seconds(root: int) -> float:
    """Processor time of the process and its descendants, of those reaped too."""
    ticks = 0
    for pid in _tree(root):
        fields = _stat(pid)
        ticks += sum(map(int, fields[11:15])) if fields else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mib(root: int) -> float:
    """The most memory that the process and its descendants ever held, added up."""
    peak = 0
    for pid in _tree(root):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                peak += int(line.split()[1])
    return peak / 1024


def _tree(root: int) -> list[int]:
    children = defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(int(name))):
            children[int(fields[1])].append(int(name))
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def _stat(pid: int) -> list[str]:
    """The fields behind the name: state, parent, ...; user and system time stand from 11 on."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(") ")[2].split()
