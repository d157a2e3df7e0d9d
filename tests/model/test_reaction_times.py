"""From a cause to the next event of the one whom it concerns."""

from unittest.mock import patch

import pytest

from collab_tui.model import reaction_times
from collab_tui.model.event import Event
from collab_tui.model.reaction_times import Reaction, Timing, timing_of
from collab_tui.model.signature import Judgement, Standing, registry_id
from collab_tui.model.teamwork import TeamworkRecorder
from tests.events import Object, asks, at, decides, items, says, updates


def timings_of(*objects: Object) -> dict[Reaction, Timing]:
    recorder = TeamworkRecorder()
    recorder.extend(items(*objects))
    return dict(recorder.account().reactions)


def once(seconds: float) -> Timing:
    same = pytest.approx(seconds)
    return Timing(1, same, same, same)


def message(writer: str, target: object, second: float) -> Object:
    return says(writer, "message", target=target, message="hi", timestamp=at(second))


def test_a_request_its_decision_and_the_asker_who_goes_on():
    told = timings_of(
        updates("lubit", timestamp=at(0)),
        asks("sena", "r1", target="lubit", timestamp=at(10)),
        updates("lubit", progress=5, timestamp=at(12)),
        decides("lubit", "r1", verdict="approved", timestamp=at(15)),
        updates("gitcode", timestamp=at(15.5)),
        updates("sena", timestamp=at(15.75)),
    )
    assert told == {
        Reaction.ASKED: once(2),
        Reaction.DECIDED_BY_AGENT: once(5),
        Reaction.WENT_ON: once(0.75),
    }


def test_the_person_is_not_an_agent():
    told = timings_of(
        asks("sena", "r1", target="human", timestamp=at(0)),
        asks("sena", "r2", timestamp=at(1)),
        decides("lubit", "r1", verdict="approved", timestamp=at(2)),
        decides("human", "r1", verdict="approved", timestamp=at(60)),
        decides("human", "r2", verdict="rejected", timestamp=at(61)),
    )
    assert told == {Reaction.DECIDED_BY_PERSON: Timing(2, pytest.approx(60), pytest.approx(60), pytest.approx(60))}


def signed_only(decision: Event, request: Event | None, registry_id: str | None) -> Judgement | None:
    """The person signs, and a signature is right when it names the registry."""
    if decision.agent != "human":
        return None
    is_right = decision.text("signature") == registry_id
    return Judgement(Standing.SIGNED if is_right else Standing.CLAIMED, "")


def test_what_the_person_did_not_sign_is_no_decision_of_theirs():
    story = [
        updates("sena", timestamp=at(0)),
        asks("sena", "r1", target="human", timestamp=at(0)),
        decides("human", "r1", verdict="approved", timestamp=at(2)),
        decides("human", "r1", verdict="approved", timestamp=at(3)),
        updates("sena", timestamp=at(4)),
        asks("sena", "r2", target="lubit", timestamp=at(10)),
        decides("human", "r2", verdict="approved", timestamp=at(12)),
        decides("lubit", "r2", verdict="approved", timestamp=at(15)),
        updates("sena", timestamp=at(15.5)),
        decides("human", target="lubit", verdict="approved", timestamp=at(16)),
        updates("lubit", timestamp=at(17)),
    ]
    (first, *_) = items(*story)
    answer = decides("human", "r1", verdict="approved", signature=registry_id(first), timestamp=at(60))
    recorder = TeamworkRecorder(judge=signed_only)
    recorder.extend(items(*story, answer, updates("sena", timestamp=at(60.5))))
    two, half = (Timing(2, same, same, same) for same in (pytest.approx(2), pytest.approx(0.5)))
    assert dict(recorder.account().reactions) == {
        Reaction.ASKED: once(5),
        Reaction.DECIDED_BY_AGENT: once(5),
        Reaction.DECIDED_BY_PERSON: once(60),
        Reaction.DECIDED_UNVERIFIED: two,
        Reaction.WENT_ON: half,
    }


def by_rule(event: str, key: str, second: float, **fields: object) -> Object:
    return says("monitor", event, rule="at 80", key=key, timestamp=at(second), **fields)


def test_an_event_a_rule_and_the_agent_that_it_wakes_with_its_first_line():
    told = timings_of(
        updates("sena", id="e1", progress=80, timestamp=at(0)),
        by_rule("message", "k1", 0.02, cause="e1", target="lubit"),
        says("lubit", "session_start", timestamp=at(0.05)),
        by_rule("activation", "k1", 0.06, cause="e1", target="lubit", outcome="sent"),
        updates("lubit", timestamp=at(9)),
        by_rule("message", "k2", 10, cause="unknown", target="lubit"),
        by_rule("activation", "k2", 10, cause="unknown", target="lubit", outcome="sent"),
        updates("lubit", timestamp=at(10.03)),
    )
    woken = Timing(2, pytest.approx(0.03), pytest.approx(0.03), pytest.approx(0.03))
    assert told == {Reaction.FIRED: once(0.02), Reaction.WOKEN: woken, Reaction.REACHED: once(0.05)}


@pytest.mark.parametrize("outcome", ["held back: cooling down", "refused: a project's rule", "3 events too old"])
def test_a_rule_that_did_nothing_reached_nobody(outcome: str):
    told = timings_of(
        updates("sena", id="e1", timestamp=at(0)),
        by_rule("activation", "k1", 1, cause="e1", target="lubit", outcome=outcome),
        updates("lubit", timestamp=at(2)),
    )
    assert told == {}


def test_a_program_that_a_rule_started():
    told = timings_of(
        updates("sena", id="e1", timestamp=at(0)),
        by_rule("activation", "k1", 0.5, cause="e1", outcome="started"),
        by_rule("activation", "k1", 9, cause="e1", outcome="exit 0"),
    )
    assert told == {Reaction.FIRED: once(0.5)}


def test_of_several_causes_of_a_kind_the_first_counts_and_each_kind_by_itself():
    told = timings_of(
        updates("lubit", timestamp=at(0)),
        message("sena", "lubit", 1),
        message("sena", "Lubit", 2),
        says("sena", "blocker_resolved", target="lubit", blocker="b", timestamp=at(3)),
        updates("lubit", timestamp=at(5)),
        updates("lubit", timestamp=at(9)),
    )
    assert told == {Reaction.TOLD: once(4), Reaction.UNBLOCKED: once(2)}


def test_what_is_said_to_all_to_the_person_or_to_oneself_asks_for_no_reaction():
    told = timings_of(
        updates("sena", timestamp=at(0)),
        message("lubit", "all", 1),
        message("sena", ["human", "user", "sena"], 2),
        updates("sena", timestamp=at(3)),
        updates("human", timestamp=at(4)),
    )
    assert told == {}


def test_a_second_answer_a_withdrawal_and_an_unasked_decision():
    told = timings_of(
        asks("sena", "r1", target="lubit", timestamp=at(0)),
        decides("lubit", "r1", verdict="approved", timestamp=at(1)),
        decides("gitcode", "r1", verdict="rejected", timestamp=at(2)),
        asks("gitcode", "r2", target="lubit", timestamp=at(3)),
        says("gitcode", "request_withdrawn", request_id="r2", timestamp=at(4)),
        decides("human", "r2", verdict="approved", timestamp=at(5)),
        decides("human", target="sena", decision_for="fonts", verdict="approved", timestamp=at(6)),
        updates("sena", timestamp=at(7)),
    )
    assert told == {Reaction.ASKED: once(1), Reaction.DECIDED_BY_AGENT: once(1), Reaction.WENT_ON: once(6)}


def test_a_line_whose_clock_was_behind_or_silent_tells_nothing():
    behind = timings_of(
        updates("lubit", timestamp=at(0)), message("sena", "lubit", 50), updates("lubit", timestamp=at(20))
    )
    silent = timings_of(updates("lubit", timestamp=at(0)), message("sena", "lubit", 50), updates("lubit"))
    assert behind == silent == {}


def test_how_durations_are_put_together():
    assert timing_of([3.0]) == Timing(1, 3, 3, 3)
    assert timing_of([float(n) for n in range(1, 101)]) == Timing(100, 50, 95, 100)


def test_what_is_remembered_is_bounded():
    with patch.object(reaction_times, "_MOST_REMEMBERED", 5):
        recorder = TeamworkRecorder()
        recorder.extend(
            items(
                *(by_rule("message", f"k{n}", n, target=f"nobody{n}") for n in range(50)),
                *(asks("sena", f"r{n}", target=f"nobody{n}", timestamp=at(n)) for n in range(50)),
                decides("lubit", "r0", verdict="approved", timestamp=at(50)),
                decides("lubit", "r49", verdict="approved", timestamp=at(51)),
            )
        )
    reactions = recorder._reactions
    assert max(map(len, (reactions._open, reactions._pending, reactions._lines, reactions._deeds))) <= 5
    assert dict(recorder.account().reactions) == {Reaction.DECIDED_BY_AGENT: once(2)}
