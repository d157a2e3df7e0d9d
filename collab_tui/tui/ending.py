"""Ending in good order: the terminal is restored when we are told to end, and we end when the terminal is gone.

Textual dies on SIGTERM, SIGHUP and SIGQUIT with the alternate screen and the mouse reports left on, and spins for ever
when its terminal vanishes while SIGHUP is ignored. Back from the background it paints nothing until something changes.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from textual.app import App
from textual.events import Resize
from textual.geometry import Size


def end_on_signals(end: Callable[[int], None]) -> None:
    """Call `end` with the exit code when a signal asks us to end; for the running loop, where signals can be had."""
    if sys.platform == "win32":
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        loop.add_signal_handler(number, end, 128 + number)


def paint_on_return(app: App[Any]) -> None:
    """Paint everything again when the app comes back from the background: the terminal cleared its screen."""
    app.app_resume_signal.subscribe(app, lambda _: app.refresh(layout=True))


def has_terminal() -> bool:
    """Standard input is a terminal that somebody still holds."""
    try:
        return sys.__stdin__ is not None and os.isatty(sys.__stdin__.fileno())
    except ValueError:  # closed
        return False


def keep_to_size(app: App[Any]) -> None:
    """Resize an app that missed the last size of its terminal.

    Textual reads the size in its handler of the signal; of two handlers, one run in the middle of the other, the later
    size may be told first.
    """
    size = Size(*shutil.get_terminal_size(app.size))
    if size != app.size:
        app.post_message(Resize(size, size))


def read_any_bytes() -> None:
    """Let Textual read bytes that are no UTF-8 as signs that mean nothing; its reader of keys dies of them."""
    if sys.platform == "win32":
        return
    from textual.drivers import linux_driver

    def decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
        return partial(codecs.getincrementaldecoder(encoding), "replace")

    linux_driver.getincrementaldecoder = decoder  # type: ignore[attr-defined, assignment]
