"""Collecting garbage around what stays.

What a start or the reading of a big registry makes is no garbage. Looking through it while it grows takes longer than
making it (30 ms of the first paint), and every later look stops the screen for tens of milliseconds.
"""

from __future__ import annotations

import gc


def hold() -> None:
    """Collect nothing until `go_on`."""
    gc.disable()


def go_on(*, keeping: bool = True) -> None:
    """Collect again; with `keeping` what there is now is never looked through."""
    if keeping and not gc.isenabled():
        gc.freeze()
    gc.enable()
