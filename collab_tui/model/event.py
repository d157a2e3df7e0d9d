"""Event: how any JSON object becomes one. Lenient in what is read, strict in what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count, repeat
from math import isfinite
from typing import Any, Final, NamedTuple
from zlib import crc32

import orjson

from collab_tui.model.text import clean, clean_json, looks_clean
from collab_tui.model.words import ALIASES

_JOINERS: Final = {0x200C: None, 0x200D: None}
"""Invisible, and kept in text for scripts and emoji that need them; in a name they only make it look like another."""

MAX_LINE: Final = 1 << 20
"""Bytes that a line may have, its newline included."""


class Event(NamedTuple):
    """One line of the registry that holds a JSON object; its text is cleaned."""

    position: int
    """Which line of the registry, counted from 0. Line number = position + 1."""
    data: dict[str, Any]
    """The object, cleaned; unknown fields are kept."""
    line: bytes
    """The line as written, without its newline."""

    @property
    def agent(self) -> str | None:
        """The writer as spelled in this line."""
        name = self.data.get("agent")
        return name.translate(_JOINERS).strip() or None if isinstance(name, str) else None

    @property
    def kind(self) -> str:
        """The name of the event; empty when the line has none."""
        kind = self.data.get("event")
        return kind if isinstance(kind, str) else ""

    @property
    def id(self) -> str:
        """The line's own id, else one derived from its bytes and position (16 hex digits)."""
        return as_id(self.data.get("id")) or f"{crc32(self.line):08x}{self.position:08x}"

    @property
    def time(self) -> datetime | None:
        """When the writer says it happened."""
        return parse_time(self.field("timestamp"))

    def field(self, name: str) -> Any:
        """The value of a field under any of its spellings; None when absent."""
        value = self.data.get(name)
        if value is None and name in ALIASES:
            for spelling in ALIASES[name]:
                if (value := self.data.get(spelling)) is not None:
                    break
        return value

    def text(self, name: str) -> str | None:
        """The value of a field as text: strings as they are, anything else as JSON; None when absent or empty."""
        value = self.field(name)
        if value is None:
            return None
        return (value.strip() if isinstance(value, str) else as_text(value)) or None

    def texts(self, name: str) -> tuple[str, ...]:
        """The value of a field as a list of texts: a lone value counts as a list of one."""
        return as_texts(self.field(name))


class Unreadable(NamedTuple):
    """One line of the registry that holds no JSON object. Counted and shown, never fatal."""

    position: int
    reason: str
    line: bytes
    """The line as written; of an over-long one only the beginning."""


Item = Event | Unreadable


def decode(chunk: bytes, first: int) -> Iterable[Item]:
    """Turn whole lines into events; every line of the chunk gives exactly one item, in order.

    `chunk` ends with a newline, or its last line counts as it is. `first` is the index of its first line.
    """
    lines = chunk.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if not lines:
        return ()
    try:
        values = list(map(orjson.loads, lines))
    except orjson.JSONDecodeError:
        values = None
    may_be_too_long = len(chunk) > MAX_LINE and len(max(lines, key=len)) >= MAX_LINE
    if values is None or may_be_too_long or not _all_objects(values) or not looks_clean(chunk):
        return _decode_carefully(lines, first)
    # Nothing odd in a whole chunk is the rule: then its events are made without a step of Python per line.
    return map(tuple.__new__, repeat(Event), zip(count(first), values, lines, strict=False))


def _all_objects(values: Iterable[object]) -> bool:
    return set(map(type, values)) <= {dict}


def _decode_carefully(lines: Iterable[bytes], first: int) -> Iterator[Item]:
    """Line by line, because at least one of them is no object, too long, or holds text to be cleaned."""
    for position, line in enumerate(lines, first):
        if len(line) >= MAX_LINE:
            reason = f"too long: {len(line) + 1:,} bytes, the limit is {MAX_LINE:,}"
            yield Unreadable(position, reason, line[:4096])
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield _decode_leniently(position, line)
            continue
        if isinstance(value, dict):
            yield Event(position, value if looks_clean(line) else clean_json(value), line)
        else:
            yield Unreadable(position, f"a JSON {_json_type(value)}, not an object", line)


def _decode_leniently(position: int, line: bytes) -> Item:
    r"""What orjson refuses may still be an object: NaN, half an emoji (`\\ud83d`), a byte order mark."""
    bare = line.removeprefix(b"\xef\xbb\xbf").strip()
    if not bare:
        return Unreadable(position, "an empty line", line)
    if not bare.strip(b"\0"):
        return Unreadable(position, "NUL bytes", line)
    try:
        data = json.loads(bare.decode("utf-8"), parse_constant=str, parse_float=_finite)
    except UnicodeDecodeError as error:
        return Unreadable(position, f"not UTF-8 at byte {error.start}", line)
    except RecursionError:
        return Unreadable(position, "nested too deeply", line)
    except ValueError as error:
        return Unreadable(position, f"not JSON: {clean(str(error))}", line)
    if not isinstance(data, dict):
        return Unreadable(position, f"a JSON {_json_type(data)}, not an object", line)
    return Event(position, clean_json(data), line)


def _finite(number: str) -> float | str:
    """A number of a line; one beyond all doubles stays its own text, as NaN does: JSON could not be written of it."""
    value = float(number)
    return value if isfinite(value) else number


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "number"


def parse_time(value: object) -> datetime | None:
    """An ISO 8601 text or seconds (or milliseconds) since the epoch, as an aware UTC time; None when it is neither.

    A time without zone is taken as UTC. One that not every system can show in its own zone is none.
    """
    try:
        match value:
            case str():
                moment = datetime.fromisoformat(value)
                moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
            case bool():
                return None
            case int() | float():
                moment = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
            case _:
                return None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if 1970 <= moment.year < 3000 else None


def as_text(value: object) -> str:
    """Any JSON value as text for people; absent values are empty."""
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
        case _:
            try:
                return json.dumps(value, ensure_ascii=False)
            except RecursionError:
                return "(nested too deeply)"


def as_id(value: object) -> str:
    """An id as text: some writers count, so a number is one too. Empty for what is none."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def as_texts(value: object) -> tuple[str, ...]:
    """Any JSON value as a list of texts, empty ones dropped; a lone value counts as a list of one."""
    if value is None or value == []:
        return ()
    items = value if isinstance(value, list) else [value]
    texts = [item.strip() if isinstance(item, str) else as_text(_labelled(item)) for item in items]
    return tuple(filter(None, texts))


def _labelled(item: object) -> object:
    """Lists in the wild hold objects; the name in one says more than its JSON."""
    if isinstance(item, dict):
        for key in ("text", "name", "title", "label", "blocker", "description", "id"):
            if isinstance(item.get(key), str):
                return item[key]
    return item or None if isinstance(item, list | dict) else item
