"""A TOML file that somebody wrote by hand: read within bounds, its mistakes told with file and line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from collab_tui.config.text_file import TextError, read_text

_AT: Final = re.compile(r" \(at line (\d+), column \d+\)")
_LONGEST: Final = 1 << 20
"""Bytes of a file that are read."""


class TomlError(Exception):
    """The file cannot be read or is not TOML; the text names it."""


@dataclass(frozen=True, slots=True)
class TomlFile:
    """What a file holds."""

    path: Path
    text: str
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
        file = read_text(path, _LONGEST)
    except TextError as error:
        raise TomlError(str(error)) from error
    if file is None:
        return None
    import tomllib  # 5 ms that a start without settings need not pay

    from collab_tui.config.lines import line_numbers

    try:
        data = tomllib.loads(file.text)
    except ValueError as error:  # a number of thousands of digits is one that is not `tomllib`'s own
        found = _AT.search(str(error))
        place, why = (f":{found[1]}", str(error).replace(found[0], "")) if found is not None else ("", str(error))
        if why == r"Illegal character '\n'":
            why = 'a text ends on the line on which it begins: its closing " is missing'
        raise TomlError(f"{path}{place}: it is not TOML: {why}") from error
    except RecursionError:
        raise TomlError(f"{path}: its values stand too deep in each other") from None
    return TomlFile(path, file.text, data, line_numbers(file.text), file.is_writable_by_others)
