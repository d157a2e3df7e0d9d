"""The timeline: any board at any position in any order, time that never runs backwards, marks, the bar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collab_tui.model import recent_ids, timeline
from collab_tui.model.event import Item
from collab_tui.model.fold import Fold
from collab_tui.model.timeline import ChangedError, Mark, Timeline
from tests.events import START, asks, at, decides, items, says, stories, updates, wild_objects

_ids = st.sampled_from(("a1", "a2", "a3", "", 7))
_times = st.sampled_from(
    (at(0), at(1), at(90), at(-3600), at(4 * 86400), "soon", "", 1_760_000_000, None, "2025-10-20T09:00:05")
)


@st.composite
def _told(draw: st.DrawFn) -> object:
    """A line of a story, perhaps with an id that was used before, another time, or no object at all."""
    story = draw(stories)
    if not story or draw(st.integers(0, 9)) == 0:
        return draw(st.just([1]) | wild_objects)
    extra = draw(st.fixed_dictionaries({}, optional={"id": _ids, "timestamp": _times}))
    return {**story[0], **extra}


registries = st.lists(_told(), max_size=30)


def timeline_of(read: Sequence[Item]) -> Timeline:
    made = Timeline(lambda first, last: read[first:last])
    made.extend(read)
    return made


def board_after(read: Sequence[Item], count: int) -> object:
    fold = Fold()
    fold.extend(read[:count])
    return fold.board()


@given(registries, st.lists(st.integers(0, 32), max_size=12), st.integers(1, 5), st.integers(2, 4))
@example([updates("a", id="x"), updates("a", id="x"), updates("a", id="x")], [3, 1, 2, 3, 0], 1, 2)
def test_every_board_is_that_of_a_fresh_fold_in_any_order_of_seeks(registry, seeks, step, kept):
    read = items(*registry)
    with patch.object(timeline, "_STEP", step), patch.object(timeline, "_MOST_KEPT", kept):
        made = timeline_of(read)
        for position in seeks:
            assert made.board_at(position) == board_after(read, position)


@given(registries, st.integers(0, 30), st.integers(1, 4))
def test_it_may_grow_between_seeks(registry, half, step):
    read = items(*registry)
    with patch.object(timeline, "_STEP", step), patch.object(recent_ids, "MAX_RECENT_IDS", 2):
        made = Timeline(lambda first, last: read[first:last])
        made.extend(read[:half])
        assert made.board_at(half) == board_after(read, min(half, len(read)))
        made.extend(read[half:])
        assert len(made) == len(read)
        for position in range(len(read), -1, -1):
            assert made.board_at(position) == board_after(read, position)


def test_a_seek_folds_only_from_the_nearest_kept_fold_and_a_step_only_its_line():
    read = items(*(updates("sena", progress=n % 100) for n in range(9000)))
    asked: list[int] = []

    def look_up(first: int, last: int) -> Sequence[Item]:
        asked.append(last - first)
        return read[first:last]

    made = Timeline(look_up)
    made.extend(read)
    for position in (8999, 1, 5000, 3999, 4000, 4001, 4002):
        made.board_at(position)
    assert asked == [999, 1, 1000, 1999, 1, 1]


def test_a_fold_near_a_position_is_the_callers_own():
    read = items(*(updates("sena", progress=n) for n in range(20)))
    with patch.object(timeline, "_STEP", 8):
        made = timeline_of(read)
    for position, near in ((0, 0), (7, 0), (8, 8), (19, 16)):
        for _ in range(2):
            fold = made.fold_before(position)
            assert fold.position == near
            fold.extend(read[near:])
            assert fold.board() == board_after(read, 20)
    assert made.board_at(9) == board_after(read, 9)


def test_kept_folds_are_bounded_and_hold_no_ids():
    read = items(*(updates("sena", id=f"{n:x}") for n in range(600)))
    with patch.object(timeline, "_STEP", 2), patch.object(timeline, "_MOST_KEPT", 8):
        made = timeline_of(read)
    assert len(made._kept) <= 8
    assert [fold.position for fold in made._kept] == sorted({fold.position for fold in made._kept})
    assert all(isinstance(fold._ids, recent_ids.KnownRepeats) for fold in made._kept)


def test_lines_that_cannot_be_looked_up_any_more_are_an_error_and_a_later_seek_works():
    read = items(*(updates("sena", progress=n) for n in range(10)))
    lost = [read[:3]]
    made = Timeline(lambda first, last: lost[0][first:last])
    made.extend(read)
    with pytest.raises(ChangedError):
        made.board_at(8)
    with pytest.raises(ChangedError):
        made.search_deadlocks(10)
    lost[0] = read
    assert made.board_at(8) == board_after(read, 8)
    made.search_deadlocks(10)
    assert made.searched == 10


def test_a_last_line_without_newline_is_marked_on_the_last_board_only():
    read = items(*(updates("sena", progress=n) for n in range(5)))
    with patch.object(timeline, "_STEP", 5):
        made = timeline_of(read)
    made.note_unterminated()
    whole = Fold()
    whole.extend(read)
    whole.note_unterminated()
    for _ in range(2):
        assert made.board_at(5) == whole.board()
        assert made.board_at(4) == board_after(read, 4)


# Time


def axis_of(*times: object) -> list[float | None]:
    """Seconds after the start at which each line stands."""
    made = timeline_of(items(*(updates("sena", timestamp=time) for time in times)))
    found = [made.axis.time_at(position) for position in range(1, len(times) + 1)]
    return [None if time is None else (time - START).total_seconds() for time in found]


@given(registries)
def test_time_never_runs_backwards_and_positions_are_found_by_it(registry):
    made = timeline_of(items(*registry))
    times = [made.axis.time_at(position) for position in range(len(registry) + 1)]
    known = [time for time in times if time is not None]
    assert known == sorted(known)
    assert times == [None] * (len(times) - len(known)) + known
    for time in known:
        found = made.axis.position_at(time)
        assert made.axis.time_at(found) == time
        assert found == len(registry) or (made.axis.time_at(found + 1) or START) > time


def test_a_line_without_a_time_or_with_an_earlier_one_stands_where_the_line_before_it_stands():
    assert axis_of(at(10), None, "soon", at(-7200), at(20)) == [10, 10, 10, 10, 20]


def test_lines_before_the_first_time_have_none():
    assert axis_of(None, at(10)) == [None, 10]
    assert axis_of() == []


def test_a_few_lines_that_ran_ahead_do_not_hold_up_the_time_of_the_rest():
    year = 365 * 86400.0
    assert axis_of(at(0), at(60), at(year), at(year), at(120), at(180)) == [0, 60, 60, 60, 120, 180]
    made = timeline_of(items(*(updates("sena", timestamp=time) for time in (at(0), at(year), at(60)))))
    assert [made.axis.delay_before(position) for position in range(4)] == [0, 0, 60, 0]
    assert made.axis.longest_delay == 60


HOURS = 9 * 3600.0


@pytest.mark.parametrize("ahead", [1, 4, 40])
@pytest.mark.parametrize("before", [0, 50])
def test_lines_that_ran_ahead_are_taken_back_when_more_lines_show_it(before, ahead):
    right = [10.0 * n for n in range(100)]
    first = [n * 10 + HOURS for n in range(before, before + ahead)]
    stamps = [*right[:before], *first, *right[before:]]
    stands = [*right[:before], *[right[max(0, before - 1)]] * ahead, *right[before:]]
    assert axis_of(*map(at, stamps)) == stands


@pytest.mark.parametrize("before", [0, 50])
@pytest.mark.parametrize("ahead", [1, 4, 500])
def test_lines_that_ran_ahead_do_not_let_the_rest_come_at_once(before, ahead):
    stamps = [10.0 * n for n in range(150)]
    stamps[before:before] = [HOURS + n for n in range(ahead)]
    axis = timeline_of(items(*(updates("sena", timestamp=at(stamp)) for stamp in stamps))).axis
    delays = [axis.delay_before(position) for position in range(len(stamps))]
    assert delays[before + ahead + 1 :] == [10.0] * (149 - before)


def test_agents_whose_clocks_differ_do_not_make_the_time_longer_by_turns():
    stamps = [second + skew for second in range(50) for skew in (0, 60)]
    axis = timeline_of(items(*(updates("sena", timestamp=at(stamp)) for stamp in stamps))).axis
    assert [axis.delay_before(position) for position in range(2, 100)] == [0, 1] * 49


def test_one_line_that_is_behind_does_not_take_back_the_many_before_it():
    times = [at(n) for n in range(600, 610)]
    assert axis_of(at(0), *times, at(30), at(700)) == [0, *range(600, 610), 609, 700]


def test_delays_are_the_positive_steps_and_a_line_without_time_takes_a_second():
    told = [updates("sena", timestamp=time) for time in (at(0), at(90), at(30), None, at(95), at(4 * 86400))]
    axis = timeline_of(items(*told, [1])).axis
    assert [axis.delay_before(position) for position in range(8)] == [0, 90, 0, 1, 5, 4 * 86400 - 95, 1, 0]
    assert axis.longest_delay == 4 * 86400 - 95


# Marks


def test_jumps_go_to_the_nearest_mark_on_either_side():
    made = timeline_of(
        items(updates("a"), asks("a", "r"), decides("human", "r"), says("a", "blocker", blocker="x"), decides("b", "r"))
    )
    assert [made.next_mark(Mark.DECISION, position) for position in range(6)] == [3, 3, 3, 5, 5, None]
    assert [made.previous_mark(Mark.DECISION, position) for position in range(6)] == [None, None, None, None, 3, 3]
    assert made.next_mark(Mark.REQUEST, 0) == 2
    assert made.next_mark(Mark.BLOCKER, 4) is None
    assert made.count(Mark.DECISION) == 2


def deadlocks_of(made: Timeline, read: Sequence[Item]) -> tuple[list[int], list[int]]:
    """The lines that close a deadlock: as found, and as a board for every line tells."""
    found, position = [], 0
    while (position := made.next_mark(Mark.DEADLOCK, position) or 0) > 0:
        found.append(position - 1)
    slow, known = [], frozenset()
    fold = Fold()
    for item in read:
        fold.extend((item,))
        now = frozenset(deadlock.id for deadlock in fold.board().deadlocks)
        if now - known:
            slow.append(item.position)
        known = now
    return found, slow


_waiting = st.sampled_from(("waiting_for_lubit", "waiting_for_sena", "waiting_for_gitcode", "blocked", "in_progress"))
_stuck = st.fixed_dictionaries(
    {"agent": st.sampled_from(("sena", "lubit", "gitcode")), "event": st.sampled_from(("status_update", "blocker"))},
    optional={"status": _waiting, "blockers": st.lists(st.sampled_from(("lubit_x", "sena_x")), max_size=2)},
)
_turns = st.lists(
    _stuck
    | st.builds(says, st.sampled_from(("sena", "lubit", "human")), st.sampled_from(("session_end", "message")))
    | st.builds(
        lambda agent, text: says(agent, "blocker_resolved", blocker=text),
        st.sampled_from(("sena", "human")),
        st.sampled_from(("lubit_x", "sena_x")),
    )
    | st.builds(decides, st.sampled_from(("sena", "lubit", "human"))),
    max_size=25,
)


@given(_turns | registries, st.integers(1, 30))
def test_the_search_finds_every_line_that_closes_a_deadlock_piece_by_piece(registry, piece):
    read = items(*registry)
    made = timeline_of(read)
    while made.searched < len(made):
        made.search_deadlocks(piece)
    found, slow = deadlocks_of(made, read)
    assert found == slow


def test_most_lines_need_no_board_to_know_that_they_close_no_deadlock():
    closing = [updates("sena", status="waiting_for_lubit"), updates("lubit", status="waiting_for_sena")]
    repeated = [updates(("sena", "lubit")[n % 2], status=f"waiting_for_{('lubit', 'sena')[n % 2]}") for n in range(99)]
    read = items(*closing, *repeated, updates("sena", status="in_progress", progress=5), updates("sena", progress=9))
    made = timeline_of(read)
    boards: list[int] = []
    board = Fold.board

    def counted(fold: Fold) -> object:
        boards.append(fold.position)
        return board(fold)

    with patch.object(Fold, "board", counted):
        made.search_deadlocks(len(read))
    assert made.next_mark(Mark.DEADLOCK, 0) == 2
    assert boards == [1, 2]


# The bar


@given(registries.filter(bool), st.integers(1, 40))
def test_every_line_stands_in_one_column_and_a_click_there_shows_it(registry, width):
    made = timeline_of(items(*registry))
    columns = made.columns(width)
    assert len(columns) == width
    assert sum(column.lines for column in columns) == len(registry)
    for position in range(1, len(registry) + 1):
        column = made.column_of(position, width)
        assert columns[column].lines
        assert made.position_of_column(column, width) >= position
        assert made.column_of(made.position_of_column(column, width), width) == column


def test_days_of_silence_take_no_more_room_than_a_minute():
    day = timedelta(days=1).total_seconds()
    times = [*(at(n) for n in range(30)), at(9 * day), *(at(9 * day + n) for n in range(30))]
    made = timeline_of(items(*(updates("sena", timestamp=time) for time in times)))
    counts = [column.lines for column in made.columns(12)]
    assert counts[0] >= 8 <= counts[-1]
    assert 5 <= counts.count(0) <= 6


def test_lines_without_times_have_equal_room():
    made = timeline_of(items(*(updates("sena") for _ in range(40))))
    assert [column.lines for column in made.columns(10)] == [4] * 10


def test_of_the_marks_of_a_column_the_rarest_is_shown():
    told = [asks("a", f"r{n}") for n in range(9)] + [says("a", "blocker", blocker="x"), decides("human", "r1")]
    made = timeline_of(items(*told, decides("human", "r2")))
    assert [column.mark for column in made.columns(1)] == [Mark.BLOCKER]
    made.extend(items(says("b", "blocker", blocker="y"), first=len(made)))
    assert [column.mark for column in made.columns(1)] == [None], "too many to say where they are"


def test_an_empty_bar_has_no_lines():
    made = timeline_of([])
    assert [column.lines for column in made.columns(4)] == [0] * 4
    assert made.column_of(0, 4) == 0
    assert made.position_of_column(2, 4) == 0
    assert made.board_at(3).position == 0
    assert made.axis.first_time is None


def test_the_first_time_is_the_first_readable_one():
    made = timeline_of(items(updates("sena"), updates("sena", timestamp=at(5))))
    assert made.axis.first_time == datetime(2025, 10, 20, 9, 0, 5, tzinfo=UTC)
