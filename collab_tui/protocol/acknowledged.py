"""What an agent acknowledged of what was addressed to it in one registry: its place in its inbox.

One digest of an id a line, in a file of the user's state folder, one file for each registry and agent. By ids and not
by a position, so that nothing comes twice when the registry was replaced, put back or cut. Deleting it forgets the
place and nothing else: see `inbox`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from collab_tui.model.words import name_key
from collab_tui.registry.append import NotWrittenError, append_line

_FOLDER: Final = "inbox"
_MAX_FILES: Final = 500
"""The latest are kept: demos and tests come and go."""
_LENGTH: Final = 32


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
            files = [place for place in self.path.parent.iterdir() if len(place.name) == _LENGTH]
            for file in sorted(files, key=lambda place: place.stat().st_mtime)[:-_MAX_FILES]:
                file.unlink(missing_ok=True)
                Path(f"{file}.lock").unlink(missing_ok=True)


def _digest(event_id: str) -> str:
    return hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]
