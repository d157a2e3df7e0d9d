"""Blocking callables: each in a daemon thread of its own, which never holds up the loop, another one, or our end."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to."""

    value: Any = None
    error: BaseException | None = None


class InThread:
    """One call in a thread. Made where a loop runs."""

    def __init__(self, call: Callable[[], Any], name: str) -> None:
        """Begin it; it sees the context variables of whoever makes this."""
        self._loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[Outcome] = self._loop.create_future()
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=self._run, args=(context, call), name=name, daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """The thread is still at it: nobody can end it from outside."""
        return self._thread.is_alive()

    def _run(self, context: contextvars.Context, call: Callable[[], Any]) -> None:
        try:
            outcome = Outcome(context.run(call))
        except BaseException as error:  # whatever it is, it is told where the call was made
            outcome = Outcome(error=error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._tell, outcome)

    def _tell(self, outcome: Outcome) -> None:
        if not self.outcome.done():  # else nobody wants it any more
            self.outcome.set_result(outcome)
