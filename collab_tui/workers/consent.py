"""What the person is asked before an execution worker starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from collab_tui.config.workers import Priority
from collab_tui.model.board import Request
from collab_tui.model.workers import WorkerState
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.wording import cut, quoted
from collab_tui.registry.append import RegistryError
from collab_tui.workers.book import Book
from collab_tui.workers.job import Job, Step
from collab_tui.workers.outcome import UNANSWERED, in_short

_LONGEST: Final = 120
_URGENT: Final = frozenset({Priority.URGENT, Priority.HIGH})


def question(job: Job) -> str:
    """On one line."""
    title = f": {quoted(job.title, _LONGEST)}" if job.title else ""
    because = f", because {quoted(job.why, _LONGEST)}" if job.why else ""
    return f"Start a worker on {cut(job.task, _LONGEST)}{title}{because}"


def fields_of(job: Job, person: str) -> dict[str, Any]:
    """The other fields of the request."""
    begins = f" that begins at {quoted(job.base, _LONGEST)}" if job.base else ""
    details = [
        f"It would work as {job.agent}, in a worktree and on a branch of its own{begins}.",
        f"Why: {quoted(job.why or '', 1000)}",
        f"Found by the decision worker {job.cause}; priority {job.priority}.",
    ]
    details += [f"{job.asked_because}."] if job.asked_because else []
    fields: dict[str, Any] = {"target": person, "kind": "approval", "details": "\n".join(details)}
    fields |= {"urgency": "high"} if Priority(job.priority) in _URGENT else {}
    return fields


def key_of(job: Job) -> str:
    """By which the request is found again after a restart."""
    return f"worker {job.id}"


def refusal(request: Request) -> str | None:
    """Why it does not start, as the request stands; None where it was approved by a signed answer."""
    answer = request.answer
    if answer is None:
        return UNANSWERED
    if answer.verdict == "approved":
        return None
    return f"{answer.by} said no{f': {answer.comment}' if answer.comment else ''}"


class Consent:
    """Asks the person for their leave, as the monitor."""

    def __init__(self, me: Participant, book: Book) -> None:
        self._me = me
        self._book = book

    async def ask(self, job: Job, person: str, changed: Callable[[Job], object]) -> Job:
        """Ask, unless that was done before, and wait for the signed answer however long it takes.

        Gives the job that waits for its turn, or is over. `changed` gets it with its request. Raises `RegistryError`
        where it cannot be asked or answered any more.
        """
        request = job.request
        if request is None:
            request = await self._me.request(question(job), key=key_of(job), **fields_of(job, person))
        asked = replace(job, request=request)
        await self._book.keep(asked)
        changed(asked)
        await self._book.say(asked, WorkerState.ASKED, why=job.why)
        heard: list[Job] = []

        def keep(answered: Request) -> None:
            """Before it counts as used: so an answer is neither lost nor taken twice."""
            why_not = refusal(answered)
            told: dict[str, Any] = (
                {} if why_not is None else {"outcome": WorkerState.REFUSED, "told": in_short(why_not)}
            )
            job = replace(asked, step=Step.WAITING if why_not is None else Step.OVER, **told)
            self._book.jobs.save(job)
            heard.append(job)

        try:
            await self._me.closed(request, deliver=keep)
        except RegistryError:
            if not heard:  # else it is kept, and only that it was used is not
                raise
        return heard[0]

    async def withdraw(self, job: Job) -> None:
        """Ask no more. Raises `RegistryError`."""
        if job.request is not None:
            await self._me.withdraw(job.request, "the worker is not wanted any more")
