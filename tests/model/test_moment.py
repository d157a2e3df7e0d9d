from datetime import timedelta

import pytest

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.board import Deadlock, Request
from collab_tui.model.moment import Limits, Moment, Order
from tests.events import START, agent_of, asks, at, board_of, decides, request_of, says, updates


def moment(*objects, after, **options):
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
