"""What stood in the configuration files of agents before we changed them, kept for the user alone.

They hold secrets at times, so nothing is kept beside them, where a project's git would find it.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from collab_tui.hooks import places
from collab_tui.protocol.whole_files import Found, refuse_changed, write
from collab_tui.registry.append import NotWrittenError

_KEPT: Final = "kept"
"""The folder, among what hooks keep in the user's state folder."""


def kept(path: Path) -> Path | None:
    """The newest of the files in which we keep what stood there; None where there is none."""
    newest = None
    for candidate in _kept_names(path):
        if not candidate.exists():
            return newest
        newest = candidate
    return None


def keep(found: Found) -> Path | None:
    """Keep what was found, in a file that only the user reads; None where it was not there. Nothing kept is replaced.

    Raises `RefusedError` where it was changed since, `NotWrittenError` where it cannot be kept.
    """
    refuse_changed(found)
    if found.data is None:
        return None
    newest = kept(found.path)
    if newest is not None and newest.read_bytes() == found.data:
        return newest
    place = next(name for name in _kept_names(found.path) if not name.exists())
    failure = f"cannot keep {found.path} as {place}"
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotWrittenError(f"{failure}: {error.strerror}") from error
    write(place, found.data, None, failure, mode=0o600)
    return place


def forget_kept(path: Path) -> Path | None:
    """Remove what we kept if it is what stands there now; gives what is still kept."""
    place = kept(path)
    try:
        if place is None or place.read_bytes() != path.read_bytes():
            return place
        place.unlink()
    except OSError:  # then it stays: one copy more than is needed
        return place
    return None


def _kept_names(path: Path) -> Iterator[Path]:
    target = os.path.normcase(os.path.realpath(path))
    digest = hashlib.sha256(target.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    first = Path(places.folder(), _KEPT, f"{digest}-{path.name}")
    yield first
    for number in itertools.count(2):
        yield first.with_name(f"{first.name}.{number}")
