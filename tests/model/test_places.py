"""Where a person wants to go, in every way it is written, and what is said when it means no place."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.places import Number, parse_place, position_of
from collab_tui.model.time_axis import TimeAxis
from tests.events import at, items, updates

SEOUL = timezone(timedelta(hours=9))
SECONDS = (0, 0.25, 60, 3600, 3600.9, 7200, 24 * 3600, 48 * 3600 + 1, 48 * 3600 + 2, 48 * 3600 + 3)
"""Ten lines from 2025-10-20 09:00:00 on."""


def axis_of(*seconds: float | None) -> TimeAxis:
    axis = TimeAxis()
    for item in items(*(updates("sena", timestamp=None if s is None else at(s)) for s in seconds)):
        axis.append(item)
    return axis


AXIS = axis_of(*SECONDS)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("4", 4),
        ("#4", 4),
        ("# 4", 4),
        ("  7 ", 7),
        ("0", 1),
        ("99999", 10),
        ("50%", 5),
        ("0%", 1),
        ("100 %", 10),
        ("12.5%", 1),
        ("09:00", 2),
        ("09:00:00", 2),
        ("9:01", 3),
        ("10:00:00", 5),
        ("10:00:01", 5),
        ("08:00", 1),
        ("23:59", 6),
        ("10-21 09:00", 7),
        ("10-22 9:00:02", 9),
        ("2025-10-21 09:00", 7),
        ("2025-10-22T09:00:01", 8),
        ("2025-10-22", 7),
        ("2025-10-20T10:00:00Z", 5),
        ("2025-10-20T19:00:00+09:00", 5),
        ("2025-10-20T10:00:00.5Z", 4),
        ("20251020T100000", 5),
        ("2025-10-22T09:00:01Z", 8),
        ("2025-10-22T18:00:01+09:00", 8),
        ("2025-10-22T09:00:02.5+00:00", 9),
        ("1999-01-01", 1),
        ("2999-01-01", 10),
        ("+1m", 3),
        ("+1h", 4),
        ("+1h30m", 5),
        ("+2d", 7),
        ("-5m", 1),
        ("+ 1 h", 4),
    ],
)
def test_a_place_from_the_first_line(text, position):
    assert position_of(parse_place(text), AXIS, 1, UTC) == position


@pytest.mark.parametrize(
    ("text", "position"),
    [("09:00:02", 9), ("-1s", 8), ("-1d", 7), ("-2d", 2), ("+1s", 10), ("08:00", 7), ("10-20 10:00", 5)],
)
def test_a_time_of_day_is_on_the_day_that_is_shown_and_a_step_from_there(text, position):
    assert position_of(parse_place(text), AXIS, 9, UTC) == position


def test_times_are_in_the_zone_in_which_they_are_shown():
    assert position_of(parse_place("18:01"), AXIS, 1, SEOUL) == 3
    assert position_of(parse_place("10-21 18:00"), AXIS, 1, SEOUL) == 7
    assert position_of(parse_place("2025-10-21 18:00"), AXIS, 1, SEOUL) == 7


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "214, 16:31"),
        ("soon", "no event and no time"),
        ("+5", "no event and no time"),
        ("-214", "no event and no time"),
        ("12:75", "no such time"),
        ("25:00", "no such time"),
        ("02-30 12:00", "no such time"),
        ("2025-13-01", "no event and no time"),
        ("101%", "100 % at most"),
        ("+99999999999d", "no event and no time"),
        ("+999999999d", "more time than there is"),
        ("\x1b[31m", "no event and no time"),
    ],
)
def test_what_means_no_place_is_told(text, told):
    with pytest.raises(ValueError, match=told.replace("+", r"\+")):
        parse_place(text)


@pytest.mark.parametrize("text", ["+900000d", "-900000d", "0001-01-01", "9999-12-31T23:59:59"])
def test_a_time_beyond_all_times_is_an_end_or_told(text):
    try:
        position = position_of(parse_place(text), AXIS, 1, UTC)
    except ValueError as refused:
        told = str(refused)
        assert "out of range" in told
    else:
        assert position in (1, len(AXIS))


def test_the_day_that_is_shown_may_lack_a_leap_day():
    with pytest.raises(ValueError, match="no such time"):
        position_of(parse_place("02-29 12:00"), AXIS, 1, UTC)


def test_without_times_only_numbers_and_per_cent_mean_a_place():
    axis = axis_of(None, None, None)
    assert position_of(parse_place("2"), axis, 1) == 2
    assert position_of(parse_place("100%"), axis, 1) == 3
    for text in ("12:00", "+5m"):
        with pytest.raises(ValueError, match="no event here has a time"):
            position_of(parse_place(text), axis, 1)


def test_before_the_first_time_that_one_counts():
    assert position_of(parse_place("09:01"), axis_of(None, 0, 60, 120), 1, UTC) == 3


def test_in_an_empty_registry_every_place_is_the_beginning():
    assert position_of(Number(5), TimeAxis(), 0) == 0


@given(st.text(max_size=30) | st.from_regex(r"[+-]?[0-9:%dhmsTZ# .-]{0,20}", fullmatch=True), st.integers(1, 10))
def test_any_text_means_a_place_or_is_refused_with_words(text, position):
    try:
        found = position_of(parse_place(text), AXIS, position, UTC)
    except ValueError as refused:
        found = 1 if str(refused) else 0
    assert 1 <= found <= len(AXIS)
