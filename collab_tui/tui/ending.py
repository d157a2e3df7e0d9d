"""Ending in good order: the terminal is restored when we are told to end, and we end when the terminal is gone.

Textual dies on SIGTERM, SIGHUP and SIGQUIT with the alternate screen and the mouse reports left on, and spins for ever
when its terminal vanishes while SIGHUP is ignored.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable


def end_on_signals(end: Callable[[int], None]) -> None:
    """Call `end` with the exit code when a signal asks us to end; for the running loop, where signals can be had."""
    if sys.platform == "win32":
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        loop.add_signal_handler(number, end, 128 + number)


def has_terminal() -> bool:
    """Standard input is a terminal that somebody still holds."""
    try:
        return sys.__stdin__ is not None and os.isatty(sys.__stdin__.fileno())
    except ValueError:  # closed
        return False
