"""Workers in lines and as JSON, for the commands that tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from collab_tui.cli.reading import only_match
from collab_tui.model.ages import age, duration, seconds_between
from collab_tui.model.board import Board
from collab_tui.model.summary import Span
from collab_tui.model.text import one_line
from collab_tui.model.workers import Worker, WorkerState

ROLES: Final = {
    WorkerState.QUEUED: "text",
    WorkerState.ASKED: "warning",
    WorkerState.RUNNING: "accent",
    WorkerState.DONE: "success",
    WorkerState.FAILED: "error",
    WorkerState.DROPPED: "muted",
    WorkerState.REFUSED: "warning",
}
DIGITS: Final = 8
"""Of an id that are shown."""
TASK: Final = 24
"""Characters of a task that are shown."""
_TIMES: Final = ("queued_at", "started_at", "ended_at")


def find_worker(board: Board, prefix: str) -> Worker:
    """The worker whose id the text is or begins. Raises `NotThereError`."""
    return only_match(prefix, {worker.id: worker for worker in board.workers}, "worker")


def head(worker: Worker, now: datetime, *, kind: bool = True) -> Iterator[Span]:
    """One line: id, kind, state, task, how long."""
    yield Span(f"{one_line(worker.id)[:DIGITS]:<{DIGITS}}  ", "muted")
    yield Span(f"{worker.kind.value:<9}  " if kind else "")
    yield Span(f"{worker.state.value:<8}  ", ROLES[worker.state])
    yield Span(f"{cut(worker.task):<{TASK}}  ", "strong")
    yield Span(f"{worker.priority if worker.priority in ('urgent', 'high') else '':<6}  ", "warning")
    yield Span(how_long(worker, now), "muted")


def why(worker: Worker) -> Span:
    """What came of it; until then, why it was started."""
    return Span(one_line(worker.outcome or worker.why or ""), "muted")


def how_long(worker: Worker, now: datetime) -> str:
    """How long it took and when, or since when it waits or runs."""
    took = duration(worker.took_ms / 1000) if worker.took_ms is not None else ""
    since = worker.ended_at if worker.state.is_over else worker.started_at or worker.queued_at
    seconds = seconds_between(since, now)
    when = "" if seconds is None else f"{age(seconds)} ago" if worker.state.is_over else age(seconds)
    return ", ".join(filter(None, (took, when)))


def document(worker: Worker) -> dict[str, Any]:
    """As JSON values; absent ones are null."""
    told = asdict(worker)
    told |= {"kind": worker.kind.value, "state": worker.state.value, "line": told.pop("position") + 1}
    return told | {name: time.isoformat() if (time := told[name]) else None for name in _TIMES}


def since_of(workers: Iterable[Worker], since: datetime | None) -> list[Worker]:
    """Those that were told of since then; None: all."""
    times = ((worker, worker.ended_at or worker.started_at or worker.queued_at) for worker in workers)
    return [worker for worker, time in times if since is None or (time is not None and time >= since)]


def cut(text: str) -> str:
    """A task, as much as is shown of it."""
    line = one_line(text)
    return line if len(line) <= TASK else f"{line[: TASK - 3]}..."
