"""Where a setting came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value was set."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"
