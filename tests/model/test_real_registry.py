"""A registry that agents really wrote: the first thing that must look right."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collab_tui.model.board import Because, ProblemKind, RequestKind
from collab_tui.model.event import Event, decode
from collab_tui.model.fold import Fold
from collab_tui.model.moment import Moment, Order
from collab_tui.model.summary import summarize
from collab_tui.model.words import Status
from tests.events import agent_of

PATH = Path(__file__).parents[3] / "shared" / "data" / "real-registry.jsonl"

pytestmark = pytest.mark.skipif(not PATH.exists(), reason="the real registry is not here")


@pytest.fixture(scope="module")
def events():
    return list(decode(PATH.read_bytes(), 0))


@pytest.fixture
def fold(events):
    fold = Fold()
    fold.extend(events)
    return fold


@pytest.fixture
def board(fold):
    return fold.board()


@pytest.fixture
def moment(board):
    return Moment(board, datetime(2025, 10, 22, tzinfo=UTC))


def test_all_42_lines_are_events(events, board):
    assert [type(item) for item in events] == [Event] * 42
    assert (board.position, board.events) == (42, 42)


def test_its_agents_are_the_writers_in_order_of_appearance(board):
    assert [agent.name for agent in board.agents] == ["system", "sena", "lubit", "gitcode", "maestro", "orchestrator"]
    assert board.events == 42


def test_sena_is_completed_at_75_per_cent(board):
    sena = agent_of(board, "sena")
    assert (sena.status, sena.raw_status, sena.progress) == (Status.COMPLETED, "completed", 75)
    assert sena.next_action == "Create integrated AGI dataset pipeline"
    assert sena.current_task == "도구 선택"
    assert dict(sena.set_at) == {"status": 38, "progress": 18, "current_task": 37, "next_action": 15}
    assert sena.is_older_than_task("progress")


def test_lubits_decision_on_line_8_resolved_senas_blocker_from_line_2(events):
    fold = Fold()
    fold.extend(events[:7])
    (blocker,) = agent_of(fold.board(), "sena").blockers
    assert (blocker.text, blocker.position) == ("정보이론 메트릭 검증 필요", 1)
    fold.extend(events[7:8])
    assert agent_of(fold.board(), "sena").blockers == ()
    fold.extend(events[8:])
    assert fold.board().blockers == ()


def test_sena_waited_for_lubit_by_status_from_line_2_to_line_5(events):
    fold = Fold()
    fold.extend(events[:2])
    assert fold.board().waits == ()
    fold.extend(events[2:4])
    assert [(w.waiter, w.awaited, w.since) for w in fold.board().waits] == [("sena", "lubit", 1)]
    fold.extend(events[4:5])
    assert fold.board().waits == ()


def test_gitcode_is_in_progress_on_its_last_task(board):
    gitcode = agent_of(board, "gitcode")
    assert (gitcode.status, gitcode.raw_status, gitcode.current_task) == (Status.IN_PROGRESS, "active", "종합")


def test_maestro_waits_for_lubit_with_one_open_overdue_critical_request(board, moment):
    (request,) = board.open_requests
    assert board.requests == (request,)
    assert (request.asker, request.target, request.to_person) == ("maestro", "lubit", False)
    assert (request.kind, request.request) == (RequestKind.APPROVAL, "phase4_deployment_go_approval")
    assert (request.is_critical, request.position, len(request.evidence)) == (True, 23, 2)
    assert request.deadline == datetime(2025, 10, 21, 18, tzinfo=UTC)
    assert moment.is_overdue(request)
    assert moment.is_answerable(request)
    assert not Moment(board, request.deadline - timedelta(seconds=1)).is_overdue(request)
    (wait,) = board.waits
    assert (wait.waiter, wait.awaited) == ("maestro", "lubit")
    assert [reason.because for reason in wait.reasons] == [Because.REQUEST, Because.STATUS]
    assert agent_of(board, "maestro").status is Status.WAITING


def test_a_sentence_as_a_status_is_shown_verbatim_as_unknown(board):
    system = agent_of(board, "system")
    assert (system.status, system.raw_status) == (Status.UNKNOWN, "Production Ready - Full System Integration")


def test_an_agent_that_only_reports_errors_declared_no_status(board):
    orchestrator = agent_of(board, "orchestrator")
    assert (orchestrator.status, orchestrator.last_event) == (None, "node_error")


def test_times_out_of_order_are_its_only_problems_and_one_per_run(board):
    assert {problem.kind for problem in board.problems} == {ProblemKind.OUT_OF_ORDER}
    assert [problem.position for problem in board.problems] == [4, 8, 12, 16, 24]


def test_nothing_waits_for_the_person_and_there_is_no_deadlock(board, moment):
    assert board.deadlocks == moment.needs == ()
    assert [request.asker for request in moment.to_others] == ["maestro"]


def test_the_silent_are_those_that_should_move(moment):
    assert {agent.name for agent in moment.silent} == {"gitcode", "maestro"}
    assert {agent.name for agent in moment.ordered(Order.NEED)[:2]} == {"gitcode", "maestro"}


def test_folding_it_from_any_line_equals_folding_it_from_the_start(events, board):
    fold = Fold()
    for item in events:
        twin = fold.checkpoint()
        twin.extend(events[fold.position :])
        assert twin.board() == board
        fold.extend([item])
    assert fold.board() == board


def test_every_line_has_something_to_tell(events):
    assert [item.position for item in events if not summarize(item)] == []
