"""What happened to a line that cannot be read, as far as its bytes tell, and what to do so that it ends."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Final, NamedTuple

from collab_tui.model.event import Unreadable
from collab_tui.model.findings import Severity


class Damage(StrEnum):
    """The kinds of unreadable lines."""

    EMPTY = "empty_line"
    TOO_LONG = "too_long"
    CONFLICT = "conflict_marker"
    NULS = "nul_bytes"
    UTF16 = "utf16"
    SPLICED = "spliced"
    TORN = "torn"
    OTHER_ENCODING = "other_encoding"
    TOO_DEEP = "too_deep"
    NO_OBJECT = "no_object"
    NO_JSON = "no_json"


class Told(NamedTuple):
    """How lines of one kind are told, after their number."""

    severity: Severity
    one: str
    many: str
    mend: str


_AGAIN: Final = "Append again what still matters of it."
_WITH_EMIT: Final = "Let programs append with `collab-tui emit`"

TOLD: Final = {
    Damage.SPLICED: Told(
        Severity.WARNING,
        "line holds two records in one, and neither counts",
        "lines hold two records in one, and neither counts",
        f"Two programs wrote at once without the lock. {_WITH_EMIT}. {_AGAIN}",
    ),
    Damage.TORN: Told(
        Severity.WARNING,
        "line is only a part of a record",
        "lines are only parts of records",
        f"A writer died, or the disk was full, in the middle of it. {_AGAIN}",
    ),
    Damage.NULS: Told(
        Severity.WARNING,
        "line holds NUL bytes",
        "lines hold NUL bytes",
        f"The power failed before the disk had it, or a network drive gave room without bytes. {_AGAIN}",
    ),
    Damage.UTF16: Told(
        Severity.WARNING,
        "line is written in UTF-16",
        "lines are written in UTF-16",
        f"`>>` of Windows PowerShell writes so. {_WITH_EMIT}, or use `Add-Content -Encoding utf8`. {_AGAIN}",
    ),
    Damage.OTHER_ENCODING: Told(
        Severity.WARNING,
        "line is not in UTF-8",
        "lines are not in UTF-8",
        f"A program writes in the encoding of its console: set PYTHONUTF8=1 for Python. {_WITH_EMIT}. {_AGAIN}",
    ),
    Damage.CONFLICT: Told(
        Severity.WARNING,
        "mark of an unfinished merge",
        "marks of unfinished merges",
        "Both sides of the merge count as they stand. Keep the registry out of git, or give it `merge=union` in "
        ".gitattributes.",
    ),
    Damage.TOO_LONG: Told(
        Severity.WARNING,
        "line is longer than 1 MiB",
        "lines are longer than 1 MiB",
        "Put what is long in a file of its own, and name that in the event.",
    ),
    Damage.TOO_DEEP: Told(
        Severity.WARNING,
        "line is nested too deeply",
        "lines are nested too deeply",
        "See in the log who wrote it; a record is flat, with a list here and there.",
    ),
    Damage.NO_OBJECT: Told(
        Severity.WARNING,
        "line is JSON, but not an object",
        "lines are JSON, but not objects",
        'A record is one object: {"agent": "NAME", "event": "status_update", ...}.',
    ),
    Damage.NO_JSON: Told(
        Severity.WARNING,
        "line is not JSON",
        "lines are not JSON",
        f"See in the log what stands there. {_WITH_EMIT}, so that no program has to write JSON by hand.",
    ),
    Damage.EMPTY: Told(Severity.NOTE, "line is empty", "lines are empty", ""),
}
"""The most serious first: two records lost, one, none."""

_LOOKED_AT: Final = 1 << 16
"""Bytes of a line that are looked at."""
_TRIES: Final = 32
"""Places of a line at which another record may begin that are tried."""
_MARKER: Final = re.compile(rb"(?:<{7}|>{7}|\|{7}) .*|={7}", re.DOTALL)
_ANOTHER: Final = re.compile(r'\{\s*"')
_SURELY_ANOTHER: Final = re.compile(r'[^\s:,\[{]\s*\{\s*"(?:id|timestamp|ts|time|agent|event)"\s*:')
"""A record's first key, where within JSON no object can begin."""
_RECORD_KEYS: Final = frozenset({"id", "timestamp", "ts", "time", "agent", "event"})
_CUT_LITERAL: Final = re.compile(r"(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|-|\.|[eE][+-]?)?")


def damage_of(item: Unreadable) -> Damage:
    """What happened to the line."""
    if item.reason.startswith("too long"):
        return Damage.TOO_LONG
    line = item.line[:_LOOKED_AT].strip(b" \t\r")
    if not line or line == b"\xef\xbb\xbf":
        return Damage.EMPTY
    if _MARKER.fullmatch(line):
        return Damage.CONFLICT
    if b"\0" in line:
        return Damage.UTF16 if _is_utf16(line) else Damage.NULS
    text = line.decode("utf-8", "replace").removeprefix("\ufeff")
    if item.reason.startswith("nested"):
        return Damage.TOO_DEEP
    if _is_spliced(text):
        return Damage.SPLICED
    if _is_torn(text):
        return Damage.TORN
    try:
        line.decode("utf-8")
        json.loads(text)
    except UnicodeDecodeError:
        return Damage.OTHER_ENCODING
    except ValueError:
        return Damage.NO_JSON
    return Damage.NO_OBJECT


def _is_utf16(line: bytes) -> bool:
    """Every other byte of plain text is NUL; splitting at newlines may have moved which one."""
    sample = line.removeprefix(b"\xff\xfe")[:400]
    return any(
        len(half) > 1 and half.count(0) > 0.6 * len(half) and other.count(0) < 0.1 * len(other) + 1
        for half, other in ((sample[::2], sample[1::2]), (sample[1::2], sample[::2]))
    )


def _is_spliced(text: str) -> bool:
    """Another record begins after the line's own beginning, or after its end."""
    if _SURELY_ANOTHER.search(text, 1):
        return True
    decoder = json.JSONDecoder()
    for number, match in enumerate(_ANOTHER.finditer(text, 1)):
        if number >= _TRIES:
            return False
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if len(_RECORD_KEYS & value.keys()) > 1:
            return True
    return False


def _is_torn(text: str) -> bool:
    """A record without its end, or, cut off by a newline, an end without its beginning."""
    if not text.startswith("{"):
        return text.endswith("}") and '"' in text
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        left = text[error.pos :]
        is_cut = not left.strip() or _CUT_LITERAL.fullmatch(left.strip()) is not None
        return is_cut or error.msg.startswith("Unterminated string") or _is_cut_escape(error)
    except RecursionError:
        return False
    return False


def _is_cut_escape(error: json.JSONDecodeError) -> bool:
    return error.msg.startswith("Invalid \\u") and len(error.doc) - error.pos < 6
