"""Where each setting of a TOML file stands. `tomllib` reads the values but does not say on which lines they were."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

Path = tuple[str, ...]
"""Table names and a key, from the outermost to the innermost."""

_PIECE: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""+'
    r"|'''.*?'''+"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'"
    r"|\#[^\n]*"
    r"|[\[{\]}]|\n|[^\"'\#\[\]{}\n]+",
    re.DOTALL,
)


def line_numbers(text: str) -> dict[Path, int]:
    """The line, from 1, on which each table and key of a file that `tomllib` can read is set first."""
    found: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        is_header = statement.startswith("[")
        paths = list(_paths(tomllib.loads(statement)))
        if is_header:
            table = paths[-1]
        for path in paths:
            found.setdefault(path if is_header else table + path, line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each table header and each `key = value` with its line; values may go over several lines."""
    line, started, depth, statement = 1, 1, 0, ""
    for match in _PIECE.finditer(text + "\n"):
        piece = match[0]
        if piece == "\n" and depth == 0:
            if statement.strip():
                yield started, statement.strip()
            statement = ""
            started = line + 1
        elif not piece.startswith("#"):
            depth += (piece in "[{") - (piece in "]}")
            statement += piece
        line += piece.count("\n")


def _paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """Every path in a value, the outer before the inner."""
    if isinstance(value, list):
        value = value[-1] if value else None
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*above, name)
            yield from _paths(inner, (*above, name))
