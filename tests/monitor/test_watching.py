"""What is known here of sessions, against what lines of a registry tell of them."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.event import decode
from collab_tui.model.fold import Fold
from collab_tui.model.runs import Run
from collab_tui.model.sessions import Observed, Session
from collab_tui.monitor.watching import (
    Watch,
    carrier_of,
    carrier_of_run,
    known,
    own_carrier,
    unattended,
    watch_runs,
)
from collab_tui.orchestrator.hosted import Hosted, HostedRuns
from collab_tui.orchestrator.journal import Journal
from collab_tui.orchestrator.kept import KeptRuns, LeftError
from collab_tui.processes.identity import identity_of
from collab_tui.protocol.commands import Carrier
from collab_tui.registry.append import RefusedError, append
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.records import Record, Records
from tests.events import lines, says
from tests.orchestrator.ground import AGENT, RUN, begun, new_registry

HOST = socket.gethostname()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "registry.jsonl"


@pytest.fixture
def record(registry: Path) -> Record:
    """Of a session whose program is this process."""
    me = identity_of(os.getpid())
    assert me is not None
    record = Record("vic", "r1", "claude", "claude", own_carrier(registry).monitor, HOST, str(registry.parent), "log")
    return replace(record, pid=me.pid, pid_started=me.started)


def told(registry: Path, *events: Mapping[str, Any]) -> Sequence[Session]:
    """The sessions of which these lines tell, with what is known here."""
    return known(registry, board(*events))


def board(*events: Mapping[str, Any]) -> Sequence[Session]:
    """The sessions of which these lines tell."""
    fold = Fold()
    fold.extend(decode(lines(*events), 0))
    return fold.board().sessions


def begins(run: str = "r1", **fields: Any) -> dict[str, Any]:
    return says("vic", "session_start", run=run, **fields)


def observed(state: str) -> dict[str, Any]:
    return says("monitor", "session_observed", target="vic", run="r1", observed=state)


def test_what_runs_here_is_told_as_it_is(registry: Path, record: Record) -> None:
    Records(registry).save(record)
    own = {"host": HOST, "monitor": record.monitor}
    (found,) = told(registry, begins(**own), observed("idle"))
    assert (found.observed, found.why) == (Observed.IDLE, None)
    for lies in ([begins("ffff", host="elsewhere", monitor="m")], [begins(**own), observed("stopped")], []):
        (found,) = told(registry, *lies)
        assert (found.run, found.host, found.monitor) == ("r1", HOST, record.monitor)
        assert found.observed.is_running
        assert found.why
    (elsewhere,) = board(begins("ffff", host="elsewhere", monitor="m"))
    assert carrier_of(registry, elsewhere) == own_carrier(registry)


def test_what_is_over_here_may_run_elsewhere(registry: Path, record: Record) -> None:
    Records(registry).save(replace(record, ended="exit 0"))
    (found,) = told(registry, begins("ffff", host="elsewhere", monitor="m"))
    assert (found.run, found.host, found.why) == ("ffff", "elsewhere", None)
    assert carrier_of(registry, found).monitor == "m"


def test_a_terminal_that_could_not_be_taken_up_stays_lost(registry: Path, record: Record) -> None:
    Records(registry).save(replace(record, handle={"socket": "s"}))
    (found,) = told(registry, begins(host=HOST, monitor=record.monitor), observed("lost"))
    assert found.observed is Observed.LOST


def test_what_a_monitor_is_to_see_to_is_counted_while_none_acts(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_carrier(registry).monitor

    def says_of(monitor: str) -> list[dict[str, Any]]:
        return [
            says("monitor", "stream_state", stream=f"hub {monitor}", state="connected", monitor=monitor),
            says("monitor", "stream_state", stream=f"old {monitor}", state="stopped", monitor=monitor),
            says(
                "monitor", "worker", worker=f"w1 {monitor}", kind="decision", state="asked", task="T", monitor=monitor
            ),
            says(
                "monitor", "worker", worker=f"w2 {monitor}", kind="decision", state="queued", task="U", monitor=monitor
            ),
            says("monitor", "worker", worker=f"w3 {monitor}", kind="decision", state="done", task="V", monitor=monitor),
            says(f"s {monitor}", "session_start", run=f"r {monitor}", monitor=monitor),
        ]

    def found(*events: Mapping[str, Any]) -> Sequence[str]:
        fold = Fold()
        fold.extend(decode(lines(*events), 0))
        return unattended(registry, fold.board())

    assert found(*says_of(own), *says_of("another")) == ["1 stream", "2 workers", "1 session"]
    assert found(*says_of("another")) == []
    monkeypatch.setattr("collab_tui.monitor.watching.who_acts", lambda folder: object())
    assert found(*says_of(own)) == []


def runs_of(registry: Path) -> Sequence[Run]:
    """The runs that a registry tells of."""
    fold = Fold()
    read_to_end(JsonlRegistry(registry), fold)
    return fold.board().runs


async def test_what_is_told_of_a_run_is_believed_as_far_as_its_process_bears_it_out(tmp_path: Path) -> None:
    registry = new_registry(tmp_path)
    kept = KeptRuns(registry)
    run = kept.new("demo", "a goal", {}, RUN)
    journal = Journal(JsonlRegistry(registry), RUN, kept.key(), lambda _: None)
    await begun(journal)
    as_read = runs_of(registry)
    assert watch_runs(registry, as_read) == {RUN: Watch.PROCESS}
    run.end()
    assert watch_runs(registry, as_read) == {RUN: Watch.GONE}
    await journal.write(AGENT, "run_ended", state="done")
    await journal.close(1)
    assert watch_runs(registry, as_read) == {}, "it ended since it was read"
    assert watch_runs(registry, runs_of(registry)) == {}


async def test_commands_to_a_run_go_to_whom_it_names_itself(tmp_path: Path) -> None:
    registry = new_registry(tmp_path)
    kept = KeptRuns(registry)
    run = kept.new("demo", "a goal", {}, RUN)
    journal = Journal(JsonlRegistry(registry), RUN, kept.key(), lambda _: None)
    await journal.write(AGENT, "run_started", name="demo", goal="g", host="h", pid=1, carrier="aaaaaaaaaaaa")
    append(str(registry), {"agent": AGENT, "event": "run_resumed", "run": RUN, "host": "x", "carrier": "ffffffffffff"})
    append(str(registry), {"agent": AGENT, "event": "run_ended", "run": RUN, "state": "done"})
    assert carrier_of_run(registry, runs_of(registry)[0]) == Carrier("aaaaaaaaaaaa", "h")
    run.end()
    with pytest.raises(LeftError, match="is gone"):
        carrier_of_run(registry, runs_of(registry)[0])
    await journal.write(AGENT, "run_ended", state="cancelled")
    await journal.close(1)
    with pytest.raises(RefusedError, match="is over: cancelled"):
        carrier_of_run(registry, runs_of(registry)[0])


async def test_commands_to_a_run_of_the_monitor_go_there_while_it_acts_and_is_to_go_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = new_registry(tmp_path)
    kept, hosted, own = KeptRuns(registry), HostedRuns(registry), own_carrier(registry)
    kept.new("demo", "a goal", {}, RUN).end()
    journal = Journal(JsonlRegistry(registry), RUN, kept.key(), lambda _: None)
    await journal.write(AGENT, "run_started", name="demo", goal="g", host=own.host, pid=1, carrier=own.monitor)
    await journal.close(1)
    (run,) = runs_of(registry)
    acts: list[object] = []
    monkeypatch.setattr("collab_tui.monitor.watching.who_acts", lambda folder: acts[0] if acts else None)
    for is_acting, is_noted in ((False, False), (True, False), (False, True)):
        acts[:] = [object()] if is_acting else []
        if is_noted:
            hosted.keep(Hosted(RUN, "c1", "start_run", "/p.toml", "2026-01-31T08:00:00+00:00"))
        with pytest.raises(LeftError, match="is gone"):
            carrier_of_run(registry, run)
    acts[:] = [object()]
    assert carrier_of_run(registry, run) == own
