"""A run that nobody can go on with now: told where its team reads, by a line that proves that it is its own."""

from __future__ import annotations

from collections.abc import Callable

from collab_tui.model.runs import RunState
from collab_tui.model.text import clean, one_line
from collab_tui.orchestrator.journal import Journal
from collab_tui.orchestrator.kept import KeptRuns, Part
from collab_tui.orchestrator.ledger import read_kept
from collab_tui.registry.jsonl import JsonlRegistry


def tell_left(kept_runs: KeptRuns, run_id: str, why: str, notice: Callable[[str], None]) -> None:
    """Write, once for each reason, that it stands still until it is resumed. Raises `RegistryError`."""
    reason = one_line(clean(why))
    kept = kept_runs.load(run_id)
    try:
        ledger = read_kept(kept_runs, run_id)
        run = ledger.run
        if run.state is RunState.RUNNING or run.reason != reason:
            journal = Journal(JsonlRegistry(kept_runs.registry), run_id, kept_runs.key(), notice, after=ledger.number)
            journal.write_now(run.agent, "run_ended", state=RunState.CANCELLED, status="idle", reason=reason)
            kept.began(Part(journal.part, journal.after, run.carrier or ""))
    finally:
        kept.end()
