"""The whole checkup of a registry: its lines, what they mean, who signed, its file, and what is around it.

It reads the file once from its beginning, in pieces, and changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from collab_tui.config import Config
from collab_tui.model.board import Board, ProblemKind
from collab_tui.model.findings import Finding, Severity, Subject
from collab_tui.model.fold import Fold
from collab_tui.model.lines import lines_at
from collab_tui.model.meaning import findings_of
from collab_tui.model.moment import Moment
from collab_tui.model.problems import ProblemTally
from collab_tui.model.requests import is_person_writing
from collab_tui.model.survey import Survey, problem_findings
from collab_tui.protocol.decided import Decided
from collab_tui.protocol.surroundings import installed, setting_findings, settings
from collab_tui.protocol.trust import Trust
from collab_tui.registry import doctor, seen
from collab_tui.registry.append import UnusableError
from collab_tui.registry.base import News, State
from collab_tui.registry.jsonl import JsonlRegistry

ScreenProblems = Callable[[Config], Iterable[str]]
"""Tells what is wrong with themes and keys in the settings; only the screen knows which there are."""
Unattended = Callable[[Path, Board], Sequence[str]]
"""Tells what is to be seen to while no monitor acts, counted in words."""


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found."""

    registry_id: str | None
    findings: tuple[Finding, ...]


def check_up(
    path: Path,
    now: datetime,
    screen_problems: ScreenProblems,
    person: str | None = None,
    trust: Trust | None = None,
    unattended: Unattended | None = None,
) -> Checkup:
    """Look at everything; raises `UnusableError` when there is no registry, or none that can be read.

    `person` is who looks, else the configured one; `trust` whose keys count, else those in the settings;
    `unattended` looks for a monitor.
    """
    config, found = settings(path)
    if config.sources:
        found += setting_findings(screen_problems(config))
    person = person or config.person
    trust = trust or Trust(config.person, config.approvers)
    reading = _Reading(path, now, person, trust)
    board = reading.fold.board()
    judge = trust.judge_shown if is_person_writing(person, trust.person) else None  # another's key is not here
    try:
        found += [
            *_history(path),
            *reading.decided.findings(),
            *findings_of(Moment(board, now, config.limits, person, judge)),
            *reading.survey.findings(reading.problems.lines()),
            *doctor.check_file(path),
        ]
    except OSError as error:
        raise UnusableError(f"cannot read {path}: {error.strerror or error}") from error
    if unattended is not None and (waiting := unattended(path, board)):
        text = f"no monitor acts on this machine, and there are for it: {', '.join(waiting)}"
        found.append(Finding(Severity.WARNING, Subject.WORK, "no_monitor", text, "Run `collab-tui monitor`."))
    found += installed(os.environ)
    return Checkup(board.registry_id, tuple(found))


def check_moment(moment: Moment) -> tuple[Finding, ...]:
    """What one board shows to be wrong, without its registry and what is around it."""
    positions: dict[ProblemKind, list[int]] = {}
    for problem in moment.board.problems:
        positions.setdefault(problem.kind, []).append(problem.position)
    return (*findings_of(moment), *problem_findings({kind: lines_at(found) for kind, found in positions.items()}))


class _Reading:
    """All lines, gone through once."""

    def __init__(self, path: Path, now: datetime, person: str, trust: Trust) -> None:
        self._path = path
        self._registry = JsonlRegistry(path)
        self._now, self._person, self._trust = now, person, trust
        self._start()
        while self._take(self._registry.read_next(final=True)):
            pass

    def _start(self) -> None:
        self.problems = ProblemTally()
        self.fold = Fold(self._person, self.problems)
        self.survey = Survey(self._now)
        self.decided = Decided(self._trust)

    def _take(self, news: News) -> bool:
        """Take the next lines; whether there are more."""
        if news.state is State.MISSING:
            raise UnusableError(f"there is no {self._path}; `collab-tui init` makes a registry for a project")
        if news.state is State.UNREADABLE:
            raise UnusableError(f"cannot read {self._path}: {news.detail}")
        if news.restarted is not None:
            self._start()
        items = list(news.items)
        self.fold.extend(items)
        self.survey.extend(items)
        self.decided.extend(items)
        if news.unterminated:
            self.fold.note_unterminated()
        return bool(news.remaining)


def _history(path: Path) -> list[Finding]:
    """Whether what the board had read before stands there still."""
    change = seen.change_since(path)
    if change is None:
        return []
    when = f"{datetime.fromtimestamp(change.seen.at, UTC).astimezone():%Y-%m-%d %H:%M}"
    forget = f"If you know why, forget what was read: remove {doctor.shown(seen.memory_file(path))}"
    if change.is_another:
        text = f"this is another registry than the one that the board had read here on {when}"
        return [Finding(Severity.WARNING, Subject.HISTORY, "another_registry", text, forget)]
    if not change.lines.count:
        gone = change.end - change.first
        text = f"the end that the board had read on {when} was removed: {gone:,} bytes, from byte {change.first:,} on"
    else:
        text = f"what the board had read on {when} was changed, first in bytes {change.first:,} to {change.end - 1:,}"
    return [Finding(Severity.ERROR, Subject.HISTORY, "changed", text, f"{_COMPARE} {forget}", change.lines)]


_COMPARE = "Compare with a copy or with git; nobody may rewrite a registry, and decisions may have been changed."
