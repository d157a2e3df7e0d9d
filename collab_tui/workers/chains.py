"""Why something was done: event, decision, question, execution, as the registry tells of them; and what it comes to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from collab_tui.model.ages import age, duration, seconds_between
from collab_tui.model.board import Board, Request
from collab_tui.model.event import as_text
from collab_tui.model.glyphs import Glyphs
from collab_tui.model.summary import Span
from collab_tui.model.text import one_line
from collab_tui.model.words import Status
from collab_tui.model.workers import Stream, StreamState, Worker, WorkerKind, WorkerState

ROLES: Final = {
    WorkerState.QUEUED: "text",
    WorkerState.ASKED: "warning",
    WorkerState.RUNNING: "accent",
    WorkerState.DONE: "success",
    WorkerState.FAILED: "error",
    WorkerState.DROPPED: "muted",
    WorkerState.REFUSED: "warning",
    WorkerState.STOPPED: "muted",
}
_SIGNS: Final = {
    WorkerState.QUEUED: Status.WAITING,
    WorkerState.RUNNING: Status.IN_PROGRESS,
    WorkerState.DONE: Status.COMPLETED,
    WorkerState.FAILED: Status.FAILED,
    WorkerState.DROPPED: Status.UNKNOWN,
    WorkerState.REFUSED: Status.BLOCKED,
    WorkerState.STOPPED: Status.UNKNOWN,
}
"""State -> whose sign it has."""
UNTENDED: Final = "untended"
"""The word for what runs, or follows, as a monitor told that is gone."""
NOBODY: Final = "no monitor acts here: the next one sees to it"
"""The same in full."""
_MOST: Final = 40
"""Executions of one chain, and entries of one verdict, that are shown."""
_LONGEST: Final = 2000
"""Characters of a text that are shown."""
_PARTICULAR: Final = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'|\S*[/\\]\S*|\b[0-9a-f]{8,}\b|\b\d+(?:\.\d+)?\b")
"""What in a reason is of one worker alone: quoted words, paths, branches, ids, numbers."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One worker that a decision wanted, or the person."""

    worker: Worker
    request: Request | None
    """What the person was asked."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What came of one event, or of what the person wanted by hand."""

    decision: Worker | None
    """None: the person wanted the work without one, or the decision is not known any more."""
    executions: Sequence[Execution]


def chains(board: Board, task: str) -> list[Chain]:
    """Every chain in which a task has a part, the oldest first: it was decided on, or worked on."""
    decisions = {worker.id: worker for worker in board.workers if worker.kind is WorkerKind.DECISION}
    executions = [worker for worker in board.workers if worker.kind is WorkerKind.EXECUTION]
    found = []
    for decision in decisions.values():
        mine = [worker for worker in executions if worker.cause == decision.id]
        if decision.task == task or any(worker.task == task for worker in mine):
            found.append(Chain(decision, [_with_request(board, worker) for worker in mine]))
    alone = (worker for worker in executions if worker.task == task and worker.cause not in decisions)
    return found + [Chain(None, [_with_request(board, worker)]) for worker in alone]


def chain_of(board: Board, worker: Worker) -> Chain:
    """The chain that a worker of the board has its part in."""
    return next(one for one in chains(board, worker.task) if worker in _workers(one))


def _workers(chain: Chain) -> list[Worker]:
    return [*([chain.decision] if chain.decision else []), *(execution.worker for execution in chain.executions)]


def _with_request(board: Board, worker: Worker) -> Execution:
    return Execution(worker, board.request(worker.request) if worker.request else None)


# In words

Step = tuple[Span, ...]


def sign_of(worker: Worker, glyphs: Glyphs) -> str:
    """The sign of a worker's state; its role is in `ROLES`."""
    return glyphs.needs_you if worker.state is WorkerState.ASKED else glyphs.statuses[_SIGNS[worker.state]]


def needs_tending(one: Stream | Worker) -> bool:
    """What is told of it is so only while a monitor sees to it; what waits, the next one finds."""
    return one.state in (WorkerState.RUNNING, StreamState.CONNECTING, StreamState.CONNECTED, StreamState.RETRYING)


def counts(stream: Stream) -> str:
    """What became of the events of a stream."""
    told = ((stream.dropped, "dropped"), (stream.refused, "refused"))
    started = f"{stream.events:,} event{'' if stream.events == 1 else 's'}".replace(",", " ")
    return ", ".join([started, *(f"{count} {what}" for count, what in told if count)])


def steps(
    chain: Chain,
    board: Board,
    now: datetime,
    glyphs: Glyphs,
    selected: Worker | None = None,
    *,
    has_ids: bool = True,
) -> Iterator[Step]:
    """The steps of a chain, each on its line; of the selected worker also its verdict."""
    first = chain.decision or chain.executions[0].worker
    if first.stream is not None:
        about = f"{_line(first.stream)}: {_line(first.task)}"
        yield Span("event      ", "muted"), Span(about), _id(first.cause if has_ids else None)
    else:
        yield Span("by hand    ", "muted"), Span(_line(first.task))
    if chain.decision is not None:
        yield from _told(chain.decision, board, now, glyphs, is_selected=chain.decision is selected, has_ids=has_ids)
    for execution in chain.executions[:_MOST]:
        if execution.worker.request:
            yield _asked(execution.request, execution.worker.request, glyphs)
        worker = execution.worker
        yield from _told(worker, board, now, glyphs, is_selected=worker is selected, has_ids=has_ids)


def _told(
    worker: Worker, board: Board, now: datetime, glyphs: Glyphs, *, is_selected: bool, has_ids: bool
) -> Iterator[Step]:
    took = f"  took {duration(worker.took_ms / 1000)}" if worker.took_ms is not None else ""
    since = seconds_between(worker.ended_at or worker.started_at or worker.queued_at, now)
    ago = f"  {age(since)} ago" if since is not None else ""
    yield (
        Span(f"{worker.kind.value:<11}", "muted"),
        Span(f"{sign_of(worker, glyphs)} {worker.state.value}", ROLES[worker.state]),
        Span(f"  {_line(worker.task)}", "strong" if is_selected else "text"),
        Span(took + ago, "muted"),
        _id(worker.id if has_ids else None),
    )
    for name, told in (("title", worker.title), ("because", worker.why), ("outcome", worker.outcome)):
        if told:
            yield _more(name, told)
    if is_selected and worker.verdict is not None:
        yield from _verdict(worker.verdict)
    session = board.session(worker.session) if worker.session else None
    if worker.session:
        yield _more("session", worker.session + (f", {session.observed.value}" if session is not None else ""))
    if session is not None and session.branch:
        yield _more("branch", session.branch)


def _verdict(verdict: Mapping[str, Any]) -> Iterator[Step]:
    """What is to be done next, as the verdict has it; anything may stand in one."""
    for name, value in list(verdict.items())[:_MOST]:
        if name == "why":
            continue  # it is the worker's own
        for one in (value if isinstance(value, list) else [value])[:_MOST]:
            if isinstance(one, dict) and "task" in one:
                told = [as_text(one[field]) for field in ("task", "priority", "why") if one.get(field)]
                yield _more(str(name), ", ".join(told))
            else:
                yield _more(str(name), as_text(one))


def _asked(request: Request | None, request_id: str, glyphs: Glyphs) -> Step:
    """What the person was asked, and what they said; the request may not be known any more."""
    if request is None:
        return Span("request    ", "muted"), Span("you were asked"), _id(request_id)
    answer = request.answer if not request.is_open else None
    said = f"{_line(answer.text)} by {_line(answer.by)}" if answer is not None else request.state.replace("_", " ")
    shown = Span(said, "muted") if answer is not None else Span(f"{glyphs.needs_you} {said}", "warning")
    return Span("request    ", "muted"), shown, Span(f"  {_line(request.request)}")


def _more(name: str, value: str) -> Step:
    return Span(f"             {_line(name):<9}", "muted"), Span(_line(value))


def _id(event_id: str | None) -> Span:
    return Span(f"  {_line(event_id)}" if event_id else "", "muted")


def _line(text: str | None) -> str:
    text = text or ""
    return one_line(text[:_LONGEST]) + ("..." if len(text) > _LONGEST else "")


# Numbers


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the workers of one kind came to."""

    kind: WorkerKind
    states: Counter[WorkerState]
    took_ms: Sequence[int]
    """Of those that ran to an end, the shortest first."""
    failures: Counter[str]
    """Why, without what is of one worker alone, and how often."""


def statistics(workers: Iterable[Worker]) -> list[Statistics]:
    """For each kind that there is."""
    workers = list(workers)
    found = []
    for kind in WorkerKind:
        mine = [worker for worker in workers if worker.kind is kind]
        if mine:
            took = sorted(worker.took_ms for worker in mine if worker.took_ms is not None)
            bad = (WorkerState.FAILED, WorkerState.DROPPED, WorkerState.REFUSED)
            reasons = (worker.outcome or "nobody said why" for worker in mine if worker.state in bad)
            failures = Counter(_PARTICULAR.sub("...", reason) for reason in reasons)
            found.append(Statistics(kind, Counter(worker.state for worker in mine), took, failures))
    return found
