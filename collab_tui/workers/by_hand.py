"""What the person wants by hand: their signed commands, each carried out once, and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from collab_tui.config.values import WrongError
from collab_tui.config.workers import Priority, template_name
from collab_tui.model.event import Event
from collab_tui.model.sessions import CommandState
from collab_tui.model.signature import registry_id
from collab_tui.model.workers import WorkerKind
from collab_tui.protocol.commands import (
    CommandType,
    NotTakenError,
    NotThePersonsError,
    Taken,
    TakenBeforeError,
    is_for,
    result,
    subject_of,
    taken,
)
from collab_tui.protocol.kept_results import KeptResults
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.tail import tail
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RegistryError
from collab_tui.registry.jsonl import JsonlRegistry
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
        self._registry = JsonlRegistry(registry)
        self._monitor = monitor
        self._trust, self._used = trust, used
        self._workers = workers
        self._notice = notice
        self._kept = KeptResults(registry)
        self._registry_id: str | None = None

    async def listen(self, poll: float | None) -> None:
        """Carry out what comes, for as long as it is awaited."""
        async with aclosing(tail(self._registry, poll)) as looks:
            async for news in looks:
                for item in news.items:
                    if item.position == 0:
                        self._registry_id = registry_id(item)
                    if isinstance(item, Event) and is_for(item, self._monitor, datetime.now(UTC)):
                        await self._heed(item)

    async def _heed(self, item: Event) -> None:
        try:
            command = await asyncio.to_thread(self._taken, item)
        except TakenBeforeError:
            return
        except NotThePersonsError:
            return  # whoever writes such lines is not told, or they would fill the registry
        except NotTakenError as error:
            await self._answer(item, CommandState.FAILED, str(error))
            return
        except RegistryError as error:
            self._notice(f"workers: a command cannot be taken: {error}")
            return
        if command is None:
            return
        try:
            why_not, told = await self._carry_out(command)
        except WrongError as error:
            why_not, told = str(error), {}
        except Exception as error:  # the next command is another
            why_not, told = f"{type(error).__name__}: {error}", {}
        await self._answer(command, CommandState.FAILED if why_not else CommandState.DONE, why_not, told)

    def _taken(self, item: Event) -> Taken | None:
        return taken(
            item,
            registry_id=self._registry_id,
            trust=self._trust,
            used=self._used,
            monitor=self._monitor,
            now=datetime.now(UTC),
            of_workers=True,
        )

    async def _carry_out(self, command: Taken) -> tuple[str | None, dict[str, Any]]:
        if command.type is CommandType.STOP_WORKER:
            return await self._workers.stop(command.target), {"worker": command.target}
        if (why := why_no_task(command.target)) is not None:
            return why, {}
        job = job_by_hand(command)
        return await self._workers.put(job), {"worker": job.id}

    async def _answer(
        self, command: Event | Taken, state: CommandState, reason: str | None, told: dict[str, Any] | None = None
    ) -> None:
        def write() -> None:
            event = result(command.id, self._monitor, state, reason, told) | subject_of(command)
            try:
                self._kept.keep(event)
            except OSError as error:
                self._notice(f"workers: what became of a command cannot be kept: {error}")
            self._registry.append(event)
            announce(self._registry.path)

        try:
            await asyncio.to_thread(write)
        except RegistryError as error:
            self._notice(f"workers: what became of a command cannot be written: {error}")


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
