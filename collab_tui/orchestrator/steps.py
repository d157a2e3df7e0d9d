"""What is done with one task at a time: an agent works on it or judges it, the person is asked, a result is written.

Every step that begins is written before it begins, and every end of one before anything follows from it. So a process
that is killed at any point leaves lines from which the next one knows what is still to be done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from collab_tui.model.runs import TaskState, Work
from collab_tui.model.text import one_line
from collab_tui.orchestrator.adding import Adding
from collab_tui.orchestrator.agent import Assignment, CannotWorkError, Worker, WorkError
from collab_tui.orchestrator.asking import Asking
from collab_tui.orchestrator.attempt import LEEWAY, Attempt, Ended, Outcome
from collab_tui.orchestrator.board import TaskBoard
from collab_tui.orchestrator.documents import task_document
from collab_tui.orchestrator.jobs import Job, Question
from collab_tui.orchestrator.parts import Parts
from collab_tui.orchestrator.plan import PipelineError, ReplyKind, Role, Task
from collab_tui.orchestrator.prompts import prompt_for
from collab_tui.orchestrator.replies import Plan, Verdict, read
from collab_tui.orchestrator.values import ValueRefusedError
from collab_tui.orchestrator.waiting import Waits
from collab_tui.orchestrator.words import in_words, short
from collab_tui.registry.append import RegistryError, UnusableError
from collab_tui.sessions.log_folder import pointer


class Steps:
    """The steps of one run. They raise nothing that an agent does; what they raise ends the run."""

    def __init__(self, parts: Parts, later: Callable[[Job, float], None], waits_changed: Callable[[], None]) -> None:
        """`later` is told of a task for which there is another attempt after so many seconds, `waits_changed` of each
        time that an agent begins to wait on the blackboard, or for the person, or ends that.
        """
        self._parts = parts
        self._known = parts.known
        self._schedule = parts.schedule
        self._journal = parts.journal
        self._later = later
        self._waits_changed = waits_changed
        self._attempts: dict[str, Attempt] = {}
        self.waits = Waits(parts, waits_changed)
        self._person = Asking(parts)
        self._adding = Adding(parts)

    @property
    def is_at_work(self) -> bool:
        """An agent is."""
        return bool(self._attempts)

    def end_all(self) -> None:
        """Have all agents end, within their grace, and wait for no answer any more."""
        for attempt in self._attempts.values():
            attempt.cancel()
        self._person.end_all()

    # An agent works, or judges

    async def work(self, job: Job, seat: str) -> None:
        """One attempt, from its first line to its last."""
        work, role = job.work, self._role(job)
        about: dict[str, Any] = {"task": job.key, "attempt": job.attempts, "work": work, "round": job.round}
        task = one_line(job.task.title or job.key)
        title = f"review: {task}" if work is Work.REVIEW else task
        doing = {"status": "in_progress", "current_task": title, "progress": 0, "next_action": ""}
        await self._journal.write(seat, "run_task", state=job.state, **about, **doing)
        outcome = await self._attempted(job, seat, role)
        about |= {"took_ms": round(outcome.took * 1000)}
        self._parts.declaring.forget(seat)
        if outcome.is_left_behind:
            self._parts.leave_behind(seat)
            seconds = self._parts.policy.grace + LEEWAY
            self._parts.notice(f"{seat} does not end within {seconds:g} s: {job.key} goes on without it")
        about |= _whereabouts(outcome, self._parts.surroundings.registry)
        if work is Work.WORK and isinstance(branch := about.get("branch"), str):
            self._known.branches[job.key] = branch
        if outcome.ended is Ended.CANCELLED:
            await self.cancel(job, by=seat, about=about)
        elif outcome.ended is Ended.TIMED_OUT:
            limit = self._timeout(job, role)
            await self._failed(job, seat, about, TaskState.TIMED_OUT, WorkError(f"it took longer than {limit:g} s"))
        elif outcome.error is not None:
            await self._failed(job, seat, about, TaskState.FAILED, outcome.error)
        else:
            try:
                await self._gave(job, seat, about, role, outcome.given.value if outcome.given is not None else None)
            except (WorkError, ValueRefusedError, PipelineError, UnusableError) as error:
                await self._failed(job, seat, about, TaskState.FAILED, error)

    async def _attempted(self, job: Job, seat: str, role: Role) -> Outcome:
        if self._schedule.stopped is not None:  # while the line was written
            return Outcome(Ended.CANCELLED, 0.0)
        with self.waits.board(job, seat) as board:
            try:
                worker = self._parts.worker(role.name, seat)
                assignment = self._assignment(job, seat, role, board)
            except Exception as error:
                return Outcome(Ended.BY_ITSELF, 0.0, error=error)

            def waits(is_waiting: bool) -> None:
                self._schedule.waits_for_the_person(job, is_waiting=is_waiting)
                self._waits_changed()

            attempt = Attempt(worker, assignment, self._timeout(job, role), self._parts.policy.grace, waits)
            self._attempts[job.key] = attempt
            try:
                return await attempt.outcome()
            finally:
                del self._attempts[job.key]

    def _assignment(self, job: Job, seat: str, role: Role, board: TaskBoard) -> Assignment:
        task, known, is_review = job.task, self._known, job.work is Work.REVIEW
        inputs = {need: self._parts.value_of(need) for need in task.needs}
        branches = {key: known.branches[key] for key in self._parts.needed(task.needs) if key in known.branches}
        last = known.candidates.get(job.key)
        candidate = last.value if last is not None and is_review else None
        previous = last.value if last is not None and not is_review and job.round > 1 else None
        branch = known.branches.get(job.key) if is_review else None
        roles = [name for name in self._parts.pipeline.roles if name in self._parts.agents]
        goal, number = self._parts.goal, job.attempts

        def report(progress: float | None, message: str | None) -> None:
            if (job.seat, job.attempts) == (seat, number):  # else it comes too late
                self._parts.declaring.tell(seat, progress=progress, message=message)

        return Assignment(
            run=self._parts.id,
            goal=goal,
            task=task,
            seat=seat,
            work=job.work,
            attempt=job.attempts,
            round=job.round,
            reply=ReplyKind.VERDICT if is_review else role.reply,
            inputs=inputs,
            prompt=prompt_for(
                task,
                role,
                goal,
                inputs,
                job.work,
                candidate,
                tuple(job.comments),
                previous,
                branches=branches,
                branch_of=branch,
                roles=roles,
                error=job.error,
                run=self._parts.id,
            ),
            candidate=candidate,
            comments=tuple(job.comments),
            previous=previous,
            error=job.error,
            depth=job.depth,
            most_depth=self._parts.policy.most_depth,
            branch_of=branch,
            branches=branches,
            blackboard=board,
            report=report,
        )

    # What came of it

    async def _gave(self, job: Job, seat: str, about: Mapping[str, Any], role: Role, given: Any) -> None:
        """The agent gave something. Raises what makes of it nothing."""
        if job.work is Work.REVIEW:
            try:
                verdict = read(ReplyKind.VERDICT, given)
            except WorkError as error:
                raise WorkError(f"the review by {seat}: {error}") from error
            if verdict.is_approved:
                said = {**about, "comment": verdict.comment or None}
                await self._finish(job, seat, said, self._known.candidates[job.key].value)
            else:
                await self._reject(job, seat, about, verdict)
            return
        reply = read(role.reply, given)
        if isinstance(reply, Plan) and reply.tasks and job.task.review is not None:
            self._adding.checked(job, reply.tasks)  # a plan that cannot be done is not worth a review
        if isinstance(reply, Verdict) and not reply.is_approved and job.task.review is None:
            raise WorkError(f"its verdict is: rejected. {reply.comment}")
        if job.task.review is None:
            await self._finish(job, seat, about, _document(reply), reply)
            return
        self._known.candidates[job.key] = await self._parts.blackboard.worked(
            job.task.result_key, _document(reply), by=seat, **about, **_idle()
        )
        self._schedule.worked(job)

    async def _finish(self, job: Job, by: str, about: Mapping[str, Any], value: Any, reply: Any = None) -> None:
        """Its result stands, and with it what it adds."""
        role = self._parts.pipeline.roles.get(job.task.role or "")
        if reply is None and role is not None and role.reply is ReplyKind.PLAN:
            reply = read(ReplyKind.PLAN, value)
        tasks: Sequence[Task] = ()
        if isinstance(reply, Plan):
            value = reply.value
            tasks = self._adding.checked(job, reply.tasks) if reply.tasks else ()

        def stands() -> None:
            self._adding.tell(tasks, job.key)
            job.is_told = True

        entry = await self._parts.blackboard.done(
            job.task.result_key,
            value,
            by=by,
            first=stands,
            **about,
            **(_idle() if by != self._parts.agent else {}),
        )
        self._known.results[job.key] = entry.json
        self._known.exceptions.pop(job.key, None)
        await self._settle(job)
        self._schedule.add(tasks, job.key)
        self._schedule.done(job)

    async def _reject(self, job: Job, seat: str, about: Mapping[str, Any], verdict: Verdict) -> None:
        comment = verdict.comment
        await self._journal.write(seat, "run_task", state=TaskState.REJECTED, **about, comment=comment, **_idle())
        self._schedule.rejected(job, comment)

    async def _failed(
        self, job: Job, seat: str, about: Mapping[str, Any], state: TaskState, error: BaseException
    ) -> None:
        self._known.exceptions[job.key] = error
        told = in_words(error)
        pause = None if isinstance(error, CannotWorkError) else self._schedule.pause_after(job)
        if pause is not None:
            await self._journal.write(
                seat,
                "run_task",
                state=TaskState.RETRYING,
                **about,
                error=told,
                retry_in=pause,
                **_idle("it tries again"),
            )
            self._schedule.retry(job, told)
            self._later(job, pause)
            return
        await self._tell_end(job, seat, state, **about, error=told, **_idle())
        await self._settle(job)
        self._schedule.failed(job, state, told)

    async def _tell_end(self, job: Job, by: str, state: TaskState, **fields: Any) -> None:
        job.is_told = True
        await self._journal.write(by, "run_task", state=state, **fields)

    async def cancel(self, job: Job, by: str | None = None, about: Mapping[str, Any] | None = None) -> None:
        """It ends here, whoever has it."""
        why = self._schedule.stopped or "it was cancelled"
        told = about or {"task": job.key}
        idle = _idle() if by is not None else {}
        await self._tell_end(job, by or self._parts.agent, TaskState.CANCELLED, **told, why=why, **idle)
        await self._settle(job)
        self._schedule.cancelled(job, why)

    async def _settle(self, job: Job) -> None:
        """Have those who worked on it let go of it; nobody waits for one that does not."""
        workers = {seat: self._parts.workers[seat] for seat in job.last_seat.values() if seat in self._parts.workers}

        async def settle(seat: str, worker: Worker) -> None:
            try:
                async with asyncio.timeout(self._parts.patience(self._parts.policy.grace + LEEWAY)):
                    await worker.settle(job.key)
            except Exception as error:
                self._parts.notice(f"{seat} does not let go of {job.key}: {in_words(error)}")

        if len(workers) == 1:
            await settle(*workers.popitem())
        elif workers:
            await asyncio.gather(*(settle(seat, worker) for seat, worker in workers.items()))

    # The person

    async def ask(self, job: Job, question: Question) -> None:
        """Ask the person, and do as they say."""
        stopped = self._schedule.stopped  # perhaps since it was to begin
        answer = await self._person.ask(job, question) if stopped is None else None
        if answer is None:
            await self.cancel(job)
        elif not answer.is_approved:
            await self._settle(job)
            self._schedule.failed(job, TaskState.FAILED, short(answer.why))

    async def take(self, job: Job) -> None:
        """The person said yes: what there is of it is its result."""
        about = {"task": job.key, "comment": self._known.answers.get(job.key) or None}
        candidate = self._known.candidates.get(job.key)
        value = candidate.value if candidate is not None and job.task.role is not None else about["comment"]
        try:
            await self._finish(job, self._parts.agent, about, value)
        except (WorkError, PipelineError, ValueRefusedError, UnusableError) as error:
            self._known.exceptions[job.key] = error
            told = in_words(error)
            await self._tell_end(job, self._parts.agent, TaskState.FAILED, task=job.key, error=told)
            await self._settle(job)
            self._schedule.failed(job, TaskState.FAILED, told)

    # When there is no time left

    def last_words(self, job: Job, why: str) -> None:
        """Have it written that it was cancelled, as far as that can be: the program ends."""
        told: dict[str, Any] = {"task": job.key, "state": TaskState.CANCELLED, "why": why}
        if job.seat is not None:
            told |= {"attempt": job.attempts, "work": job.work, "round": job.round, **_idle()}
        if not job.is_told:
            job.is_told = True
            try:
                self._journal.send(job.seat or self._parts.agent, "run_task", told)
            except RegistryError as error:
                self._parts.notice(f"{job.key} was cancelled, and that could not be written: {error}")
        self._schedule.cancelled(job, why)

    def _role(self, job: Job) -> Role:
        return self._parts.pipeline.roles[job.role or ""]

    def _timeout(self, job: Job, role: Role) -> float | None:
        """Seconds for one attempt; of a review as its role says."""
        own = job.task.timeout if job.work is Work.WORK else None
        return own if own is not None else role.timeout


def _whereabouts(outcome: Outcome, registry: Path) -> dict[str, Any]:
    """The branch and the log of an attempt, also of one that failed."""
    told = outcome.given if outcome.given is not None else outcome.error
    branch, log = getattr(told, "branch", None), getattr(told, "log", None)
    found = {"branch": branch, "log": pointer(registry, log) if isinstance(log, Path) else None}
    return {name: str(value) for name, value in found.items() if value is not None}


def _document(reply: Any) -> Any:
    """What a reply says, as JSON values."""
    if isinstance(reply, Plan):
        return {"plan": reply.value, "tasks": [task_document(task) for task in reply.tasks]}
    return reply.document() if isinstance(reply, Verdict) else reply


def _idle(next_action: str = "") -> dict[str, Any]:
    return {"status": "idle", "next_action": next_action}
