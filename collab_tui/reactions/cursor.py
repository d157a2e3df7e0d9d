"""How far the rules came in a registry: durable, and only ever of that very registry.

The registry itself is the record of what was done (see `ledger`). This only says what need not be looked at again, and
how long nobody was looking. It may lag behind: what is looked at again was done, and is not done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from collab_tui.model.event import Item
from collab_tui.registry.append import NotWrittenError
from collab_tui.registry.kept import keep

_NAME: Final = "cursor.json"
_LATEST: Final = 1e11
"""Seconds since the epoch; a time that every system can show."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything before it was dealt with."""

    registry_id: str
    """Of the registry in which it stands; empty before its first line."""
    position: int
    """The index of the next line."""
    last_line: str
    """Digest of the line before it; empty at the beginning."""
    at: float
    """When that was so, in seconds since the epoch: what came about later, by the clock alone, was not dealt with."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Name -> what it waited for, as a digest, of each rule that was on."""

    def why_not_of(self, registry_id: str, size: int, last_line: str) -> str | None:
        """How a registry of so many lines, with that line before the cursor, is another; None when it goes on."""
        if self.position and size and self.registry_id != registry_id:
            return "replaced"
        if self.position > size:
            return "truncated"
        return "rewritten" if self.last_line != last_line else None


def digest(item: Item | None) -> str:
    """By which a line is known again; empty for none."""
    return hashlib.sha256(item.line).hexdigest() if item is not None else ""


class CursorFile:
    """The cursor as it is kept. Raises `NotWrittenError` when it cannot be."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / _NAME

    def load(self) -> Cursor | None:
        """What was kept; None when nothing was, or nothing that can be understood: it says no more than that."""
        try:
            return _understood(json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def save(self, cursor: Cursor) -> None:
        """Replace what was kept, whole or not at all, for the user's eyes only."""
        try:
            keep(self.path, asdict(cursor))
        except OSError as error:
            raise NotWrittenError(f"cannot keep how far the rules came, in {self.path}: {error.strerror}") from error


def _understood(kept: Any) -> Cursor | None:
    cursor = Cursor(
        registry_id=str(kept["registry_id"]),
        position=int(kept["position"]),
        last_line=str(kept["last_line"]),
        at=float(kept["at"]),
        rules={str(name): str(mark) for name, mark in kept["rules"].items()},
    )
    return cursor if cursor.position >= 0 and 0 <= cursor.at < _LATEST else None
