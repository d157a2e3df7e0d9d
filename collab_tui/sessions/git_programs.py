"""Which programs the configuration of a repository has git run, and which of them our options do not stop.

What an agent may have written there must not run because we look at its files. What the user's own configuration says
in the very same words is the user's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collab_tui.model.text import clean, one_line
from collab_tui.sessions.git import Git

_RUN: Final = re.compile(
    r"filter\..*\.(?:clean|smudge|process)|lfs\.(?:customtransfer|extension)\..*|lfs\.standalonetransferagent",
    re.DOTALL,
)
"""Keys whose programs our options do not keep from running."""
_STOPPED: Final = re.compile(
    r"core\.(?:fsmonitor|hookspath|sshcommand|askpass|gitproxy)|diff\.external|diff\..*\.(?:command|textconv)",
    re.DOTALL,
)
"""Keys whose programs they do; another git that the person runs there would run them."""
_HARMLESS: Final = frozenset(
    {
        ("filter.lfs.clean", "git-lfs clean -- %f"),
        ("filter.lfs.smudge", "git-lfs smudge -- %f"),
        ("filter.lfs.smudge", "git-lfs smudge --skip -- %f"),
        ("filter.lfs.process", "git-lfs filter-process"),
        ("filter.lfs.process", "git-lfs filter-process --skip"),
        ("core.hookspath", ".husky"),
        ("core.hookspath", ".husky/_"),
        ("core.fsmonitor", "true"),
        ("core.fsmonitor", "false"),
    }
)
"""What git-lfs and husky write, and what names no program."""
_IN_REPOSITORY: Final = frozenset({"local", "worktree"})


@dataclass(frozen=True, slots=True)
class Programs:
    """What a repository's own configuration names to be run."""

    run: Sequence[str]
    """Keys whose programs would run when we look at files: so we do not."""
    stopped: Sequence[str]
    """Keys whose programs do not run through us."""


async def git_programs(git: Git) -> Programs:
    """Look into the configuration of a repository; that runs nothing. What the user's own says as well is theirs."""
    keys = r"^(filter|lfs|diff)\.|^core\.(fsmonitor|hookspath|sshcommand|askpass|gitproxy)$"
    told = await git.says("config", "--includes", "--show-scope", "-z", "--get-regexp", keys)
    parts = (told or "").removesuffix("\0").split("\0")
    found = [(scope, *_key_and_value(setting)) for scope, setting in zip(parts[::2], parts[1::2], strict=False)]
    users = {(key, value) for scope, key, value in found if scope not in _IN_REPOSITORY and scope != "command"}
    theirs = [
        (key, value)
        for scope, key, value in found
        if scope in _IN_REPOSITORY and value and (key, value) not in users | _HARMLESS
    ]
    return Programs(
        tuple(dict.fromkeys(_told(key) for key, _ in theirs if _RUN.fullmatch(key))),
        tuple(dict.fromkeys(_told(key) for key, _ in theirs if _STOPPED.fullmatch(key))),
    )


def _key_and_value(setting: str) -> tuple[str, str]:
    key, _, value = setting.partition("\n")
    return key, value


def _told(key: str) -> str:
    return one_line(clean(key))[:80]
