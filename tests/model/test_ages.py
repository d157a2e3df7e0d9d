"""Durations as people read them."""

import pytest

from collab_tui.model.ages import as_set, duration


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 ms"),
        (0.0124, "12 ms"),
        (1, "1.0 s"),
        (1.44, "1.4 s"),
        (9.96, "10 s"),
        (81.2, "81 s"),
        (100, "1.7 min"),
        (3776, "63 min"),
        (2 * 3600, "2.0 h"),
        (50 * 3600, "2.1 d"),
    ],
)
def test_a_measured_time_has_one_unit_and_two_or_three_digits(seconds: float, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0 s"), (5.0, "5 s"), (90, "1 min 30 s"), (5400, "1 h 30 min"), (7200, "2 h")]
)
def test_a_time_that_was_set_is_told_to_the_second(seconds: float, told: str) -> None:
    assert as_set(seconds) == told
