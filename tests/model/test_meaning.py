"""What is wrong with what the lines mean."""

from datetime import timedelta

import pytest

from collab_tui.model.findings import Severity
from collab_tui.model.meaning import findings_of
from collab_tui.model.moment import Moment
from tests.events import START, asks, at, board_of, decides, says, updates

NOW = START + timedelta(hours=1)


def found(*events, now=NOW):
    return findings_of(Moment(board_of(*events), now))


def told(*events, now=NOW):
    """Kind, severity and text of every finding."""
    return [(finding.kind, finding.severity.value, finding.text) for finding in found(*events, now=now)]


def test_a_healthy_board_shows_nothing():
    assert (
        told(
            updates("sena", status="in_progress", timestamp=at(3590)),
            asks("lubit", "r1", target="human", request="Go?", timestamp=at(3595)),
            asks("lubit", "r2", target="sena", request="Look?", timestamp=at(3595)),
            says("gitcode", "blocker", blocker="no disk", timestamp=at(3598)),
        )
        == []
    )


def test_a_deadlock_is_an_error_and_names_the_request_that_breaks_it():
    (finding,) = found(
        asks("sena", "00ff", target="lubit", status="waiting_for_lubit", timestamp=at(3590)),
        updates("lubit", status="waiting_for_sena", timestamp=at(3591)),
    )
    assert (finding.kind, finding.severity) == ("deadlock", Severity.ERROR)
    assert finding.text == "deadlock: lubit waits for sena, sena for lubit"
    assert finding.lines.text == "lines 1-2"
    assert "collab-tui decide 00ff" in finding.mend


def test_a_deadlock_without_a_request_is_ended_by_a_word():
    (finding,) = found(
        updates("sena", status="waiting_for_lubit", timestamp=at(3590)),
        updates("lubit", status="waiting_for_sena", timestamp=at(3591)),
    )
    assert "m on the board" in finding.mend


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("bob", "who never wrote a line"),
        ("gone", "whose session ended"),
        ("sena", "itself"),
        (["bob", "gone"], "ended"),
    ],
)
def test_requests_that_nobody_can_answer(target, why):
    ((kind, severity, text),) = told(
        says("gone", "session_end", timestamp=at(3500)),
        asks("sena", "r1", target=target, request="Look at it?", timestamp=at(3590)),
    )
    assert (kind, severity) == ("unanswerable", "warning")
    assert why in text
    assert "Look at it?" in text


@pytest.mark.parametrize("target", ["human", "user", None, "lubit", "LUBIT", ["bob", "lubit"], "all"])
def test_requests_that_somebody_can_answer(target):
    assert (
        told(updates("lubit", timestamp=at(3590)), asks("sena", "r1", target=target, request="?", timestamp=at(3590)))
        == []
    )


def test_an_answer_that_expired_is_told_while_its_asker_waits():
    request = asks("sena", "r1", request="Go?", expires=at(1800), timestamp=at(3500))
    assert told(request) == [("expired", "warning", "sena waits for an answer that expired 30 min ago: Go?")]
    assert told(request, updates("sena", status="idle", timestamp=at(3501))) == []


def test_blockers_of_agents_that_are_gone_or_done_are_notes_unless_they_hold_up_others():
    blocked = says("sena", "blocker", blocker="no disk", timestamp=at(3500))
    gone = says("sena", "session_end", timestamp=at(3501))
    done = updates("sena", status="completed", timestamp=at(3501))
    waiting = updates("lubit", status="waiting_for_sena", timestamp=at(3502))
    assert told(blocked, gone) == [("orphan_blocker", "note", "sena, gone, still blocked by no disk")]
    assert told(blocked, done) == [("orphan_blocker", "note", "sena, done, still blocked by no disk")]
    assert told(blocked, gone, waiting) == [
        ("orphan_blocker", "warning", "sena, gone, still blocked by no disk, and held up by that: lubit")
    ]
    assert told(blocked, gone, says("lubit", "blocker", blocker="no disk", timestamp=at(3503))) == []


def test_what_agents_call_themselves_and_their_blockers_never_stands_in_a_command():
    (finding,) = found(
        says("$(reboot)", "blocker", blocker="`reboot`", timestamp=at(3500)),
        says("$(reboot)", "session_end", timestamp=at(3501)),
    )
    assert "collab-tui unblock AGENT BLOCKER" in finding.mend


def test_silent_agents():
    ((kind, severity, text),) = told(
        updates("sena", status="in_progress", timestamp=at(0)), updates("lubit", status="idle", timestamp=at(3590))
    )
    assert (kind, severity) == ("silent", "warning")
    assert text == "sena has been silent for 1 h; it was last in_progress"


def test_a_registry_at_rest_has_nobody_who_is_silent():
    events = [updates(name, status="in_progress", timestamp=at(0)) for name in ("sena", "lubit")]
    assert told(*events, now=START + timedelta(days=3)) == [
        ("at_rest", "note", "at rest for 3 d, since 2025-10-20; 2 agents were at work")
    ]


def test_so_many_silent_agents_are_counted():
    events = [updates(f"agent-{n}", status="in_progress", timestamp=at(0)) for n in range(300)]
    assert told(*events)[-1][2] == "280 more silent agents"


def test_decisions_for_requests_that_are_there_are_no_finding():
    assert (
        told(asks("sena", "r1", timestamp=at(3590)), decides("human", "r1", verdict="approved", timestamp=at(3591)))
        == []
    )


def test_an_agent_that_waits_for_the_persons_answer_is_silent_with_reason():
    (finding,) = found(asks("sena", "00ff", request="Go?", timestamp=at(0)))
    assert (finding.kind, finding.severity) == ("silent_for_you", Severity.NOTE)
    assert "collab-tui decide 00ff" in finding.mend


def test_silent_agents_in_a_deadlock_are_told_of_there():
    assert [
        finding.kind
        for finding in found(
            updates("sena", status="waiting_for_lubit", timestamp=at(0)),
            updates("lubit", status="waiting_for_sena", timestamp=at(1)),
            updates("orion", status="blocked", timestamp=at(2)),
        )
    ] == ["deadlock", "silent"]
