"""Workers in lines and as JSON, for the commands that tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.reading import only_match
from collab_tui.model.ages import age, duration, seconds_between
from collab_tui.model.board import Board
from collab_tui.model.summary import Span
from collab_tui.model.text import one_line
from collab_tui.model.workers import Stream, Worker
from collab_tui.monitor.watching import Watch, watch_monitors
from collab_tui.workers.chains import ROLES, UNTENDED, needs_tending

DIGITS: Final = 8
"""Of an id that are shown."""
TASK: Final = 24
"""Characters of a task that are shown."""
_TIMES: Final = ("queued_at", "started_at", "ended_at")


def find_worker(board: Board, prefix: str) -> Worker:
    """The worker whose id the text is or begins. Raises `NotThereError`."""
    return only_match(prefix, {worker.id: worker for worker in board.workers}, "worker")


class Watches:
    """Which monitors act, of those that told of streams and workers."""

    def __init__(self, registry: Path, board: Board) -> None:
        self._found = watch_monitors(
            registry, {one.monitor for one in board.streams} | {one.monitor for one in board.workers}
        )

    def is_untended(self, one: Stream | Worker) -> bool:
        """Its monitor is gone, so it is not as that told last."""
        return needs_tending(one) and self._found.get(one.monitor) is Watch.GONE

    def document(self, one: Stream | Worker) -> dict[str, Any]:
        """The same as a JSON value."""
        watch = self._found.get(one.monitor) if needs_tending(one) else None
        return {"watched_by": watch.value if watch is not None else None}


def head(worker: Worker, now: datetime, watches: Watches | None = None) -> Iterator[Span]:
    """One line: id, kind, state, task, how long."""
    is_untended = watches is not None and watches.is_untended(worker)
    yield Span(f"{one_line(worker.id)[:DIGITS]:<{DIGITS}}  ", "muted")
    yield Span(f"{worker.kind.value:<9}  ")
    yield Span(
        f"{UNTENDED if is_untended else worker.state.value:<8}  ", "warning" if is_untended else ROLES[worker.state]
    )
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


def document(worker: Worker, watches: Watches | None = None) -> dict[str, Any]:
    """As JSON values; absent ones are null."""
    told = asdict(worker) | (watches.document(worker) if watches is not None else {})
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
