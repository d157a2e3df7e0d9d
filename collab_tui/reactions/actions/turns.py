"""What a rule does that has a beginning and an end: of each rule one at a time, in order, so that none waits for those
of another rule.

That it begins is written before it begins, and how it ended afterwards. One that was begun and has no end when the
monitor starts anew is not done again: nobody knows how far it came, and twice may be worse than not to the end.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

from collab_tui.processes.programs import GRACE, Ended
from collab_tui.protocol.used import UsedDecisions
from collab_tui.reactions.ledger import STARTED, WRITER
from collab_tui.reactions.occurrences import Occurrence
from collab_tui.registry.append import LockedError, NotWrittenError, RegistryError, hold

MAX_WAITING: Final = 20
"""Of one rule that wait for the one before; more are refused."""
_NEXT_LOOK: Final = 0.5
"""Seconds between two looks whether this is to end, while what a monitor that was killed had begun is waited for."""
_PATIENCE: Final = 5.0
"""Seconds beyond the grace of programs to write down how they ended."""


class Record(Protocol):
    """Writes what became of an occurrence; False when another monitor did, or there is nothing to write to any more."""

    def __call__(self, occurrence: Occurrence, outcome: str, /, **more: Any) -> Awaitable[bool]:
        """`more` are further fields of the activation."""
        ...


class Do(Protocol):
    """Does what a rule wants, to its end or until `stop` is set; never raises for what goes wrong with it."""

    def __call__(self, occurrence: Occurrence, activation: str, alone: int, stop: asyncio.Event) -> Awaitable[Ended]:
        """`activation` is the id of the line that says that it begins; `alone` a descriptor that keeps the next one of
        the rule waiting for as long as it is open anywhere.
        """
        ...


class Turns:
    """What all rules of one registry began, or are to begin."""

    def __init__(
        self,
        folder: Path,
        record: Record,
        why_not: Callable[[Occurrence], str | None],
        used: UsedDecisions,
        do: Do,
        grace: float = GRACE,
    ) -> None:
        """`folder` is what is kept for the registry; `grace` how long what is stopped may take, in seconds.

        `why_not` says why an occurrence need not be acted on any more; it is asked before each begins.
        """
        self._folder = folder
        self._record = record
        self._why_not = why_not
        self._used = used
        self._do = do
        self._grace = grace
        self._queues: dict[str, asyncio.Queue[Occurrence | None]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()
        self.waiting: dict[str, Occurrence] = {}
        """By key, what is not begun: nothing of it is written yet."""

    def offer(self, occurrence: Occurrence) -> str | None:
        """Do it in its turn; gives why not."""
        rule = occurrence.rule
        if not rule.is_users:
            return "refused: a project's rule starts no programs, and prompts no sessions"
        queue = self._queues.setdefault(rule.name, asyncio.Queue(MAX_WAITING))
        if queue.full():
            return f"refused: {MAX_WAITING} wait already for the one before to end"
        self.waiting[occurrence.key] = occurrence
        queue.put_nowait(occurrence)
        if rule.name not in self._workers:
            self._workers[rule.name] = asyncio.create_task(self._work(queue))
        return None

    def check(self) -> None:
        """Raise what ended the work on a rule's programs, which nothing should."""
        for worker in self._workers.values():
            if worker.done() and not worker.cancelled():
                worker.result()

    async def end(self) -> None:
        """End what runs, and begin nothing any more."""
        self._stop.set()
        for queue in self._queues.values():
            while not queue.empty():
                queue.get_nowait()  # it stays among those that wait
            queue.put_nowait(None)
        if self._workers:
            _, late = await asyncio.wait(self._workers.values(), timeout=self._grace + _PATIENCE)
            for worker in late:
                worker.cancel()
            await asyncio.gather(*self._workers.values(), return_exceptions=True)
            self.check()

    async def _work(self, queue: asyncio.Queue[Occurrence | None]) -> None:
        while (occurrence := await queue.get()) is not None and not self._stop.is_set():
            try:
                alone = await self._alone(occurrence)
            except RegistryError as error:
                await self._record(occurrence, f"failed: {error}")
            else:
                if alone is None:
                    return  # it stays among those that wait
                try:
                    await self._one(occurrence, alone)
                finally:
                    os.close(alone)
            self.waiting.pop(occurrence.key, None)

    async def _alone(self, occurrence: Occurrence) -> int | None:
        """Wait until nothing runs of this rule, also not what a monitor that was killed had begun.

        Gives a descriptor that keeps others waiting; None when this is to end.
        """
        name = hashlib.sha256(occurrence.rule.name.encode("utf-8", "replace")).hexdigest()[:16]
        path = self._folder / f"run-{name}"
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise NotWrittenError(f"cannot make {path.parent}: {error.strerror}") from error
        while not self._stop.is_set():
            try:
                return await asyncio.to_thread(hold, str(path), _NEXT_LOOK)
            except LockedError:
                continue
        return None

    async def _one(self, occurrence: Occurrence, alone: int) -> None:
        if (refused := self._why_not(occurrence)) is not None:
            await self._record(occurrence, f"refused: {refused}")
            return
        activation = os.urandom(8).hex()
        if not await self._record(occurrence, STARTED, id=activation):
            return
        self.waiting.pop(occurrence.key, None)
        refused = await self._why_not_by(occurrence)
        if refused is not None:
            ended = Ended(refused, 0.0, None)
        else:
            ended = await self._do(occurrence, activation, alone, self._stop)
        more = {"log": str(ended.log)} if ended.log is not None else {}
        await self._record(occurrence, ended.outcome, started=activation, took_ms=round(ended.took * 1000), **more)

    async def _why_not_by(self, occurrence: Occurrence) -> str | None:
        """A decision sets off each rule once, also when it comes again in a registry that was put back."""
        cause, by = occurrence.cause, f"{WRITER} {occurrence.rule.name}"
        if cause is None or cause.kind != "decision":
            return None
        try:
            is_first = await asyncio.to_thread(self._used.use_once, cause, by)
        except RegistryError as error:
            return f"refused: it cannot be told whether that decision was acted on before: {error}"
        return None if is_first else "refused: that decision was acted on before"
