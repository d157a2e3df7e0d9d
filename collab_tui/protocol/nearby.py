"""Waking those in this process who follow a registry, right after an append: they need not wait for the watcher."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

_lock = Lock()
_followers: dict[str, list[Callable[[], object]]] = {}
"""Real path -> what wakes each follower."""


@contextmanager
def woken(registry: Path, wake: Callable[[], object]) -> Iterator[None]:
    """While this lasts, `wake` is called in the thread of whoever appended to the registry; it has to be quick."""
    place = _real(registry)
    with _lock:
        _followers.setdefault(place, []).append(wake)
    try:
        yield
    finally:
        with _lock:
            _followers[place].remove(wake)
            if not _followers[place]:
                del _followers[place]


def announce(registry: Path) -> None:
    """Somebody in this process appended to the registry."""
    with _lock:  # whoever leaves waits for this, and is not woken afterwards
        for wake in _followers.get(_real(registry), ()):
            wake()


def _real(registry: Path) -> str:
    return os.path.normcase(os.path.realpath(registry))
