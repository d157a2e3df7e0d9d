"""Runs, whole values and logs, for people who look at them. Lines are claims: of a run that is kept here, only those
count that it wrote itself; and what a line names is looked for only where it would be kept.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from collab_tui.model.event import Event
from collab_tui.model.runs import Run, Value
from collab_tui.model.signature import AmbiguousError, parse
from collab_tui.orchestrator.kept import KeptRuns, RunError
from collab_tui.orchestrator.ledger import Ledger, proven, read_kept
from collab_tui.orchestrator.values import ValueFiles, ValueLostError
from collab_tui.registry.append import RegistryError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.log_folder import find_log

_MOST: Final = 1 << 20
"""Bytes of a log that are read, the last."""
_IS_RUN: Final = re.compile(r"[0-9a-f]{8}").fullmatch


@dataclass(frozen=True, slots=True)
class Whole:
    """All of what stands under a key."""

    value: Any
    is_proven: bool
    """The run wrote it; else that is what a line says, and nothing here can tell."""

    @property
    def text(self) -> str:
        """A text exactly as it was given, all else as JSON on several lines."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value, indent=2, ensure_ascii=False)


def own_run(registry: Path, run: str) -> Run | None:
    """A run as it tells of itself; None where it is not kept here. Touches the disk. Raises `RegistryError`."""
    ledger = _ledger(registry, run)
    return ledger.run if ledger is not None else None


def done_run(registry: Path, run: str) -> Run | None:
    """A run that is kept here and of which nothing is left to go on with."""
    with suppress(RunError):
        ledger = _ledger(registry, run)
        if ledger is not None and ledger.is_done:
            return ledger.run
    return None


def ended_since(registry: Path, positions: Mapping[str, int]) -> Collection[str]:
    """Of runs that are kept here those that say they ended, after the line of which the position is given."""
    try:
        key = KeptRuns(registry).key()
    except RegistryError:
        return ()  # nothing can be told of their lines
    return {
        item.data["run"]
        for item in JsonlRegistry(registry).last_items()
        if isinstance(item, Event)
        and item.kind == "run_ended"
        and (position := positions.get(item.text("run") or "")) is not None
        and item.position > position
        and proven(item, key) is not None
    }


def as_they_tell(registry: JsonlRegistry, runs: Iterable[Run]) -> list[Run]:
    """Runs; of those that are kept here, by its own lines each of which another line says that it goes on or is over.

    The registry has been read.
    """
    return [_as_it_tells(registry, run) for run in runs]


def _as_it_tells(registry: JsonlRegistry, run: Run) -> Run:
    kept = KeptRuns(registry.path)
    with suppress(RegistryError):  # its own lines cannot be read
        if kept.has(run.id):
            key = kept.key()
            for line in _events(registry, run.set_at["state"]):
                if proven(line, key) is None:
                    return _by_its_own_lines(registry.path, run.id, line.line)
    return run


@lru_cache(maxsize=100)
def _by_its_own_lines(registry: Path, run: str, _: bytes) -> Run:
    """A run as it told of itself when another wrote that line: that takes a look at the whole registry, and stays so
    until one of the two writes how far it is.
    """
    return read_kept(KeptRuns(registry), run).run


def read_value(registry: JsonlRegistry, run: str, value: Value) -> Whole:
    """The whole of a value as its line has it; where the run did not write that line, what it wrote last under the key.

    The registry has been read. Raises `ValueLostError`, `RegistryError`.
    """
    kept, files = KeptRuns(registry.path), ValueFiles(registry.path, run)
    line = next((each for each in _events(registry, value.position) if _is_of(each, run, value)), None)
    if not kept.has(run):
        return Whole(files.value_of(_as_told(line)).value, is_proven=False)
    try:
        if line is not None and (told := proven(line, kept.key())) is not None:
            return Whole(files.value_of(told).value, is_proven=True)
        ledger = read_kept(kept, run)
    except RunError as error:
        raise ValueLostError(str(error)) from error
    own = ledger.entries.get(value.key) if value.revision else ledger.candidates.get(value.task or "")
    if own is not None:
        return Whole(own.value, is_proven=True)
    lost = f"the value {value.key} "
    odd = f"line {value.position + 1} says what stands under {value.key}, and the run did not write it"
    raise ValueLostError(next((told for told in ledger.problems if told.startswith(lost)), odd))


def _ledger(registry: Path, run: str) -> Ledger | None:
    kept = KeptRuns(registry)
    return read_kept(kept, run) if kept.has(run) else None


def _events(registry: JsonlRegistry, position: int) -> Sequence[Event]:
    """The event of a line that was read; none where it is none, or not there any more."""
    return [item for item in registry.items(position, position + 1) if isinstance(item, Event)]


def _is_of(line: Event, run: str, value: Value) -> bool:
    return line.text("run") == run and line.text("key") == value.key and _IS_RUN(run) is not None


def _as_told(line: Event | None) -> Mapping[str, Any]:
    if line is None:
        raise ValueLostError("its line is not there any more: the registry was replaced")
    try:
        return parse(line.line)  # the event itself is cleaned
    except AmbiguousError as error:
        raise ValueLostError(f"line {line.position + 1} can be read in two ways: {error}") from error


def read_task_log(registry: Path, named: str) -> str | None:
    """What the log of an attempt says that a line names, the last of it; None where there is none here."""
    parts = []
    for end in (".1", ""):
        with suppress(OSError):  # there is none before this one, or it was forgotten meanwhile
            if (path := find_log(registry, named + end)) is not None:
                parts.append(_end_of(path))
    return b"".join(parts)[-_MOST:].decode("utf-8", "replace") if parts else None


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _MOST))
        return file.read(_MOST)
