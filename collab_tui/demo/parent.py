"""Noticing that the process that started this one is gone, on every system and however it ended."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_STDIN: Final = 0
_GRACE: Final = 3.0
"""Seconds to end in good order before it is done the hard way."""


def watch_parent(gone: Callable[[], None], last_resort: Callable[[], None]) -> None:
    """Call `gone`, from a thread, when standard input reaches its end: the parent holds the other end of that pipe.

    If the process is still there a few seconds later, `last_resort` is called and the process ends at once.
    """

    def wait() -> None:
        # Not sys.stdin: its lock, held by a thread that never ends, breaks the end of the interpreter.
        with suppress(OSError):
            while os.read(_STDIN, 1024):
                pass
        with suppress(RuntimeError):  # the loop is closed: ending already
            gone()
        time.sleep(_GRACE)
        last_resort()
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()
