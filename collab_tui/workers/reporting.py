"""Telling the source what became of a worker: the user's own program gets it as JSON on standard input.

It is told at least once: a monitor that ends meanwhile tells it again, and `worker` says that it is the same. Nothing
waits for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from collab_tui.processes.programs import Program, allowed_environment, run
from collab_tui.registry.kept import kept_for
from collab_tui.workers.book import Book
from collab_tui.workers.job import Job, Step

TIME_LIMIT: Final = 30.0
"""Seconds."""
MOST: Final = 1000
"""Workers of which it is still to be told. Of more it is not, and that is said."""


class Reports:
    """What became of workers, told one after the other to the program that the settings name then."""

    def __init__(
        self,
        registry: Path,
        book: Book,
        program: Callable[[], Sequence[str] | None],
        environment: Mapping[str, str],
        notice: Callable[[str], None],
    ) -> None:
        """Programs get what is allowed of `environment`."""
        self._registry = registry
        self._book = book
        self._program = program
        self._environment = environment
        self._notice = notice
        self._waiting: asyncio.Queue[Job] = asyncio.Queue(MOST)

    async def add(self, job: Job) -> None:
        """Tell of one that is over, or of which everything was told before; then nothing more comes of it."""
        if self._program() is not None:
            told = replace(job, step=Step.TOLD)
            await self._book.keep(told)
            try:
                self._waiting.put_nowait(told)
            except asyncio.QueueFull:
                self._notice(f"what became of the worker {job.id} is not reported: {MOST} wait for it already")
            else:
                return
        await self._book.forget(job)

    async def run(self, stop: asyncio.Event) -> None:
        """Tell of them until `stop`: of the rest the next monitor does."""
        while not stop.is_set():
            job = await self._waiting.get()
            program = self._program()
            why_not = await report(program, job, self._registry, self._environment, stop) if program else None
            if stop.is_set():
                return
            if why_not is not None:
                self._notice(f"what became of the worker {job.id} could not be reported: {why_not}")
            await self._book.forget(job)


def document(job: Job, registry: Path) -> dict[str, Any]:
    """What is told."""
    names = ("task", "title", "project", "stream", "cause", "session", "verdict", "result", "log")
    told = {name: value for name in names if (value := getattr(job, name)) is not None}
    outcome = job.outcome.value if job.outcome else None
    return {"worker": job.id, "kind": job.kind.value, "outcome": outcome, "why": job.told, **told} | {
        "registry": str(registry)
    }


async def report(
    arguments: Sequence[str], job: Job, registry: Path, environment: Mapping[str, str], stop: asyncio.Event
) -> str | None:
    """Run the program; gives why it did not take it, None when it did."""
    log = kept_for(registry) / "reports" / f"{job.id}.log"
    program = Program(
        arguments,
        json.dumps(document(job, registry)).encode() + b"\n",
        allowed_environment(environment),
        registry.parent,
        TIME_LIMIT,
        log,
    )
    ended = await run(program, stop)
    return None if ended.outcome == "exit 0" else f"{arguments[0]}: {ended.outcome}"
