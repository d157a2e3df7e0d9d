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
from collab_tui.model.sessions import Observed, Session
from collab_tui.monitor.watching import carrier_of, known, own_carrier, unattended
from collab_tui.processes.identity import identity_of
from collab_tui.sessions.records import Record, Records
from tests.events import lines, says

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
