import copy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collab_tui.model.board import ProblemKind
from collab_tui.model.event import decode
from collab_tui.model.fold import Fold
from collab_tui.model.summary import summarize
from tests.events import agent_of, board_of, fold_of, items, line, lines, says, stories, updates, wild_objects


@given(stories, st.lists(st.integers(0, 25), max_size=4))
def test_folding_in_arbitrary_pieces_with_boards_between_equals_folding_at_once(story, cuts):
    whole, pieces = fold_of(*story), Fold()
    ends = [*sorted(cuts), len(story)]
    for start, end in zip([0, *ends], ends, strict=False):
        pieces.extend(items(*story)[start:end])
        pieces.board()
    assert pieces.board() == whole.board()


@given(stories, stories)
def test_folding_on_from_a_checkpoint_equals_folding_from_the_start_and_leaves_the_original_alone(story, on):
    original = fold_of(*story)
    checkpoint = original.checkpoint()
    original.extend(items(*on, first=len(story)))
    assert checkpoint.board() == board_of(*story)
    checkpoint.extend(items(*on, first=len(story)))
    assert checkpoint.board() == original.board() == board_of(*story, *on)


def test_what_is_resolved_in_a_copy_still_blocks_in_the_original():
    held = updates("sena", blockers=["db"])
    original = fold_of(held)
    original.checkpoint().extend(items(says("human", "blocker_resolved", blocker="db"), first=1))
    original.extend(items(updates("sena", progress=1), first=1))
    assert original.board() == board_of(held, updates("sena", progress=1))


@given(stories)
def test_folding_leaves_the_events_as_they_were_read(story):
    read = items(*story)
    kept = copy.deepcopy(read)
    Fold().extend(read)
    assert read == kept


@given(st.lists(wild_objects, max_size=8), st.booleans())
@example([{"agent": "a", "progress": 10**400}], True)
def test_any_value_in_any_field_is_folded_and_told(objects, ascii_only):
    read = list(decode(b"".join(line(obj, ascii_only=ascii_only) for obj in objects), 0))
    fold = Fold()
    fold.extend(read)
    board = fold.board()
    assert board.position == len(objects)
    assert board.events + sum(problem.kind is ProblemKind.REPEATED_ID for problem in board.problems) == len(objects)
    assert not any(char in span.text for item in read for span in summarize(item) for char in "\n\r\t\x1b")


@pytest.mark.parametrize("depth", [100, 900, 1000, 1020])
@pytest.mark.parametrize("field", ["status", "timestamp", "progress", "blockers", "request_id", "dependencies", "id"])
def test_values_nested_as_deeply_as_can_be_read_do_not_stop_the_fold(field, depth):
    deep = b'{"agent": "sena", "event": "status_update", "%s": %s}\n' % (field.encode(), b"[" * depth + b"]" * depth)
    fold = Fold()
    for _ in range(2):
        fold.extend(decode(deep + lines(updates("sena", next_action="go")), fold.position))
    assert agent_of(fold.board(), "sena").next_action == "go"
    assert fold.position == 4


def test_the_position_is_the_index_of_the_next_line():
    assert Fold().position == 0
    assert board_of(updates("sena"), ["no object"]).position == 2


def test_a_restarted_fold_is_a_new_one_for_the_same_person():
    fold = fold_of(updates("sena"), [1], person="kim")
    fold.restart()
    assert fold.board() == Fold("kim").board()
    assert fold.person == "kim"
