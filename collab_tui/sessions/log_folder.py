"""Folders of logs beside a registry: for the user's eyes only, in no commit, the latest of them, within bounds."""

from __future__ import annotations

import errno
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

LOGS: Final = "logs"
"""The folder, beside the registry; in it is one for each kind."""
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


class LogFolder:
    """The logs of one kind beside one registry."""

    def __init__(
        self, registry: Path, kind: str, ours: re.Pattern[str], *, most: int, most_bytes: int, most_each: int = 0
    ) -> None:
        """At most so many files whose names match `ours`, and of so many bytes together.

        With `most_each`, also at most so many of what the group `of` of their names says.
        """
        self.path = registry.parent / LOGS / kind
        self._ours = ours
        self._most = most
        self._most_bytes = most_bytes
        self._most_each = most_each or most

    def check(self) -> None:
        """Raises `OSError` where a link leads elsewhere: a project may hold one."""
        if self.path.resolve() != self.path.parent.parent.resolve() / LOGS / self.path.name:
            raise OSError(errno.ELOOP, "a symbolic link leads elsewhere, and nothing is written through one", self.path)

    def make_room(self, kept: Collection[Path] = ()) -> None:
        """Make the folder, and room in it for one log more: the oldest go, but those `kept`. Raises `OSError`."""
        self.check()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError), os.fdopen(os.open(self.path / ".gitignore", _NEW, 0o600), "wb") as file:
            file.write(b"*\n")
        count, size, each = 1, 0, Counter[str]()
        for log, of, length in self._newest_first():
            count, size = count + 1, size + length
            each[of] += 1
            is_room = count <= self._most and size <= self._most_bytes and each[of] < self._most_each
            if not is_room and log.with_name(log.name.removesuffix(".1")) not in kept:
                with suppress(OSError):  # the next time
                    log.unlink(missing_ok=True)

    def _newest_first(self) -> Iterator[tuple[Path, str, int]]:
        """Each file, what it is of, and its bytes."""
        found = []
        for log in self.path.iterdir():
            match = self._ours.fullmatch(log.name)
            with suppress(OSError):  # it is gone
                if match is not None:
                    about = log.lstat()
                    found.append((about.st_mtime, log, match.groupdict().get("of") or log.name, about.st_size))
        for _, log, of, length in sorted(found, reverse=True):
            yield log, of, length


def pointer(registry: Path, log: Path) -> str:
    """How an event names a log: from the folder of the registry on, so that it says nothing of the machine."""
    with suppress(ValueError):  # it is elsewhere
        return log.relative_to(registry.parent).as_posix()
    return str(log)


def find_log(registry: Path, named: str) -> Path | None:
    """The log that a line of the registry names; None where there is none here.

    Anybody can write a line, so it is never another file than one in the logs of this registry.
    """
    with suppress(OSError, ValueError):  # no file could be called so
        path = (registry.parent / named).resolve()
        if path.is_relative_to(registry.parent.resolve() / LOGS) and path.is_file():
            return path
    return None
