"""Standard input that ends when a signal says so: reading it blocks a thread that nothing else could free."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from threading import Thread
from typing import Final

_PIECE: Final = 1 << 16
"""Bytes."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """While this lasts, SIGTERM and SIGINT end `sys.stdin` as if the client had closed it."""
    ours, theirs = socket.socketpair()
    before = sys.stdin
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in handlers:
        signal.signal(number, lambda *_: _end(ours))
    Thread(target=_pump, args=(before.fileno(), ours), daemon=True).start()
    sys.stdin = TextIOWrapper(theirs.makefile("rb"), encoding="utf-8", errors="replace")
    try:
        yield
    finally:
        sys.stdin = before
        for number, handler in handlers.items():
            signal.signal(number, handler)
        theirs.close()


def _pump(source: int, target: socket.socket) -> None:
    try:
        while piece := os.read(source, _PIECE):
            target.sendall(piece)
    except OSError:
        return  # ended by a signal: nobody reads on
    _end(target)


def _end(target: socket.socket) -> None:
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # it ended already
