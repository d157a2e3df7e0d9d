"""What the person is asked about the tasks of a run, and what follows from their answers."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, Final

from collab_tui.model.runs import TaskState
from collab_tui.model.text import one_line
from collab_tui.orchestrator.approvals import Approval
from collab_tui.orchestrator.jobs import Job, Question
from collab_tui.orchestrator.journal import ASKED, without_none
from collab_tui.orchestrator.parts import Parts
from collab_tui.orchestrator.values import Json
from collab_tui.orchestrator.words import LONGEST_ERROR, short
from collab_tui.protocol.wording import cut
from collab_tui.registry.append import RegistryError

_LONGEST_NAME: Final = 40


class Asking:
    """The questions of one run."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known = parts.known
        self._schedule = parts.schedule
        self._schedule.is_meant = self._is_meant
        self._journal = parts.journal
        self._asking: dict[str, asyncio.Task[Approval]] = {}

    def end_all(self) -> None:
        """Wait for no answer any more."""
        for asking in self._asking.values():
            asking.cancel()

    async def ask(self, job: Job, question: Question) -> Approval | None:
        """Ask, and write what came of it; a yes is told to the schedule. None: nobody is to be asked any more."""
        answers: list[Approval] = []

        async def opened(request: str) -> None:
            if self._known.requests.get(job.key) != request:
                told = {"task": job.key, "state": TaskState.ASKED, "request": request, "why": _WHY[question]}
                await self._journal.write(self._parts.agent, "run_task", **told)  # before its answer is, in any case
                self._known.requests[job.key] = request

        async def deliver(approval: Approval) -> None:
            told = self._answered(job, approval, asked)
            writing = self._journal.send(self._parts.agent, "run_task", without_none(told))
            job.is_told = not approval.is_approved
            answers.append(approval)  # it is written, also when nobody waits for that any more
            await asyncio.shield(writing)

        text, details = self._question(job, question)
        asked = _digest(text, details)
        about, expires = f"{job.key}: {question}", job.task.expires

        async def approval() -> Approval:
            approvals = await self._parts.person.approvals()
            return await approvals.ask(about, text, details=details, expires=expires, opened=opened, deliver=deliver)

        asking = asyncio.create_task(approval())
        self._asking[job.key] = asking
        try:
            await asyncio.wait((asking,))
        except asyncio.CancelledError:
            asking.cancel()
            raise
        finally:
            del self._asking[job.key]
        if answers:
            answer = answers[-1]
        elif asking.cancelled():
            return None
        else:
            try:
                answer = asking.result()
            except RegistryError as error:
                answer = Approval(False, None, f"the person cannot be asked: {error}", "")
            job.is_told = not answer.is_approved
            await self._journal.write(self._parts.agent, "run_task", **self._answered(job, answer, asked))
        if answer.is_approved:
            self._known.answers[job.key] = answer.comment or ""
            self._schedule.approved(job, asked)
        return answer

    def _answered(self, job: Job, approval: Approval, asked: str) -> dict[str, Any]:
        told = {"task": job.key, "request": self._known.requests.get(job.key), "comment": approval.comment}
        if approval.is_approved:
            return told | {"state": TaskState.PENDING, "why": "approved by the person", ASKED: asked}
        return told | {"state": TaskState.FAILED, "error": short(approval.why)}

    def _question(self, job: Job, question: Question) -> tuple[str, str]:
        """What is asked, and all that it is about: an answer to these very words counts, also for the next process."""
        task = one_line(job.task.title or job.key)
        about = [f"{job.key} of the run {self._parts.id}, {short(self._parts.goal)}"]
        if question is Question.RESULT:
            about += ["It was sent back once too often. Approved, it is taken as it is; rejected, the task fails."]
            about += [f"- {short(reason)}" for comment in job.comments for reason in comment.splitlines() if reason]
            about += _told("Its result", self._known.candidates[job.key])
            about += ["All of it stands on the blackboard of the run, as not yet accepted."]
            return f"Take the result of “{task}”? (run {self._called})", "\n".join(about)
        about += [f"By {job.task.role}."] if job.task.role is not None else []
        about += [job.task.prompt] if job.task.prompt is not None else []
        for need in job.task.needs:
            keys = self._parts.needed((need,))
            for key in keys:
                about += _told(key, json) if (json := self._json_of(key)) is not None else ()
        what = f"Begin “{task}”?" if job.task.role is not None else task
        return f"{what} (run {self._called})", "\n".join(about)

    @property
    def _called(self) -> str:
        """The run, for a person; its id stands in the details."""
        return cut(one_line(self._parts.pipeline.name), _LONGEST_NAME)

    def _is_meant(self, job: Job) -> bool:
        """The yes of the person was to what would be asked now: a value may be another since."""
        is_result = job.is_taken and job.task.role is not None
        return job.approved == _digest(*self._question(job, Question.RESULT if is_result else Question.START))

    def _json_of(self, key: str) -> Json | None:
        if (result := self._known.results.get(key)) is not None:
            return result
        entry = self._parts.blackboard.entry(key)
        return entry.json if entry is not None else None


def _digest(text: str, details: str) -> str:
    return hashlib.sha256(f"{text}\n{details}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _told(called: str, json: Json) -> tuple[str, str]:
    """Which value it is, for a person: how it begins, and on a line of its own which one exactly."""
    begins = json.value if isinstance(json.value, str) else json.text[:LONGEST_ERROR].decode("utf-8", "replace")
    return f"{called}: {short(begins)}", f"  (SHA-256 {json.digest})"


_WHY: Final = {
    Question.START: "it begins when the person approves",
    Question.RESULT: "it was sent back once too often: the person says whether to take it",
}
