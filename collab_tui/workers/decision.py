"""A decision worker: a session that may look and change nothing, asked once, ended by us; its reply is its verdict."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from collab_tui.model.workers import WorkerState
from collab_tui.sessions.driver import DriverError
from collab_tui.workers.hosting import Progress, Sessions, WorkerSession
from collab_tui.workers.job import Job
from collab_tui.workers.outcome import Outcome, failed, failure_of, in_short
from collab_tui.workers.templates import how_to_answer
from collab_tui.workers.verdict import RefusedVerdictError, VerdictError, read_verdict

_MEND: Final = "You were told this before, and your reply was no verdict: {why}. Give the whole verdict.\n\n{prompt}"


async def decide(
    sessions: Sessions,
    job: Job,
    prompt: str,
    *,
    agent: str,
    limit: float,
    progress: Progress,
) -> Outcome:
    """Run it to its end, `limit` seconds at most; its session is ended whatever happens.

    What goes wrong is in the outcome, but what `create_session` raises beside `DriverError`.
    """
    try:
        async with asyncio.timeout(limit):
            session = await sessions.create_session(
                agent, name=job.session, worker=job.id, is_read_only=True, in_worktree=False
            )
            try:
                await progress.started(session, None)
                return await _verdict(session, prompt + how_to_answer(), limit, progress)
            finally:
                await ended(sessions, session.name)
    except DriverError as error:
        return failed(str(error))
    except TimeoutError:
        return failed(f"it found nothing within {limit:g} s")


async def ended(sessions: Sessions, name: str) -> None:
    """End a session, also while the one that wants it is cancelled."""
    ending = asyncio.ensure_future(sessions.destroy_session(name))
    try:
        with suppress(DriverError):  # it ended by itself
            await asyncio.shield(ending)
    except asyncio.CancelledError:
        await asyncio.wait({ending})
        raise


async def _verdict(session: WorkerSession, prompt: str, limit: float, progress: Progress) -> Outcome:
    deadline = asyncio.get_running_loop().time() + limit
    asked, is_second = prompt, False
    while True:
        await progress.prompting(prompt)
        left = max(0.0, deadline - asyncio.get_running_loop().time())
        reply = await session.send_prompt_and_wait(prompt, timeout=left)
        progress.write(f"reply, {reply.status}", reply.text or reply.reason)
        if (failure := failure_of(reply)) is not None:
            return failure
        try:
            verdict = read_verdict(reply.text)
        except RefusedVerdictError as error:
            return Outcome(WorkerState.REFUSED, str(error))
        except VerdictError as error:
            if is_second:
                return failed(f"twice it gave no verdict: {error}")
            # all of it: who replies may be a new process that knows of nothing before
            is_second, prompt = True, _MEND.format(why=in_short(str(error)), prompt=asked)
        else:
            return Outcome(WorkerState.DONE, verdict.why, verdict=verdict.document())
