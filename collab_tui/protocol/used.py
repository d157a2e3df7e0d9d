"""Decisions that were acted on: by each agent once, whichever process it runs in, also when the registry was put back.

A file holds one digest a line in the user's state folder. Deleting it only forgets what was used.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

import platformdirs

from collab_tui.model.event import Event
from collab_tui.model.signature import AmbiguousError, identity_of
from collab_tui.model.words import name_key
from collab_tui.registry.append import NotWrittenError, RefusedError, append_line

MAX_USED: Final = 20_000
"""Decisions that are remembered, the newest; a file of 1.3 MB."""
_NAME: Final = "used_decisions"
_NAME_OF_AGENTS: Final = "used_answers"


class UsedDecisions:
    """The user's set of decisions that were acted on."""

    def __init__(self, folder: Path | None = None, *, name: str = _NAME) -> None:
        self._folder = folder or Path(platformdirs.user_state_dir("collab-tui", appauthor=False))
        self._name = name

    @property
    def folder(self) -> Path:
        """Where it is kept, and what else an agent keeps beside it."""
        return self._folder

    @property
    def path(self) -> Path:
        """The file, whether or not it is there."""
        return self._folder / self._name

    @cached_property
    def of_agents(self) -> UsedDecisions:
        """The same for decisions of agents, who sign nothing and may be many: none of them pushes out a signed one."""
        return UsedDecisions(self._folder, name=_NAME_OF_AGENTS)

    def use_once(self, decision: Event, by: str) -> bool:
        """Take a decision to act on it as `by`; False when that was done before. Raises `RegistryError` where it cannot
        be told.

        Its words count, wherever they stand and however they are spelled: a copy of it is the same decision.
        """
        digest = _digest(decision, by)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise NotWrittenError(f"cannot make {self._folder}: {error.strerror}") from error
        try:
            append_line(str(self.path), lambda _: f"{digest}\n".encode(), unless=lambda: self._why_not(digest))
        except RefusedError:
            return False
        return True

    def unused(self, decisions: Sequence[Event], by: str) -> list[Event]:
        """Those that were not acted on as `by`. Raises `RegistryError` where that cannot be told."""
        used = set(self._read()) if decisions else ()
        return [decision for decision in decisions if _digest(decision, by) not in used]

    def _read(self) -> list[str]:
        try:
            return self.path.read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise NotWrittenError(f"cannot read {self.path}: {error.strerror}") from error

    def _why_not(self, digest: str) -> str | None:
        """Called under the lock."""
        used = self._read()
        if digest in used:
            return "it was used before"
        if len(used) >= MAX_USED:
            self._forget(used[-MAX_USED // 2 :])
        return None

    def _forget(self, kept: list[str]) -> None:
        """Keep the newest; the lock is held, and whoever reads without it sees the old file or the new one."""
        fresh = self.path.with_suffix(f".{os.getpid()}")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii", newline="\n") as file:
                file.write("\n".join(kept) + "\n")
            os.replace(fresh, self.path)
        except OSError as error:
            raise NotWrittenError(f"cannot shorten {self.path}: {error.strerror}") from error


def _digest(decision: Event, by: str) -> str:
    try:
        identity = identity_of(decision)
    except AmbiguousError:  # an agent's, who signs nothing: its line as it stands
        identity = hashlib.sha256(decision.line).hexdigest()
    return hashlib.sha256(f"{identity} {name_key(by)}".encode()).hexdigest()
