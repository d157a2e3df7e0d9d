"""Why something was done: event, decision, question, execution, as the registry tells of them; and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collab_tui.model.board import Board, Request
from collab_tui.model.workers import Worker, WorkerKind, WorkerState


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


def _with_request(board: Board, worker: Worker) -> Execution:
    return Execution(worker, board.request(worker.request) if worker.request else None)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the workers of one kind came to."""

    kind: WorkerKind
    states: Counter[WorkerState]
    took_ms: Sequence[int]
    """Of those that ran to an end, the shortest first."""
    failures: Counter[str]
    """Why, and how often."""


def statistics(workers: Iterable[Worker]) -> list[Statistics]:
    """For each kind that there is."""
    workers = list(workers)
    found = []
    for kind in WorkerKind:
        mine = [worker for worker in workers if worker.kind is kind]
        if mine:
            took = sorted(worker.took_ms for worker in mine if worker.took_ms is not None)
            bad = (WorkerState.FAILED, WorkerState.DROPPED, WorkerState.REFUSED)
            failures = Counter(worker.outcome or "nobody said why" for worker in mine if worker.state in bad)
            found.append(Statistics(kind, Counter(worker.state for worker in mine), took, failures))
    return found
