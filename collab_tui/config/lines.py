"""Where each setting of a TOML file stands. `tomllib` reads the values but does not say on which lines they were."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

Path = tuple[str, ...]
"""Table names and a key, from the outermost to the innermost; for a table in an array its number, from 1."""

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
    arrays: Counter[Path] = Counter()
    for line, statement in _statements(text):
        paths = list(_paths(tomllib.loads(statement)))
        if statement.startswith("["):
            table = _table(paths[-1], arrays, is_in_array=statement.startswith("[["))
            paths = [table[:depth] for depth in range(1, len(table) + 1)]
        else:
            paths = [table + path for path in paths]
        for path in paths:
            found.setdefault(path, line)
    return found


def _table(header: Path, arrays: Counter[Path], *, is_in_array: bool) -> Path:
    """Where the keys below a header belong; of an array it is the last table, and `[[...]]` adds another."""
    names = header[:-1] if is_in_array else header
    table: Path = ()
    for name in names[:-1]:
        table += (name,)
        if table in arrays:
            table += (str(arrays[table]),)
    table += names[-1:]
    if is_in_array:
        arrays[table] += 1
        table += (str(arrays[table]),)
    return table


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
        inside = {str(number): item for number, item in enumerate(value, 1) if isinstance(item, dict)}
    else:
        inside = value if isinstance(value, dict) else {}
    for name, inner in inside.items():
        yield (*above, name)
        yield from _paths(inner, (*above, name))
