"""Times and durations as people read them at a glance."""

from __future__ import annotations

from datetime import datetime


def age(seconds: float) -> str:
    """A duration in one unit: `12 s`, `3 min`, `2 h`, `4 d`. Negative ones count as none."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 2 * 86400:
        return f"{whole // 3600} h"
    return f"{whole // 86400} d"


def seconds_between(earlier: datetime | None, later: datetime) -> float | None:
    """Seconds from one time to another, 0 when the earlier one lies in the future; None when it is unknown."""
    return None if earlier is None else max(0.0, (later - earlier).total_seconds())


def duration(seconds: float) -> str:
    """A measured time in one unit and two or three digits: `12 ms`, `1.4 s`, `81 s`, `8.1 min`, `3.2 h`, `4.5 d`."""
    for size, unit, least in ((86400, "d", 2 * 86400), (3600, "h", 2 * 3600), (60, "min", 100), (1, "s", 1)):
        if seconds >= least:
            amount = seconds / size
            return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"
    return f"{seconds * 1000:.0f} ms"


def as_set(seconds: float) -> str:
    """A time as somebody set it, to the second: `5 s`, `1 min 30 s`, `2 h`."""
    left, parts = round(seconds), []
    for size, unit in ((3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        parts += [f"{count} {unit}"] if count else []
    return " ".join(parts) or "0 s"
