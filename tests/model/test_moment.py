from datetime import timedelta

import pytest

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.board import Deadlock, Request
from collab_tui.model.event import Event
from collab_tui.model.moment import Limits, Moment, Order
from collab_tui.model.signature import Judgement, Standing
from tests.events import START, agent_of, asks, at, board_of, decides, event, request_of, says, updates


def moment(*objects, after=0, **options):
    return Moment(board_of(*objects), START + timedelta(seconds=after), **options)


def silence(status, after, *more):
    when = moment(updates("sena", status=status, timestamp=at(0)), *more, after=after)
    return when.silence(agent_of(when.board, "sena"))


# Declared and observed are two things.


@pytest.mark.parametrize(("status", "limit"), [("working", 300), ("waiting", 1800), ("blocked", 1800)])
def test_whoever_works_waits_or_is_blocked_is_silent_after_its_limit(status, limit):
    assert silence(status, limit) is None
    assert silence(status, limit + 1) == limit + 1


@pytest.mark.parametrize("status", ["idle", "done", "failed", "pondering", None])
def test_who_declares_nothing_or_rest_owes_no_sign_of_life(status):
    assert silence(status, 10**6) is None


def test_what_rules_write_makes_no_agent_of_the_monitor():
    wrote = says("monitor", "message", target="lubit", message="go"), says("monitor", "activation", rule="wake")
    assert [agent.name for agent in moment(updates("sena"), *wrote).agents] == ["sena"]
    assert [agent.name for agent in moment(*wrote, updates("Monitor", status="working")).agents] == ["monitor"]


def test_who_is_gone_is_not_silent():
    assert silence("working", 10**6, says("sena", "session_end", timestamp=at(1))) is None


def test_any_event_is_a_sign_of_life_and_one_without_a_time_makes_the_age_unknown():
    assert silence("working", 400, says("sena", "message", timestamp=at(200))) is None
    assert silence("working", 600, says("sena", "message", timestamp=at(200))) == 400
    assert silence("working", 10**6, says("sena", "message")) is None


def test_the_limits_are_the_users():
    limits = Limits(stale_after=timedelta(seconds=5), stale_after_working=timedelta(seconds=2))
    when = moment(
        updates("sena", status="working", timestamp=at(0)),
        updates("lubit", status="waiting", timestamp=at(0)),
        after=4,
        limits=limits,
    )
    assert [agent.name for agent in when.silent] == ["sena"]


def test_a_time_in_the_future_is_no_age():
    when = moment(updates("sena", status="working", timestamp=at(99)), after=0)
    assert when.age(agent_of(when.board, "sena")) == 0
    assert seconds_between(None, START) is None


def test_the_longest_silent_comes_first():
    when = moment(
        *(updates(name, status="working", timestamp=at(s)) for s, name in ((0, "a"), (20, "b"), (10, "c"), (90, "d"))),
        after=350,
    )
    assert [agent.name for agent in when.silent] == ["a", "c", "b"]


# Deadlines.


def test_a_passed_deadline_is_overdue_and_still_answerable():
    asked = asks("sena", "r1", deadline=at(10))
    before, after = moment(asked, after=9), moment(asked, after=10)
    r1 = request_of(after.board, "r1")
    assert (before.is_overdue(r1), after.is_overdue(r1), after.is_answerable(r1)) == (False, True, True)
    assert after.needs == (r1,)


def test_a_passed_expiry_closes_and_is_unanswerable():
    asked = asks("sena", "r1", expires=at(10)), asks("lubit", "r2", target="sena", expires=at(10))
    before, after = moment(*asked, after=9), moment(*asked, after=10)
    r1 = request_of(after.board, "r1")
    assert (before.is_answerable(r1), after.is_expired(r1), after.is_answerable(r1)) == (True, True, False)
    assert (len(before.needs), len(before.to_others)) == (1, 1)
    assert (after.needs, after.to_others) == ((), ())


def test_a_closed_request_is_neither_overdue_nor_expired():
    closed = says("human", "decision", request_id="r1", verdict="approved")
    when = moment(asks("sena", "r1", deadline=at(1), expires=at(1)), closed, after=99)
    r1 = request_of(when.board, "r1")
    assert (when.is_overdue(r1), when.is_expired(r1), when.is_answerable(r1)) == (False, False, False)


def test_what_rests_on_an_expired_request_alone_is_no_wait_and_no_deadlock():
    asked = (asks("x", "r1", target="y", expires=at(10)), asks("y", "r2", target="x"))
    before, after = moment(*asked, after=9), moment(*asked, after=10)
    assert [deadlock.agents for deadlock in before.deadlocks] == [("x", "y")]
    assert before.waits is before.board.waits
    assert [(wait.waiter, wait.awaited) for wait in after.waits] == [("y", "x")]
    assert after.board.deadlocks
    assert (after.deadlocks, after.needs) == ((), ())
    assert after.held_up(request_of(after.board, "r1")) == ("x", "y")
    assert after.held_up(request_of(after.board, "r2")) == ("y",)


def test_an_expired_request_leaves_the_other_reasons_of_a_deadlock():
    asked = asks("x", "r1", target="y", expires=at(10), blockers=["y_review"]), asks("y", "r2", target="x")
    when = moment(*asked, after=10)
    (deadlock,) = when.deadlocks
    assert deadlock.request_id == "r2"
    assert [len(wait.reasons) for wait in when.waits] == [1, 1]
    assert [agent.name for agent in when.ordered(Order.NEED)] == ["x", "y"]


# Attention order.

STORY = (
    updates("idle", status="idle", timestamp=at(0)),
    updates("busy", status="working", timestamp=at(1000)),
    updates("quiet", status="working", timestamp=at(0)),
    says("held", "blocker", blocker="db", timestamp=at(1000)),
    asks("old", "r-old", timestamp=at(1000)),
    asks("young", "r-young", timestamp=at(1000)),
    updates("fan", status="waiting_for_young", timestamp=at(1000)),
    asks("x", "r-x", target="y", timestamp=at(1000)),
    asks("y", "r-y", target="x", timestamp=at(1000)),
    updates("broken", status="failed", timestamp=at(1000)),
    updates("mystery", status="pondering", timestamp=at(1000)),
    says("left", "session_end", status="blocked", timestamp=at(1000)),
)


def test_deadlocks_come_first_then_requests_to_the_person_by_agents_held_up_then_age():
    when = moment(*STORY, after=1001)
    first, *rest = when.needs
    assert isinstance(first, Deadlock)
    assert set(first.agents) == {"x", "y"}
    assert [need.id for need in rest if isinstance(need, Request)] == ["r-young", "r-old"]
    assert [request.id for request in when.to_others] == ["r-x", "r-y"]
    assert set(when.held_up(request_of(when.board, "r-young"))) == {"young", "fan"}
    assert when.held_up(request_of(when.board, "r-old")) == ("old",)


def test_agents_are_ordered_by_need():
    when = moment(*STORY, after=1001)
    ordered = [agent.name for agent in when.ordered(Order.NEED)]
    assert ordered == ["x", "y", "old", "young", "held", "broken", "quiet", "fan", "busy", "mystery", "idle", "left"]


def test_agents_are_ordered_by_name_or_activity_with_the_gone_last():
    when = moment(says("b", "session_end"), updates("C"), updates("a"), updates("C"), after=0)
    assert [agent.name for agent in when.ordered(Order.NAME)] == ["a", "C", "b"]
    assert [agent.name for agent in when.ordered(Order.ACTIVITY)] == ["C", "a", "b"]


def test_blocked_are_those_who_say_so_or_have_a_blocker_and_are_there():
    when = moment(*STORY, updates("busy", blockers=["net"]), after=1001)
    assert [agent.name for agent in when.blocked] == ["busy", "held"]


def test_who_is_done_is_not_blocked_whatever_is_left_in_its_list():
    done = updates("sena", status="completed", blockers=["db"]), says("lubit", "blocker", blocker="net")
    when = moment(*done, updates("ada", status="active"), after=0)
    assert [agent.name for agent in when.blocked] == ["lubit"]
    assert [agent.name for agent in when.ordered(Order.NEED)] == ["lubit", "ada", "sena"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (172_799, "47 h"),
        (172_800, "2 d"),
    ],
)
def test_an_age_has_one_unit(seconds, text):
    assert age(seconds) == text


def test_the_person_counts_as_an_agent_only_when_it_declares_something():
    quiet = moment(decides("human", "r1", verdict="approved"), updates("sena"), after=0)
    assert [agent.name for agent in quiet.agents] == ["sena"]
    busy = moment(updates("human", current_task="reading"), updates("sena"), after=0)
    assert [agent.name for agent in busy.agents] == ["human", "sena"]


def test_one_that_was_answered_and_still_says_it_waits_is_told_apart():
    answered = decides("lubit", "r1", verdict="approved")
    story = [asks("sena", "r1", request="go?", target="lubit"), answered]

    def answers_of(*objects) -> str | None:
        seen = moment(updates("lubit"), *objects, after=0)
        request = seen.answered(seen.board.agent("sena"))
        return request.id if request else None

    assert answers_of(*story) == "r1"
    assert answers_of(*story, updates("sena", progress=10)) == "r1"
    assert answers_of(story[0]) is None  # not answered yet
    assert answers_of(*story, updates("sena", status="waiting")) is None  # it read the answer, and says so again
    assert answers_of(*story, updates("sena", status="in_progress")) is None
    assert answers_of(*story, says("sena", "session_end")) is None
    assert answers_of(*story, asks("sena", "r2", request="and now?", target="lubit")) is None
    assert answers_of(updates("sena", dependencies=["lubit_ready"]), *story) is None  # something else keeps it


# Answered by somebody who only claimed to be the person.


def judging(*signed: str):
    """Takes the decisions of these ids for signed, those with any other signature for bad, the rest for claims."""

    def judge(decision: Event, request: Event | None, registry_id: str | None) -> Judgement | None:
        if decision.agent != "human":
            return None
        standing = Standing.SIGNED if decision.id in signed else Standing.BAD
        return Judgement(standing if decision.data.get("signature") else Standing.CLAIMED, "")

    return judge


ASKED = asks("sena", "r1", request="go?", target="human", expires=at(1000))
CLAIM = decides("human", "r1", id="claim", verdict="approved", timestamp=at(5))
FORGED = decides("human", "r1", id="forged", verdict="approved", signature="x")
MINE = decides("human", "r1", id="mine", verdict="rejected", signature="y")


def needs_of(*objects, **options) -> list[str]:
    mine = moment(*objects, **{"judge": judging("mine"), **options})
    return [need.id for need in mine.needs]


@pytest.mark.parametrize("claims", [(CLAIM,), (FORGED,), (CLAIM, FORGED)], ids=["claimed", "bad", "both"])
def test_what_somebody_else_answered_still_waits_for_the_person(claims):
    assert needs_of(ASKED, *claims) == ["r1"]
    assert needs_of(ASKED, *claims, updates("sena", progress=10)) == ["r1"]
    assert needs_of(ASKED, *claims, updates("sena", status="waiting_for_human")) == ["r1"]
    assert needs_of(ASKED, *claims, MINE) == []
    assert needs_of(ASKED, *claims, judge=lambda *_: None) == []  # of those who sign nothing, nothing can be said


@pytest.mark.parametrize(
    "then",
    [
        updates("sena", status="in_progress"),
        says("sena", "completion"),
        says("sena", "session_end"),
        says("sena", "request_withdrawn", request_id="r1"),
    ],
    ids=["at work", "done", "gone", "withdrawn"],
)
def test_an_asker_that_went_on_asks_for_nothing_any_more(then):
    """An old registry, full of decisions from before there were keys, must not fill the inbox."""
    assert needs_of(ASKED, CLAIM, then) == []


def test_an_asker_that_waits_for_another_agent_since_has_gone_on():
    lubit = updates("lubit", status="in_progress")
    assert needs_of(lubit, ASKED, CLAIM, updates("sena", status="waiting_for_lubit")) == []
    assert needs_of(lubit, updates("sena", status="waiting_for_lubit"), ASKED, CLAIM) == ["r1"]


def test_one_that_works_while_it_asks_is_asked_for_until_it_says_again_that_it_works_or_at_what():
    working = updates("sena", status="in_progress")
    asked = ASKED | {"status": "in_progress"}
    assert needs_of(working, asked, CLAIM) == ["r1"]
    assert needs_of(working, asked, CLAIM, updates("sena", progress=50)) == ["r1"]
    assert needs_of(working, asked, CLAIM, updates("sena", status="in_progress", progress=50)) == []
    assert needs_of(working, asked, CLAIM, updates("sena", current_task="something else")) == []
    assert needs_of(working, asked, CLAIM, updates("sena", status="waiting", current_task="something else")) == ["r1"]
    assert needs_of(working, asked, CLAIM, updates("sena", status="idle")) == []


def test_a_claim_on_what_has_expired_or_is_asked_of_an_agent_is_over():
    assert needs_of(ASKED, CLAIM, after=1001) == []
    assert needs_of(ASKED | {"target": "lubit"}, CLAIM) == []


def test_the_answer_that_counts_is_the_one_the_person_signed():
    seen = moment(ASKED, CLAIM, FORGED, MINE, judge=judging("mine"))
    request = seen.board.requests[0]
    assert request.answer.event.id == "forged"  # the fold takes the first that carries a signature
    answer = seen.answer(request)
    assert (answer.event.id, answer.verdict, seen.standing(answer)) == ("mine", "rejected", Standing.SIGNED)
    assert not seen.is_answerable(request)
    blind = moment(ASKED, CLAIM, MINE)
    assert blind.answer(request) == request.answer
    assert blind.standing(request.answer) is None


def test_a_decision_is_judged_by_the_request_that_it_names():
    judged = []
    board = moment(ASKED, CLAIM, judge=lambda *given: judged.append(given))
    for decision in (CLAIM, CLAIM | {"request_id": "r9"}, {**CLAIM, "request_id": None}, updates("sena")):
        board.judgement(event(7, **decision))
    assert [(request.id if request else None, id_) for _, request, id_ in judged] == [
        ("r1", board.board.registry_id),
        (None, board.board.registry_id),
    ]


def test_those_held_up_by_what_was_only_claimed_are_told():
    story = [ASKED, updates("lubit", status="waiting_for_sena"), CLAIM]
    seen = moment(*story, judge=judging())
    assert seen.held_up(seen.board.requests[0]) == ("sena", "lubit")
    assert {(wait.waiter, wait.awaited) for wait in seen.waits} == {("sena", "human"), ("lubit", "sena")}
    believed = moment(*story, MINE, judge=judging("mine"))
    assert believed.waits is believed.board.waits


def test_a_wait_that_stands_for_another_reason_gets_the_claimed_one_too():
    story = [updates("sena", status="waiting_for_human"), ASKED | {"status": "waiting_for_human"}, CLAIM]
    (wait,) = moment(*story, judge=judging()).waits
    assert [reason.request_id for reason in wait.reasons] == ["r1", None]
