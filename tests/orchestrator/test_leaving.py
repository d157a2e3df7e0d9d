"""A run that no process has any more, told to stand still by whoever gives it up."""

from __future__ import annotations

from pathlib import Path

import pytest

from collab_tui.model.event import parse_time
from collab_tui.model.runs import RunState
from collab_tui.orchestrator.journal import Journal
from collab_tui.orchestrator.kept import HeldError, KeptRuns, Part
from collab_tui.orchestrator.leaving import tell_left
from collab_tui.orchestrator.ledger import read_kept
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.records import Record, Records
from tests.orchestrator.ground import AGENT, RUN, SEAT, begun, lines_of, new_registry


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptRuns:
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    return KeptRuns(new_registry(tmp_path))


async def left(runs: KeptRuns, state: str) -> None:
    """A run that ended so."""
    run = runs.new("demo", "a goal", {}, RUN)
    journal = Journal(JsonlRegistry(runs.registry), RUN, runs.key(), lambda _: None)
    await begun(journal, {"key": "a"})
    run.began(Part(journal.part, 0))
    await journal.write(AGENT, "run_ended", state=state)
    await journal.close(1)
    run.end()


@pytest.mark.parametrize("is_session", [False, True])
async def test_what_was_killed_asks_nothing_any_more_and_only_sessions_tell_of_themselves(
    runs: KeptRuns, *, is_session: bool
) -> None:
    run = runs.new("demo", "a goal", {}, RUN)
    journal = Journal(JsonlRegistry(runs.registry), RUN, runs.key(), lambda _: None)
    await begun(journal, {"key": "a"}, {"key": "b"})
    run.began(Part(journal.part, 0))
    await journal.write(SEAT, "run_task", task="a", state="running", attempt=1)
    await journal.write(AGENT, "run_task", task="b", state="asked", request="r1")
    await journal.close(1)
    if is_session:
        Records(runs.registry).save(Record(SEAT, "r1", "claude", "claude", "m", "h", str(runs.folder), "log"))
    with pytest.raises(HeldError):
        tell_left(runs, RUN, "not wanted", lambda _: None)
    run.end()
    for _ in range(2):
        tell_left(runs, RUN, "not wanted", lambda _: None)
    told = [(line["event"], line["agent"]) for line in lines_of(runs.registry, lambda line: "reason" in line)]
    left = [] if is_session else [("session_end", SEAT)]
    assert told == [("request_withdrawn", AGENT), *left, ("run_ended", AGENT)], "once for each reason"
    ledger = read_kept(runs, RUN)
    assert {(task.state.value, task.error) for task in ledger.run.tasks} == {("cancelled", "not wanted")}
    assert (ledger.run.state.value, ledger.run.reason, ledger.problems) == ("cancelled", "not wanted", ())
    asked = lines_of(runs.registry, lambda line: line.get("state") == "asked")[0]["timestamp"]
    ends = {task.ended_at for task in ledger.run.tasks}
    assert ends == {ledger.run.ended_at} == {parse_time(asked)}, "its last sign of life, however late it is given up"


async def test_what_is_given_up_for_another_reason_ended_when_it_did(runs: KeptRuns) -> None:
    await left(runs, "cancelled")
    for reason in ("first", "second"):
        assert tell_left(runs, RUN, reason, lambda _: None) is RunState.CANCELLED
    first, *later = lines_of(runs.registry, lambda line: line["event"] == "run_ended")
    assert {parse_time(line["ended_at"]) for line in later} == {parse_time(first["timestamp"])}
    assert [line["reason"] for line in later] == ["first", "second"]


@pytest.mark.parametrize("state", ["done", "failed"])
async def test_what_came_to_its_end_stays_so(runs: KeptRuns, state: str) -> None:
    await left(runs, state)
    whole = runs.registry.read_bytes()
    assert tell_left(runs, RUN, "not wanted", lambda _: None).value == state
    assert runs.registry.read_bytes() == whole
