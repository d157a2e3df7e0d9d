import hashlib

import pytest
from hypothesis import given

from collab_tui.model.board import ProblemKind
from collab_tui.model.event import decode
from collab_tui.model.fold import Fold
from collab_tui.model.words import Status
from tests.events import agent_of, at, board_of, line, says, stories, updates

# Agents.


def test_agents_come_only_from_the_field_agent():
    board = board_of(updates("sena", dependencies=["lubit_ready"]), {"event": "x", "target": "gitcode"})
    assert [agent.name for agent in board.agents] == ["sena"]


def test_an_event_without_a_writer_counts_and_changes_no_agent():
    board = board_of({"event": "status_update", "status": "blocked"}, {"agent": 7, "event": "x"}, updates(" "))
    assert (board.agents, board.events) == ((), 3)


def test_names_are_one_agent_under_every_spelling_and_the_first_is_shown():
    board = board_of(updates("Sena", progress=1), updates("SENA ", progress=2), updates("ｓｅｎａ", progress=3))
    assert [(agent.name, agent.progress) for agent in board.agents] == [("Sena", 3)]


def test_korean_names_are_names():
    board = board_of(updates("세나", status="waiting"), updates("루빗"))
    assert [agent.name for agent in board.agents] == ["세나", "루빗"]


# Declared fields.


def test_the_given_fields_are_set_each_by_itself_and_a_new_task_resets_nothing():
    sena = agent_of(
        board_of(
            updates("sena", status="active", progress=40, current_task="one", next_action="go", role="builder"),
            updates("sena", current_task="two"),
        ),
        "sena",
    )
    assert (sena.current_task, sena.progress, sena.next_action, sena.role) == ("two", 40, "go", "builder")
    assert (sena.status, sena.raw_status) == (Status.IN_PROGRESS, "active")
    assert dict(sena.set_at) == {"status": 0, "progress": 0, "current_task": 1, "next_action": 0, "role": 0}


def test_values_older_than_the_present_task_are_known_as_such():
    sena = agent_of(board_of(updates("sena", progress=40), updates("sena", task="two", next_action="go")), "sena")
    assert sena.is_older_than_task("progress")
    assert not sena.is_older_than_task("next_action")


def test_the_last_spelling_written_wins_over_our_own():
    sena = agent_of(board_of(updates("sena", current_task="one"), updates("sena", working_on="two")), "sena")
    assert (sena.current_task, sena.set_at["current_task"]) == ("two", 1)


def test_in_one_line_our_spelling_wins_unless_it_is_null():
    assert agent_of(board_of(updates("sena", current_task="one", task="two")), "sena").current_task == "one"
    assert agent_of(board_of(updates("sena", current_task=None, task="two")), "sena").current_task == "two"


def test_no_status_declared_is_its_own_case_and_an_unknown_one_is_kept_verbatim():
    board = board_of(updates("sena"), updates("system", status="Ready for Production"))
    assert (agent_of(board, "sena").status, agent_of(board, "sena").raw_status) == (None, None)
    system = agent_of(board, "system")
    assert (system.status, system.raw_status) == (Status.UNKNOWN, "Ready for Production")


def test_a_repeated_status_keeps_the_line_with_which_it_began():
    board = board_of(updates("sena", status="waiting"), updates("sena", status="waiting"), updates("lubit"))
    assert agent_of(board, "sena").status_since == 0
    assert agent_of(board, "sena").set_at["status"] == 1


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (80, 80),
        ("80%", 80),
        (" 80 % ", 80),
        ("80", 80),
        (0.8, 80),
        (1, 1),
        (1.0, 1),
        (0, 0),
        (0.0, 0),
        (99.5, 99.5),
        (150, 100),
        (-3, 0),
        (-0.5, 0),
        ("1e999", 100),
        (10**400, 100),
        (-(10**400), 0),
        ("0.8", 0.8),
    ],
)
def test_progress_is_per_cent_and_clamped(written, read):
    board = board_of(updates("sena", progress=written))
    assert agent_of(board, "sena").progress == pytest.approx(read)
    assert board.problems == ()


@pytest.mark.parametrize("written", ["much", "", True, [], {}, "nan", [50]])
def test_progress_that_is_no_number_is_a_problem(written):
    board = board_of(updates("sena", progress=written))
    assert agent_of(board, "sena").progress is None
    assert "progress" not in agent_of(board, "sena").set_at
    assert [(problem.kind, problem.position) for problem in board.problems] == [(ProblemKind.BAD_PROGRESS, 0)]


def test_unknown_events_are_a_sign_of_life_and_set_the_fields_they_carry():
    board = board_of(
        says("sena", "validation_started", status="validating", progress=5, timestamp=at(7)),
        says("lubit", "collaboration_request", target="sena", request_type="help", status="awaiting_sena_response"),
        {"agent": "gitcode"},
    )
    sena = agent_of(board, "sena")
    assert (sena.status, sena.progress, sena.last_event) == (Status.IN_PROGRESS, 5, "validation_started")
    assert sena.last_event_at is not None
    assert (agent_of(board, "lubit").status, board.requests) == (Status.WAITING, ())
    assert agent_of(board, "gitcode").last_position == 2


@pytest.mark.parametrize(
    "kind", ["decision", "message", "blocker_resolved", "activation", "command", "request_withdrawn"]
)
def test_events_about_others_leave_what_their_writer_is_doing(kind):
    board = board_of(
        updates("sena", progress=40, current_task="one"), says("sena", kind, progress=1, current_task="x", message="hi")
    )
    assert (agent_of(board, "sena").progress, agent_of(board, "sena").current_task) == (40, "one")
    assert agent_of(board, "sena").last_event == kind


def test_a_session_that_ends_is_gone_until_any_sign_of_life():
    ended = (says("sena", "session_start"), says("sena", "session_end", status="idle"))
    assert agent_of(board_of(*ended), "sena").gone
    assert agent_of(board_of(*ended), "sena").status is Status.IDLE
    assert not agent_of(board_of(*ended, says("Sena", "message", message="back")), "sena").gone


def test_a_session_that_starts_keeps_the_status_it_does_not_give():
    board = board_of(updates("sena", status="blocked"), says("sena", "session_end"), says("sena", "session_start"))
    assert agent_of(board, "sena").status is Status.BLOCKED


def test_completion_means_completed_and_one_hundred_per_cent():
    sena = agent_of(board_of(updates("sena", progress=40), says("sena", "completion", current_task="one")), "sena")
    assert (sena.status, sena.progress, sena.current_task) == (Status.COMPLETED, 100, "one")
    assert (sena.set_at["status"], sena.set_at["progress"]) == (1, 1)


def test_the_registry_is_known_by_its_first_line_and_no_later_one():
    created = says("system", "registry_created", registry="abc")
    assert board_of(created, says("sena", "registry_created", registry="def")).registry_id == "abc"
    plain = updates("sena")
    digest = hashlib.sha256(line(plain).rstrip(b"\n")).hexdigest()
    assert board_of(plain).registry_id == board_of(plain, created).registry_id == digest
    assert board_of().registry_id is None
    torn = Fold()
    torn.extend(decode(b"{torn\n" + line(created), 0))
    assert torn.board().registry_id == hashlib.sha256(b"{torn").hexdigest()


# Every value knows where it came from.

_SPELLINGS = {"current_task": ("current_task", "task", "working_on")}
_IMPLIES = {"status": {"decision_request", "blocker", "completion"}, "progress": {"completion"}}


@given(stories)
def test_every_value_names_a_line_of_its_agent_that_carries_or_implies_it(story):
    for agent in board_of(*story).agents:
        own = [n for n, obj in enumerate(story) if obj["agent"].strip().casefold() == agent.key]
        shown = {"status": agent.raw_status, "current_task": agent.current_task, "next_action": agent.next_action}
        for name, position in agent.set_at.items():
            if name == "unblocked":  # another's line may have resolved it
                assert {"blocker", "blockers", "resolved_blockers"} & story[position].keys()
                continue
            assert position in own
            obj = story[position]
            if name.startswith("blocker:"):
                text = name.removeprefix("blocker:")
                assert text in [*obj.get("blockers", ()), obj.get("blocker")]
                continue
            carried = next((obj[s] for s in _SPELLINGS.get(name, (name,)) if obj.get(s) is not None), None)
            implied = obj["event"] in _IMPLIES.get(name, ())
            assert carried is not None or implied
            if name in shown and not implied:
                assert shown[name] == (carried or None)
        for name, value in (*shown.items(), ("progress", agent.progress)):
            assert value is None or name in agent.set_at
        assert agent.last_position <= own[-1]


def test_a_value_is_older_than_the_task_only_if_it_was_set_before_the_task_began():
    board = board_of(
        updates("sena", current_task="metrics", progress=40),
        updates("sena", current_task="metrics", next_action="test"),
        updates("sena", current_task="parser"),
        updates("sena", current_task="parser", progress=5),
    )
    sena = agent_of(board, "sena")
    assert not sena.is_older_than_task("progress")
    assert sena.is_older_than_task("next_action")
    assert sena.task_since == 2


def test_a_task_under_another_spelling_begins_where_it_was_said():
    board = board_of(updates("sena", progress=40), updates("sena", working_on="parser"))
    assert agent_of(board, "sena").is_older_than_task("progress")


def test_invisible_joiners_make_no_second_agent():
    board = board_of(updates("admin", progress=1), updates("ad\u200dmin", progress=2))
    assert [(agent.name, agent.progress) for agent in board.agents] == [("admin", 2)]
