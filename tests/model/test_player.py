"""Playing: every line once and in order, gaps shortened, the clock between two lines and never beyond the next."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.player import LONGEST_WAIT, SPEEDS, Player
from collab_tui.model.time_axis import TimeAxis
from tests.events import START, at, items, updates

DAY = 86400.0


def axis_of(*seconds: float | None) -> TimeAxis:
    """Lines so many seconds after the start; None: without a time."""
    axis = TimeAxis()
    for item in items(*(updates("sena", timestamp=None if s is None else at(s)) for s in seconds)):
        axis.append(item)
    return axis


def player_at(axis: TimeAxis, position: int = 1, speed: float = 1.0) -> Player:
    player = Player(axis, speed)
    player.seek(position)
    player.is_playing = True
    return player


def clock(player: Player) -> float:
    """The player's time, in seconds after the start."""
    assert player.now is not None
    return (player.now - START).total_seconds()


def test_lines_come_when_they_are_due():
    player = player_at(axis_of(0, 1, 3, 3, 3.5), speed=2)
    seen = []
    for _ in range(4):
        player.advance(0.5)
        seen.append((player.position, clock(player)))
    assert seen == [(2, 1), (2, 2), (4, 3), (5, 3.5)]


def test_many_lines_that_are_due_are_taken_at_once():
    player = player_at(axis_of(*range(100)), speed=1000)
    player.advance(0.0505)
    assert player.position == 51


def test_at_rest_nothing_moves():
    player = player_at(axis_of(0, 1, 2))
    player.is_playing = False
    player.advance(10)
    assert (player.position, clock(player)) == (1, 0)


def test_a_long_gap_takes_two_seconds_and_is_told():
    player = player_at(axis_of(0, 3 * DAY, 3 * DAY + 1), speed=30)
    assert player.shortens
    assert player.gap == 3 * DAY
    player.advance(LONGEST_WAIT / 2)
    assert player.position == 1
    assert clock(player) == pytest.approx(1.5 * DAY)
    player.advance(LONGEST_WAIT / 2)
    assert (player.position, clock(player), player.gap) == (2, 3 * DAY, None)
    assert player.left == pytest.approx(1 / 30)


def test_nothing_is_shortened_when_no_gap_is_long_at_that_speed():
    player = player_at(axis_of(0, 50, 90), speed=30)
    assert not player.shortens
    assert player.gap is None
    player.change_speed(-1)
    assert player.speed == 10
    assert player.shortens
    assert player.gap == 50


def test_full_speed_takes_one_line_at_each_look_and_shortens_nothing():
    player = player_at(axis_of(0, 0, DAY, None), speed=inf)
    seen = []
    for _ in range(4):
        assert player.left == 0
        player.advance(0.0001)
        seen.append(player.position)
    assert seen == [2, 3, 4, 4]
    assert not player.shortens


def test_lines_without_times_come_one_a_second():
    player = player_at(axis_of(None, None, None, None), speed=2)
    assert player.now is None
    player.advance(0.6)
    assert player.position == 2
    player.advance(0.5)
    assert player.position == 3


def test_the_clock_stands_where_the_next_line_has_no_time():
    player = player_at(axis_of(5, None, 9))
    player.advance(0.5)
    assert (player.position, clock(player)) == (1, 5)


def test_speeds_go_up_and_down_to_the_ends():
    player = player_at(axis_of(0, 10), speed=30)
    seen = [player.speed]
    for step in (1, 1, 1, 1, 1, 1, -1, -1):
        player.change_speed(step)
        seen.append(player.speed)
    assert seen == [30, 100, 300, 1000, inf, inf, inf, 1000, 300]
    player.speed = 42
    player.change_speed(-1)
    assert player.speed == 30
    player.speed = SPEEDS[0]
    player.change_speed(-1)
    assert player.speed == SPEEDS[0]


def test_the_clock_goes_on_from_where_it_is_when_the_speed_changes():
    player = player_at(axis_of(0, 60), speed=100)
    player.advance(0.3)
    before = clock(player)
    player.change_speed(-1)
    assert clock(player) == pytest.approx(before)
    assert before == pytest.approx(30)


def test_seeking_forgets_how_long_was_waited():
    player = player_at(axis_of(0, 10, 20))
    player.advance(1)
    player.seek(2)
    assert clock(player) == 10


_steps = st.lists(st.none() | st.sampled_from((0.0, 0.5, 59.0, 86400.0, -5.0)), min_size=1, max_size=20)


@given(
    _steps,
    st.sampled_from(SPEEDS),
    st.lists(st.floats(0, 3), max_size=60),
    st.lists(st.sampled_from((1, -1)), max_size=3),
)
def test_it_never_goes_back_and_its_clock_is_between_two_lines(steps, speed, looks, changes):
    now, times = 1000.0, []
    for step in steps:
        now += step or 0.0
        times.append(None if step is None else now)
    axis = axis_of(*times)
    player = player_at(axis, speed=speed)
    changing = iter(changes)
    before, shown = player.position, player.now
    for seconds in looks:
        player.advance(seconds)
        player.change_speed(next(changing, 0) or 1) if seconds > 2.5 else None
        assert before <= player.position <= len(axis)
        assert player.left <= LONGEST_WAIT
        time, then = axis.time_at(player.position), axis.time_at(player.position + 1)
        if player.now is not None:
            assert time is not None
            assert time <= player.now <= (then or player.now)
            assert shown is None or shown <= player.now
        before, shown = player.position, player.now
    for _ in range(4 * len(times)):
        player.advance(LONGEST_WAIT)
    assert player.position == len(axis)
