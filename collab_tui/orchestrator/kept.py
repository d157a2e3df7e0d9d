"""What this user keeps of their runs: enough to go on with one after its process is gone.

One folder for each run, in the user's state folder, for the user's eyes only. What a run starts when it is resumed
stands there, and never in the registry. The lock of a run is held by the process that has it, and goes with that.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from collab_tui.model.event import parse_time
from collab_tui.model.text import clean, one_line
from collab_tui.orchestrator.hosted import HostedRuns
from collab_tui.orchestrator.values import ValueFiles
from collab_tui.registry.append import LockedError, NotWrittenError, RegistryError, UnusableError, hold
from collab_tui.registry.kept import keep, kept_for, make_own, own_key
from collab_tui.registry.machine import this_machine
from collab_tui.registry.turn import Turn

MOST_RUNS: Final = 100
"""Runs that are kept, the latest, and those that a process has."""
_FOLDER: Final = "runs"
_NAME: Final = "run.json"
_PRIVATE: Final = "private"
_KEY: Final = "run-lines.json"
_ID: Final = re.compile(r"[0-9a-f]{8}")
_PARTS: Final = "parts.json"
_AGENTS: Final = "agents"
_SHOWN: Final = 40
_ENDING: Final = 15.0
"""Seconds for which agents are waited for whose process is gone."""
_REST: Final = 86_400.0
"""Seconds after which what is left of a run that was not kept is nobody's."""


class RunError(RegistryError):
    """A run cannot be found, or not be gone on with; the text says why, and what to do about it."""

    exit_code = 3


class HeldError(RunError):
    """A process has the run."""


class LeftError(RunError):
    """The process of the run is gone, and no other goes on with it by itself."""


def new_run_id() -> str:
    """8 hex digits."""
    return os.urandom(4).hex()


@dataclass(frozen=True, slots=True)
class Part:
    """One process that had a run."""

    id: str
    """As its lines say: see `journal`."""
    after: int
    """The number of the last line that it knew when it began: it goes on from that, and not from what came later."""


@dataclass(frozen=True, slots=True)
class KnownRun:
    """One run that is kept."""

    id: str
    folder: Path
    name: str
    goal: str
    started_at: datetime | None
    host: str
    machine: str
    """As `registry.machine` tells it."""
    document: Mapping[str, Any]
    """What it is to do, as JSON values: what was given to `KeptRuns.new`."""
    parts: Sequence[Part] = ()
    """The processes that began or went on with it, in order; none: nothing of it was ever done."""

    @property
    def is_here(self) -> bool:
        """It is a run of this machine."""
        return self.machine == this_machine()


@dataclass(slots=True)
class KeptRun:
    """A run that this process has; no other can have it until `end`."""

    known: KnownRun
    agents: int
    """A descriptor that whatever is started for the run is to hold for as long as it runs: see `processes.supervised`.
    No other process has the run before all of them let go of it, but on Windows, where that cannot be seen.
    """
    _turn: Turn
    _is_had: bool = True

    @property
    def id(self) -> str:
        """8 hex digits."""
        return self.known.id

    @property
    def document(self) -> Mapping[str, Any]:
        """What it is to do: see `KnownRun`."""
        return self.known.document

    @property
    def private(self) -> Path:
        """A folder of the run for the user's eyes only, which goes with it."""
        return self.known.folder / _PRIVATE

    def began(self, part: Part) -> None:
        """Keep that this process began, or goes on: its first line stands, and nothing follows from it before this.

        Raises `NotWrittenError`.
        """
        parts = (*_parts_of(self.known.folder), part)
        try:
            keep(self.known.folder / _PARTS, [asdict(each) for each in parts])
        except OSError as error:
            raise NotWrittenError(f"cannot keep in {self.known.folder} that it began: {error.strerror}") from error

    def end(self) -> None:
        """Let another process have it."""
        if self._is_had:
            self._is_had = False
            os.close(self.agents)
            self._turn.end()


class KeptRuns:
    """The runs of one user on one registry. Everything here touches the disk."""

    def __init__(self, registry: Path) -> None:
        self.registry = registry
        self._kept = kept_for(registry)
        self.folder = self._kept / _FOLDER

    def key(self) -> bytes:
        """The key by which lines of runs are known as ours: see `journal`. Raises `RegistryError`.

        `RunError` where it is gone, and runs are kept: with another they would all have said nothing.
        """
        if not self.registry.parent.is_dir():
            raise UnusableError(f"there is no folder for the registry {self.registry}: `collab-tui init` makes one")
        path = self._kept / _KEY
        if not path.exists() and any(known.parts for known in self.all()):
            told = f"{path} is gone, by which runs know their own lines"
            raise RunError(f"{told}: put it back, or remove {self.folder} to give up the runs of before")
        return own_key(path)

    def new(self, name: str, goal: str, document: Mapping[str, Any], run_id: str | None = None) -> KeptRun:
        """Keep a run that is about to start, and have it. Raises `RunError` where the id is taken, `RegistryError`."""
        run_id = _checked(new_run_id() if run_id is None else run_id)
        folder = self.folder / run_id
        turn = self._take(run_id)
        try:
            if (folder / _NAME).exists():
                raise RunError(f"there is a run {run_id} already: resume it, or give the new one another id")
            started = datetime.now(UTC)
            kept = {
                "name": name,
                "goal": goal,
                "started_at": started.isoformat(),
                "host": socket.gethostname(),
                "machine": this_machine(),
                "document": dict(document),
            }
            try:
                make_own(folder / _PRIVATE)
                keep(folder / _NAME, kept)
            except OSError as error:
                raise NotWrittenError(f"cannot keep the run in {folder}: {error.strerror}") from error
        except BaseException:
            turn.end()
            raise
        self._forget_old()
        return self._alone(run_id, turn, lambda _: None)

    def load(self, run_id: str, notice: Callable[[str], object] = lambda _: None) -> KeptRun:
        """Have a run of before, once what was started for it is gone; `notice` is told where that is waited for.

        Raises `RunError` where it is not kept, is another machine's, a process has it (`HeldError`), or agents of an
        earlier one do not end.
        """
        known = self.known(run_id)
        if not known.is_here:
            raise RunError(f"the run {run_id} is one of {known.host}: resume it there")
        return self._alone(run_id, self._take(run_id), notice)

    def _alone(self, run_id: str, turn: Turn, notice: Callable[[str], object]) -> KeptRun:
        """Have it with nobody else at work for it. A supervisor ends what it runs soon after its process is gone."""
        try:
            private = self.folder / run_id / _PRIVATE
            make_own(private)
            path = str(private / _AGENTS)
            try:
                agents = hold(path, 0)
            except LockedError:
                notice(f"agents that an earlier process started for the run {run_id} still end: waiting for them")
                agents = hold(path, _ENDING)
            return KeptRun(self._known(run_id), agents, turn)
        except LockedError as error:
            turn.end()
            told = f"agents that an earlier process started for the run {run_id} do not end"
            raise RunError(f"{told}: end them, then resume it") from error
        except OSError as error:
            turn.end()
            raise NotWrittenError(f"the run {run_id} cannot be had: {error.strerror}") from error
        except BaseException:
            turn.end()
            raise

    def known(self, run_id: str) -> KnownRun:
        """What is kept of a run, whoever has it. Raises `RunError`."""
        if not _ID.fullmatch(run_id) or not (self.folder / run_id / _NAME).exists():
            raise RunError(self._unknown(run_id))
        return self._known(run_id)

    def has(self, run_id: str) -> bool:
        """It is kept here."""
        return _ID.fullmatch(run_id) is not None and (self.folder / run_id / _NAME).exists()

    def is_held(self, run_id: str) -> bool:
        """It is kept here, and a process has it now."""
        return self.has(run_id) and Turn(self.folder / run_id).holder() is not None

    def all(self) -> list[KnownRun]:
        """Those that can be understood, the latest first."""
        found = []
        for file in self.folder.glob(f"*/{_NAME}"):
            with suppress(RunError):
                found.append(self.known(file.parent.name))
        return sorted(found, key=lambda run: (run.started_at or _LONG_AGO, run.id), reverse=True)

    def _known(self, run_id: str) -> KnownRun:
        file = self.folder / run_id / _NAME
        try:
            kept = json.loads(file.read_bytes())
            texts = [kept[name] for name in ("name", "goal", "host", "machine")]
            document = kept["document"]
            parts = _parts_of(file.parent)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise RunError(f"{file} cannot be read ({error}): the run {run_id} cannot be gone on with") from error
        if not all(isinstance(text, str) for text in texts) or not isinstance(document, dict):
            raise RunError(f"{file} is none of ours: the run {run_id} cannot be gone on with")
        name, goal, host, machine = texts
        started = parse_time(kept.get("started_at"))
        return KnownRun(run_id, file.parent, name, goal, started, host, machine, document, parts)

    def _unknown(self, run_id: str) -> str:
        told = f"no run {one_line(clean(run_id))[:_SHOWN]!a} is kept here"
        latest = [known.id for known in self.all()]
        if near := get_close_matches(run_id.lower(), latest, 1):
            return f"{told}: did you mean {near[0]}?"
        return f"{told}; the latest is {latest[0]}" if latest else f"{told}, nor any other"

    def _take(self, run_id: str) -> Turn:
        turn = Turn(self.folder / run_id)
        if not turn.take():
            whose = turn.whose()
            here = "this very process" if whose.startswith(f"process {os.getpid()} ") else whose
            raise HeldError(f"the run {run_id} goes on already, in {here}")
        return turn

    def _forget_old(self) -> None:
        """Keep the latest, and those that somebody has or the monitor goes on with; with a run goes what it wrote
        beside the registry. Of a run that was never kept whole, its folder goes after a day.
        """
        wanted = {hosted.run for hosted in HostedRuns(self.registry).all()}
        old = [known.folder for known in self.all()[MOST_RUNS:] if known.is_here and known.id not in wanted]
        with suppress(OSError):
            old += [each for each in self.folder.iterdir() if _is_old_rest(each)]
        for folder in old:
            turn = Turn(folder)
            with suppress(RegistryError, OSError):  # the next time
                if turn.take():
                    try:
                        ValueFiles(self.registry, folder.name).forget()
                        (folder / _NAME).unlink(missing_ok=True)
                    finally:
                        turn.end()
                    shutil.rmtree(folder)


_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def _parts_of(folder: Path) -> tuple[Part, ...]:
    """Raises `OSError`, `ValueError`, `TypeError` for what is none of ours."""
    try:
        kept = json.loads((folder / _PARTS).read_bytes())
    except FileNotFoundError:
        return ()
    return tuple(Part(str(each["id"]), int(each["after"])) for each in kept)


def _is_old_rest(folder: Path) -> bool:
    """Somebody was about to keep a run there, and did not come to it."""
    is_rest = _ID.fullmatch(folder.name) is not None and not (folder / _NAME).exists()
    return is_rest and time.time() - folder.stat().st_mtime > _REST


def _checked(run_id: str) -> str:
    if not _ID.fullmatch(run_id):
        raise RunError(f"the id of a run is 8 hex digits, not {one_line(clean(run_id))[:_SHOWN]!a}")
    return run_id
