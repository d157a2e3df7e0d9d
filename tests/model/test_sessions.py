"""Sessions, commands, streams and workers as the registry tells of them."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from collab_tui.model.session_book import MAX_COMMANDS, MAX_SESSIONS
from collab_tui.model.sessions import CommandState, Observed
from collab_tui.model.worker_book import MAX_WORKERS
from collab_tui.model.workers import StreamState, WorkerKind, WorkerState
from tests.events import at, board_of, fold_of, items, says, work_stories

RUN = "00000000000000a1"


def starts(name: str = "sena", run: str = RUN, **fields: Any) -> dict[str, Any]:
    given = {"driver": "claude", "host": "nas", "pid": 7, "branch": f"collab/{name}/metrics", "current_task": "metrics"}
    return says(name, "session_start", run=run, timestamp=at(0), **{**given, **fields})


def observes(
    name: str = "sena", run: str = RUN, *, by: str = "monitor", second: float = 1, **fields: Any
) -> dict[str, Any]:
    return says(by, "session_observed", target=name, run=run, timestamp=at(second), **fields)


def session_after(*events: dict[str, Any]) -> Any:
    (session,) = board_of(*events).sessions
    return session


def test_a_session_is_what_a_monitor_started_not_what_an_agent_tells_of_itself():
    board = board_of(starts("sena"), says("lubit", "session_start", driver="claude-code", session="x"))
    assert [session.name for session in board.sessions] == ["sena"]
    session = board.session("SENA")
    assert session is not None
    assert (session.driver, session.pid, session.branch, session.task) == (
        "claude",
        7,
        "collab/sena/metrics",
        "metrics",
    )
    assert session.observed is Observed.STARTING


def test_what_is_observed_replaces_only_what_it_names():
    session = session_after(
        starts(),
        observes(observed="working", last_line="building", changed=3),
        observes(second=2, unpushed=1, queued=2),
        observes(second=3, observed="working", why="a prompt"),
    )
    assert (session.observed, session.why, session.last_line) == (Observed.WORKING, "a prompt", "building")
    assert (session.changed, session.unpushed, session.queued) == (3, 1, 2)
    assert session.observed_since.second == 1, "it works since then, whatever was told of it afterwards"


def test_the_observed_state_and_the_declared_one_are_two_things():
    board = board_of(starts(), says("sena", "status_update", status="in_progress"), observes(observed="idle"))
    assert board.session("sena").observed is Observed.IDLE
    assert board.agent("sena").raw_status == "in_progress"
    assert all(agent.last_event != "session_observed" for agent in board.agents if agent.name == "sena")


def test_only_the_monitor_observes_and_only_the_run_that_it_names():
    assert session_after(starts(), observes(by="lubit", observed="idle")).observed is Observed.STARTING
    assert session_after(starts(), observes(run="another", observed="idle")).observed is Observed.STARTING


def test_nonsense_in_an_observation_changes_nothing():
    session = session_after(starts(), observes(observed="dancing", changed=-1, unpushed="many", queued=True, pid=[1]))
    assert (session.observed, session.changed, session.unpushed, session.queued, session.pid) == (
        *(Observed.STARTING, None, None, 0),
        7,
    )


def test_the_end_of_its_own_run_ends_it_and_no_other_end_does():
    working = (starts(), observes(observed="working", queued=2))
    hooks_end = says("sena", "session_end", reason="other")
    assert session_after(*working, hooks_end).observed is Observed.WORKING
    ended = session_after(*working, says("sena", "session_end", run=RUN, reason="stopped by human"))
    assert (ended.observed, ended.why, ended.queued) == (Observed.STOPPED, "stopped by human", 0)


def test_how_it_ended_as_the_monitor_says_it_stays():
    lost = session_after(
        starts(), observes(observed="lost", why="no such pane"), says("sena", "session_end", run=RUN, reason="lost")
    )
    assert (lost.observed, lost.why) == (Observed.LOST, "no such pane")


def test_another_start_under_the_name_takes_the_place_of_the_one_before():
    board = board_of(starts(), starts("lubit"), observes(observed="lost"), starts(run="b"))
    assert [(session.name, session.run, session.observed) for session in board.sessions] == [
        ("lubit", RUN, Observed.STARTING),
        ("sena", "b", Observed.STARTING),
    ]


def test_a_command_is_sent_until_the_monitor_says_more_and_once_over_stays():
    def told(*results: dict[str, Any]) -> tuple[Any, Any]:
        command = says("human", "command", id="c1", command_type="stop", target="sena", host="nas")
        (found,) = board_of(command, *results).commands
        return found.state, found.reason

    def result(state: str, reason: str | None = None, by: str = "monitor") -> dict[str, Any]:
        return says(by, "command_result", command_id="c1", state=state, reason=reason)

    assert told() == (CommandState.SENT, None)
    assert told(result("done", by="sena")) == (CommandState.SENT, None)
    assert told(result("accepted"), result("running")) == (CommandState.RUNNING, None)
    assert told(result("failed", "no such session"), result("running")) == (CommandState.FAILED, "no such session")


def test_of_many_the_last_are_remembered_and_what_runs_is_not_forgotten_for_what_ended():
    first = starts("first")
    many = [starts(f"s{n}") for n in range(MAX_SESSIONS)]
    ended = says("s0", "session_end", run=RUN)
    names = [session.name for session in board_of(first, many[0], ended, *many[1:]).sessions]
    assert len(names) == MAX_SESSIONS
    assert "first" in names
    assert "s0" not in names
    commands = [says("human", "command", id=f"c{n}", command_type="stop") for n in range(MAX_COMMANDS + 1)]
    assert board_of(*commands).commands[0].id == "c1"


def worker(state: str, by: str = "monitor", second: float = 0, **fields: Any) -> dict[str, Any]:
    given = {"worker": "w1", "kind": "decision", "state": state, "task": "T-1", "timestamp": at(second)}
    return says(by, "worker", **{**given, **fields})


def test_a_worker_keeps_what_was_told_of_it():
    (found,) = board_of(
        worker("queued", priority="urgent", stream="hub", cause="e1", why="it is done"),
        worker("running", second=2, session="decide-w1", log="logs/decisions/w1.log"),
        worker("done", second=5, verdict={"next": []}, took_ms=3000, outcome="nothing is left"),
    ).workers
    assert (found.kind, found.state, found.priority, found.cause) == (
        WorkerKind.DECISION,
        WorkerState.DONE,
        "urgent",
        "e1",
    )
    assert (found.session, found.verdict, found.took_ms, found.why, found.outcome) == (
        *("decide-w1", {"next": []}, 3000),
        *("it is done", "nothing is left"),
    )
    assert [time.second for time in (found.queued_at, found.started_at, found.ended_at)] == [0, 2, 5]


def test_only_the_monitor_tells_of_workers_and_streams():
    board = board_of(
        worker("queued", by="sena"),
        says("sena", "stream_state", stream="hub", state="connected"),
        says("sena", "stream_event", stream="hub", event_id="1"),
    )
    assert (board.workers, board.streams) == ((), ())


def test_a_worker_of_no_known_kind_or_state_is_none():
    assert board_of(worker("queued", kind="cook"), worker("sleeping")).workers == ()


def test_a_stream_is_as_it_was_told_last_since_it_became_so():
    (stream,) = board_of(
        says("monitor", "stream_state", stream="hub", state="connected", timestamp=at(1)),
        says("monitor", "stream_event", stream="hub", event_id="1", task="T-1", status="done"),
        says("monitor", "stream_state", stream="hub", state="retrying", why="cut off", timestamp=at(3)),
        says("monitor", "stream_state", stream="hub", state="retrying", why="refused", timestamp=at(5)),
    ).streams
    assert (stream.state, stream.why, stream.events) == (StreamState.RETRYING, "refused", 1)
    assert stream.since.second == 3


def test_events_that_start_nothing_are_counted_by_themselves():
    told = {"stream": "hub", "task": "T-1"}
    (stream,) = board_of(
        says("monitor", "stream_event", **told, outcome="queued"),
        says("monitor", "stream_event", **told, outcome="dropped"),
        says("monitor", "stream_event", **told, outcome="dropped", count=40),
        says("monitor", "stream_event", **told, outcome="refused", count=-1),
    ).streams
    assert (stream.events, stream.dropped, stream.refused) == (1, 41, 1)


def test_a_line_that_says_too_early_that_a_worker_is_over_hides_nothing():
    (found,) = board_of(worker("done", outcome="forged"), worker("running"), worker("failed", outcome="no")).workers
    assert (found.state, found.outcome) == (WorkerState.FAILED, "no")


def test_what_is_told_of_streams_and_workers_says_nothing_of_the_monitor_itself():
    board = board_of(
        says("monitor", "stream_event", stream="hub", event_id="1", task="T-1", status="done"),
        worker("failed", status="failed"),
    )
    assert board.agent("monitor").status is None


def test_of_many_workers_those_that_were_over_first_are_forgotten():
    over = worker("done", worker="old")
    open_ones = [worker("queued", worker=f"w{n}") for n in range(MAX_WORKERS)]
    found = [one.id for one in board_of(over, *open_ones).workers]
    assert len(found) == MAX_WORKERS
    assert "old" not in found


@given(work_stories, work_stories)
def test_whatever_is_told_folding_never_raises_and_in_pieces_gives_the_same(story, on):
    fold = fold_of(*story)
    twin, before = fold.checkpoint(), fold.board()
    fold.extend(items(*on, first=len(story)))
    assert twin.board() == before, "what came afterwards is not in the copy"
    twin.extend(items(*on, first=len(story)))
    assert twin.board() == fold.board() == board_of(*story, *on)
