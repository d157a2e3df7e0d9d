"""What an agent acknowledged of what was addressed to it in one registry: its place in its inbox.

One digest of an id a line, in a file of the user's state folder, one file for each registry and agent. By ids and not
by a position, so that nothing comes twice when the registry was replaced, put back or cut. Deleting it forgets the
place and nothing else: see `inbox`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from collab_tui.model.signature import registry_id
from collab_tui.model.words import name_key
from collab_tui.registry.append import NotWrittenError, RegistryError, append_line, hold
from collab_tui.registry.jsonl import JsonlRegistry

_FOLDER: Final = "inbox"
_MAX_FILES: Final = 500
"""The latest are kept: demos and tests come and go."""
_LENGTH: Final = 32
_LISTENER: Final = ".listener"


def inbox_folder(state: Path) -> Path:
    """Where the places of all agents are kept, beneath the folder of what the user's agents keep."""
    return state / _FOLDER


class Acknowledged:
    """The ids that one agent acknowledged in one registry. Raises `RegistryError` where they cannot be kept or read."""

    def __init__(self, registry_id: str, name: str, state: Path) -> None:
        file = hashlib.sha256(f"{registry_id}\0{name_key(name)}".encode("utf-8", "surrogatepass")).hexdigest()
        self.path = inbox_folder(state) / file[:_LENGTH]
        self._digests: set[str] = set()

    def load(self) -> bool:
        """Read what was acknowledged; False when nothing was ever kept."""
        try:
            lines = self.path.read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise NotWrittenError(f"cannot read {self.path}: {error.strerror}") from error
        self._digests.update(lines)  # a line that was cut is the digest of nothing: then that event comes again
        return True

    def add(self, ids: Iterable[str]) -> None:
        """Acknowledge these, and be there from now on even if there are none."""
        fresh = [digest for digest in map(_digest, ids) if digest not in self._digests]
        is_new = not self.path.exists()
        if not fresh and not is_new:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise NotWrittenError(f"cannot make {self.path.parent}: {error.strerror}") from error
        text = "".join(f"{digest}\n" for digest in fresh) or "\n"
        append_line(str(self.path), lambda _: text.encode(), durable=False)
        self._digests.update(fresh)
        if is_new:
            self._forget_old()

    def __contains__(self, event_id: str) -> bool:
        return _digest(event_id) in self._digests

    def _forget_old(self) -> None:
        with suppress(OSError):  # what stays is a small file that nobody looks into any more
            places = list(self.path.parent.iterdir())
            for file in _oldest([place for place in places if len(place.name) == _LENGTH]):
                _forget(file)
            for lock in _oldest([place for place in places if place.name.endswith(f"{_LISTENER}.lock")]):
                _forget_lock(lock.with_name(lock.name.removesuffix(".lock")))


def forget_inbox(registry: Path, name: str, state: Path) -> None:
    """Keep nothing of the place of an agent that takes part no more. Raises `RegistryError`, `OSError`."""
    first = next(iter(JsonlRegistry(registry).read_next().items), None)
    if first is not None:
        _forget(Acknowledged(registry_id(first), name, state).path)
    _forget_lock(listener(registry, name, state))


def listener(registry: Path, name: str, state: Path) -> Path:
    """What whoever listens as that agent holds the lock of."""
    place = f"{os.path.realpath(registry)}\0{name_key(name)}".encode("utf-8", "surrogateescape")
    return inbox_folder(state) / f"{hashlib.sha256(place).hexdigest()[:24]}{_LISTENER}"


def _forget_lock(path: Path) -> None:
    """Remove the sidecar of a lock, if nobody holds it."""
    sidecar = Path(f"{path}.lock")
    with suppress(RegistryError, OSError):
        if sys.platform == "win32":
            sidecar.unlink()  # which fails while anybody has it open
            return
        descriptor = hold(str(path), 0)
        try:
            sidecar.unlink()
        finally:
            os.close(descriptor)


def _forget(place: Path) -> None:
    place.unlink(missing_ok=True)
    _forget_lock(place)


def _oldest(files: Sequence[Path]) -> Sequence[Path]:
    """Those that are too many."""
    return sorted(files, key=lambda file: file.stat().st_mtime)[:-_MAX_FILES]


def _digest(event_id: str) -> str:
    return hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]
