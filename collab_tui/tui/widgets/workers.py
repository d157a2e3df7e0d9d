"""Sources of events, and the workers that they start: what waits, what runs, what was decided, what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from collab_tui.model.ages import age, duration, seconds_between
from collab_tui.model.board import Board, Request
from collab_tui.model.summary import Span
from collab_tui.model.words import Status
from collab_tui.model.workers import Stream, StreamState, Worker, WorkerKind, WorkerState
from collab_tui.tui.safe import Line, cut_middle, fit, pad, words
from collab_tui.tui.view import View
from collab_tui.tui.widgets.item_list import ItemList, LinesInSight, Row, lines_of
from collab_tui.workers.chains import NOBODY, ROLES, UNTENDED, counts, sign_of

MAX_SHOWN: Final = 200
"""Workers of each kind that have a row, the newest."""
_ANSWERED: Final = "Answered, and waits for a monitor"
_NAME: Final = 16
_PRIORITY: Final = 6
_STREAM_ROLES: Final = {
    StreamState.CONNECTING: "muted",
    StreamState.CONNECTED: "success",
    StreamState.RETRYING: "warning",
    StreamState.STOPPED: "error",
}
_PRIORITIES: Final = ("urgent", "high", "normal", "low")

IsUntended = Callable[[Stream | Worker], bool]
"""Its monitor is gone, so it is not as that told last."""


class WorkerList(ItemList):
    """Sources first, then what is not over, then what was decided and what was done, the newest first."""

    def __init__(self, is_untended: IsUntended) -> None:
        super().__init__(id="workers")
        self._is_untended = is_untended

    def show(self, view: View) -> None:
        """Show them; how many run and wait stands in the title."""
        super().show(view)
        workers = [one for one in view.moment.board.workers if not answer_to(view, one)]
        states = [worker.state for worker in workers if not self._is_untended(worker)]
        counts = ((WorkerState.RUNNING, "running"), (WorkerState.ASKED, "asked"), (WorkerState.QUEUED, "queued"))
        told = [f"{count} {what}" for state, what in counts if (count := states.count(state))]
        self.entitle(f" {view.glyphs.separator} ".join(["Workers", *told]))

    @property
    def worker(self) -> Worker | None:
        """The selected one."""
        board = self.view.moment.board if self.view is not None else None
        return next((one for one in board.workers if worker_key(one) == self.selected), None) if board else None

    @property
    def stream(self) -> Stream | None:
        """The selected source."""
        board = self.view.moment.board if self.view is not None else None
        return next((one for one in board.streams if _stream_key(one) == self.selected), None) if board else None

    def build(self, view: View, width: int) -> list[Row]:
        """The groups, those without anything in them left out."""
        board = view.moment.board
        over = sorted((one for one in board.workers if one.state.is_over), key=lambda worker: -worker.position)
        asked = _in_state(board, WorkerState.ASKED)
        groups: list[tuple[str, Sequence[Stream | Worker]]] = [
            ("Waits for you", [one for one in asked if request_of(view, one) is not None]),
            ("Sources", board.streams),
            (_ANSWERED, [one for one in asked if answer_to(view, one)]),
            ("Running", _in_state(board, WorkerState.RUNNING)),
            ("Queue", _by_urgency(_in_state(board, WorkerState.QUEUED))),
            ("Decisions", _of_kind(over, WorkerKind.DECISION)),
            ("Executions", _of_kind(over, WorkerKind.EXECUTION)),
            (
                "Told as asked, with nothing to answer",
                [one for one in asked if not request_of(view, one) and not answer_to(view, one)],
            ),
        ]
        full = sum(3 * bool(group) + 2 * len(group) for _, group in groups)
        has_room = full <= self.room
        rows: list[Row] = []
        for title, group in groups:
            if group:
                rows += [Row(None, ((),))] if rows else []
                rows.append(Row(None, (fit([Span(title, "muted")], width),)))
                rows += [self._row(view, one, width, in_full=has_room) for one in group[:MAX_SHOWN]]
            if (more := len(group) - MAX_SHOWN) > 0:
                rows.append(Row(None, ((Span(f"and {more} more, after these", "muted"),),)))
        return rows or [Row(None, _how_to_begin(view, width))]

    def _row(self, view: View, one: Stream | Worker, width: int, *, in_full: bool) -> Row:
        """One line, and one that says why where there is room for all of them, or it is selected."""
        key = _stream_key(one) if isinstance(one, Stream) else worker_key(one)
        is_untended = self._is_untended(one)
        why = one.why if isinstance(one, Stream) else one.outcome or one.why
        why = NOBODY if is_untended else why or ""
        has_why = bool(why) and (in_full or key == self.selected)

        def lines() -> Sequence[Line]:
            if isinstance(one, Stream):
                head = stream_line(view, one, width, is_untended=is_untended)
            else:
                head = worker_line(view, one, width, is_untended=is_untended)
            return (head, fit([Span(f"  {words(why)}", "muted")], width)) if has_why else (head,)

        about = lines_of(view.moment, one.request) if isinstance(one, Worker) else ()
        return Row(key, LinesInSight(1 + has_why, lines), about)


def stream_line(view: View, stream: Stream, width: int, *, is_untended: bool = False) -> Line:
    """How a source is doing."""
    role = "warning" if is_untended else _STREAM_ROLES[stream.state]
    seconds = seconds_between(stream.since, view.moment.now)
    is_live = stream.state is StreamState.CONNECTED and not is_untended
    sign = view.glyphs.live if is_live else view.glyphs.unreadable
    told = [
        Span(f"{sign} ", role),
        Span(pad(words(stream.name), _NAME) + "  "),
        Span(f"{UNTENDED if is_untended else stream.state.value:<10}", role),
    ]
    told.append(Span(f"  {counts(stream)}", "muted"))
    return fit(told, width, [Span(age(seconds) if seconds is not None else "", "muted")])


def worker_line(view: View, worker: Worker, width: int, *, is_untended: bool = False) -> Line:
    """How far a worker is, on what, and why."""
    answer = answer_to(view, worker)
    role = "warning" if is_untended else "text" if answer else ROLES[worker.state]
    sign = view.glyphs.statuses[Status.WAITING] if answer else sign_of(worker, view.glyphs)
    sign = view.glyphs.silent if is_untended else sign
    urgent = worker.priority in _PRIORITIES[:2] and not worker.state.is_over
    left = [
        Span(f"{sign} ", role),
        Span(pad(cut_middle(words(worker.task), _NAME), _NAME) + "  ", "strong"),
        Span(f"{UNTENDED if is_untended else answer or worker.state.value:<8}", role),
        Span(f"  {pad(words(worker.priority), _PRIORITY)}", "warning" if urgent else "muted"),
        Span(f"  {words(worker.title)}" if worker.title else ""),
    ]
    return fit(left, width, [Span(_lasts(view, worker), "muted")])


def request_of(view: View, worker: Worker) -> Request | None:
    """What the person can answer before the worker starts."""
    if worker.state is not WorkerState.ASKED or worker.request is None:
        return None
    request = view.moment.board.request(worker.request)
    return request if request is not None and view.moment.is_answerable(request) else None


def answer_to(view: View, worker: Worker) -> str:
    """What the person answered where no monitor acted on it yet: approved or rejected; else empty."""
    if worker.state is not WorkerState.ASKED or worker.request is None:
        return ""
    request = view.moment.board.request(worker.request)
    answer = view.moment.answer(request) if request is not None and not view.moment.is_answerable(request) else None
    return answer.verdict or "" if answer is not None else ""


def worker_key(worker: Worker) -> str:
    """The key of a worker's row."""
    return f"worker:{worker.id}"


def _stream_key(stream: Stream) -> str:
    return f"stream:{stream.name}"


def _lasts(view: View, worker: Worker) -> str:
    """How long it took, or since when it is as it is."""
    if worker.took_ms is not None:
        return f"took {duration(worker.took_ms / 1000)}"
    since = worker.started_at if worker.state is WorkerState.RUNNING else worker.ended_at or worker.queued_at
    seconds = seconds_between(since, view.moment.now)
    return age(seconds) if seconds is not None else ""


def _in_state(board: Board, state: WorkerState) -> list[Worker]:
    return [worker for worker in board.workers if worker.state is state]


def _of_kind(workers: Iterable[Worker], kind: WorkerKind) -> list[Worker]:
    return [worker for worker in workers if worker.kind is kind]


def _by_urgency(workers: Iterable[Worker]) -> list[Worker]:
    """The most urgent first, as the queue has them."""
    return sorted(workers, key=lambda one: _PRIORITIES.index(one.priority) if one.priority in _PRIORITIES else 2)


def _how_to_begin(view: View, width: int) -> tuple[Line, ...]:
    if view.past is not None:
        return (fit([Span("There was no stream and no worker yet.", "muted")], width),)
    return (
        fit([Span("No stream of events, and no workers.", "muted")], width),
        (),
        fit([Span("  [[stream]]", "accent"), Span("  in the config names a source", "muted")], width),
        fit([Span("  collab-tui worker decision", "accent"), Span("  starts one by hand", "muted")], width),
    )
