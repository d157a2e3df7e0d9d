"""Where to go in a registry, as a person writes it.

    214, #214           event number 214
    50%                 half of the events
    16:31, 16:31:30     that time, on the day that is shown
    10-19 16:31         in the year that is shown
    2025-10-19          the beginning of that day; 2025-10-19T16:31:30Z and any other ISO 8601 time
    +5m, -1h30m         so much later or earlier: d, h, m, s

A time means the last event at or before it. Without a zone it is in the zone in which times are shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from collab_tui.model.time_axis import TimeAxis

EXAMPLES: Final = "214, 16:31, 10-19 16:31, +5m or 50%"

_NUMBER: Final = re.compile(r"#?\s*(\d{1,18})")
_PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)\s*%")
_RELATIVE: Final = re.compile(r"([+-])\s*((?:\d{1,9}\s*[dhms]\s*)+)", re.IGNORECASE)
_PART: Final = re.compile(r"(\d+)\s*([dhms])", re.IGNORECASE)
_UNITS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_TIME: Final = re.compile(
    r"(?:(?:(?P<year>\d{4})-)?(?P<month>\d{1,2})-(?P<day>\d{1,2})[ T]+)?"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
)
_WITHIN: Final = timedelta(microseconds=999_999)
"""A time without a fraction is written to the second: all events of that second are meant."""


@dataclass(frozen=True, slots=True)
class Number:
    """An event by its number, counted from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Percent:
    """So much of the events."""

    percent: float


@dataclass(frozen=True, slots=True)
class Relative:
    """So much time from the place that is shown."""

    by: timedelta


@dataclass(frozen=True, slots=True)
class At:
    """A time, whose year and day may be those that are shown."""

    year: int | None
    month: int | None
    day: int | None
    hour: int
    minute: int
    second: int


Place = Number | Percent | Relative | At | datetime


def parse_place(text: str) -> Place:
    """The place that a text means; raises `ValueError` with a sentence for the person when it means none."""
    text = text.strip()
    if match := _NUMBER.fullmatch(text):
        return Number(int(match[1]))
    if match := _PERCENT.fullmatch(text):
        if float(match[1]) > 100:
            raise ValueError("there are 100 % at most")
        return Percent(float(match[1]))
    if match := _RELATIVE.fullmatch(text):
        seconds = sum(int(count) * _UNITS[unit.lower()] for count, unit in _PART.findall(match[2]))
        if seconds > 1e11:
            raise ValueError("that is more time than there is")
        return Relative(timedelta(seconds=seconds if match[1] == "+" else -seconds))
    if match := _TIME.fullmatch(text):
        year, month, day, hour, minute, second = (int(part) if part else None for part in match.groups())
        at = At(year, month, day, hour or 0, minute or 0, second or 0)
        _time_of(at, datetime(2000, 1, 1))  # noqa: DTZ001  # a leap year: only to see that there is such a time
        return at
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"that is no event and no time; for example {EXAMPLES}" if text else EXAMPLES) from None


def position_of(place: Place, axis: TimeAxis, position: int, zone: tzinfo | None = None) -> int:
    """The position that a place means, seen from another one; clipped to the lines there are, the first at least.

    `zone` is that of times without one (None: the machine's own). Raises `ValueError` with a sentence when a time
    means none here.
    """
    match place:
        case Number(number):
            found = number
        case Percent(percent):
            found = round(len(axis) * percent / 100)
        case Relative(by):
            found = axis.position_at(_moved(_shown(axis, position), by))
        case At():
            shown = _shown(axis, position).astimezone(zone).replace(tzinfo=None)
            found = axis.position_at(_in_zone(_time_of(place, shown), zone) + _WITHIN)
        case datetime():
            time = place if place.tzinfo else _in_zone(place, zone)
            found = axis.position_at(time if time.microsecond else time + _WITHIN)
    return min(max(found, 1), len(axis))


def _shown(axis: TimeAxis, position: int) -> datetime:
    time = axis.time_at(position) or axis.first_time
    if time is None:
        raise ValueError("no event here has a time; give a number or per cent")
    return time


def _time_of(at: At, shown: datetime) -> datetime:
    """The time on a day of its own, else on the day that is shown."""
    try:
        day = shown if at.month is None or at.day is None else datetime(at.year or shown.year, at.month, at.day)  # noqa: DTZ001
        return day.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=0)
    except ValueError as error:
        raise ValueError(f"there is no such time: {error}") from None


def _in_zone(time: datetime, zone: tzinfo | None) -> datetime:
    try:
        return time.replace(tzinfo=zone).astimezone(UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("that time is out of range") from error


def _moved(time: datetime, by: timedelta) -> datetime:
    try:
        return time + by
    except OverflowError as error:
        raise ValueError("that time is out of range") from error
