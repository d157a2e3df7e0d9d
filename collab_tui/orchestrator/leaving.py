"""A run that no process has: that it stands still is told where its team reads, by lines that prove to be its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from collab_tui.config import project_config_file
from collab_tui.model.runs import Run, RunState, TaskState
from collab_tui.model.text import clean, one_line
from collab_tui.orchestrator.agent import Surroundings
from collab_tui.orchestrator.agents.sessions import Sessions, let_go_of_left
from collab_tui.orchestrator.documents import pipeline_of
from collab_tui.orchestrator.journal import Journal
from collab_tui.orchestrator.kept import KeptRuns, Part
from collab_tui.orchestrator.ledger import read_kept
from collab_tui.orchestrator.plan import Policy
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.records import Records


async def clear_left(
    kept_runs: KeptRuns, run_id: str, notice: Callable[[str], None], sessions: Sessions | None = None
) -> None:
    """End what its processes left, as the end of a run that goes on does: sessions among `sessions`, and worktrees.

    `notice` is told what stays, and what is waited for. Raises `RegistryError`.
    """
    kept = await asyncio.to_thread(kept_runs.load, run_id, notice)
    try:
        try:
            pipeline = pipeline_of(kept.document)
        except (ValueError, TypeError, KeyError) as error:
            notice(f"what is kept of the run {run_id} cannot be understood, so its worktrees stay: {error}")
            return
        surroundings = Surroundings(
            registry=kept_runs.registry,
            project=project_config_file(kept_runs.registry).parent.parent,
            run=run_id,
            environment=os.environ,
            grace=(pipeline.policy or Policy()).grace,
            private=kept.private,
            notice=notice,
            sessions=sessions,
        )
        await let_go_of_left(surroundings, [role.agent for role in pipeline.roles.values() if role.agent is not None])
    finally:
        kept.end()


def tell_left(kept_runs: KeptRuns, run_id: str, why: str, notice: Callable[[str], None]) -> RunState:
    """Write, once for each reason, that it stands still until it is resumed; gives its state then.

    Where its process left no word, also what that would have told at its end: see `_cut_off`. One that is done or has
    failed stays so. `notice` is told of what is waited for. Raises `RegistryError`.
    """
    reason = one_line(clean(why))
    kept = kept_runs.load(run_id, notice)
    try:
        ledger = read_kept(kept_runs, run_id)
        run = ledger.run
        if run.state in (RunState.DONE, RunState.FAILED):
            return run.state
        if run.state is RunState.RUNNING or run.reason != reason:
            journal = Journal(JsonlRegistry(kept_runs.registry), run_id, kept_runs.key(), notice, after=ledger.number)
            last = run.ended_at or run.told_at
            ended_at = last.isoformat(timespec="milliseconds").replace("+00:00", "Z") if last is not None else None
            ended = {"state": RunState.CANCELLED, "status": "idle", "reason": reason, "ended_at": ended_at}
            is_cut_off = run.state is RunState.RUNNING
            cut_off = _cut_off(run, Records(kept_runs.registry), reason, ended_at) if is_cut_off else ()
            kept.began(Part(journal.part, journal.after))
            journal.write_all_now([*cut_off, (run.agent, "run_ended", ended)])
        return RunState.CANCELLED
    finally:
        kept.end()


def _cut_off(
    run: Run, sessions: Records, reason: str, ended_at: str | None
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """That its tasks are cancelled, nothing is asked any more, and its seats are empty."""
    for task in run.tasks:
        if task.state is TaskState.ASKED and task.request is not None:
            yield run.agent, "request_withdrawn", {"request_id": task.request, "reason": reason}
        if not task.state.is_over:
            told = {"task": task.key, "state": TaskState.CANCELLED, "why": reason, "ended_at": ended_at}
            yield run.agent, "run_task", told
    for seat in run.agents():
        if seat != run.agent and sessions.load(seat) is None:  # a session may outlive it, and tells of itself
            yield seat, "session_end", {"reason": reason}
