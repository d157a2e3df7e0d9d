"""`collab-tui doctor`: what is wrong with a registry and around it, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding

from collab_tui.cli.arguments import given_registry, make_parser, registry_path, show_anything
from collab_tui.cli.console import console_glyphs, make_console, styled
from collab_tui.cli.reading import now
from collab_tui.config import Config
from collab_tui.model.findings import (
    SUBJECT_TITLES,
    Finding,
    Severity,
    count_of,
    counts_text,
    finding_spans,
    grouped,
    severity_span,
)
from collab_tui.model.summary import Span
from collab_tui.monitor.watching import unattended
from collab_tui.protocol.checkup import Checkup, check_up
from collab_tui.registry.doctor import shown

_MAX_LINES = 1000

_EXAMPLES = """\
  collab-tui doctor
  collab-tui doctor old/COLLABORATION_STATE.jsonl
  collab-tui doctor --json | jq -r '.findings[] | select(.severity == "error") | .text'

It changes nothing. Exit code: 0 nothing is wrong (there may be notes), 1 errors or warnings, 2 it cannot look.

--json prints one object, stable; fields are added, never renamed:
    registry   {name, id}
    findings   the most serious first: severity (error, warning, note), kind (a stable word),
               subject (history, signatures, settings, work, lines, file, machine), text, mend (what to do;
               null: nothing), lines [the first thousand], line_count
    counts     {error, warning, note}
Lines count from 1."""


def main(arguments: list[str]) -> int:
    """Print what was found; exit code 1 when something is wrong."""
    parser = make_parser("doctor", "Look for what is wrong with a registry, and say what to do about it.", _EXAMPLES)
    parser.add_argument("file", nargs="?", metavar="REGISTRY", help="the registry, as with --registry")
    parser.add_argument("--json", action="store_true", help="one JSON object, documented below")
    parser.add_argument("--as", dest="person", metavar="NAME", help="who looks; else the configured person")
    options = parser.parse_args(arguments)
    path = Path(registry_path(given_registry(parser, options)))
    checkup = check_up(path, now(), _screen_problems, options.person, unattended=unattended)
    counts = count_of(checkup.findings)
    if options.json:
        show_anything()
        print(json.dumps(_document(checkup, str(path), counts), indent=2))
    else:
        _print(checkup, path, counts, make_console())
    return 1 if counts[Severity.ERROR] or counts[Severity.WARNING] else 0


def _screen_problems(config: Config) -> Iterable[str]:
    """What only the screen can judge of the settings; asked only where something is set."""
    from collab_tui.tui.settings import screen_problems

    return screen_problems(config)


def _print(checkup: Checkup, path: Path, counts: dict[Severity, int], console: Console) -> None:
    glyphs = console_glyphs()
    console.print(styled([Span(shown(path), "strong")]))
    for subject, findings in grouped(checkup.findings):
        console.print()
        console.print(styled([Span(SUBJECT_TITLES[subject], "strong")]))
        for finding in findings:
            first, *more = finding_spans(finding)
            _print_line(console, 2, [severity_span(finding.severity, glyphs), Span(" "), *first])
            for spans in more:
                _print_line(console, 4, spans)
    console.print()
    console.print(styled([Span(counts_text(counts).capitalize() + ".", "strong")]))


def _print_line(console: Console, indent: int, spans: list[Span]) -> None:
    """Wrapped within its indentation on a terminal, whole where it goes to a file or to grep."""
    if console.soft_wrap:
        console.print(styled([Span(" " * indent), *spans]))
    else:
        console.print(Padding(styled(spans), (0, 0, 0, indent)))


def _document(checkup: Checkup, name: str, counts: dict[Severity, int]) -> dict[str, Any]:
    return {
        "registry": {"name": name, "id": checkup.registry_id},
        "findings": [_finding(finding) for _, findings in grouped(checkup.findings) for finding in findings],
        "counts": {severity.value: count for severity, count in counts.items()},
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity.value,
        "kind": finding.kind,
        "subject": finding.subject.value,
        "text": finding.text,
        "mend": finding.mend or None,
        "lines": finding.lines.numbers(_MAX_LINES),
        "line_count": finding.lines.count,
    }
