"""What stands in the registry of a run, for one that goes on with it.

Only lines with a right proof are believed (see `journal`), each once, in the order of their numbers: whoever adds,
copies, moves or removes lines makes nothing of it start, and no result. Nor does what an attempt gave count that is not
the last one of its task.
"""

from __future__ import annotations

import hmac
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from collab_tui.model.event import Event, Item
from collab_tui.model.fold import Fold
from collab_tui.model.runs import Run, RunState, TaskState
from collab_tui.model.session_book import word_of
from collab_tui.model.signature import AmbiguousError, parse
from collab_tui.orchestrator.blackboard import Entry
from collab_tui.orchestrator.journal import ASKED, NUMBER, PART, PROOF, proof_of
from collab_tui.orchestrator.kept import KeptRuns, Part, RunError
from collab_tui.orchestrator.values import Json, ValueFiles, ValueLostError
from collab_tui.registry.append import RegistryError
from collab_tui.registry.base import State, looks
from collab_tui.registry.jsonl import JsonlRegistry

_MOST_TOLD: Final = 5
"""Lines that are told by themselves."""
_WITH_CANDIDATE: Final = (TaskState.WORKED, TaskState.REVIEWING)


class NothingToldError(RunError):
    """Not one line of the run stands in the registry: it never began there, or they were taken away."""


class AwayError(RegistryError):
    """The registry cannot be read now; it may be there again."""


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """One line that is ours."""

    number: int
    event: Event
    told: Mapping[str, Any]
    """It exactly as written: the text of an event is cleaned."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known of a run by its own lines."""

    run: Run
    """As the board has it, of our lines alone."""
    fold: Fold
    """What has it so, and takes the lines that follow."""
    number: int
    """Of its last line."""
    entries: Mapping[str, Entry]
    """Key -> its last revision."""
    candidates: Mapping[str, Json]
    """Task -> what it gave last that was still to be judged."""
    results: Mapping[str, Json]
    """Task that is done -> its result."""
    comments: Mapping[str, Sequence[str]]
    """Task -> what reviewers said of its rounds, in order."""
    lost: frozenset[str]
    """Tasks that are done, or worked, whose result cannot be had any more: they have to begin anew."""
    problems: Sequence[str]
    """What is odd about its lines, for the person."""
    added: Mapping[str, tuple[str, Mapping[str, Any]]]
    """Task that was added while the run went -> the one that added it, and the task itself: see `documents`."""
    approved: Mapping[str, str]
    """Task -> the question about it that the person said yes to last: see `steps`."""

    @property
    def is_done(self) -> bool:
        """Every task is done, and every result is there: nothing is left to go on with."""
        are_done = all(task.state is TaskState.DONE for task in self.run.tasks)
        return self.run.state is RunState.DONE and are_done and not self.lost

    @property
    def values(self) -> dict[str, Any]:
        """Key -> value."""
        return {key: entry.value for key, entry in self.entries.items()}


def read_kept(kept_runs: KeptRuns, run: str) -> Ledger:
    """What a run that is kept here tells of itself. Raises as `read_back` does, `RunError` where it is not kept."""
    known = kept_runs.known(run)
    return read_back(kept_runs.registry, run, kept_runs.key(), known.parts)


def read_back(registry: Path, run: str, key: bytes, parts: Sequence[Part] = ()) -> Ledger:
    """What the lines of a run say that have a right proof by the key. Touches the disk.

    `parts` are the processes that had it, in order: what is of none of them does not count, nor what the next one did
    not know. Without, all counts. Raises `NothingToldError`, `AwayError`, and `RunError` where the run's beginning is
    not there.
    """
    found = _Reading(run, key, parts)
    for news in looks(JsonlRegistry(registry), final=True):
        if news.state is not State.READY:
            raise AwayError(f"{registry} cannot be read: {news.detail or 'it is gone'}")
        if news.restarted is not None:
            found = _Reading(run, key, parts)
        for item in news.items:
            found.see(item)
    return found.ledger(ValueFiles(registry, run))


def proven(event: Event, key: bytes) -> Mapping[str, Any] | None:
    """What a line says exactly as it was written, if whoever has the key wrote it; else None."""
    try:
        told = parse(event.line)
        proof = told.get(PROOF)
        is_ours = isinstance(proof, str) and hmac.compare_digest(proof.encode(), proof_of(told, key).encode())
    except (AmbiguousError, UnicodeEncodeError):
        return None
    return told if is_ours else None


@dataclass
class _Reading:
    """The lines of one run as they are found."""

    run: str
    key: bytes
    parts: Sequence[Part]
    lines: dict[str, _Line] = field(default_factory=dict)
    """By their ids."""
    others: list[int] = field(default_factory=list)
    """Positions of lines that only look like ours."""
    problems: list[str] = field(default_factory=list)

    def see(self, item: Item) -> None:
        """Take the next line of the registry."""
        if not isinstance(item, Event) or item.data.get("run") != self.run:
            return
        if PROOF not in item.data and not item.kind.startswith("run_"):
            return  # what a seat or anybody else says beside, which nothing follows from
        line = self._proven(item)
        if line is None:
            self.others.append(item.position)
        elif line.told["id"] not in self.lines:
            self.lines[line.told["id"]] = line

    def _proven(self, event: Event) -> _Line | None:
        told = proven(event, self.key)
        number = told.get(NUMBER) if told is not None and told.get("run") == self.run else None
        return _Line(number, event, told) if told is not None and isinstance(number, int) else None

    def ledger(self, files: ValueFiles) -> Ledger:
        """What they say all together."""
        if self.others:
            places = ", ".join(str(position + 1) for position in self.others[:_MOST_TOLD])
            more = f" and {len(self.others) - _MOST_TOLD:,} more" if len(self.others) > _MOST_TOLD else ""
            self.problems.append(f"lines of this run that it did not write, and does not believe: {places}{more}")
        lines = self._of_one_history(sorted(self.lines.values(), key=lambda line: (line.number, line.event.position)))
        if not lines:
            raise NothingToldError(f"no line of the run {self.run} stands in the registry")
        if missing := lines[-1].number - len({line.number for line in lines}):
            self.problems.append(f"{missing:,} of its lines are not in the registry any more: it goes on without them")
        lines = self._of_last_attempts(lines)
        fold = Fold()
        fold.extend(line.event for line in lines)
        run = fold.board().run(self.run)
        if run is None:
            raise RunError(f"the beginning of the run {self.run} is not in the registry any more: start it anew")
        return self._with_values(run, fold, lines, files)

    def _of_one_history(self, lines: Sequence[_Line]) -> list[_Line]:
        """Without what had been taken away when the run was resumed, and was put back: it went on without that.

        A process that was killed before it was kept is no part, and nothing followed from its first line. It counts if
        all that came after knew it: the run may have begun with it.
        """
        if not self.parts:
            return list(lines)
        last: dict[object, int] = {}
        """Part -> the number of the last line of it that those after it know."""
        known = sys.maxsize
        for part in reversed(self.parts):
            last[part.id] = known
            known = min(known, part.after)

        def counts(line: _Line) -> bool:
            return line.number <= last.get(line.told.get(PART), known)

        def is_odd(line: _Line) -> bool:
            return not counts(line) and (line.told.get(PART) in last or line.event.kind != "run_resumed")

        if odd := sum(map(is_odd, lines)):
            self.problems.append(f"{odd:,} of its lines do not count: it was resumed without them")
        return list(filter(counts, lines))

    def _of_last_attempts(self, lines: Sequence[_Line]) -> list[_Line]:
        """Without what an attempt says of its task that is not the last one by then."""
        last: dict[str, int] = {}
        counting: list[_Line] = []
        for line in lines:
            task, attempt = line.told.get("task"), line.told.get("attempt")
            if line.event.kind == "run_task" and isinstance(task, str) and isinstance(attempt, int):
                state = word_of(TaskState, line.told.get("state"))
                if state is not None and state.is_at_work:
                    last[task] = attempt
                elif attempt != last.get(task, attempt):
                    self.problems.append(f"line {line.event.position + 1} is of an earlier attempt at {task}")
                    continue
            counting.append(line)
        return counting

    def _with_values(self, run: Run, fold: Fold, lines: Sequence[_Line], files: ValueFiles) -> Ledger:
        standing: dict[str, _Line] = {}
        worked: dict[str, _Line] = {}
        done: dict[str, _Line] = {}
        comments: dict[str, list[str]] = {}
        for line in lines:
            task, told = line.told.get("task"), line.told
            key, revision = told.get("key"), told.get("revision")
            if isinstance(key, str) and isinstance(revision, int):
                known = standing.get(key)
                if known is None or revision >= known.told["revision"]:
                    standing[key] = line
            if line.event.kind != "run_task" or not isinstance(task, str):
                continue
            match told.get("state"):
                case TaskState.WORKED:
                    worked[task] = line
                case TaskState.DONE:
                    done[task] = line
                case TaskState.REJECTED:
                    comments.setdefault(task, []).append(str(told.get("comment") or ""))
        are_done = {task.key for task in run.tasks if task.state is TaskState.DONE}
        are_judged = {task.key for task in run.tasks if task.state in _WITH_CANDIDATE}
        telling = (*standing.values(), *worked.values(), *(line for task, line in done.items() if task in are_done))
        values = {line: self._value_of(line, files) for line in dict.fromkeys(telling)}
        by = {value.key: value.by for value in run.values}
        entries = {key: _entry(line, json, by) for key, line in standing.items() if (json := values[line])}
        candidates = {task: json for task, line in worked.items() if (json := values[line])}
        results = {task: json for task, line in done.items() if task in are_done and (json := values[line])}
        lost = frozenset((are_done - results.keys()) | (are_judged - candidates.keys()))
        problems, added, approved = tuple(self.problems), _added(lines), _approved(lines)
        number = lines[-1].number
        return Ledger(run, fold, number, entries, candidates, results, comments, lost, problems, added, approved)

    def _value_of(self, line: _Line, files: ValueFiles) -> Json | None:
        if "key" not in line.told:
            return Json(b"null")  # the task gave nothing
        try:
            return files.value_of(line.told)
        except ValueLostError as error:
            self.problems.append(f"the value {line.told.get('key')} of line {line.event.position + 1} is lost: {error}")
            return None


def _added(lines: Sequence[_Line]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """What was said last of each task that another added, and that is to be done: what a killed one added before it
    was done is added again by its next attempt, or not.
    """
    added: dict[str, tuple[str, Mapping[str, Any]]] = {}
    done: set[str] = set()
    for line in lines:
        if line.event.kind == "run_resumed":
            done.difference_update(line.told.get("again", ()))
            added = {key: (by, task) for key, (by, task) in added.items() if by in done}
        elif line.event.kind == "run_task" and line.told.get("state") == TaskState.DONE:
            done.add(line.told["task"])
        elif line.event.kind == "run_tasks" and isinstance(by := line.told.get("by"), str):
            added |= {each["key"]: (by, each["task"]) for each in line.told["tasks"]}
    return added


def _approved(lines: Sequence[_Line]) -> dict[str, str]:
    """An approval stands until it is asked about the task once more."""
    approved: dict[str, str] = {}
    for line in lines:
        state = word_of(TaskState, line.told.get("state")) if line.event.kind == "run_task" else None
        if state is TaskState.PENDING:
            approved[line.told["task"]] = str(line.told.get(ASKED))
        elif state is TaskState.ASKED:
            approved.pop(line.told["task"], None)
    return approved


def _entry(line: _Line, json: Json, by: Mapping[str, str]) -> Entry:
    key, task = line.told["key"], line.told.get("task")
    return Entry(key, line.told["revision"], json, by.get(key, line.event.agent or ""), line.event.time, task)
