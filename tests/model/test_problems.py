import pytest

from collab_tui.model.board import ProblemKind
from collab_tui.model.event import decode
from collab_tui.model.fold import Fold
from collab_tui.model.problems import MAX_KEPT
from collab_tui.model.recent_ids import MAX_RECENT_IDS
from tests.events import agent_of, at, board_of, lines, updates


def problems(board):
    return [(problem.kind, problem.position) for problem in board.problems]


def test_a_line_that_is_no_object_is_a_problem_with_its_line_and_the_fold_goes_on():
    board = board_of(updates("sena"), [1], updates("sena", progress=3))
    assert problems(board) == [(ProblemKind.UNREADABLE, 1)]
    assert (agent_of(board, "sena").progress, board.events) == (3, 2)


def test_order_is_file_order_and_the_fold_never_sorts():
    board = board_of(updates("sena", progress=80, timestamp=at(60)), updates("sena", progress=10, timestamp=at(0)))
    assert agent_of(board, "sena").progress == 10


def test_times_before_the_line_before_are_one_problem_per_run_of_such_lines():
    seconds = [50, 40, 30, 20, 20, 60, 10, 70]
    board = board_of(*(updates("sena", timestamp=at(s)) for s in seconds))
    assert problems(board) == [(ProblemKind.OUT_OF_ORDER, 1), (ProblemKind.OUT_OF_ORDER, 6)]


def test_lines_without_a_time_do_not_end_a_run_and_other_spellings_of_time_count():
    board = board_of(
        updates("sena", ts=1_760_000_050), updates("sena", time=1_760_000_040), updates("sena"), updates("s", ts=1.0)
    )
    assert problems(board) == [(ProblemKind.OUT_OF_ORDER, 1)]


def test_a_time_that_cannot_be_read_is_a_problem_and_a_missing_one_is_none():
    board = board_of(updates("sena", timestamp="yesterday"), updates("sena"), updates("sena", timestamp=True))
    assert problems(board) == [(ProblemKind.BAD_TIME, 0), (ProblemKind.BAD_TIME, 2)]


def test_a_repeated_id_is_ignored_and_a_problem():
    board = board_of(updates("sena", id="x", progress=1), updates("sena", id="x", progress=2))
    assert (agent_of(board, "sena").progress, board.events) == (1, 1)
    assert problems(board) == [(ProblemKind.REPEATED_ID, 1)]


def test_numbers_as_ids_are_counters_of_their_writers_and_repeat_nothing():
    board = board_of(updates("sena", id=7, progress=1), updates("lubit", id=7, progress=2))
    assert (board.events, problems(board)) == (2, [])


@pytest.mark.parametrize("odd", [None, "", [], {}, False])
def test_ids_that_are_neither_text_nor_number_are_never_repeated(odd):
    assert board_of(updates("sena", id=odd), updates("sena", id=odd)).problems == ()


def test_the_memory_of_recent_ids_is_bounded():
    ids = [*map(str, range(MAX_RECENT_IDS + 1)), "1", "0"]
    board = board_of(*({"id": own} for own in ids))
    assert problems(board) == [(ProblemKind.REPEATED_ID, MAX_RECENT_IDS + 1)]


def test_problems_are_all_counted_and_the_first_ones_kept():
    board = board_of(*([1] for _ in range(MAX_KEPT + 5)))
    assert (len(board.problems), board.problem_count) == (MAX_KEPT, MAX_KEPT + 5)


def test_a_tail_without_a_newline_that_counts_is_marked():
    fold = Fold()
    fold.extend(decode(lines(updates("sena"))[:-1], 0))
    fold.note_unterminated()
    assert problems(fold.board()) == [(ProblemKind.UNTERMINATED, 0)]
    assert fold.board().events == 1


def test_a_writer_that_invents_a_field_per_line_does_not_lose_what_is_shown():
    board = board_of(updates("sena", progress=40, task="one"), updates("sena", **{f"f{n}": n for n in range(1000)}))
    assert (agent_of(board, "sena").progress, agent_of(board, "sena").current_task) == (40, "one")
