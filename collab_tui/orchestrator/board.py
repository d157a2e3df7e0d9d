"""The blackboard of a run as one attempt has it: it writes in the name of its seat and task, until it is over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from typing import Any, Final, TypeVar

from collab_tui.orchestrator.agent import WorkError
from collab_tui.orchestrator.blackboard import Blackboard, Entry, ReleasedError

_OVER: Final = "this attempt is over: nobody wants its result any more"
_Value = TypeVar("_Value")


class TaskBoard:
    """For a callable. `put` and `wait_for` are awaited where the run's loop runs; in any other thread they block."""

    def __init__(
        self,
        blackboard: Blackboard,
        seat: str,
        task: str,
        *,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        """Made where the run's loop runs. There `changed` is called whenever `waited_for` is another."""
        self._blackboard = blackboard
        self.seat = seat
        self.task = task
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._blocked: set[Future[Any]] = set()
        """What threads wait for."""
        self._endless: dict[asyncio.Future[WorkError], str] = {}
        """What ends a wait without a limit in vain -> the key that it is for."""
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
        """See `Blackboard.wait_for`, and `put`. Without `timeout` it raises `WorkError` once nobody will ever write it:
        what would give it came to nothing, or all that work in the run have waited like that for a minute.
        """
        return self._done(self._wait_for(key, timeout, after))

    @property
    def waited_for(self) -> Sequence[str]:
        """The keys for which somebody waits without a limit."""
        return tuple(self._endless.values())

    def release(self, why: str, key: str | None = None) -> None:
        """End the waits for a key, None: for any, that have no limit: they raise `WorkError`. Of the run's loop."""
        for released, waited_for in self._endless.items():
            if key in (None, waited_for) and not released.done():
                released.set_result(WorkError(why))

    def close(self) -> None:
        """The attempt is over: what waits in a thread is told so, and nothing is written from now on."""
        self._is_closed = True
        for blocked in tuple(self._blocked):
            blocked.cancel()
        for released in self._endless:
            released.cancel()
        self._endless.clear()

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
        return await self._blackboard.put(key, value, by=self.seat, task=self.task, expected=expected)

    async def _wait_for(self, key: str, timeout: float | None, after: int) -> Any:  # noqa: ASYNC109
        self._refuse_when_over()
        if timeout is not None or self._blackboard.revision(key) > after:
            return await self._blackboard.wait_for(key, timeout, after)
        waiting = asyncio.ensure_future(self._blackboard.wait_for(key, None, after))
        released: asyncio.Future[WorkError] = self._loop.create_future()
        self._endless[released] = key
        self._changed()
        try:
            await asyncio.wait((waiting, released), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise released.result()
            return waiting.result()
        finally:
            waiting.cancel()
            self._endless.pop(released, None)
            self._changed()

    def _refuse_when_over(self) -> None:
        if self._is_closed:
            raise ReleasedError(_OVER)
