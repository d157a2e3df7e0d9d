"""What there is to know of a run: its graph with live states, and below it what concerns the selected run or task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from rich.cells import cell_len

from collab_tui.model.ages import age, duration, seconds_between
from collab_tui.model.asked import expiry
from collab_tui.model.glyphs import ASCII
from collab_tui.model.run_timing import Timing
from collab_tui.model.run_words import RUN_ROLES, TASK_ROLES, TASK_WORDS, chain, readable, run_sign
from collab_tui.model.runs import Attempt, Pool, Run, RunTask, TaskState, Work
from collab_tui.model.summary import Span
from collab_tui.model.words import name_key
from collab_tui.tui.graph_drawing import draw
from collab_tui.tui.graph_routes import Node, dash
from collab_tui.tui.runs_seen import (
    Known,
    busy,
    candidate_of,
    counts_told,
    figures_of,
    is_gone,
    key_cell,
    lasts,
    requests_of,
    run_lasts,
    said,
    seat_name,
    sign_of,
    size_text,
    time_of,
    untended,
    value_named,
    weight_of,
    word_of,
    worker_of,
)
from collab_tui.tui.safe import Line, cut_middle, fit, pad, width_of, words
from collab_tui.tui.view import View
from collab_tui.tui.widgets.text_lines import MadeLines, broken

_NAMES: Final = 10
"""Cells of the column of names."""
_ROWS: Final = 14
"""Lines that the graph may have, about."""
_FEW_ROWS: Final = 8
"""The same where there are few lines for everything."""
_LOW: Final = 20
_TROUBLES: Final = 8
"""Tasks that went wrong of which it is told why."""
_ROLE: Final = 12
_KEY: Final = 24
_SEATS: Final = 8
"""Cells of the bar of a pool."""
_GOAL: Final = 2
"""Lines of a goal, which may be pages."""
_QUESTIONS: Final = 3
"""Things that the person is asked which are told first."""
_OUTCOMES: Final = TASK_WORDS | {
    TaskState.RETRYING: "failed",
    TaskState.WORKED: "worked",
    TaskState.ASKED: "asked you",
    TaskState.RUNNING: "at work",
}
"""What an attempt came to."""
_PEOPLE: Final = 6
"""Seats at work of one pool that are told."""


class RunPane(MadeLines):
    """The selected run, or its selected task."""

    def __init__(self) -> None:
        super().__init__(id="run")
        self._drawn: tuple[object, Sequence[Line]] = ((), ())

    def tell_of(self, view: View, known: Known | None, task: RunTask | None) -> None:
        """Show a run, or a task of it; another run from its beginning."""
        if known is None:
            self.entitle("Run")
            self.tell_made("", lambda width: ())
            return
        self.entitle(words(known.run.name), f"run {words(known.run.id)}")
        made = partial(self._lines_of, view, known, task)
        self.tell_made(
            known.run.id, lambda width: ((Span(" "), *line) for line in made(width - 2)) if width > 2 else ()
        )

    def _lines_of(self, view: View, known: Known, task: RunTask | None, width: int) -> Iterator[Line]:
        for line in _asked(view, known, task):
            yield from broken(line, width)
        figures = figures_of(known, view)
        critical = figures.critical_path
        graph = self._graph(view, known, task, critical, width)
        yield from graph
        stroke = dash(True, view.glyphs is ASCII)
        if any(stroke in span.text for line in graph for span in line if span.role == "accent"):
            how = "critical path" if known.run.state.is_over else "critical path, as expected"
            yield fit([Span(f"{stroke * 2} ", "accent"), Span(how, "muted")], width)
        yield ()
        about = _of_task(view, known, task) if task is not None else _of_run(view, known, figures, width)
        for line in about:
            yield from broken(line, width)

    def _graph(
        self, view: View, known: Known, chosen: RunTask | None, critical: Sequence[str], width: int
    ) -> Sequence[Line]:
        """The graph, drawn anew only when it looks otherwise."""
        key = chosen.key if chosen is not None else None
        names = Counter(task.key.rpartition("/")[2] for task in known.order)
        nodes = [
            Node(
                task.key,
                _short(task, names) + (f" r{task.round}" if task.round > 1 else ""),
                *sign_of(view, known.run, task),
                known.graph.before(task.key),
                weight_of(task),
                task.state is TaskState.DONE if known.run.state.is_over else task.state.is_over,
                task.key == key,
            )
            for task in known.order
        ]
        rows = _FEW_ROWS if self.size.height < _LOW else _ROWS
        about = (nodes, critical, width, rows, view.glyphs is ASCII)
        if about != self._drawn[0]:
            lines = draw(nodes, width, rows, critical, view.glyphs)
            self._drawn = about, lines
        return self._drawn[1]


def _short(task: RunTask, names: Mapping[str, int]) -> str:
    """A key without that of the task that added it, which stands to its left; with a stroke where others end so."""
    name = task.key.rpartition("/")[2]
    return words(task.key if task.added_by is None else name if names[name] == 1 else f"/{name}")


def _heading(text: str) -> Line:
    return (Span(text, "strong"),)


def _fact(name: str, *spans: Span) -> Iterator[Line]:
    """A name and what it is; nothing where that is empty."""
    if any(span.text for span in spans):
        yield Span(f"{name:<{_NAMES}}", "muted"), *spans


def _asked(view: View, known: Known, chosen: RunTask | None) -> Iterator[Line]:
    """What the person is asked, about the chosen task or the whole run, and for how long."""
    asked = [(one, key) for one, key in requests_of(view, known.run) if chosen is None or key == chosen.key]
    for request, key in asked[:_QUESTIONS]:
        seconds = seconds_between(request.asked_at, view.moment.now)
        waits = f"  waits {age(seconds)}" if seconds is not None else ""
        about = f"{words(key)}: " if key is not None and chosen is None else ""
        asks = Span(f"{about}{words(request.request)}", "warning")
        expires = expiry(request, view.moment)
        ends = expires._replace(text=f"  {expires.text}") if expires.text else expires
        yield from _fact("asks you", asks, Span(waits, "muted"), ends)
    if more := len(asked) - _QUESTIONS if len(asked) > _QUESTIONS else 0:
        yield from _fact("", Span(f"and {more} more", "warning"))
    if asked:
        yield ()


def _of_run(view: View, known: Known, figures: Timing, width: int) -> Iterator[Line]:
    run, dot = known.run, f" {view.glyphs.separator} "
    lasting, gone = run_lasts(run, view), is_gone(view, run)
    if gone:
        yield Span(f"{view.glyphs.silent} gone", "warning"), Span(f"  {lasting}" if lasting else "", "muted")
        yield (Span(untended(view), "warning"),)
    else:
        how_long = f" for {lasting}" if lasting and not run.state.is_over else f"  {lasting}" if lasting else ""
        sign = run_sign(run.state, view.glyphs)
        yield Span(f"{sign} {run.state.value}", RUN_ROLES[run.state]), Span(how_long, "muted")
        if (silence := view.moment.run_silence(run)) is not None:
            yield (Span(f"{view.glyphs.silent} nothing was heard of it for {age(silence)}", "warning"),)
    yield from _shortened(_fact("goal", Span(words(run.goal))), width, view.glyphs.ellipsis)
    yield from _fact("tasks", Span(dot.join(counts_told(run, view))))
    yield from _fact("ended", Span(said(view, run.reason), "warning") if run.reason else Span(""))
    yield ()
    if run.pools:
        at_work = sum(len(busy(run, pool)) for pool in run.pools)
        were = "were at work" if gone else "at work"
        yield (*_heading("Seats"), Span(f"  {at_work} of {figures.seats} {were}", "muted"))
        yield from (_pool(view, run, pool, width) for pool in run.pools)
        yield ()
    yield from _trouble(known, view)
    yield from _figures(view, run, figures)
    yield from _where(run)


def _shortened(lines: Iterable[Line], width: int, ellipsis: str) -> Iterator[Line]:
    """The first lines of what is broken into more."""
    parts = [part for line in lines for part in broken(line, width)]
    if len(parts) <= _GOAL:
        yield from parts
        return
    *first, last = parts[:_GOAL]
    yield from first
    yield *fit(last, max(1, width - cell_len(ellipsis)), ellipsis=""), Span(ellipsis)


def _pool(view: View, run: Run, pool: Pool, width: int) -> Line:
    """How many of a pool are at work, who and on what; of one at rest, what sits there."""
    tasks, size = busy(run, pool), len(pool.seats)
    bar = min(_SEATS, size)
    full = bar * len(tasks) // max(1, size)
    rest = " " * (min(_SEATS, max(len(one.seats) for one in run.pools)) - bar)
    told = [Span(f"{pad(words(pool.role), _ROLE)}  ", "muted")]
    told.append(Span(view.glyphs.bar_full * full, "muted" if is_gone(view, run) else "accent"))
    told.append(Span(f"{view.glyphs.bar_empty * (bar - full)}{rest}  {len(tasks)} of {size}  ", "muted"))
    for number, task in enumerate(tasks[:_PEOPLE]):
        told += [Span(", ", "muted")] if number else []
        told.append(Span(f"{seat_name(run, task.seat or '')} ", "muted"))
        key = key_cell(task.key, min(_KEY, cell_len(words(task.key))), view.glyphs.ellipsis)
        told += [Span(key), Span(f" {lasts(task, time_of(run, view))}", "muted")]
    if not tasks:
        return fit([*told, Span(cut_middle(words(readable(pool.agent)), width - width_of(told)), "muted")], width)
    more = len(tasks) - _PEOPLE
    return *told, Span(f", {more} more" if more > 0 else "", "muted")


def _trouble(known: Known, view: View) -> Iterator[Line]:
    """What went wrong and what reviewers sent back, the latest first."""
    found: list[tuple[int, RunTask, Sequence[Attempt]]] = []
    for task in known.run.tasks:
        alike: dict[tuple[bool, str], list[Attempt]] = {}
        for one in task.attempts:
            if one.error and one.outcome is not TaskState.DONE:
                about = _is_verdict(one), one.error
                alike[about] = [*alike.pop(about, []), one]
        found += [(task.position, task, attempts) for attempts in list(alike.values())[-2:]]
        if not alike and task.error and task.state in (TaskState.FAILED, TaskState.TIMED_OUT):
            found.append((task.position, task, ()))
    if not found:
        return
    found.sort(key=lambda one: -one[0])
    more = f"  the latest {_TROUBLES} of {len(found)}" if len(found) > _TROUBLES else ""
    yield (*_heading("Errors and rejections"), Span(more, "muted"))
    keys = max(_ROLE, min(_KEY, max(cell_len(words(task.key)) for _, task, _ in found[:_TROUBLES])))
    for _, task, attempts in found[:_TROUBLES]:
        last = attempts[-1] if attempts else None
        outcome = last.outcome if last is not None and last.outcome is not None else task.state
        who = f" by {seat_name(known.run, last.seat)}" if last is not None and _is_verdict(last) else ""
        role = "error" if outcome in (TaskState.FAILED, TaskState.TIMED_OUT) else "warning"
        again = f", attempt {last.number}" if last is not None and outcome is TaskState.RETRYING else ""
        again = f", {len(attempts)} times" if len(attempts) > 1 else again
        yield (
            Span(f"{key_cell(task.key, keys, view.glyphs.ellipsis)}  ", "muted"),
            Span(f"{_OUTCOMES[outcome]}{who}{again}  ", role),
            Span(said(view, last.error if last is not None else task.error)),
        )
    yield ()


def _is_verdict(attempt: Attempt) -> bool:
    return attempt.work is Work.REVIEW and attempt.outcome in (TaskState.REJECTED, TaskState.ASKED)


def _figures(view: View, run: Run, figures: Timing) -> Iterator[Line]:
    dot = f" {view.glyphs.separator} "
    yield _heading("Time")
    waited = f"{dot}beside {duration(figures.waited)} in which it waited for you alone" if figures.waited else ""
    yield from _fact("wall", Span(duration(figures.wall)), Span(waited, "muted"))
    told = [duration(figures.work)]
    if figures.speed_up is not None and figures.seats > 1:
        told.append(f"{figures.speed_up:.1f} times as fast as one seat")
    if figures.efficiency is not None and figures.seats > 1:
        told.append(f"{figures.efficiency * 100:.0f} % of {figures.seats} seats")
    yield from _fact("work", Span(told[0]), Span("".join(f"{dot}{one}" for one in told[1:]), "muted"))
    if figures.critical_path:
        path = chain(list(map(words, figures.critical_path)), view.glyphs)
        so_far = "" if run.state.is_over else " so far"
        yield from _fact("critical", Span(f"{duration(figures.critical_time)}{so_far}  "), Span(path, "muted"))
    if figures.overhead_per_task is not None:
        yield from _fact("overhead", Span(duration(figures.overhead_per_task)), Span(" a task", "muted"))
    yield ()


def _where(run: Run) -> Iterator[Line]:
    yield from _fact("pipeline", Span(words(run.pipeline)))
    process = f", process {run.pid}" if run.pid is not None else ""
    yield from _fact("machine", Span(f"{words(run.host)}{process}" if run.host else ""))
    if run.resumed:
        away = f", {duration(run.away_ms / 1000)} away" if run.away_ms else ""
        yield from _fact("resumed", Span(f"{run.resumed} time{'' if run.resumed == 1 else 's'}{away}"))


def _of_task(view: View, known: Known, task: RunTask) -> Iterator[Line]:
    run, now = known.run, time_of(known.run, view)
    sign, role = sign_of(view, run, task)
    seat = f"  {seat_name(run, worker)}" if (worker := worker_of(task)) is not None else ""
    since = f"  {lasting}" if (lasting := lasts(task, now)) else ""
    yield (
        Span(words(task.key) + "  ", "strong"),
        Span(f"{sign} {word_of(view, run, task)}", role),
        Span(seat + since, "muted"),
    )
    yield from _fact("what", Span(words(task.title)))
    yield from _fact("error", Span(said(view, task.error), "error" if task.state is not TaskState.SKIPPED else "muted"))
    if not task.state.is_over:
        yield from _fact("waits for", Span(known.waits_for(task.key)))
    yield from _fact("needs", *_needs(view, known, task))
    value = value_named(run, task.gives)
    stands = f"  revision {value.revision}, {size_text(value.size)}" if value is not None else "  not yet"
    candidate = candidate_of(task)
    read = f"  not yet accepted: {view.keymap.text('values')} goes to it" if candidate is not None else ""
    yield from _fact("gives", Span(words(task.gives)), Span(stands if not read else "", "muted"), Span(read, "warning"))
    by = "nobody: your yes is all that it needs" if task.role is None else words(task.role)
    yield from _fact("done by", Span(by))
    if task.review is not None:
        times = f"  sends it back {task.rounds} time{'' if task.rounds == 1 else 's'} at most, then you are asked"
        yield from _fact("reviewed", Span(f"by {words(task.review)}"), Span(times, "muted"))
    is_begun_by_you = task.needs_approval and task.role is not None
    yield from _fact("approval", Span("you are asked before it starts" if is_begun_by_you else ""))
    yield from _fact("added by", Span(words(task.added_by)))
    yield from _fact("branch", Span(words(task.branch)))
    yield from _fact("output", Span(words(task.log)))
    yield ()
    if task.attempts:
        yield _heading("Attempts")
        for attempt in task.attempts:
            yield _attempt(view, run, attempt, now)


def _needs(view: View, known: Known, task: RunTask) -> Iterable[Span]:
    """What it needs, each with the sign of how far that is."""
    missing = {one.need for one in known.unmet.get(task.key, ())}
    for number, need in enumerate(task.needs):
        sign = view.glyphs.statuses[None] if need in missing else view.glyphs.yes
        yield Span(f"{'  ' if number else ''}{sign} ", "muted" if need in missing else "success")
        yield Span(words(need))


def _attempt(view: View, run: Run, attempt: Attempt, now: datetime) -> Line:
    outcome = _OUTCOMES[attempt.outcome or TaskState.RUNNING]
    if attempt.outcome is None and is_gone(view, run):
        outcome = "cut off"
    if attempt.work is Work.REVIEW and attempt.outcome is TaskState.DONE:
        outcome = "approved"
    role = TASK_ROLES[attempt.outcome] if attempt.outcome is not None else "accent"
    if attempt.took_ms is not None:
        took = duration(attempt.took_ms / 1000)
    else:
        seconds = seconds_between(attempt.started_at, attempt.ended_at or now)
        took = age(seconds) if seconds is not None else ""
    who = seat_name(run, attempt.seat) if name_key(attempt.seat) != name_key(run.agent) else ""
    return (
        Span(f"{attempt.number:>3}  round {attempt.round}  {attempt.work.value:<7} ", "muted"),
        Span(f"{pad(who, 13)}  "),
        Span(f"{outcome:<10}", role),
        Span(f"{took:>7}  ", "muted"),
        Span(said(view, attempt.error)),
    )
