"""The blackboard of a run as one attempt has it: it writes in the name of its seat and task, until it is over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from typing import Any, Final, TypeVar

from collab_tui.orchestrator.agent import WorkError
from collab_tui.orchestrator.blackboard import Blackboard, Entry, ReleasedError

_OVER: Final = "this attempt is over: nobody wants its result any more"
_Value = TypeVar("_Value")


def _heed_nothing(task: str, key: str) -> None:
    """Nobody wants to know."""


class TaskBoard:
    """For a callable. `put` and `wait_for` are awaited where the run's loop runs; in any other thread they block."""

    def __init__(
        self,
        blackboard: Blackboard,
        seat: str,
        task: str,
        *,
        waits: Callable[[str, str], None] = _heed_nothing,
        woken: Callable[[str, str], None] = _heed_nothing,
    ) -> None:
        """Made where the run's loop runs.

        There `waits` is told, with the task and the key, of each wait that may last for ever before it begins, and may
        refuse it by a `WorkError`; `woken` of its end.
        """
        self._blackboard = blackboard
        self._seat = seat
        self._task = task
        self._waits = waits
        self._woken = woken
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._blocked: set[Future[Any]] = set()
        """What threads wait for."""
        self._endless: set[asyncio.Future[Any]] = set()
        """Waits without a limit."""
        self._released: str | None = None
        self._is_closed = False

    def __contains__(self, key: str) -> bool:
        return key in self._blackboard

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key."""
        return self._blackboard.get(key, default)

    def revision(self, key: str) -> int:
        """How often it was written."""
        return self._blackboard.revision(key)

    def snapshot(self) -> Mapping[str, Entry]:
        """All that stands there."""
        return self._blackboard.snapshot()

    def put(self, key: str, value: Any, *, expected: int | None = None) -> Any:
        """See `Blackboard.put`. Raises `ReleasedError` once nobody wants the result of this attempt any more."""
        return self._done(self._put(key, value, expected))

    def wait_for(self, key: str, timeout: float | None = None, after: int = 0) -> Any:
        """See `Blackboard.wait_for`, and `put`. Raises `WorkError` where nobody will ever write it."""
        return self._done(self._wait_for(key, timeout, after))

    def release(self, why: str) -> None:
        """End all waits that have no limit: they raise `WorkError`. Of the run's loop."""
        self._released = why
        for waiting in tuple(self._endless):
            waiting.cancel()

    def close(self) -> None:
        """The attempt is over: what waits in a thread is told so, and nothing is written from now on."""
        self._is_closed = True
        for blocked in tuple(self._blocked):
            blocked.cancel()

    def _done(self, call: Coroutine[Any, Any, _Value]) -> Any:
        if threading.get_ident() == self._thread:
            return call
        doing = asyncio.run_coroutine_threadsafe(call, self._loop)
        self._blocked.add(doing)
        try:
            return doing.result()
        except CancelledError:
            raise ReleasedError(_OVER) from None
        finally:
            self._blocked.discard(doing)

    # In the loop, as `close` is: so one of them surely sees the other

    async def _put(self, key: str, value: Any, expected: int | None) -> Entry:
        self._refuse_when_over()
        return await self._blackboard.put(key, value, by=self._seat, task=self._task, expected=expected)

    async def _wait_for(self, key: str, timeout: float | None, after: int) -> Any:  # noqa: ASYNC109
        self._refuse_when_over()
        if timeout is not None or self._blackboard.revision(key) > after:
            return await self._blackboard.wait_for(key, timeout, after)
        self._waits(self._task, key)
        waiting = asyncio.ensure_future(self._blackboard.wait_for(key, None, after))
        self._endless.add(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            if self._released is not None:
                raise WorkError(self._released) from None
            raise
        finally:
            self._endless.discard(waiting)
            self._woken(self._task, key)

    def _refuse_when_over(self) -> None:
        if self._is_closed:
            raise ReleasedError(_OVER)
