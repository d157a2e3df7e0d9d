"""What became of commands to the monitors of this machine, kept where only their user writes.

A registry tells it too, to everybody and shortly; but anybody may write a line there, and nobody signs results. Whoever
gave a command on the same machine reads the truth, and all of a reply, here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from collab_tui.protocol.commands import Result, read_told
from collab_tui.registry.kept import keep, kept_for

_FOLDER: Final = "results"
MOST: Final = 200
"""Results that are kept, the newest."""
_MOST_BYTES: Final = 32 << 20
"""Of all of them."""


class KeptResults:
    """The results of commands to the monitor of one registry on this machine."""

    def __init__(self, registry: Path) -> None:
        self.folder = kept_for(registry) / _FOLDER

    def keep(self, told: Mapping[str, Any]) -> None:
        """Keep how far a command is: see `commands.result`. Raises `OSError`."""
        keep(self._place(told["command_id"]), told)
        self._make_room()

    def load(self, command_id: str) -> Result | None:
        """How far a command is; None where nothing is kept of it."""
        try:
            told = json.loads(self._place(command_id).read_bytes())
        except (OSError, ValueError):
            return None
        return read_told(told) if isinstance(told, dict) else None

    def _make_room(self) -> None:
        found = []
        for file in self.folder.glob("*.json"):
            with suppress(OSError):  # another thread was here first
                status = file.stat()
                found.append((status.st_mtime_ns, status.st_size, file))
        size = 0
        for number, (_, its_size, file) in enumerate(sorted(found, reverse=True)):
            size += its_size
            if number >= MOST or (number and size > _MOST_BYTES):
                with suppress(OSError):  # the next time
                    file.unlink()

    def _place(self, command_id: str) -> Path:
        return self.folder / f"{hashlib.sha256(command_id.encode('utf-8', 'replace')).hexdigest()[:32]}.json"
