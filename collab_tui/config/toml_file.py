"""A TOML file that somebody wrote by hand: read within bounds, its mistakes told with file and line."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_LONGEST: Final = 1 << 20
"""Bytes of a file that are read."""


class TomlError(Exception):
    """The file cannot be read or is not TOML; the text names it."""


@dataclass(frozen=True, slots=True)
class TomlFile:
    """What a file holds."""

    path: Path
    data: Mapping[str, Any]
    lines: Mapping[tuple[str, ...], int]
    is_writable_by_others: bool
    """It is another's, or others may write it; False where the system does not tell."""

    def line_of(self, path: tuple[str, ...]) -> int:
        """Where a value stands; what stands nowhere by itself is told where what it is in begins."""
        return next((line for depth in range(len(path), 0, -1) if (line := self.lines.get(path[:depth]))), 1)


def read_toml(path: Path) -> TomlFile | None:
    """Read a file; None where there is none. Raises `TomlError`."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > _LONGEST:  # a pipe would never end
            raise TomlError(f"{path}: it is no file of at most {_LONGEST:,} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise TomlError(f"{path}: it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TomlError(f"{path}: it is not UTF-8 ({error}); save it as UTF-8") from error
    import tomllib  # 5 ms that a start without settings need not pay

    from collab_tui.config.lines import line_numbers

    try:
        data = tomllib.loads(text)
    except ValueError as error:  # a number of thousands of digits is one that is not `tomllib`'s own
        raise TomlError(f"{path}: it is not TOML: {error}") from error
    except RecursionError:
        raise TomlError(f"{path}: its values stand too deep in each other") from None
    is_writable = os.name == "posix" and (
        about.st_uid != os.geteuid() or bool(about.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    )
    return TomlFile(path, data, line_numbers(text), is_writable)
