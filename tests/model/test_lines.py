"""Many line numbers in little space."""

from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.lines import MAX_RUNS, NO_LINES, LineTally, lines_at, together


def test_people_read_runs_and_how_many_more_there_are():
    assert NO_LINES.text == ""
    assert lines_at([2]).text == "line 3"
    assert lines_at([11, 2, 6, 7, 8, 9, 10]).text == "lines 3, 7-12"
    assert lines_at(range(0, 90, 2)).text == "lines 1, 3, 5, 7, 9 and 40 more"


def test_a_million_neighbours_are_one_run():
    tally = LineTally()
    for position in range(1_000_000):
        tally.add(position)
    assert (tally.lines.runs, tally.lines.text) == (((1, 1_000_000),), "lines 1-1000000")


def test_the_runs_are_bounded_and_everything_is_counted():
    lines = lines_at(range(0, 10 * MAX_RUNS, 2))
    assert (len(lines.runs), lines.count) == (MAX_RUNS, 5 * MAX_RUNS)
    assert lines.text.endswith(f"and {5 * MAX_RUNS - 5} more")


@given(st.sets(st.integers(0, 300)), st.integers(1, 400))
def test_the_numbers_are_the_first_ones_in_order(positions, limit):
    assert lines_at(positions).numbers(limit) == [position + 1 for position in sorted(positions)][:limit]


@given(st.lists(st.sets(st.integers(0, 60)), max_size=5))
def test_together_every_line_counts_once(several):
    assert together(map(lines_at, several)) == lines_at(set().union(*several))
