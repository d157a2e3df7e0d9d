"""Where a setting came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value was set."""

    path: Path
    line: int
    keys: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Of a table: the lines of its keys."""

    def of(self, key: str) -> Source:
        """Where a key of it stands, as far as that is known."""
        return Source(self.path, self.keys.get(key, self.line))

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"
