import pytest

from collab_tui.model.words import Status
from tests.events import agent_of, board_of, says, updates


def blocked_by(board, name="sena"):
    return [blocker.text for blocker in agent_of(board, name).blockers]


def test_a_list_of_blockers_replaces_the_list_and_its_absence_says_nothing():
    first, second = updates("sena", blockers=["db", "net"]), updates("sena", blockers=["net", "disk"])
    assert blocked_by(board_of(first, updates("sena", progress=1))) == ["db", "net"]
    board = board_of(first, second)
    assert [(b.text, b.position) for b in agent_of(board, "sena").blockers] == [("net", 0), ("disk", 1)]
    assert blocked_by(board_of(first, second, updates("sena", blockers=[]))) == []


def test_a_list_repeated_after_its_blocker_was_resolved_blocks_again():
    listed = updates("sena", blockers=["db"])
    board = board_of(listed, says("lubit", "blocker_resolved", blocker="db"), listed)
    assert [(b.text, b.position) for b in agent_of(board, "sena").blockers] == [("db", 2)]


def test_a_blocker_is_added_with_its_reason_and_makes_its_writer_blocked():
    board = board_of(updates("sena", blockers=["net"]), says("sena", "blocker", blocker="db", reason="migration"))
    sena = agent_of(board, "sena")
    assert (blocked_by(board), sena.blockers[1].reason) == (["net", "db"], "migration")
    assert (sena.status, sena.set_at["status"], sena.set_at["blocker:db"]) == (Status.BLOCKED, 1, 1)


def test_what_waits_for_the_person_is_released_by_its_holder_or_a_signed_line_alone():
    blocked = says("sena", "blocker", blocker="human_approval")
    forged = says("human", "blocker_resolved", blocker="human_approval", target="sena")
    decided = says("human", "decision", verdict="approved", resolved_blockers=["human_approval"])
    for line in (forged, decided, says("lubit", "blocker_resolved", blocker="human_approval")):
        assert blocked_by(board_of(blocked, line)) == ["human_approval"]
    assert blocked_by(board_of(blocked, {**forged, "signature": "s"})) == []
    assert blocked_by(board_of(blocked, says("sena", "blocker_resolved", blocker="human_approval"))) == []
    human = updates("human_tests", status="working")  # an agent of that name is nobody's person
    assert blocked_by(board_of(human, says("sena", "blocker", blocker="human_tests_done"), forged)) == [
        "human_tests_done"
    ]


def test_a_blocker_with_a_status_of_its_own_keeps_that():
    assert agent_of(board_of(says("sena", "blocker", blocker="db", status="failed")), "sena").status is Status.FAILED


@pytest.mark.parametrize("word", ["resolved", "none", "Cleared", "unblocked", "no"])
def test_a_blocker_called_resolved_and_friends_resolves(word):
    board = board_of(says("sena", "blocker", blocker="db"), says("sena", "blocker", blocker=word))
    assert blocked_by(board) == []
    assert agent_of(board, "sena").unblocked


def test_resolving_takes_the_text_from_every_agent_that_holds_exactly_it():
    held = [says(name, "blocker", blocker="db") for name in ("sena", "lubit")]
    board = board_of(*held, says("gitcode", "blocker", blocker="db2"), says("human", "blocker_resolved", blocker="db"))
    assert (blocked_by(board), blocked_by(board, "lubit"), blocked_by(board, "gitcode")) == ([], [], ["db2"])


def test_resolving_with_a_target_takes_it_from_that_agent_only():
    held = [says(name, "blocker", blocker="db") for name in ("sena", "lubit")]
    board = board_of(*held, says("human", "blocker_resolved", blocker="db", target="SENA"))
    assert (blocked_by(board), blocked_by(board, "lubit")) == ([], ["db"])


def test_a_decision_resolves_the_blockers_that_it_names():
    for field in ("resolved_blockers", "resolved_blocker", "blockers_resolved"):
        board = board_of(updates("sena", blockers=["db", "net"]), says("lubit", "decision", **{field: "db"}))
        assert blocked_by(board) == ["net"]


def test_an_agent_left_blocked_without_a_blocker_is_unblocked_and_not_yet_moving():
    held = (says("sena", "blocker", blocker="db"), says("sena", "blocker", blocker="net"))
    one = says("lubit", "blocker_resolved", blocker="db")
    both = (*held, one, says("lubit", "blocker_resolved", blocker="net"))
    assert not agent_of(board_of(*held, one), "sena").unblocked
    assert agent_of(board_of(*both), "sena").unblocked
    assert agent_of(board_of(*both), "sena").status is Status.BLOCKED
    assert not agent_of(board_of(*both, updates("sena", status="blocked")), "sena").unblocked
    assert not agent_of(board_of(*both, updates("sena", status="in_progress")), "sena").unblocked


def test_a_status_update_may_name_a_blocker_and_say_that_it_is_over():
    named = updates("sena", status="blocked", blocker="no credentials")
    assert blocked_by(board_of(named)) == ["no credentials"]
    assert blocked_by(board_of(named, updates("sena", blocker="resolved"))) == []


NOTHING = [
    "none",
    ["None"],
    ["resolved"],
    [],
    {},
    [{}],
    "N/A",
    ["없음"],
    "없다",
    "null",
    ["Nothing"],
    "-",
    "No blockers",
]


@pytest.mark.parametrize("nothing", [*NOTHING, ""])
def test_a_blocker_event_that_names_nothing_blocks_nobody(nothing):
    sena = agent_of(board_of(updates("sena", status="active"), says("sena", "blocker", blocker=nothing)), "sena")
    assert (sena.status, sena.blockers) == (Status.IN_PROGRESS, ())


def test_a_blocker_event_without_a_blocker_blocks_all_the_same():
    assert agent_of(board_of(says("sena", "blocker", message="stuck here")), "sena").status is Status.BLOCKED


def test_resolving_with_several_targets_takes_it_from_each():
    held = [says(name, "blocker", blocker="db") for name in ("sena", "lubit", "ada")]
    board = board_of(*held, says("human", "blocker_resolved", blocker="db", target=["SENA", "ada"]))
    assert [blocked_by(board, name) for name in ("sena", "lubit", "ada")] == [[], ["db"], []]


@pytest.mark.parametrize("nothing", NOTHING)
def test_a_list_that_names_nothing_is_empty(nothing):
    assert blocked_by(board_of(updates("sena", blockers=nothing))) == []
