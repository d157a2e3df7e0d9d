from datetime import UTC, datetime

import pytest

from collab_tui.model.board import ProblemKind, RequestKind, RequestState
from collab_tui.model.requests import MAX_CLOSED, MAX_DECISIONS, closes, verdict_of
from tests.events import agent_of, asks, at, board_of, decides, event, fold_of, items, request_of, says, updates


def state_of(*objects, request_id="r1", person="human"):
    return request_of(board_of(*objects, person=person), request_id).state


# What opens one.


def test_a_request_carries_all_that_its_event_says():
    r1 = request_of(
        board_of(
            asks("Sena", "r1", request="Ship?", details="v2", target="lubit", default="no", urgency="Critical")
            | {"evidence": ["a.md"], "deadline": at(60), "expires": 1_760_000_000, "task": "deploy", "timestamp": at(0)}
        ),
        "r1",
    )
    assert (r1.asker, r1.target, r1.request, r1.details, r1.default) == ("Sena", "lubit", "Ship?", "v2", "no")
    assert (r1.evidence, r1.task, r1.position, r1.state) == (("a.md",), "deploy", 0, RequestState.OPEN)
    assert r1.asked_at == datetime(2025, 10, 20, 9, 0, tzinfo=UTC)
    assert r1.deadline == datetime(2025, 10, 20, 9, 1, tzinfo=UTC)
    assert r1.expires == datetime.fromtimestamp(1_760_000_000, UTC)
    assert r1.is_critical


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, RequestKind.APPROVAL),
        ({"options": ["a", "b"]}, RequestKind.CHOICE),
        ({"options": []}, RequestKind.APPROVAL),
        ({"kind": "question"}, RequestKind.QUESTION),
        ({"kind": "approval", "options": ["a"]}, RequestKind.APPROVAL),
        ({"kind": "vote", "options": ["a"]}, RequestKind.CHOICE),
        ({"kind": ["question"]}, RequestKind.APPROVAL),
    ],
)
def test_no_options_is_an_approval_and_options_are_a_choice(fields, kind):
    assert request_of(board_of(asks("sena", "r1", **fields)), "r1").kind is kind


def test_only_a_decision_request_opens_a_request():
    kinds = ("collaboration_request", "request", "request_withdrawn", "message", "status_update")
    assert board_of(*(says("sena", kind, id=kind, request="?") for kind in kinds)).requests == ()


def test_asking_makes_its_writer_wait_unless_it_gave_a_status():
    board = board_of(asks("sena", "r1"), asks("lubit", "r2", status="in_progress"))
    assert (agent_of(board, "sena").raw_status, agent_of(board, "sena").set_at["status"]) == ("waiting", 0)
    assert agent_of(board, "lubit").raw_status == "in_progress"


def test_a_request_without_an_id_has_a_derived_one_that_a_decision_can_name():
    derived = event(**asks("sena")).id
    assert state_of(asks("sena"), decides("human", derived, verdict="approved"), request_id=derived) == "answered"


@pytest.mark.parametrize("target", [None, "human", "Human", "user", "kim"])
def test_what_is_addressed_to_the_person_or_to_nobody_is_for_the_person(target):
    assert request_of(board_of(asks("sena", "r1", target=target), person="Kim"), "r1").to_person
    assert not request_of(board_of(asks("sena", "r1", target="lubit"), person="Kim"), "r1").to_person


@pytest.mark.parametrize(
    ("target", "shown", "to_person"),
    [
        (["human"], "human", True),
        (["lubit"], "lubit", False),
        (["lubit", "User"], "lubit, User", True),
        (["lubit", "gitcode"], "lubit, gitcode", False),
        ([], None, True),
    ],
)
def test_a_target_may_be_a_list(target, shown, to_person):
    r1 = request_of(board_of(asks("sena", "r1", target=target)), "r1")
    assert (r1.target, r1.to_person) == (shown, to_person)


# What closes one.


def test_a_decision_that_names_a_request_closes_it_and_is_its_answer():
    r1 = request_of(board_of(asks("sena", "r1"), decides("human", "r1", verdict="Approve", comments="go")), "r1")
    assert (r1.state, r1.closed_at, r1.is_open) == (RequestState.ANSWERED, 1, False)
    assert r1.answer is not None
    assert (r1.answer.by, r1.answer.verdict, r1.answer.comment, r1.answer.position) == ("human", "approved", "go", 1)


def test_an_answer_in_words_is_kept_as_it_is():
    answer = request_of(board_of(asks("sena", "r1"), decides("human", "r1", answer="tomorrow")), "r1").answer
    assert answer is not None
    assert (answer.verdict, answer.text) == (None, "tomorrow")


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        ("approved", "approved"),
        ("OK", "approved"),
        ("rejected", "rejected"),
        ("No-Go", "rejected"),
        ("maybe", None),
        ("", None),
        (None, None),
    ],
)
def test_verdicts_are_read_in_the_words_that_agents_use(raw, verdict):
    assert verdict_of(raw) == verdict


def test_a_request_to_the_person_is_closed_only_in_the_persons_name():
    r1 = request_of(board_of(asks("sena", "r1"), decides("lubit", "r1", verdict="approved")), "r1")
    assert r1.is_open
    assert r1.answer is not None
    assert r1.answer.by == "lubit"


def test_a_request_to_several_with_the_person_among_them_is_closed_only_in_the_persons_name():
    asked = asks("sena", "r1", target=["lubit", "human"])
    assert state_of(asked, decides("lubit", "r1", verdict="approved")) is RequestState.OPEN
    assert state_of(asked, decides("human", "r1", verdict="approved")) is RequestState.ANSWERED


def test_a_request_to_several_is_addressed_to_each():
    asked = asks("sena", "r1", target=["lubit", "GitCode"])
    assert perhaps(asked, decides("lubit")) == {"r1": "lubit"}
    assert perhaps(asked, decides("gitcode")) == {"r1": "gitcode"}
    board = board_of(updates("gitcode"), asked)
    assert [(wait.waiter, wait.awaited) for wait in board.waits] == [("sena", "lubit"), ("sena", "gitcode")]


def test_numbers_are_ids_too():
    asked = says("sena", "decision_request", id=123)
    for request_id in (123, "123"):
        board = board_of(asked, says("human", "decision", request_id=request_id, verdict="approved"))
        assert request_of(board, "123").state is RequestState.ANSWERED
        assert board.problems == ()
    assert state_of(asked, says("sena", "request_withdrawn", request_id=123), request_id="123") == "withdrawn"


def test_a_request_to_an_agent_is_closed_by_anybody_but_its_asker():
    asked = asks("sena", "r1", target="lubit")
    for writer in ("lubit", "gitcode", "human"):
        assert state_of(asked, decides(writer, "r1", verdict="approved")) is RequestState.ANSWERED
    assert state_of(asked, decides("Sena", "r1", verdict="approved")) is RequestState.OPEN


def test_only_the_askers_withdrawal_counts():
    def withdrawn_by(writer):
        return state_of(asks("sena", "r1"), says(writer, "request_withdrawn", request_id="r1"))

    assert withdrawn_by("SENA") is RequestState.WITHDRAWN
    assert withdrawn_by("lubit") is withdrawn_by("human") is RequestState.OPEN


def test_an_answer_is_single_use():
    r1 = request_of(
        board_of(asks("sena", "r1"), decides("human", "r1", verdict="approved"), decides("human", "r1", verdict="no")),
        "r1",
    )
    assert r1.answer is not None
    assert (r1.answer.verdict, r1.closed_at) == ("approved", 1)


def test_a_closed_request_is_not_opened_again_by_its_id():
    again = asks("sena", "r1", request="again")
    assert state_of(asks("sena", "r1"), decides("human", "r1", verdict="no"), again) is RequestState.ANSWERED


@pytest.mark.parametrize("kind", ["decision", "request_withdrawn"])
@pytest.mark.parametrize("request_id", ["r9", 7, ["r1"]])
def test_a_decision_for_a_request_that_is_not_there_is_a_problem(kind, request_id):
    board = board_of(asks("sena", "r1"), says("sena", kind, request_id=request_id))
    assert [(p.kind, p.position) for p in board.problems] == [(ProblemKind.NO_SUCH_REQUEST, 1)]


def test_what_closes_a_request_is_decided_alike_for_those_who_wait():
    answer = event(**decides("human", "r1", verdict="approved"))
    assert closes(answer, "r1", "sena", to_person=True, person="Human")
    assert not closes(answer, "r2", "sena", to_person=True, person="human")
    assert not closes(event(**decides("lubit", "r1")), "r1", "sena", to_person=True, person="human")
    assert closes(event(**decides("lubit", "r1")), "r1", "sena", to_person=False, person="human")
    assert not closes(event(**decides("sena", "r1")), "r1", "sena", to_person=False, person="human")
    assert not closes(event(event="decision", request_id="r1"), "r1", "sena", to_person=False, person="human")
    assert not closes(event(**says("lubit", "message", request_id="r1")), "r1", "sena", to_person=False, person="human")


def test_a_request_whose_askers_session_ended_stays_and_says_so():
    ended = (asks("sena", "r1"), says("Sena", "session_end"))
    assert request_of(board_of(*ended), "r1").asker_gone
    assert request_of(board_of(*ended), "r1").is_open
    assert not request_of(board_of(*ended, updates("sena")), "r1").asker_gone


def closed_requests(count: int) -> list[dict]:
    """Requests to an agent that another closed."""
    return [obj for n in range(count) for obj in (asks("gitcode", f"c{n}", target="lubit"), decides("lubit", f"c{n}"))]


def test_closed_requests_are_remembered_within_bounds_and_open_ones_all():
    board = board_of(asks("lubit", "first"), *closed_requests(MAX_CLOSED + 3))
    assert len(board.requests) == MAX_CLOSED + 1
    assert [r.id for r in board.open_requests] == ["first"]
    assert (board.request("c2"), request_of(board, "c3").state) == (None, RequestState.ANSWERED)


def test_what_somebody_perhaps_awaits_from_the_person_is_not_forgotten_until_it_goes_on():
    claimed = [obj for n in range(9) for obj in (asks("sena", f"r{n}"), decides("human", f"r{n}"))]
    story = [*claimed, *closed_requests(2 * MAX_CLOSED)]
    awaited = board_of(*story)
    assert all(awaited.request(f"r{n}") for n in range(9))
    assert len(awaited.requests) <= MAX_CLOSED + 9
    late = board_of(*story, decides("human", "r0", id="mine", verdict="approved", signature="x"))
    assert (request_of(late, "r0").answer.event.id, late.problem_count) == ("mine", 0)
    for then in (updates("sena", status="in_progress"), says("sena", "session_end"), updates("sena", current_task="b")):
        gone_on = board_of(*claimed, then, *closed_requests(2 * MAX_CLOSED))
        assert not any(gone_on.request(f"r{n}") for n in range(9))
        assert len(gone_on.requests) == MAX_CLOSED


# Decisions without `request_id`: shown, never acted on.


def perhaps(*objects):
    return {r.id: r.answer.by for r in board_of(*objects).open_requests if r.answer is not None}


ASKED = (
    asks("sena", "r1", request="metrics?", target="gitcode"),
    asks("maestro", "r2", request="deploy?", target="lubit"),
    asks("maestro", "r3", request="later?", target="lubit"),
)


def test_first_the_request_that_decision_for_names():
    assert perhaps(*ASKED, decides("lubit", decision_for="r3")) == {"r3": "lubit"}
    assert perhaps(*ASKED, decides("lubit", decision_for="metrics?")) == {"r1": "lubit"}


def test_then_the_oldest_of_the_agent_that_it_names():
    assert perhaps(*ASKED, decides("ada", decision_for="sena_metrics_design")) == {"r1": "ada"}
    assert perhaps(*ASKED, decides("ada", current_task="sena_metrics_design")) == {"r1": "ada"}
    assert perhaps(*ASKED, decides("ada", target="Maestro")) == {"r2": "ada"}
    assert perhaps(*ASKED, decides("Lubit", decision_for="sena_metrics")) == {"r1": "Lubit"}


def test_of_these_one_addressed_to_the_writer_comes_before_an_older_one():
    asked = (asks("sena", "r0"), asks("sena", "r1", target="lubit"))
    assert perhaps(*asked, decides("lubit", target="sena")) == {"r1": "lubit"}
    assert perhaps(*asked, decides("ada", target="sena")) == {"r0": "ada"}


def test_then_if_it_names_nobody_the_oldest_open_one_addressed_to_the_writer():
    assert perhaps(*ASKED, decides("Lubit", verdict="approved")) == {"r2": "Lubit"}
    assert perhaps(*ASKED, decides("lubit", verdict="approved", current_task="lubit_reviews")) == {"r2": "lubit"}
    assert perhaps(*ASKED, decides("lubit", "r2"), decides("lubit")) == {"r3": "lubit"}


@pytest.mark.parametrize(
    "about",
    [
        {"target": "lubit", "decision_for": "the budget"},
        {"target": "lubit", "decision_for": "ship?"},
        {"target": ["lubit"]},
        {"target": "all"},
        {"decision_for": "lubit_budget"},
        {"current_task": "lubit_budget"},
        {"decision_for": "the budget"},
    ],
)
def test_a_decision_about_somebody_or_something_else_answers_nothing(about):
    waiting = (updates("lubit"), asks("sena", "r1", request="ship?", target="human"))
    story = (*waiting, decides("human", answer="less", **about), updates("sena", status="in_progress"))
    r1 = request_of(board_of(*story), "r1")
    assert (r1.is_open, r1.answer) == (True, None)


def test_else_none_and_never_the_writers_own():
    assert perhaps(*ASKED, decides("ada", verdict="approved")) == {}
    assert perhaps(*ASKED, decides("sena", decision_for="r1"), decides("maestro", target="maestro")) == {}


def test_a_perhaps_answered_request_stays_open_while_its_asker_waits_or_is_blocked():
    for status in ("waiting_for_lubit", "blocked", "stuck"):
        assert perhaps(*ASKED, decides("lubit"), updates("maestro", status=status)) == {"r2": "lubit"}
    assert perhaps(*ASKED, decides("lubit"), updates("maestro", progress=3)) == {"r2": "lubit"}


def test_an_asker_that_never_stopped_working_does_not_move_on():
    asked = (asks("sena", "r1", target="human", status="in_progress"), decides("human", verdict="approved"))
    works = updates("sena", status="in_progress")
    assert perhaps(*asked, works, works) == {"r1": "human"}


@pytest.mark.parametrize("pause", [updates("sena", status="waiting"), says("sena", "blocker", blocker="db")])
def test_an_asker_that_waited_since_moves_on(pause):
    asked = (asks("sena", "r1", target="human", status="in_progress"), decides("human", verdict="approved"))
    works = updates("sena", status="in_progress")
    assert state_of(*asked, works, pause, works) is RequestState.MOVED_ON


def test_an_asker_that_waited_when_it_was_perhaps_answered_moves_on_however_it_says_so():
    story = (asks("sena", "r1", target="human"), decides("human"), says("sena", "message", status="active"))
    assert state_of(*story, updates("sena", status="active")) is RequestState.MOVED_ON


def test_it_is_over_when_its_asker_moves_on_and_others_stay_open():
    board = board_of(*ASKED, decides("lubit"), updates("maestro", status="in_progress"))
    r2 = request_of(board, "r2")
    assert (r2.state, r2.closed_at, r2.answer and r2.answer.position) == (RequestState.MOVED_ON, 4, 3)
    assert [r.id for r in board.open_requests] == ["r1", "r3"]


def test_it_is_over_when_its_asker_moves_on_after_asking_something_else():
    board = board_of(*ASKED, decides("lubit"), asks("maestro", "r4"), updates("maestro", status="in_progress"))
    assert request_of(board, "r2").state is RequestState.MOVED_ON
    assert [r.id for r in board.open_requests] == ["r1", "r3", "r4"]


def test_a_request_that_nobody_answered_stays_open_when_its_asker_works():
    assert state_of(asks("sena", "r1"), updates("sena", status="in_progress")) is RequestState.OPEN


def test_it_is_closed_by_whoever_decides_it_by_its_id():
    r2 = request_of(board_of(*ASKED, decides("lubit"), decides("human", "r2", verdict="rejected")), "r2")
    assert r2.answer is not None
    assert (r2.state, r2.answer.by, r2.answer.verdict) == (RequestState.ANSWERED, "human", "rejected")


def test_only_the_persons_own_name_answers_for_the_person():
    asked = asks("sena", "r1", target="user")
    assert request_of(board_of(asked, decides("user", "r1", verdict="approved"), person="kim"), "r1").is_open
    assert not request_of(board_of(asked, decides("Kim", "r1", verdict="approved"), person="kim"), "r1").is_open


# Decisions in the person's name. Nothing is verified here: that is for whoever has keys.


def test_every_signed_decision_on_what_waits_for_the_person_is_kept():
    said = [decides("human", "r1", id=f"d{n}", verdict="approved", signature=f"s{n}" if n else None) for n in range(4)]
    request = request_of(board_of(asks("sena", "r1", request="go?"), *said), "r1")
    assert [decision.id for decision in request.decisions] == ["d0", "d1", "d2", "d3"]
    assert request.state is RequestState.ANSWERED
    assert request.closed_at == 1
    assert request.event.id == "r1"


def test_the_first_that_carries_a_signature_is_the_answer():
    story = [
        asks("sena", "r1", request="go?"),
        decides("human", "r1", id="d0", verdict="approved"),
        decides("human", "r1", id="d1", verdict="rejected", signature="x"),
        decides("human", "r1", id="d2", verdict="approved", signature="y"),
    ]
    before, after = request_of(board_of(*story[:2]), "r1"), request_of(board_of(*story), "r1")
    assert (before.answer.verdict, after.answer.verdict) == ("approved", "rejected")
    assert after.answer.event.id == "d1"


def test_neither_unsigned_nor_forged_ones_push_out_what_the_person_signed():
    claims = [decides("human", "r1", verdict="approved") for _ in range(50)]
    mine = decides("human", "r1", id="mine", verdict="rejected", signature="y")

    def kept(before: int, after: int) -> list[str]:
        forged = [decides("human", "r1", id=f"f{n}", signature="x") for n in range(before + after)]
        story = (asks("sena", "r1"), *claims, *forged[:before], mine, *claims, *forged[before:])
        return [decision.id for decision in request_of(board_of(*story), "r1").decisions][1:]

    assert kept(8, 1)[-2:] == ["mine", "f8"]
    assert kept(900, 50)[900] == "mine"
    flooded = kept(MAX_DECISIONS - 5, 50)
    assert len(flooded) == MAX_DECISIONS - 1
    assert flooded[MAX_DECISIONS - 5] == "mine"
    assert flooded[-1] == f"f{MAX_DECISIONS + 44}"


def test_of_what_waits_for_the_person_only_what_is_in_their_name_is_kept():
    said = [decides(by, "r1", verdict="approved", signature="x") for by in ("lubit", "sena")]
    assert request_of(board_of(asks("sena", "r1", request="go?", target="human"), *said), "r1").decisions == ()


def test_of_what_waits_for_an_agent_the_first_word_of_everybody_else_is_kept():
    """The first may be in the name of somebody who signs, and forged."""
    said = [decides(by, "r1", id=f"{n}{by}") for n in range(2) for by in ("human", "sena", "lubit")]
    request = request_of(board_of(asks("sena", "r1", request="go?", target="lubit"), *said), "r1")
    assert [decision.id for decision in request.decisions] == ["0human", "0lubit"]
    assert (request.state, request.answer.event.id) == (RequestState.ANSWERED, "0human")


@pytest.mark.parametrize("signature", [None, "x"], ids=["unsigned", "forged"])
@pytest.mark.parametrize("target", ["human", "lubit"])
def test_an_asker_may_withdraw_whatever_was_answered(target, signature):
    asked, withdrawn = asks("sena", "r1", target=target), says("sena", "request_withdrawn", request_id="r1")
    claim, late = (decides("human", "r1", id=id_, signature=signature) for id_ in ("claim", "late"))
    request = request_of(board_of(asked, claim, withdrawn), "r1")
    assert (request.state, request.answer, request.closed_at) == (RequestState.WITHDRAWN, None, 2)
    assert request_of(board_of(asked, claim, withdrawn, late), "r1") == request
    not_theirs = says("lubit", "request_withdrawn", request_id="r1")
    assert request_of(board_of(asked, claim, not_theirs), "r1").state is RequestState.ANSWERED


def test_a_copy_of_a_fold_keeps_its_own_decisions():
    fold = fold_of(asks("sena", "r1"), decides("human", "r1", verdict="approved"))
    twin = fold.checkpoint()
    before = fold.board()
    twin.extend(items(decides("human", "r1", id="late", verdict="rejected", signature="x"), first=2))
    assert fold.board() == before
    assert request_of(twin.board(), "r1").answer.verdict == "rejected"
