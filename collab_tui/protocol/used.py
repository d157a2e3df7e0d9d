"""Decisions and commands that were acted on: by each agent once, whichever process it runs in, also when the registry
was put back.

A file holds one digest a line in the user's state folder. Deleting it only forgets what was used.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import platformdirs

from collab_tui.model.event import Event
from collab_tui.model.signature import AmbiguousError, identity_of
from collab_tui.model.words import name_key
from collab_tui.registry.append import NotWrittenError, RefusedError, append_line, hold

MAX_USED: Final = 20_000
"""Decisions that are remembered, the newest; a file of 1.3 MB."""
_NAME: Final = "used_decisions"
_DELIVERING: Final = "delivering"
_NAME_OF_AGENTS: Final = "used_answers"
_NAME_OF_COMMANDS: Final = "used_commands"


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

    @cached_property
    def of_commands(self) -> UsedDecisions:
        """The same for commands, each prompt is one: none of them pushes out a decision, which is good for ever."""
        return UsedDecisions(self._folder, name=_NAME_OF_COMMANDS)

    def use_once(self, decision: Event, by: str) -> bool:
        """Take a decision to act on it as `by`; False when that was done before. Raises `RegistryError` where it cannot
        be told.

        Its words count, wherever they stand and however they are spelled: a copy of it is the same decision.
        """
        return self._note(_digest(decision, by))

    def reserve(self, decision: Event, by: str) -> Reservation | None:
        """Keep a decision from everybody else who acts as `by`, until it was delivered: see `Reservation`.

        None when it was used before. Raises `LockedError` at once while another has it reserved, and `RegistryError`
        where it cannot be told.
        """
        digest = _digest(decision, by)
        place = self._folder / _DELIVERING / digest[:32]
        _make(place.parent)
        reservation = Reservation(place, hold(str(place), 0), lambda: self._note(digest))
        try:
            is_used = digest in self._read()
        except BaseException:
            reservation.release()
            raise
        if is_used:
            reservation.release()
            return None
        return reservation

    def _note(self, digest: str) -> bool:
        """Note that it was used; False when it was noted before."""
        _make(self._folder)
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


class Reservation:
    """A decision that is being delivered, at least once: it is used once `commit` was called, and until then free again
    with `release`, or with the end of this process however that comes.
    """

    def __init__(self, place: Path, lock: int, note: Callable[[], bool]) -> None:
        self._lock: int | None = lock
        self._place = place
        self._note = note

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def commit(self) -> None:
        """It was delivered. Raises `RegistryError` where that cannot be noted: then it comes again."""
        self._note()

    def release(self) -> None:
        """Let others have it, if it was not used."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        if sys.platform != "win32":  # while it is held: whoever comes to hold a file that is gone looks for another
            self._forget()
        os.close(lock)
        if sys.platform == "win32":  # there no file is deleted that somebody has open
            self._forget()

    def _forget(self) -> None:
        with suppress(OSError):  # what stays is an empty file
            os.unlink(f"{self._place}.lock")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotWrittenError(f"cannot make {folder}: {error.strerror}") from error


def _digest(decision: Event, by: str) -> str:
    try:
        identity = identity_of(decision)
    except AmbiguousError:  # an agent's, who signs nothing: its line as it stands
        identity = hashlib.sha256(decision.line).hexdigest()
    return hashlib.sha256(f"{identity} {name_key(by)}".encode()).hexdigest()
