"""What the person wants by hand: their signed commands, each carried out once, and answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from collab_tui.config.values import WrongError
from collab_tui.config.workers import Priority, template_name
from collab_tui.model.sessions import CommandState
from collab_tui.model.workers import WorkerKind
from collab_tui.protocol.commands import CommandType, Concern, Taken
from collab_tui.protocol.obeying import Obeying
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.workers.job import Job, Step
from collab_tui.workers.needs_decision import EXECUTION, HIGH_PRIORITY
from collab_tui.workers.screening import why_no_task


class Putting(Protocol):
    """Whoever has the workers."""

    async def put(self, job: Job) -> str | None:
        """Queue one; gives why not."""
        ...

    async def stop(self, worker: str) -> str | None:
        """End one; gives why not."""
        ...


class ByHand:
    """Hears the commands of a registry for whoever has its workers."""

    def __init__(
        self,
        registry: Path,
        monitor: str,
        trust: Trust,
        used: UsedDecisions,
        workers: Putting,
        notice: Callable[[str], None],
    ) -> None:
        self._obeying = Obeying(registry, monitor, Concern.WORKERS, trust, used, notice)
        self._workers = workers

    async def listen(self, poll: float | None) -> None:
        """Carry out what comes, for as long as it is awaited."""
        await self._obeying.listen(self._heed, poll)

    async def _heed(self, command: Taken) -> None:
        try:
            why_not, told = await self._carry_out(command)
        except WrongError as error:
            why_not, told = str(error), {}
        state = CommandState.FAILED if why_not else CommandState.DONE
        await self._obeying.tell(command, state, why_not, told)

    async def _carry_out(self, command: Taken) -> tuple[str | None, dict[str, Any]]:
        if command.type is CommandType.STOP_WORKER:
            return await self._workers.stop(command.target), {"worker": command.target}
        if (why := why_no_task(command.target)) is not None:
            return why, {}
        job = job_by_hand(command)
        return await self._workers.put(job), {"worker": job.id}


def job_by_hand(command: Taken) -> Job:
    """What a command wants. Raises `WrongError`."""
    told = command.payload
    is_decision = command.type is CommandType.DECIDE
    named = template_name(told["template"]) if "template" in told else None
    return Job(
        id=command.id[:16],
        kind=WorkerKind.DECISION if is_decision else WorkerKind.EXECUTION,
        task=command.target,
        step=Step.WAITING,
        queued_at=command.time.timestamp(),
        title=told.get("title"),
        priority=Priority.HIGH.value,
        why="the person wants it",
        template=named or (HIGH_PRIORITY if is_decision else EXECUTION),
        prompt=told.get("prompt"),
        agent=told.get("agent"),
        base=told.get("base"),
    )
