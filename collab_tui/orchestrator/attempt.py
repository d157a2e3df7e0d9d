"""One attempt of one agent: bounded in time, to be cancelled at any moment, whatever the agent does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from collab_tui.orchestrator.agent import Assignment, Given, Worker
from collab_tui.orchestrator.countdown import Countdown

LEEWAY: Final = 2.0
"""Seconds beyond the grace until an agent that does not end counts as one that never will."""


class Ended(StrEnum):
    """How an attempt ended."""

    BY_ITSELF = "by itself"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: what the agent gave, what it raised, or neither."""

    ended: Ended
    took: float
    """Seconds for which the agent had it."""
    given: Given | None = None
    error: BaseException | None = None
    is_left_behind: bool = False
    """The agent was to end, and did not: what it still does, nobody hears of."""


class Attempt:
    """An agent at work. `timeout` is in seconds, without those in which it waits for the person."""

    def __init__(
        self,
        worker: Worker,
        assignment: Assignment,
        timeout: float | None,
        grace: float,
        waits: Callable[[bool], object] = lambda is_waiting: None,
    ) -> None:
        """`waits` is told when it begins to wait for the person, and when it no longer does."""
        self._worker = worker
        self._assignment = replace(assignment, waits=self._heed)
        self._grace = grace
        self._waits = waits
        self._is_over = False
        self._to_end: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._countdown = Countdown(timeout, lambda: self._end(Ended.TIMED_OUT))

    def cancel(self) -> None:
        """Have the agent end, within the grace."""
        self._end(Ended.CANCELLED)

    async def outcome(self) -> Outcome:
        """Let it work. Cancelled itself, it has the agent end and does not wait for that."""
        began = time.monotonic()
        working = asyncio.create_task(self._work())
        self._countdown.run()
        ended = Ended.BY_ITSELF
        try:
            await asyncio.wait((working, self._to_end), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                ended = self._to_end.result()
                working.cancel()
                await asyncio.wait((working,), timeout=self._grace + LEEWAY)
        except asyncio.CancelledError:
            working.cancel()
            raise
        finally:
            self._is_over = True
            self._countdown.stand_still()
        took = time.monotonic() - began
        if not working.done():
            return Outcome(ended, took, is_left_behind=True)
        if working.cancelled():
            by_itself = asyncio.CancelledError("it cancelled itself") if ended is Ended.BY_ITSELF else None
            return Outcome(ended, took, error=by_itself)
        result = working.result()
        if isinstance(result, BaseException):
            return Outcome(ended, took, error=result)
        return Outcome(ended, took, given=result)

    def _end(self, how: Ended) -> None:
        if not self._to_end.done():
            self._to_end.set_result(how)

    def _heed(self, is_waiting: bool) -> None:
        """It waits for the person, or not."""
        if self._is_over:
            return
        if is_waiting:
            self._countdown.stand_still()
        else:
            self._countdown.run()
        self._waits(is_waiting)

    async def _work(self) -> Given | BaseException:
        try:
            return await self._worker.work(self._assignment)
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise
        except BaseException as error:
            return error
