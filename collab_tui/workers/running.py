"""Running one worker with what the settings and its template say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from collab_tui.config import Config
from collab_tui.model.workers import WorkerKind
from collab_tui.workers.book import Book
from collab_tui.workers.completions import Completions
from collab_tui.workers.decision import decide
from collab_tui.workers.execution import attend, execute, head_of, prompted
from collab_tui.workers.hosting import Sessions, WorkerSession
from collab_tui.workers.job import Job
from collab_tui.workers.needs_decision import EXECUTION
from collab_tui.workers.outcome import Outcome
from collab_tui.workers.templates import Templates, prompt_of


class Note(Protocol):
    """Keeps what is known now of a worker that runs."""

    async def __call__(self, worker: str, **known: Any) -> None:
        """The fields of its job that changed."""
        ...


class Runner:
    """Runs workers in the sessions of a monitor."""

    def __init__(
        self,
        sessions: Sessions,
        book: Book,
        templates: Templates,
        completions: Completions,
        config: Callable[[], Config],
    ) -> None:
        self._sessions = sessions
        self._book = book
        self._templates = templates
        self._completions = completions
        self._config = config

    async def run(self, job: Job, note: Note) -> Outcome:
        """Start it and see to its end. Raises `TemplateError`, `ConfigError`."""
        settings = self._config().workers
        prompt = await self._prompt(job)
        progress = _Progress(job, self._book, self._completions, note)
        if job.kind is WorkerKind.DECISION:
            agent, limit = job.agent or settings.decision_agent, settings.decision_limit
            prompt += self._book.record.lately.told(job.started_at or job.queued_at)
            return await decide(self._sessions, job, prompt, agent=agent, limit=limit, progress=progress)
        return await execute(
            self._sessions,
            job,
            prompt,
            agent=job.agent or settings.execution_agent,
            limit=settings.execution_limit,
            progress=progress,
            completed=self._completed,
        )

    async def attend(self, job: Job, session: WorkerSession, note: Note, now: float) -> Outcome:
        """See to the end of an execution that was taken up. Raises as `run`."""
        spent = max(0.0, now - (job.started_at or now))
        limit = max(0.0, self._config().workers.execution_limit - spent)
        progress = _Progress(job, self._book, self._completions, note)
        head = job.head if job.is_prompted else await head_of(session)
        await progress.started(session, head)
        if job.is_prompted:
            return await attend(self._sessions, session, head=head, limit=limit, completed=self._completed)
        return await prompted(
            self._sessions,
            session,
            await self._prompt(job),
            head=head,
            limit=limit,
            progress=progress,
            completed=self._completed,
        )

    async def _completed(self, agent: str) -> str | None:
        await self._book.record.read()
        return self._completions.take(agent)

    async def _prompt(self, job: Job) -> str:
        if job.prompt is not None:
            return job.prompt
        return prompt_of(await asyncio.to_thread(self._templates.of, job.template or EXECUTION), job)


class _Progress:
    """Of one run; see `hosting.Progress`."""

    def __init__(self, job: Job, book: Book, completions: Completions, note: Note) -> None:
        self._job = job
        self._book = book
        self._completions = completions
        self._note = note

    def write(self, heading: str, text: str) -> None:
        self._book.write(self._job, heading, text)

    async def started(self, session: WorkerSession, head: str | None) -> None:
        self._completions.await_of(session.name)
        await self._note(self._job.id, run=session.run, head=head)

    async def prompting(self, prompt: str) -> None:
        self.write("prompt", prompt)
        await self._note(self._job.id, is_prompted=True)
