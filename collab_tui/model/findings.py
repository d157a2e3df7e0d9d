"""Findings: what is wrong with a registry or around it, where, and what a person can do about it. Values only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from collab_tui.model.glyphs import Glyphs
from collab_tui.model.lines import NO_LINES, Lines, together
from collab_tui.model.summary import Span
from collab_tui.model.text import clean, one_line

MAX_OF_A_KIND: Final = 20
"""Findings of one kind that are told one by one; the rest are counted together."""
_LONGEST: Final = 80
"""Characters of a text from an event within a finding."""
_PLAIN_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")


class Severity(StrEnum):
    """How much it matters, the most serious first."""

    ERROR = "error"
    """Something is not what it was, cannot be trusted or used, or nobody can go on."""
    WARNING = "warning"
    """Something was lost, waits in vain, or will cost something if it stays."""
    NOTE = "note"
    """Good to know; nothing is wrong."""


class Subject(StrEnum):
    """What a finding is about; among equally serious ones they come in this order."""

    HISTORY = "history"
    SIGNATURES = "signatures"
    SETTINGS = "settings"
    WORK = "work"
    LINES = "lines"
    FILE = "file"
    MACHINE = "machine"


SUBJECT_TITLES: Final = {
    Subject.HISTORY: "What was read before",
    Subject.SIGNATURES: "Signatures",
    Subject.SETTINGS: "Settings",
    Subject.WORK: "Agents and requests",
    Subject.LINES: "Lines",
    Subject.FILE: "The file",
    Subject.MACHINE: "This machine",
}
_SEVERITIES: Final = list(Severity)
_SUBJECTS: Final = list(Subject)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    severity: Severity
    subject: Subject
    kind: str
    """A stable word for programs."""
    text: str
    """One line; what comes from events in it is cleaned and short."""
    mend: str = ""
    """What to do about it; empty where there is nothing to do."""
    lines: Lines = NO_LINES


def grouped(findings: Iterable[Finding]) -> list[tuple[Subject, list[Finding]]]:
    """The findings by subject, the one with the most serious finding first, and so within each."""
    groups: dict[Subject, list[Finding]] = {}
    for finding in sorted(findings, key=_rank):
        groups.setdefault(finding.subject, []).append(finding)
    return list(groups.items())


def _rank(finding: Finding) -> tuple[int, int]:
    return _SEVERITIES.index(finding.severity), _SUBJECTS.index(finding.subject)


def severity_span(severity: Severity, glyphs: Glyphs) -> Span:
    """The sign of a severity."""
    match severity:
        case Severity.ERROR:
            return Span(glyphs.no, "error")
        case Severity.WARNING:
            return Span(glyphs.unreadable, "warning")
        case Severity.NOTE:
            return Span(glyphs.separator, "muted")


def finding_spans(finding: Finding) -> list[list[Span]]:
    """How a finding reads: what it is and where, and below that what to do, if there is anything."""
    where = f"  {finding.lines.text}" if finding.lines.count else ""
    told = [[Span(finding.text), Span(where, "accent")]]
    return [*told, [Span(finding.mend, "muted")]] if finding.mend else told


def count_of(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many of each severity, the most serious first."""
    severities = [finding.severity for finding in findings]
    return {severity: severities.count(severity) for severity in Severity}


def counts_text(counts: dict[Severity, int]) -> str:
    """`1 error, 2 warnings`; notes are told only when nothing is wrong."""
    told = [
        f"{count} {severity}{'' if count == 1 else 's'}"
        for severity, count in counts.items()
        if count and severity is not Severity.NOTE
    ]
    return ", ".join(told) or "nothing is wrong"


def at_most(findings: Iterable[Finding], more: str) -> list[Finding]:
    """The first findings of one kind, and one that counts the others; `more` says what those are."""
    found = list(findings)
    kept, rest = found[:MAX_OF_A_KIND], found[MAX_OF_A_KIND:]
    if rest:
        first = rest[0]
        lines = together(finding.lines for finding in rest)
        kept.append(Finding(first.severity, first.subject, first.kind, f"{len(rest)} more {more}", first.mend, lines))
    return kept


def said(text: str | None) -> str:
    """Text from an event, for a place within one line."""
    line = one_line(clean(text or ""))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3].rstrip() + "..."


def argument(text: str, placeholder: str) -> str:
    """The text as it may stand in a command that a person copies to a shell: a plain word, else a placeholder."""
    return text if _PLAIN_WORD.fullmatch(text) else placeholder
