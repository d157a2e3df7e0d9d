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


_RESUME_ID: Final = re.compile(r"[0-9A-Za-z][\w.:-]{0,127}", re.ASCII)


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


def resume_id(told: object) -> str | None:
    """The id of a conversation as an agent's program tells it; None for what is none. It becomes an argument, and who
    tells it is not trusted: it never looks like an option or a path.
    """
    return told if isinstance(told, str) and _RESUME_ID.fullmatch(told) else None


def task_name(task: str | None) -> str:
    """A name for a task in any words, always the same: what a name can have of them, and what tells it from others.

    Words that make a name but for capitals and spaces are that name: see `known_by`. No task is called `work`.
    """
    words = (task or "").strip()
    if not words:
        return "work"
    if (joined := _joined(words)) is not None:
        return joined
    plain = re.sub(r"[^a-z0-9]+", "-", words.lower(), flags=re.ASCII).strip("-")[:32].rstrip("-")
    return "-".join(filter(None, (plain, hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:8])))


def known_by(task: str | None) -> str:
    """What tells a task from all others, also from those of the same name: those are its words."""
    words = " ".join((task or "").split())
    return words if words and _joined(words) is not None else task_name(task)


def numbered(name: str, number: int) -> str:
    """The name; from the second on with its number at the end."""
    if number == 1:
        return name
    ending = f"-{number}"
    return f"{name[: LONGEST - len(ending)].rstrip('-_')}{ending}"


def _joined(words: str) -> str | None:
    """The words as a name, which tells all of them but for capitals and spaces; None where they make none."""
    joined = "-".join(words.lower().split())
    return joined if words.isascii() and _NAME.fullmatch(joined) and joined not in _DEVICES else None
