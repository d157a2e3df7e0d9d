"""What becomes of a run, change by change, as its lines come: for a terminal, a pipe, and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from rich.cells import cell_len

from collab_tui.cli.console import console_glyphs, make_console, styled
from collab_tui.cli.run_lines import clock, columns, cut, cut_key, fit, key_width, listed, seat_of, why_not, wrapped
from collab_tui.model.ages import duration, seconds_between
from collab_tui.model.event import Event, Item, parse_time
from collab_tui.model.run_book import RunBook
from collab_tui.model.run_timing import work_time
from collab_tui.model.run_words import TASK_ROLES, TASK_WORDS, task_sign
from collab_tui.model.runs import Run, RunTask, TaskState, Work
from collab_tui.model.summary import Span
from collab_tui.model.text import clean, one_line
from collab_tui.orchestrator.ledger import proven

_INDENT: Final = 11
_LONGEST_GOAL: Final = 200
"""Columns, also where no terminal shows it."""
_MOST_BELOW: Final = 3
"""Lines below another one."""
_MOST_ALIKE: Final = 5
"""Tasks that the same ended before they began, told by themselves."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something became of a task."""

    run: Run
    task: RunTask
    event: Event
    question: Event | None
    """What the person is asked, of a task that waits for them."""

    @property
    def seconds(self) -> float:
        """Since the beginning of the run, not counting the time for which no process had it."""
        at: datetime | None = self.event.time
        since = seconds_between(self.run.started_at, at) if at is not None else None
        return max(0.0, (since or 0.0) - self.run.away_ms / 1000)

    def document(self) -> dict[str, Any]:
        """As one JSON object."""
        told = self.event.data
        return {
            "at": self.event.text("timestamp"),
            "run": self.run.id,
            "task": self.task.key,
            "state": self.task.state.value,
            "agent": self.event.agent,
            **{name: told.get(name) for name in ("attempt", "round", "took_ms", "retry_in", "request")},
            "error": self.task.error,
            "comment": self.event.text("comment"),
            "line": self.event.position + 1,
        }


class Progress:
    """One run as its own lines tell of it, each once, by the same fold as the board. Lines of others change nothing."""

    def __init__(self, run: str, key: bytes) -> None:
        self._id = run
        self._key = key
        self.restart()

    @property
    def run(self) -> Run | None:
        """As told so far; None before its first line."""
        return next((run for run in self._book.runs() if run.id == self._id), None)

    def restart(self) -> None:
        """The registry is another: all is told anew."""
        self._book = RunBook()
        self._seen: set[str] = set()
        self._questions: dict[str, Event] = {}

    def take(self, item: Item) -> Iterator[Change | Run]:
        """What a line changes: a task; or the whole run, where it began, went on or ended."""
        if not isinstance(item, Event):
            return
        if item.kind == "decision_request" and self.run is not None and item.agent == self.run.agent:
            self._questions.setdefault(item.id, item)
        if not item.kind.startswith("run_") or item.text("run") != self._id:
            return
        if item.id in self._seen or proven(item, self._key) is None:
            return
        self._seen.add(item.id)
        match item.kind:
            case "run_started" if item.agent is not None and self.run is None:
                self._book.started(item.agent, item)
                yield from filter(None, (self.run,))
            case "run_tasks":
                self._book.tasks(item)
            case "run_value":
                self._book.value(item)
            case "run_resumed":
                self._book.resumed(item)
                yield from filter(None, (self.run,))
            case "run_ended" if self._book.ended(item):
                yield from filter(None, (self.run,))
            case "run_task":
                self._book.task(item)
                run = self.run
                task = run.task(item.text("task") or "") if run is not None else None
                if run is not None and task is not None and task.position == item.position:
                    yield Change(run, task, item, self._questions.get(task.request or ""))


class Teller:
    """Says it to people, a line for each change."""

    def __init__(self, named: str) -> None:
        """`named` is the registry as an option of the commands that it says to type."""
        self._named = named
        self._console = make_console()
        self._glyphs = console_glyphs()
        self._never_began: list[Change] = []

    def began(self, run: Run) -> None:
        """It runs, for the first time or again."""
        again = "goes on" if run.resumed else "begins"
        self._say(
            [
                Span(f"run {run.id} {again}: ", "strong"),
                Span(cut(one_line(f"{run.name}: {run.goal}"), _LONGEST_GOAL, self._glyphs)),
            ]
        )

    def change(self, change: Change) -> None:
        """One line; of what waits for the person, two. Of what never began many are one: see `flush`."""
        if change.task.state in (TaskState.CANCELLED, TaskState.SKIPPED) and not change.task.attempts:
            self._never_began.append(change)
            return
        self.flush()
        self._tell(change)

    def flush(self) -> None:
        """Tell what was held back, as more of the same may have followed."""
        changes, self._never_began = self._never_began, []
        for (state, error), group in groupby(changes, lambda change: (change.task.state, change.task.error)):
            first, *others = group
            if len(others) < _MOST_ALIKE:
                for change in (first, *others):
                    self._tell(change)
                continue
            self._say(
                [
                    Span(f"{clock(first.seconds):>7}  ", "muted"),
                    Span(f"{task_sign(state, self._glyphs)} ", TASK_ROLES[state]),
                    Span(f"{len(others) + 1:,} tasks {TASK_WORDS[state]}", TASK_ROLES[state]),
                    Span(f": {why_not(error, first.run)}" if error else ""),
                ]
            )

    def _tell(self, change: Change) -> None:
        task, run, width = change.task, change.run, columns()
        keys = key_width([each.key for each in run.tasks], width)
        spans = [
            Span(f"{clock(change.seconds):>7}  ", "muted"),
            Span(f"{task_sign(task.state, self._glyphs)} ", TASK_ROLES[task.state]),
            Span(f"{cut_key(task.key, keys, self._glyphs):<{keys}}  ", "strong"),
        ]
        words, why = self._told(change)
        spans.append(Span(words, TASK_ROLES[task.state]))
        why = listed(why)
        is_beside = sum(cell_len(span.text) for span in spans) + 2 + cell_len(why) <= width
        self._say([*spans, Span(f": {why}" if why and is_beside else "")])
        if why and not is_beside:
            self._below(why, width)
        if task.state is TaskState.ASKED and task.request:
            decide = f"collab-tui decide {one_line(task.request)[:8]} approve{self._named}"
            for line in wrapped(f"answer on the board, or: {decide} (or reject)", width - _INDENT):
                # a command is not broken: it is copied
                self._console.print(styled([Span(f"{'':{_INDENT}}{line}", "warning")]), soft_wrap=True)

    def _below(self, why: str, width: int) -> None:
        """What does not fit beside, in a few lines."""
        more, left = f" {self._glyphs.ellipsis}", width - _INDENT
        for line in textwrap.wrap(why, left, max_lines=_MOST_BELOW, placeholder=more, break_on_hyphens=False):
            self._say([Span(f"{'':{_INDENT}}{line}")])

    def _say(self, spans: list[Span]) -> None:
        """One line that fits."""
        plain = (Span(clean(span.text).replace("\n", " "), span.role) for span in spans)
        self._console.print(styled(fit(plain, columns(), self._glyphs)))

    def _told(self, change: Change) -> tuple[str, str]:
        """What became of a task in words, and why."""
        task, event = change.task, change.event
        seat = seat_of(event.agent or "", change.run)
        last = task.attempts[-1] if task.attempts else None
        took = f" in {duration(last.took_ms / 1000)}" if last is not None and last.took_ms is not None else ""
        round_ = f"round {task.round}, " if task.round > 1 else ""
        match task.state:
            case TaskState.RUNNING:
                again = " again" if len(task.attempts) > 1 else ""
                title = f": {one_line(task.title)}" if task.title and not again else ""
                return f"{round_}{seat} works on it{again}{title}", ""
            case TaskState.REVIEWING:
                return f"{round_}{seat} reviews it", ""
            case TaskState.WORKED:
                return f"there is a result{took.replace(' in ', ' after ')}", ""
            case TaskState.DONE:
                is_by_seat = last is not None and last.took_ms is not None and last.ended_at == event.time
                return f"done{f' in {duration(work_time(task, None))}' if is_by_seat else ''}", ""
            case TaskState.REJECTED:
                return f"{seat} sends it back", event.text("comment") or ""
            case TaskState.RETRYING:
                wait = event.data.get("retry_in")
                when = f"again in {duration(wait)}" if isinstance(wait, int | float) and wait else "again"
                return f"failed{took}, {when}", task.error or ""
            case TaskState.ASKED:
                question = change.question
                asked = question.text("request") if question is not None else event.text("why")
                return f"{TASK_WORDS[task.state]}{_until(question)}", asked or ""
            case TaskState.PENDING:
                is_result = last is not None and last.work is Work.REVIEW
                begins = "" if task.role is None else ": it may start"
                told = "you take its result" if is_result else f"you said yes{begins}"
                return told, event.text("comment") or ""
            case TaskState.FAILED | TaskState.TIMED_OUT:
                return f"{TASK_WORDS[task.state]}{took}", task.error or ""
        return TASK_WORDS[task.state], why_not(task.error, change.run)


def _until(question: Event | None) -> str:
    """By when the person has to answer, on their clock."""
    until = parse_time(question.data.get("expires")) if question is not None else None
    return f", until {until.astimezone():%Y-%m-%d %H:%M}" if until is not None else ""


class JsonTeller:
    """Says the same to programs, one JSON object a line."""

    def began(self, run: Run) -> None:
        """It runs, for the first time or again."""
        self._print({"run": run.id, "state": run.state.value, "name": run.name, "resumed": run.resumed})

    def change(self, change: Change) -> None:
        """A task changed."""
        self._print(change.document())

    def flush(self) -> None:
        """Nothing is held back."""

    @staticmethod
    def _print(told: dict[str, Any]) -> None:
        print(json.dumps(told), flush=True)
