"""A loop without chance: by a clock of its own, and without threads. So a story goes the same way each time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from selectors import SelectorKey, SelectSelector
from typing import Any


class HangsError(AssertionError):
    """A process of the run that nothing more comes of."""


class Clock(SelectSelector):
    """Time goes by at once where a loop would wait: no machine is too slow for a story, and none waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None:
            raise HangsError("nothing more comes of it")
        self.passed += timeout
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """By such a clock."""

    def __init__(self) -> None:
        self._clock = Clock()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.passed

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        return super().run_in_executor(executor or Disk(0), func, *args)


class Disk(Executor):
    """The thread of the journal, without the chance that is in threads: a write takes so many turns of the loop."""

    def __init__(self, turns: int) -> None:
        self._turns = turns

    def submit(self, write: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        written: Future[Any] = Future()
        loop = asyncio.get_running_loop()

        def turn(left: int) -> None:
            if left:
                loop.call_soon(turn, left - 1)
                return
            try:
                written.set_result(write(*arguments, **named))
            except Exception as error:
                written.set_exception(error)

        loop.call_soon(turn, self._turns)
        return written
