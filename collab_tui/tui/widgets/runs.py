"""The runs and their tasks: how far each is, who has it, for what it waits. What waits for the person comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from collab_tui.model.ages import age
from collab_tui.model.board import Request
from collab_tui.model.run_words import RUN_ROLES, TASK_ROLES, TASK_WORDS, run_sign
from collab_tui.model.runs import Run, RunState, RunTask, TaskState
from collab_tui.model.summary import Span
from collab_tui.tui.runs_seen import (
    Known,
    RunsKnown,
    done_count,
    is_answered,
    is_gone,
    key_cell,
    lasts,
    request_of,
    requests_of,
    run_lasts,
    said,
    seat_name,
    sign_of,
    time_of,
    untended,
    weight_of,
    word_of,
    worker_of,
)
from collab_tui.tui.safe import Line, fit, pad, width_of, words
from collab_tui.tui.view import View
from collab_tui.tui.widgets.item_list import ItemList, LinesInSight, Row, line_in_sight
from collab_tui.tui.widgets.text_lines import broken

_WIDE: Final = 66
"""Cells of a line that has a column for the seat."""
_KEY: Final = 24
_NARROW_KEY: Final = 16
_STATE: Final = max(map(len, TASK_WORDS.values()))
_SEAT: Final = 13
_NAME: Final = 24
_RUN_STATE: Final = max(map(len, RunState))
_BAR, _NARROW_BAR = 12, 6
_MANY: Final = 30
"""Tasks of a run of which those that ask the person, went wrong or are at work come first."""


def row_key(run_id: str, task: str | None = None) -> str:
    """The key of the row of a run, or of one of its tasks: no id begins with a line break."""
    return run_id if task is None else f"\n{len(run_id)} {run_id}{task}"


def _parts(key: str) -> tuple[str, str | None]:
    """The ids of run and task of a row."""
    if not key.startswith("\n"):
        return key, None
    size, _, ids = key[1:].partition(" ")
    return ids[: int(size)], ids[int(size) :]


class RunList(ItemList):
    """A row for each run, and below it one for each of its tasks, unless they are folded."""

    def __init__(self, known: RunsKnown) -> None:
        super().__init__(id="runs")
        self._known = known
        self._asked: dict[str, list[tuple[Request, str | None]]] = {}
        """Id of a run -> what the person is asked in it, each with the key of its task."""
        self._is_folded: dict[str, bool] = {}
        """Decided when a run is first shown: what is over is folded then, and nothing folds under the cursor."""

    def show(self, view: View) -> None:
        """Show them; how many go on, and ask, stands in the title."""
        super().show(view)
        self._known.keep(view.moment.board.runs)
        self._tell_counts(view)
        if self.selected is None and self.keys:  # the registry is another one now: what was selected is no more
            self.select(self.keys[0])

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other runs are above what is in sight."""
        super().watch_scroll_y(old_value, new_value)
        if self.view is not None:
            self._tell_counts(self.view)

    def _tell_counts(self, view: View) -> None:
        """A run that begins elsewhere comes above the others: that it is there is told, and nothing jumps."""
        runs = view.moment.board.runs
        going = {run.id for run in runs if run.state is RunState.RUNNING and not is_gone(view, run)}
        asked = sum(map(len, self._asked.values()))
        above = sum(row.key in going and row.key != _parts(self.selected or "")[0] for row in self.rows_above())
        told = [f"{len(going)} of {len(runs)} running{f', {above} above' if above else ''}"] if runs else []
        told += [f"{asked} {'waits' if asked == 1 else 'wait'} for you"] if asked else []
        self.entitle(f" {view.glyphs.separator} ".join(["Runs", *told]))

    @property
    def run_row(self) -> Run | None:
        """The selected one, or that of the selected task."""
        run_id, _ = _parts(self.selected or "")
        runs = self.view.moment.board.runs if self.view is not None else ()
        return next((run for run in runs if run.id == run_id), None)

    @property
    def task_row(self) -> RunTask | None:
        """The selected one."""
        _, key = _parts(self.selected or "")
        run = self.run_row
        return run.task(key) if run is not None and key is not None else None

    @property
    def request(self) -> Request | None:
        """What the person is asked about the selected task, or the one thing that they are asked in the run."""
        view, run, task = self.view, self.run_row, self.task_row
        if view is None or run is None:
            return None
        if task is not None:
            return request_of(view, task)
        asked = requests_of(view, run)
        return asked[0][0] if len(asked) == 1 else None

    def next_asked(self) -> str | None:
        """The next row, after the selected one, of something that the person is asked; None where there is none."""
        asking = {
            row_key(run_id, None if self._is_folded[run_id] else task)
            for run_id, mine in self._asked.items()
            for _, task in mine
        }
        keys = self.keys
        start = keys.index(self.selected) + 1 if self.selected in keys else 0
        return next((key for key in (*keys[start:], *keys[:start]) if key in asking), None)

    def fold(self) -> None:
        """Fold the tasks of the selected run, or show them again."""
        if (run := self.run_row) is not None:
            self._is_folded[run.id] = not self._is_folded.get(run.id, False)
            self.select(run.id)
            self._rebuild(resized=True)

    def is_folded(self, run: Run) -> bool:
        """Its tasks have no rows."""
        return self._is_folded.get(run.id, False)

    def build(self, view: View, width: int) -> list[Row]:
        """Those that wait for the person, those that go on, then those that are over, the latest first."""
        runs = view.moment.board.runs[::-1]
        asked = self._asked = {run.id: requests_of(view, run) for run in runs}
        rows: list[Row] = []
        most = _NAME if width >= _WIDE else _NARROW_KEY
        names = min(most, max((cell_len(words(run.name)) for run in runs), default=0))
        for run in sorted(runs, key=lambda run: _place(run, bool(asked[run.id]))):
            mine = asked[run.id]
            self._is_folded.setdefault(run.id, run.state.is_over and bool(rows) and not mine)
            if rows and not (self._is_folded[run.id] and _parts(rows[-1].key or "")[1] is None):
                rows.append(Row(None, ((),)))
            rows.append(Row(run.id, self._run_lines(view, run, mine, names, width), _lines_asked(mine)))
            if not self._is_folded[run.id]:
                rows += self._task_rows(view, self._known.of(run), {key: one for one, key in mine if key}, width)
        return rows or [Row(None, _how_to_begin(view, width))]

    def _run_lines(
        self, view: View, run: Run, asked: Sequence[tuple[Request, str | None]], names: int, width: int
    ) -> Sequence[Line]:
        def lines() -> Sequence[Line]:
            return self._run_head(view, run, bool(asked), names, width), fit(self._run_told(view, run, asked), width)

        return LinesInSight(2, lines)

    def _run_head(self, view: View, run: Run, asks: bool, names: int, width: int) -> Line:
        gone, silence = is_gone(view, run), view.moment.run_silence(run)
        sign, role = run_sign(run.state, view.glyphs), RUN_ROLES[run.state]
        if asks or gone:
            sign, role = view.glyphs.needs_you if asks else view.glyphs.silent, "warning"
        done, total = done_count(run), len(run.tasks)
        right = [Span(run_lasts(run, view), "muted")]
        if silence is not None and not gone:
            right = [Span(f"{view.glyphs.silent} silent {age(silence)}", "warning")]
        name, word = pad(words(run.name), names), f"{'gone' if gone else run.state.value:<{_RUN_STATE}}"
        counts = Span(f" {done} of {total}")
        if 2 + cell_len(f"{name}  {word}  {counts.text}  ") + width_of(right) > width:  # no columns, but all of it
            name, word = name.rstrip(), word.rstrip()
        left = [Span(f"{sign} ", role), Span(f"{name}  ", "strong")]
        left.append(Span(f"{word}  ", "warning" if gone else RUN_ROLES[run.state]))
        bar = _BAR if width >= _WIDE else _NARROW_BAR
        if total and len(word) == _RUN_STATE and width_of([*left, counts, *right]) + bar + 2 <= width:
            full = bar * done // total
            bar_role = "muted" if run.state.is_over else "accent"
            left += [Span(view.glyphs.bar_full * full, bar_role), Span(view.glyphs.bar_empty * (bar - full), "muted")]
        return fit([*left, counts], width, right)

    def _run_told(self, view: View, run: Run, asked: Sequence[tuple[Request, str | None]]) -> Sequence[Span]:
        """The most important of what is not in the head: what is asked, why it ended, its goal."""
        if is_gone(view, run):
            return (Span(f"  {untended(view)}", "warning"),)
        if asked and (self._is_folded.get(run.id, False) or not asked[0][1]):
            more = f" and {len(asked) - 1} more" if len(asked) > 1 else ""
            return Span("  asks you  ", "muted"), Span(words(asked[0][0].request) + more, "warning")
        if run.state in (RunState.FAILED, RunState.CANCELLED) and run.reason:
            return (Span(f"  {said(view, run.reason)}", "muted"),)
        return (Span(f"  {words(run.goal)}", "muted"),)

    def _task_rows(self, view: View, known: Known, asked: dict[str, Request], width: int) -> list[Row]:
        most = _KEY if width >= _WIDE else _NARROW_KEY
        keys = min(most, max((cell_len(task.key) for task in known.order), default=0))
        order: Sequence[RunTask] = known.order
        if len(order) > _MANY:
            order = sorted(order, key=lambda task: 0 if task.key in asked else weight_of(task))
        return [
            Row(
                row_key(known.run.id, task.key),
                line_in_sight(task_line, view, known, task, keys, width),
                (request.event.line,) if (request := asked.get(task.key)) is not None else (),
            )
            for task in order
        ]


def _place(run: Run, asks: bool) -> tuple[int, int]:
    """Those that ask, those that go on, however much they tell, then those that are over, by their end."""
    return (0, 0) if asks else (2, -run.position) if run.state.is_over else (1, 0)


def task_line(view: View, known: Known, task: RunTask, keys: int, width: int) -> Line:
    """One task: how far it is, who has it, and the one thing that matters most."""
    request, (sign, role) = request_of(view, task), sign_of(view, known.run, task)
    key = Span(key_cell(task.key, keys, view.glyphs.ellipsis) + "  ", "muted" if role == "muted" else "text")
    left = [Span(f"  {sign} ", role), key, Span(f"{word_of(view, known.run, task):<{_STATE}}  ", role)]
    if width >= _WIDE:
        seat = seat_name(known.run, worker) if (worker := worker_of(task)) is not None else ""
        left.append(Span(pad(seat, _SEAT) + "  ", "muted"))
    if task.round > 1 and not task.state.is_over:
        left.append(Span(f"round {task.round}  ", "warning"))
    matter = Span(words(request.request), "warning") if request is not None else _matter(view, known, task)
    right = [Span(lasts(task, time_of(known.run, view)), "muted")]
    return fit([*left, matter], width, right, view.glyphs.ellipsis)


def _matter(view: View, known: Known, task: RunTask) -> Span:
    """Why it does not go on, went wrong or was sent back; else what it is about."""
    match task.state:
        case TaskState.ASKED if is_gone(view, known.run) and is_answered(view, task):
            return Span("taken when it is resumed", "muted")
        case TaskState.FAILED | TaskState.TIMED_OUT | TaskState.RETRYING if task.error:
            return Span(said(view, task.error), TASK_ROLES[task.state])
        case TaskState.REJECTED if task.comment:
            return Span(words(task.comment), "warning")
        case TaskState.PENDING if waits := known.waits_for(task.key):
            return Span(f"waits for {waits}", "muted")
        case TaskState.PENDING:
            return Span("waits for a seat", "muted")
        case TaskState.CANCELLED | TaskState.SKIPPED if task.error:
            return Span(said(view, task.error), "muted")
    return Span(words(task.title), "muted" if task.state.is_over else "text")


def _lines_asked(asked: Sequence[tuple[Request, str | None]]) -> tuple[bytes, ...]:
    """What the keys would answer from the row of a run: only the one thing that is asked."""
    return (asked[0][0].event.line,) if len(asked) == 1 else ()


def _how_to_begin(view: View, width: int) -> Sequence[Line]:
    if view.past is not None:
        return (fit([Span("There was no run yet.", "muted")], width),)
    key = view.keymap.text("start_run")
    told: Sequence[Line] = (
        (Span("No runs yet. A run is a team of agents that work on one goal at the same time, as a pipeline says."),),
        (),
        (Span(f"  {key}", "accent"), Span("  start one, once you saw what it would do")),
        (),
        (Span("The same from a shell:", "muted"),),
        (Span('  collab-tui run team --goal "..."', "accent"), Span("  a team of four", "muted")),
        (Span(f"  {'collab-tui run --help':32}", "accent"), Span("  pipelines of your own", "muted")),
    )
    return [part for line in told for part in broken(line, width)]
