"""Times on the command line: `90s`, `10m`, `1h30m` from now, or a date and time."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from collab_tui.config import values

_LONGEST: Final = 366 * 86_400.0
_PART: Final = re.compile(r"(\d{0,6}\.\d{1,6})s", re.ASCII)
_seconds = values.duration(least=0, most=_LONGEST)


def duration(text: str) -> float:
    """Seconds, for argparse; also a part of one, as `0.3s`."""
    if text.strip().startswith("-"):
        raise argparse.ArgumentTypeError(f"{text!r}: a time is not negative; 0s looks once and does not wait")
    if part := _PART.fullmatch(text.strip().lower()):
        return float(part[1])
    try:
        return _seconds(text)
    except values.WrongError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def moment(text: str) -> str:
    """A time as events have it, from a duration or an RFC 3339 time, for argparse."""
    try:
        time = datetime.now(UTC) + timedelta(seconds=_seconds(text))
    except values.WrongError:
        time = _stated(text)
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stated(text: str) -> datetime:
    wanted = 'it takes a time such as "10m" or "1h30m" from now, or 2026-01-31T18:00:00Z with its zone'
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {wanted}") from error
    if time.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r}: {wanted}")
    return time
