"""The time that an attempt has: it does not go by while the agent waits for the person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from collab_tui.orchestrator.agent import Assignment, Given
from collab_tui.orchestrator.attempt import Attempt, Ended
from tests.orchestrator.agents.assigned import assignment

_SHORT = 0.02
_LONG = 60.0


class Worker:
    """One that does as the test says."""

    def __init__(self, does: Callable[[Assignment], Awaitable[None]]) -> None:
        self._does = does

    async def work(self, assignment: Assignment) -> Given:
        await self._does(assignment)
        return Given("done")

    async def settle(self, task: str) -> None: ...

    async def close(self) -> None: ...


async def never(given: Assignment) -> None:
    await asyncio.Event().wait()


def attempt(does: Callable[[Assignment], Awaitable[None]], timeout: float) -> Attempt:
    return Attempt(Worker(does), assignment(), timeout, grace=0.1)


async def test_one_that_waits_for_the_person_outlasts_its_time() -> None:
    async def asks(given: Assignment) -> None:
        given.waits(True)
        assert (await attempt(never, 2 * _SHORT).outcome()).ended is Ended.TIMED_OUT
        given.waits(False)

    outcome = await attempt(asks, _SHORT).outcome()
    assert (outcome.ended, outcome.given) == (Ended.BY_ITSELF, Given("done"))


async def test_what_is_left_of_its_time_goes_on_when_the_person_answered() -> None:
    async def asks_twice(given: Assignment) -> None:
        for is_waiting in (True, True, False, False):
            given.waits(is_waiting)
        await never(given)

    async with asyncio.timeout(_LONG):
        assert (await attempt(asks_twice, _SHORT).outcome()).ended is Ended.TIMED_OUT


async def test_one_that_raises_what_would_end_a_coroutine_failed() -> None:
    async def ends(given: Assignment) -> None:
        raise GeneratorExit

    assert isinstance((await attempt(ends, _LONG).outcome()).error, GeneratorExit)
