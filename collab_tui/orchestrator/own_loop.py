"""An event loop for one piece of work, in a program that has none: ended by signals in good order, and left in time."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from typing import Any, Final, TypeVar

from collab_tui.processes.stopping import stopped_by_signals

LEAVING: Final = 1.0
"""Seconds for what is left in the loop once the work is over."""
_Result = TypeVar("_Result")


def carry_out(work: Callable[[], Coroutine[Any, Any, _Result]], notice: Callable[[str], None]) -> _Result:
    """Do it. A signal to end cancels it, a second one once more, and what that signal does else follows then.

    Raises `RuntimeError` where a loop runs already. What does not end with it is left behind, and told to `notice`.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise RuntimeError("an event loop runs here already: use `await orchestrator.run(...)`")
    loop, caught = asyncio.new_event_loop(), list[int]()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(_signalled(work, caught))
    except asyncio.CancelledError:
        if not caught:
            raise
    finally:
        try:
            _leave(loop, notice)
        finally:
            asyncio.set_event_loop(None)
            loop.close()
    signal.raise_signal(caught[0])
    raise KeyboardInterrupt  # whoever has its own way with that signal


async def _signalled(work: Callable[[], Coroutine[Any, Any, _Result]], caught: list[int]) -> _Result:
    working = asyncio.create_task(work())
    is_main = threading.current_thread() is threading.main_thread()
    with stopped_by_signals(working.cancel, caught) if is_main else nullcontext():
        return await working


def _leave(loop: asyncio.AbstractEventLoop, notice: Callable[[str], None]) -> None:
    """Cancel the rest, once, and wait for it no longer than that is worth: `asyncio.run` would for ever."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=LEAVING))
    for task in tasks:
        if not task.done():
            notice(f"{task.get_name()} does not heed being cancelled: it is left behind")
        elif not task.cancelled() and (error := task.exception()) is not None:
            loop.call_exception_handler({"message": "left when the run was over", "exception": error, "task": task})
    closing = loop.create_task(loop.shutdown_asyncgens())
    loop.run_until_complete(asyncio.wait((closing,), timeout=LEAVING))
    loop.set_exception_handler(lambda *_: None)  # of those that are left behind nothing more is told
