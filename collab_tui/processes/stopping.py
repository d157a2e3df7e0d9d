"""Ending in good order when the system, the terminal or the person asks for it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_HEEDED: Final = 2
"""Signals that are waited for in good order."""


@contextmanager
def stopped_by_signals(stop: Callable[[], object], caught: list[int] | None = None) -> Iterator[None]:
    """Call `stop` in the loop for what asks a program to end, unless it was started to ignore that, as by `nohup`.

    `caught` gets the numbers of the signals; the third raises `KeyboardInterrupt` then, as the loop does not heed them.
    """
    loop = asyncio.get_running_loop()
    names = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]

    def heed(number: int, _: object) -> None:
        if caught is not None:
            caught.append(number)
            if len(caught) > _HEEDED:
                raise KeyboardInterrupt
        loop.call_soon_threadsafe(stop)

    before = [signal.signal(number, heed) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
