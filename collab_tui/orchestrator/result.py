"""What came of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collab_tui.model.event import decode
from collab_tui.model.fold import Fold
from collab_tui.model.run_timing import Timing, timing
from collab_tui.model.runs import Run, RunState, TaskState
from collab_tui.orchestrator.ledger import Ledger
from collab_tui.orchestrator.parts import Parts
from collab_tui.orchestrator.run import Run as RunHere
from collab_tui.registry.append import encode


class OwnRun:
    """A run as its own lines tell it, while it goes: its process knows what it did whatever becomes of the registry."""

    def __init__(self, run: str, fold: Fold) -> None:
        """`fold` has what the lines before say."""
        self._id = run
        self._fold = fold

    def see(self, line: Mapping[str, Any]) -> None:
        """Take the next line, as written."""
        if line.get("run") == self._id:
            self._fold.extend(decode(encode(line), self._fold.position))

    @property
    def run(self) -> Run:
        """As it is now. Its positions are not those of the registry."""
        run = self._fold.board().run(self._id)
        assert run is not None  # noqa: S101 - nobody asks before it began
        return run


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task did not get done."""

    state: TaskState
    error: str
    """In one line."""
    exception: BaseException | None = None
    """What the agent raised; None where it raised nothing, or another process saw it."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run that is over."""

    id: str
    state: RunState
    reason: str | None
    """Why it is not done; None where it is."""
    results: Mapping[str, Any]
    """Key of a task that is done -> what it gave."""
    failures: Mapping[str, Failure]
    """Key of a task that is not done -> why."""
    run: Run
    """As its own lines tell it."""
    timing: Timing
    """How long it took, and what working at the same time gained."""

    @property
    def is_done(self) -> bool:
        """Every task is done."""
        return self.state is RunState.DONE


def came_of(run: RunHere, parts: Parts, told: Run) -> RunResult:
    """What came of a run in this process, once it is over; `told` is the run as its own lines tell it."""
    jobs, known = parts.schedule.jobs, parts.known
    failures = {
        key: Failure(job.state, job.why or str(job.state), known.exceptions.get(key))
        for key, job in jobs.items()
        if job.state is not TaskState.DONE
    }
    results = {key: json.value for key, json in known.results.items() if key in jobs}
    return RunResult(parts.id, run.state, run.reason, results, failures, told, timing(told))


def as_it_was(ledger: Ledger) -> RunResult:
    """What came of a run of before that is done: nothing is left to go on with."""
    run = ledger.run
    results = {key: json.value for key, json in ledger.results.items()}
    return RunResult(run.id, run.state, run.reason, results, {}, run, timing(run))
