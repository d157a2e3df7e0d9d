"""What a subject reports, and the table that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table


class CannotRunError(Exception):
    """This machine lacks what the subject needs; the text says what."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that is meant to hold."""

    limit: float
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """The value is on the right side."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: ours beside its reference."""

    what: str
    ours: str
    reference: str = ""
    value: float | None = None
    """What is held against the goal: mostly a ratio."""
    unit: str = "x"
    goal: Goal | None = None
    note: str = ""

    @property
    def mark(self) -> str:
        """Whether the goal is met; empty without one."""
        if self.goal is None or self.value is None:
            return ""
        return "ok" if self.goal.is_met(self.value) else "miss"


def times(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def print_table(console: Console, rows: Sequence[tuple[str, Row]]) -> None:
    """Every row under its subject, and how many goals are missed."""
    table = Table(title="Ours against references of the same run", title_justify="left", pad_edge=False)
    for name, justify in (("subject", "left"), ("what", "left"), ("ours", "right"), ("reference", "right")):
        table.add_column(name, justify=justify)
    table.add_column("result", justify="right", no_wrap=True)
    table.add_column("goal", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("measured", style="dim", ratio=1, min_width=30)
    before = ""
    for subject, row in rows:
        if before and subject != before:
            table.add_section()
        table.add_row(
            "" if subject == before else subject,
            row.what,
            row.ours,
            row.reference,
            f"{row.value:.3g} {row.unit}" if row.value is not None else "",
            f"{row.goal} {row.unit}" if row.goal else "",
            {"ok": "[green]✓ ok[/]", "miss": "[red]✗ miss[/]"}.get(row.mark, ""),
            escape(row.note),
        )
        before = subject
    console.print(table)
    marks = [row.mark for _, row in rows]
    console.print(f"{marks.count('ok')} goals met, {marks.count('miss')} missed")
