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
