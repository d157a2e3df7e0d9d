"""How a worker came about and what came of it: event, decision, request, execution, session; from the board alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collab_tui.model.ages import age, duration, seconds_between
from collab_tui.model.board import Board, Request
from collab_tui.model.event import as_text
from collab_tui.model.glyphs import Glyphs
from collab_tui.model.summary import Span
from collab_tui.model.workers import Worker, WorkerKind
from collab_tui.tui.safe import MOST_ENTRIES, words
from collab_tui.tui.view import View
from collab_tui.tui.widgets.workers import worker_sign
from collab_tui.workers.chains import Chain, chains

Step = tuple[Span, ...]
_MOST_STEPS = 40


def chain(worker: Worker, view: View) -> Iterator[Step]:
    """The steps of the chain that a worker has its part in, each on its line."""
    board = view.moment.board
    found = next(one for one in chains(board, worker.task) if worker in _workers(one))
    first = found.decision or worker
    if first.stream is not None:
        yield Span("event      ", "muted"), Span(f"{words(first.stream)}: {words(first.task)}"), _id(first.cause)
    else:
        yield Span("by hand    ", "muted"), Span(words(first.task))
    if found.decision is not None:
        yield from _told(found.decision, view, is_selected=found.decision is worker)
    for execution in found.executions[:_MOST_STEPS]:
        if execution.worker.request:
            yield from _asked(execution.request, execution.worker.request, view.glyphs)
        yield from _told(execution.worker, view, is_selected=execution.worker is worker)


def _workers(chain: Chain) -> list[Worker]:
    return [*([chain.decision] if chain.decision else []), *(execution.worker for execution in chain.executions)]


def _told(worker: Worker, view: View, *, is_selected: bool = False) -> Iterator[Step]:
    sign, role = worker_sign(worker, view.glyphs)
    name = "decision" if worker.kind is WorkerKind.DECISION else "execution"
    took = f"  took {duration(worker.took_ms / 1000)}" if worker.took_ms is not None else ""
    since = seconds_between(worker.ended_at or worker.started_at or worker.queued_at, view.moment.now)
    ago = f"  {age(since)} ago" if since is not None else ""
    state = Span(f"{sign} {worker.state.value}", role)
    about = Span(f"  {words(worker.task)}", "strong" if is_selected else "text")
    yield Span(f"{name:<11}", "muted"), state, about, Span(took + ago, "muted"), _id(worker.id)
    if worker.title:
        yield _more("title", worker.title)
    for name, told in (("because", worker.why), ("outcome", worker.outcome)):
        if told:
            yield _more(name, told)
    if is_selected and worker.verdict is not None:
        yield from _verdict(worker.verdict)
    if worker.session:
        session = view.moment.board.session(worker.session)
        yield _more("session", worker.session + (f", {session.observed.value}" if session is not None else ""))
    if session_branch := _branch(view.moment.board, worker):
        yield _more("branch", session_branch)
    if is_selected and worker.log:
        yield _more("log", worker.log)


def _verdict(verdict: Mapping[str, Any]) -> Iterator[Step]:
    """What is to be done next, as the verdict has it; anything may stand in one."""
    for name, value in list(verdict.items())[:MOST_ENTRIES]:
        if name == "why":
            continue  # it is the worker's own
        for one in (value if isinstance(value, list) else [value])[:MOST_ENTRIES]:
            if isinstance(one, dict) and "task" in one:
                told = [as_text(one[field]) for field in ("task", "priority", "why") if one.get(field)]
                yield _more(str(name), ", ".join(told))
            else:
                yield _more(str(name), as_text(one))


def _asked(request: Request | None, request_id: str, glyphs: Glyphs) -> Iterator[Step]:
    if request is None:
        yield Span("request    ", "muted"), Span("you were asked"), _id(request_id)
        return
    answer = request.answer if not request.is_open else None
    said = f"{words(answer.text)} by {words(answer.by)}" if answer is not None else request.state.replace("_", " ")
    role = "muted" if answer is not None else "warning"
    yield Span("request    ", "muted"), Span(f"{glyphs.needs_you} {said}", role), Span(f"  {words(request.request)}")


def _branch(board: Board, worker: Worker) -> str | None:
    session = board.session(worker.session) if worker.session else None
    return session.branch if session is not None else None


def _more(name: str, value: str) -> Step:
    return Span(f"             {words(name):<9}", "muted"), Span(words(value))


def _id(event_id: str | None) -> Span:
    return Span(f"  {words(event_id)}" if event_id else "", "muted")
