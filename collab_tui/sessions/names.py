"""Names of sessions, agents and tasks where they become branches, folders and targets of tmux."""

from __future__ import annotations

import hashlib
import re
from typing import Final

LONGEST: Final = 48
"""Characters of a name."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}", re.ASCII)
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)


class BadNameError(ValueError):
    """A name that is not taken; the text says which are."""


def checked(name: str, what: str = "name") -> str:
    """The name, if it can safely be part of a branch, a path and a target. Raises `BadNameError`."""
    if not _NAME.fullmatch(name):
        told = f"a {what} has small letters, digits, - and _, at most {LONGEST}, and begins with a letter or a digit"
        raise BadNameError(f"{told}: not {name[:60]!a}")
    if name in _DEVICES:
        raise BadNameError(f"{name} is what Windows calls a device: give the {what} another name")
    return name


def task_name(task: str | None) -> str:
    """A name for a task in any words, always the same: what a name can have of them, and what tells it from others.

    Words that make a name but for capitals and spaces are that name. No task is called `work`.
    """
    words = (task or "").strip()
    if not words:
        return "work"
    joined = "-".join(words.lower().split())
    if words.isascii() and _NAME.fullmatch(joined) and joined not in _DEVICES:
        return joined
    plain = re.sub(r"[^a-z0-9]+", "-", words.lower(), flags=re.ASCII).strip("-")[:32].rstrip("-")
    return "-".join(filter(None, (plain, hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:8])))
