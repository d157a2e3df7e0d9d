"""An execution worker: a session in a worktree of its own, that does one task and tells that it is done."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from collab_tui.model.workers import WorkerState
from collab_tui.sessions.driver import DriverError
from collab_tui.sessions.git import Git, GitError
from collab_tui.sessions.worktree_of import worktree_of
from collab_tui.sessions.worktrees import WorktreeError, Worktrees
from collab_tui.workers.decision import ended
from collab_tui.workers.hosting import Progress, Sessions, WorkerSession
from collab_tui.workers.job import Job
from collab_tui.workers.outcome import Outcome, failed, failure_of, in_short

Completed = Callable[[str], Awaitable[str | None]]
"""What an agent said when it said that it is done; None while it did not."""


async def execute(
    sessions: Sessions, job: Job, prompt: str, *, agent: str, limit: float, progress: Progress, completed: Completed
) -> Outcome:
    """Start it and wait until its turn ends, `limit` seconds at most; then its program is ended and its worktree stays.

    Cancelled, it goes on working: who starts next takes it up, or says that it is lost. What goes wrong is in the
    outcome, but what `create_session` raises beside `DriverError`.
    """
    try:
        session = await sessions.create_session(
            agent, task=job.task, base=job.base, name=job.session, worker=job.id, in_worktree=True
        )
    except DriverError as error:
        return failed(str(error))
    head = await head_of(session)
    await progress.started(session, head)
    return await prompted(sessions, session, prompt, head=head, limit=limit, progress=progress, completed=completed)


async def prompted(
    sessions: Sessions,
    session: WorkerSession,
    prompt: str,
    *,
    head: str | None,
    limit: float,
    progress: Progress,
    completed: Completed,
) -> Outcome:
    """Tell a session what to do, and wait until its turn ends; see `execute`. What it does begins at `head`."""
    await progress.prompting(prompt)
    try:
        reply = await session.send_prompt_and_wait(prompt, timeout=limit)
    except DriverError as error:
        return await _closed(sessions, session, head, failed(str(error)), "")
    progress.write(f"reply, {reply.status}", reply.text or reply.reason)
    said = await completed(session.name)
    outcome = None if said is not None else failure_of(reply)
    last_line = reply.text.strip().rpartition("\n")[2]
    return await _closed(sessions, session, head, outcome, said or last_line)


async def attend(
    sessions: Sessions, session: WorkerSession, *, head: str | None, limit: float, completed: Completed
) -> Outcome:
    """Wait for the end of one that was taken up: that it takes a prompt again, or that its program is gone."""
    try:
        async with asyncio.timeout(limit):
            is_there = await session.idle()
    except TimeoutError:
        return await _closed(sessions, session, head, failed(f"it was not done within {limit:g} s"), "")
    said = await completed(session.name)
    outcome = None if is_there or said is not None else failed("its program is gone, and did not say that it is done")
    closed = await _closed(sessions, session, head, outcome, said or "its turn ended; what it said then nobody heard")
    if closed.state is WorkerState.DONE and said is None and not (closed.result or {}).get("commits"):
        return Outcome(WorkerState.FAILED, "it takes a prompt, and nothing tells that it did what it was told to")
    return closed


async def _closed(
    sessions: Sessions, session: WorkerSession, head: str | None, outcome: Outcome | None, said: str
) -> Outcome:
    """The program ended, and what it did in its worktree counted."""
    await ended(sessions, session.name)
    result: dict[str, Any] = {"summary": in_short(said)} if said else {}
    result |= {"branch": session.record.branch} if session.record.branch else {}
    made = []
    if (commits := await commits_of(session, head)) is not None:
        result["commits"] = commits
        made.append(f"{commits} commit{'' if commits == 1 else 's'}")
    if files := await uncommitted_of(session):
        result["uncommitted"] = files
        made.append(f"{files} file{'' if files == 1 else 's'} not committed")
    if outcome is not None:
        return Outcome(outcome.state, outcome.told, result=result)
    told = ": ".join(filter(None, (", ".join(made), said or "it said nothing")))
    return Outcome(WorkerState.DONE, in_short(told), result=result)


async def head_of(session: WorkerSession) -> str | None:
    """The commit on which its branch stands; None where that cannot be told."""
    return await _asked(session, "rev-parse", "--verify", "--end-of-options", f"refs/heads/{session.record.branch}")


async def commits_of(session: WorkerSession, head: str | None) -> int | None:
    """How many commits stand on its branch beyond that one; None where that cannot be told."""
    if head is None:
        return None
    told = await _asked(
        session, "rev-list", "--count", "--end-of-options", f"{head}..refs/heads/{session.record.branch}"
    )
    return int(told) if told is not None and told.isdecimal() else None


async def uncommitted_of(session: WorkerSession) -> int | None:
    """How many files in its worktree differ from its last commit; None where that cannot be told."""
    worktree = worktree_of(session.record)
    if worktree is None:
        return None
    try:
        return (await Worktrees(worktree.folder).state(worktree)).changed
    except WorktreeError:
        return None


async def _asked(session: WorkerSession, *arguments: str) -> str | None:
    """What git says of its worktree; None where it works in none, or git cannot say."""
    if session.record.branch is None:
        return None
    try:
        return await Git(Path(session.record.folder), os.environ).text(*arguments)
    except GitError:
        return None
