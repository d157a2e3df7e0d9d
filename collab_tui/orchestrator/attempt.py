"""One attempt of one agent: bounded in time, to be cancelled at any moment, whatever the agent does."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from collab_tui.orchestrator.agent import Assignment, Given, Worker

LEEWAY: Final = 2.0
"""Seconds beyond the grace until an agent that does not end counts as one that never will."""


class Ended(StrEnum):
    """How an attempt ended."""

    BY_ITSELF = "by itself"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: what the agent gave, what it raised, or neither where it was ended."""

    ended: Ended
    took: float
    """Seconds for which the agent had it."""
    given: Given | None = None
    error: BaseException | None = None
    is_left_behind: bool = False
    """The agent was to end, and did not: what it still does, nobody hears of."""


class Attempt:
    """An agent at work. `timeout` is in seconds, without those in which it waits for the person."""

    def __init__(self, worker: Worker, assignment: Assignment, timeout: float | None, grace: float) -> None:
        self._worker = worker
        self._assignment = replace(assignment, waits=self._heed)
        self._left = timeout
        self._runs_since: float | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._grace = grace
        loop = asyncio.get_running_loop()
        self._is_cancelled: asyncio.Future[None] = loop.create_future()
        self._is_too_late: asyncio.Future[None] = loop.create_future()

    def cancel(self) -> None:
        """Have the agent end, within the grace."""
        if not self._is_cancelled.done():
            self._is_cancelled.set_result(None)

    async def outcome(self) -> Outcome:
        """Let it work. Cancelled itself, it has the agent end and does not wait for that."""
        began = time.monotonic()
        working = asyncio.create_task(self._work())
        self._heed(False)
        try:
            await asyncio.wait((working, self._is_cancelled, self._is_too_late), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return _of(working, time.monotonic() - began)
            ended = Ended.CANCELLED if self._is_cancelled.done() else Ended.TIMED_OUT
            working.cancel()
            await asyncio.wait((working,), timeout=self._grace + LEEWAY)
        except asyncio.CancelledError:
            working.cancel()
            raise
        finally:
            self._stop_clock()
        error = None if not working.done() or working.cancelled() else working.result()
        return Outcome(
            ended,
            time.monotonic() - began,
            error=error if isinstance(error, BaseException) else None,
            is_left_behind=not working.done(),
        )

    def _heed(self, is_waiting: bool) -> None:
        """It waits for the person, or not."""
        self._stop_clock()
        if self._left is not None and not is_waiting and not self._is_too_late.done():
            self._runs_since = time.monotonic()
            self._alarm = asyncio.get_running_loop().call_later(self._left, self._is_too_late.set_result, None)

    def _stop_clock(self) -> None:
        if self._alarm is not None and self._left is not None and self._runs_since is not None:
            self._alarm.cancel()
            self._alarm = None
            self._left = max(0.0, self._left - (time.monotonic() - self._runs_since))

    async def _work(self) -> Given | BaseException:
        try:
            return await self._worker.work(self._assignment)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            return error


def _of(working: asyncio.Task[Given | BaseException], took: float) -> Outcome:
    if working.cancelled():
        return Outcome(Ended.BY_ITSELF, took, error=asyncio.CancelledError("it cancelled itself"))
    result = working.result()
    if isinstance(result, BaseException):
        return Outcome(Ended.BY_ITSELF, took, error=result)
    return Outcome(Ended.BY_ITSELF, took, given=result)
