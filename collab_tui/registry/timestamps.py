"""The times of lines: RFC 3339 in UTC, with milliseconds. It runs in hooks: see `append` for what may be imported."""

from __future__ import annotations

import re
import time

_LAST_TIME = re.compile(rb'"timestamp"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(?:Z|\+00:00)"')


def time_of_last(tail: bytes) -> str | None:
    """The time of the last line, as we write times; None when it has none in UTC."""
    start = tail.rfind(b"\n", 0, len(tail) - 1) + 1
    match = _LAST_TIME.search(tail, start)
    if match is None:
        return None
    fraction = (match[2] or b".")[1:].ljust(3, b"0")
    milliseconds = int(fraction[:3]) + bool(fraction[3:].strip(b"0"))  # rounded up: ours must not lie before it
    return f"{match[1].decode()}.{min(milliseconds, 999):03d}Z"


def is_time(value: object) -> bool:
    """The value is an RFC 3339 time that can be read. Seldom asked, so the pattern is made here and not at import."""
    match = isinstance(value, str) and re.fullmatch(
        r"(19[7-9]\d|2\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
        r"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)",
        value,
        re.ASCII,
    )
    if not match:
        return False
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day <= (28 + is_leap if month == 2 else 30 if month in (4, 6, 9, 11) else 31)


def format_time(seconds: float) -> str:
    """Epoch seconds as RFC 3339 in UTC with milliseconds."""
    milliseconds = int(seconds * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03d}Z"
