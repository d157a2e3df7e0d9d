"""What the monitor tells of as it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Happening:
    """What became of one occurrence of a rule, or of several that were too old."""

    at: datetime
    rule: str
    outcome: str
    about: str | None = None
    """The agent that the rule matched."""
    target: str | None = None
    """The agent that was told."""
    text: str = ""
    """What the person or the agent was told, or the program that was run."""
    cause: str | None = None
    """The id of the line."""
    took_ms: int | None = None
    held_back: int | None = None
    """How often the rule was held back since it was done last."""
    log: str | None = None
    """The file with the program's output."""
    by: str | None = None
    """The monitor that says so, when it is another than the one that tells."""

    def document(self) -> Mapping[str, Any]:
        """As one JSON object; what does not apply is left out."""
        told = {name: getattr(self, name) for name in self.__slots__}
        told["at"] = self.at.isoformat(timespec="milliseconds")
        return {name: value for name, value in told.items() if value not in (None, "")}


Tell = Callable[[Happening], None]
Notice = Callable[[str], None]
"""Is told what concerns no single rule: the registry is away, the disk is full."""
