"""`collab-tui worker`: what there is, why it is there, and what would become of events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TextIO

import pytest

from collab_tui.model.workers import WorkerKind
from collab_tui.registry.kept import kept_for, monitor_of
from collab_tui.workers.job import Job, Step
from collab_tui.workers.logs import Logs
from tests.cli.conftest import Collab
from tests.events import lines

REGISTRY = "registry.jsonl"


def told(minute: int, worker: str, kind: str, state: str, task: str, **more: Any) -> dict[str, Any]:
    at = f"2026-01-31T08:{minute:02d}:00.000Z"
    line = {"id": f"{minute:016x}", "timestamp": at, "agent": "monitor", "event": "worker", "monitor": "m"}
    return line | {"worker": worker, "kind": kind, "state": state, "task": task, **more}


DECISION, EXECUTION, FAILED = "aa11" * 4, "bb22" * 4, "cc33" * 4


@pytest.fixture(autouse=True)
def registry() -> Path:
    path = Path(REGISTRY)
    decision = Job(DECISION, WorkerKind.DECISION, "T-1", Step.OVER, 0.0)
    log = Logs(path).place_of(decision)
    Logs(path).write(decision, "prompt", "Decide \x1b[2Jnow")
    verdict = {"next": [{"task": "T-2", "why": "it is next"}], "why": "T-1 is done"}
    asked = {"id": "d1", "timestamp": "2026-01-31T08:05:00.000Z", "agent": "monitor", "event": "decision_request"}
    path.write_bytes(
        lines(
            told(1, DECISION, "decision", "queued", "T-1", stream="hub", cause="ev-7", log=log, why="it is done"),
            told(2, DECISION, "decision", "running", "T-1"),
            told(3, DECISION, "decision", "done", "T-1", verdict=verdict, outcome="T-1 is done", took_ms=61_000),
            told(4, EXECUTION, "execution", "queued", "T-2", cause=DECISION, priority="high", why="it is next"),
            asked | {"request": "Start a worker on T-2", "kind": "approval", "target": "human"},
            told(6, EXECUTION, "execution", "asked", "T-2", request="d1"),
            told(7, FAILED, "decision", "queued", "T-8", stream="hub"),
            told(8, FAILED, "decision", "failed", "T-8", outcome="usage limit", log="/etc/passwd"),
        )
    )
    return path


def test_the_workers_are_listed_with_what_came_of_them(collab: Collab) -> None:
    code, out, _ = collab("worker", "list", "--registry", REGISTRY)
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    assert [row[:4] for row in rows[::2]] == [
        [DECISION[:8], "decision", "done", "T-1"],
        [EXECUTION[:8], "execution", "asked", "T-2"],
        [FAILED[:8], "decision", "failed", "T-8"],
    ]
    assert "usage limit" in out
    code, out, _ = collab("worker", "list", "--registry", REGISTRY, "--json")
    found = json.loads(out)["workers"]
    assert [worker["id"] for worker in found] == [DECISION, EXECUTION, FAILED]
    assert (found[0]["took_ms"], found[0]["queued_at"]) == (61_000, "2026-01-31T08:01:00+00:00")


def test_the_queue_shows_what_waits_and_for_what(collab: Collab) -> None:
    code, out, _ = collab("worker", "queue", "--registry", REGISTRY)
    assert (code, "asked     T-2" in out, "T-1" in out) == (0, True, False)


def test_why_tells_the_event_the_decision_the_question_and_the_work(collab: Collab) -> None:
    code, out, _ = collab("worker", "logs", "--registry", REGISTRY, "--why", "T-2")
    assert code == 0
    places = [out.index(part) for part in ("hub: T-1  ev-7", "T-1 is done", "open  Start a worker", "it is next")]
    assert places == sorted(places)
    chain = json.loads(collab("worker", "logs", "--registry", REGISTRY, "--why", "T-2", "--json")[1])["chains"][0]
    assert chain["decision"]["id"] == DECISION
    assert chain["executions"][0]["request"] == {"id": "d1", "state": "open", "verdict": None}
    assert collab("worker", "logs", "--registry", REGISTRY, "--why", "T-99")[0] == 2


def test_the_log_of_a_worker_is_shown_clean_and_no_other_file_is(collab: Collab) -> None:
    code, out, _ = collab("worker", "logs", "--registry", REGISTRY, DECISION[:4])
    assert (code, "== prompt" in out, "\x1b" in out, "␛[2J" in out) == (0, True, False, True)
    code, out, err = collab("worker", "logs", "--registry", REGISTRY, FAILED[:4])
    assert (code, "root:" in out + err, "there is no log of it" in err) == (2, False, True)


def test_numbers_tell_outcomes_times_and_failures_by_their_reason(collab: Collab) -> None:
    code, out, _ = collab("worker", "logs", "--registry", REGISTRY, "--stats")
    assert code == 0
    assert "decisions: 2 (1 done, 1 failed)" in out
    assert "took 61 s in the middle" in out
    assert "1 x usage limit" in out
    assert collab("worker", "logs", "--registry", REGISTRY, "--stats", "--since", "1h")[1] == "No worker yet.\n"
    assert collab("worker", "logs", "--registry", REGISTRY, "--why", "T-2", "--since", "1h")[0] == 2


def test_failures_for_one_reason_are_one_whatever_they_are_of_and_what_was_stopped_is_none(
    collab: Collab, registry: Path
) -> None:
    lost = "it was lost with its monitor; its branch collab/doer/{0} stays, and `collab-tui session restore w-{0}`"
    ends = [("failed", lost.format("T-1")), ("failed", lost.format("T-2")), ("stopped", "stopped by hand")]
    with registry.open("ab") as file:
        for number, (state, why) in enumerate(ends):
            file.write(lines(told(10 + number, f"{number:016x}", "execution", state, "T", outcome=why)))
    out = collab("worker", "logs", "--registry", REGISTRY, "--stats")[1]
    assert "\n  2 x it was lost with its monitor; its branch ... stays, and ...\n" in out
    assert ("1 stopped" in out, "x stopped by hand" in out) == (True, False)


def test_what_a_monitor_told_that_is_gone_is_not_shown_as_so(collab: Collab, registry: Path) -> None:
    ours = {"monitor": monitor_of(kept_for(registry.absolute()))}
    stream = {"agent": "monitor", "event": "stream_state", "stream": "hub", "state": "connected"}
    dropped = {"agent": "monitor", "event": "stream_event", "stream": "hub", "outcome": "dropped", "count": 7}
    with registry.open("ab") as file:
        file.write(lines(told(10, "dd44" * 4, "decision", "running", "T-9") | ours, stream | ours, dropped | ours))
    code, out, _ = collab("worker", "list", "--registry", REGISTRY)
    assert code == 0
    assert "stream hub  untended  0 events, 7 dropped  no monitor acts here" in out
    assert "decision   untended  T-9" in out
    found = json.loads(collab("worker", "list", "--registry", REGISTRY, "--json")[1])
    assert [(one["watched_by"], one["dropped"]) for one in found["streams"]] == [("gone", 7)]
    assert [one["watched_by"] for one in found["workers"]] == [None, None, None, "gone"]
    assert "stream hub: 0 events, 7 dropped\n" in collab("worker", "logs", "--registry", REGISTRY, "--stats")[1]
    assert "No monitor acts here" in collab("worker", "queue", "--registry", REGISTRY)[1]


EVENTS = """\
{"task_id": "T-1", "status": "done"}
{"task_id": "T-2", "status": "todo", "priority": "urgent"}
{"task_id": "../x", "status": "done"}

{"task_id": "T-1", "status": "done"}
{"task_id": "T-3", "status": "in_progress"}
"""


def test_a_dry_run_tells_what_would_become_of_events_and_writes_nothing(collab: Collab, registry: Path) -> None:
    before = registry.read_bytes()
    code, out, _ = collab("worker", "queue", "--registry", REGISTRY, "--dry-run", "-", stdin=EVENTS)
    assert code == 0
    assert "2 queued, 1 refused, 2 ignored\nIn order: T-2, T-1\n" in out
    Path("events.jsonl").write_text(EVENTS, encoding="utf-8")
    found = json.loads(collab("worker", "queue", "--registry", REGISTRY, "--dry-run", "events.jsonl", "--json")[1])
    assert [one["outcome"] for one in found["events"]] == ["queued", "queued", "refused", "ignored", "ignored"]
    assert registry.read_bytes() == before


@pytest.mark.parametrize(
    ("stdin", "told"),
    [("no json\n", "line 1 is no JSON"), ('{"status": "done"}', "line 1 names no task"), ("[1]", "names no task")],
)
def test_what_is_no_event_is_told_with_its_line(collab: Collab, stdin: str, told: str) -> None:
    code, _, err = collab("worker", "queue", "--registry", REGISTRY, "--dry-run", "-", stdin=stdin)
    assert (code, told in err) == (2, True)


def test_a_line_that_is_no_event_does_not_hide_what_becomes_of_the_others(collab: Collab) -> None:
    code, out, err = collab("worker", "queue", "--registry", REGISTRY, "--dry-run", "-", stdin=f"no json\n{EVENTS}")
    assert (code, "line 1 is no JSON" in err, "2 queued, 1 refused, 2 ignored\n" in out) == (2, True, True)


def test_of_many_workers_the_last_are_listed_below_the_number_of_the_others(collab: Collab, registry: Path) -> None:
    with registry.open("ab") as file:
        for number in range(32):
            file.write(lines(told(10 + number % 50, f"{number:016x}", "decision", "queued", f"U-{number}")))
    rows = collab("worker", "list", "--registry", REGISTRY)[1].splitlines()
    assert (rows[0], "U-31" in rows[-1]) == ("5 before these: --json has them all", True)


def test_the_name_of_a_task_is_told_back_as_it_was_typed(collab: Collab) -> None:
    assert "not 'café bar'" in collab("worker", "execution", "café bar", "--registry", REGISTRY)[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ["decision"],
        ["decision", "--task", "../x"],
        ["decision", "--task", "T-1", "--template", "../x"],
        ["execution", "x; rm -rf ~"],
        ["logs", "--stats", "--why", "T-1"],
        ["logs", "nosuch"],
        ["nothing"],
        [],
    ],
)
def test_what_cannot_be_meant_is_told_and_writes_nothing(collab: Collab, registry: Path, arguments: list[str]) -> None:
    before = registry.read_bytes()
    code, out, err = collab("worker", *arguments, "--registry", REGISTRY)
    assert (code, out) == (2, "")
    assert "collab-tui" in err
    assert registry.read_bytes() == before


def test_a_worker_is_started_by_the_person_alone(collab: Collab, registry: Path) -> None:
    before = registry.read_bytes()
    code, _, err = collab("worker", "execution", "T-5", "--registry", REGISTRY)
    assert (code, "gives commands" in err) == (2, True)
    assert registry.read_bytes() == before


def test_a_template_of_the_project_is_allowed_once_it_was_seen(
    collab: Collab, terminal: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(".collab/templates")
    folder.mkdir(parents=True)
    (folder / "mine.md").write_text("Judge {task} \x1b[31mwell.", encoding="utf-8")
    assert collab("worker", "allow", "mine", "--registry", REGISTRY)[0] == 1
    for answer, expected in (("no", 1), ("yes", 0)):
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        code, out, _ = collab("worker", "allow", "mine", "--registry", REGISTRY, stdin=terminal)
        assert (code, "Judge {task} ␛[31mwell." in out) == (expected, True)
    assert collab("worker", "allow", "other", "--registry", REGISTRY)[0] == 2
