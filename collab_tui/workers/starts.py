"""When workers of this monitor started, for the limits: kept for the user's eyes only, as lines anybody can write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from collab_tui.registry.append import NotWrittenError
from collab_tui.registry.kept import keep, kept_for
from collab_tui.workers.queue import Start

_FILE: Final = "worker-starts.json"
_MOST: Final = 2000
"""Of each kind that are remembered, the last."""


class Starts:
    """What started, also while another monitor acted for the registry on this machine."""

    def __init__(self, registry: Path) -> None:
        """Raises `NotWrittenError` where it cannot be told: then no limit would hold."""
        self._file = kept_for(registry) / _FILE
        try:
            kept: dict[str, Any] = json.loads(self._file.read_bytes())
            self._decisions = [Start(float(at), str(task), str(worker)) for at, task, worker in kept["decisions"]]
            self._unasked = {str(worker): float(at) for worker, at in kept["unasked"].items()}
        except FileNotFoundError:
            self._decisions, self._unasked = [], {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise NotWrittenError(f"{self._file}: it cannot be read ({error}): remove it") from error

    @property
    def decisions(self) -> list[Start]:
        """Decision workers, the last ones."""
        return list(self._decisions)

    def unasked_since(self, time: float) -> int:
        """How many execution workers were to start unasked since then (seconds since the epoch)."""
        return sum(at >= time for at in self._unasked.values())

    def decision(self, start: Start) -> None:
        """A decision worker is to start, once that is saved."""
        self._decisions = [*self._decisions, start][-_MOST:]

    def unasked(self, worker: str, at: float) -> None:
        """An execution worker is to start unasked, once that is saved; told again, it counts once."""
        self._unasked = dict([*self._unasked.items(), (worker, self._unasked.get(worker, at))][-_MOST:])

    def save(self) -> None:
        """Keep what was told. Raises `NotWrittenError`."""
        try:
            keep(self._file, {"decisions": self._decisions, "unasked": self._unasked})
        except OSError as error:
            raise NotWrittenError(f"cannot keep what started, in {self._file}: {error.strerror}") from error
