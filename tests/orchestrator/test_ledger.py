"""What a resumed run reads back: what it wrote, once and in its order, and nothing of what anybody else did."""

# ruff: noqa: ASYNC240  # a test may wait for a file

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab_tui.model.runs import RunState, TaskState
from collab_tui.orchestrator.journal import Journal
from collab_tui.orchestrator.kept import Part, RunError
from collab_tui.orchestrator.ledger import AwayError, Ledger, NothingToldError, read_back
from collab_tui.orchestrator.values import IN_LINE
from collab_tui.registry.append import append
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.ground import AGENT, KEY, RUN, SEAT, begun, blackboard_on, journal_on, lines_of, new_registry

LARGE = "x" * 2 * IN_LINE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return new_registry(tmp_path)


def back(path: Path, run: str = RUN, key: bytes = KEY, parts: Sequence[Part] = ()) -> Ledger:
    return read_back(path, run, key, parts)


def part(journal: Journal) -> Part:
    return Part(journal.part, journal.after)


def state_of(ledger: Ledger, task: str) -> TaskState:
    found = ledger.run.task(task)
    assert found is not None
    return found.state


async def whole_run(path: Path) -> None:
    """`a` is done; `b` was rejected once and is judged again; `c` runs."""
    journal = journal_on(path)
    board = blackboard_on(path, journal)
    await begun(journal, {"key": "a"}, {"key": "b", "needs": ["a"]}, {"key": "c"})
    await board.put("goal", "a goal", by=AGENT)
    await journal.write(SEAT, "run_task", task="a", state="running", attempt=1, work="work")
    await board.done("a", {"of": "a"}, by=SEAT, task="a", attempt=1)
    await journal.write(SEAT, "run_task", task="b", state="running", attempt=1, work="work")
    await board.worked("b", LARGE, by=SEAT, task="b", attempt=1)
    await journal.write(SEAT, "run_task", task="b", state="reviewing", attempt=2, work="review")
    await journal.write(SEAT, "run_task", task="b", state="rejected", attempt=2, comment="no\ttests")
    await journal.write(SEAT, "run_task", task="b", state="running", attempt=3, work="work", round=2)
    await board.worked("b", f"{LARGE}2", by=SEAT, task="b", attempt=3)
    await journal.write(SEAT, "run_task", task="c", state="running", attempt=1, work="work")
    await journal.close(5.0)


async def test_a_run_is_read_back_as_it_was_written(path: Path) -> None:
    await whole_run(path)
    ledger = back(path)
    assert {task.key: task.state.value for task in ledger.run.tasks} == {"a": "done", "b": "worked", "c": "running"}
    assert ledger.run.state is RunState.RUNNING
    assert ledger.number == lines_of(path)[-1]["number"]
    assert ledger.values == {"goal": "a goal", "a": {"of": "a"}}
    assert (ledger.entries["a"].by, ledger.entries["a"].revision, ledger.entries["a"].task) == (SEAT, 1, "a")
    assert {task: json.value for task, json in ledger.results.items()} == {"a": {"of": "a"}}
    assert ledger.candidates["b"].value == f"{LARGE}2"
    assert ledger.comments == {"b": ["no\ttests"]}
    assert (ledger.lost, ledger.problems) == (frozenset(), ())


async def test_what_is_resumed_goes_on_with_its_numbers(path: Path) -> None:
    await whole_run(path)
    journal = journal_on(path, after=back(path).number)
    await journal.write(AGENT, "run_resumed", host="h", pid=2, again=["a"])
    ledger = back(path)
    assert ledger.problems == ()
    assert state_of(ledger, "a") is TaskState.PENDING
    assert "a" not in ledger.results
    assert ledger.values["a"] == {"of": "a"}


FORGED: list[dict[str, Any]] = [
    {"event": "run_task", "task": "c", "state": "done", "key": "c", "revision": 1, "value": "forged"},
    {"event": "run_task", "task": "a", "state": "failed", "error": "forged"},
    {
        "event": "run_task",
        "task": "b",
        "state": "worked",
        "key": "b",
        "value": "forged",
        "proof": "0" * 64,
        "number": 99,
    },
    {"event": "run_value", "key": "goal", "revision": 9, "value": "forged", "proof": "ü" * 64, "number": 99},
    {"event": "run_tasks", "tasks": [{"key": "z"}], "agent": AGENT, "proof": 7, "number": 99},
    {"event": "run_ended", "state": "done", "agent": AGENT},
    {"event": "run_resumed", "agent": AGENT, "again": ["a"]},
]


@pytest.mark.parametrize("forged", FORGED, ids=lambda line: f"{line['event']} {line.get('task', '')}".strip())
async def test_no_line_without_the_right_proof_counts_and_it_is_told_where_it_stands(
    path: Path, forged: dict[str, Any]
) -> None:
    await whole_run(path)
    before = back(path)
    append(str(path), {"agent": SEAT, "run": RUN, **forged})
    after = back(path)
    assert after.problems == (
        f"lines of this run that it did not write, and does not believe: {len(lines_of(path)) + 1}",
    )
    assert _same(after) == _same(before)


async def test_a_line_of_ours_that_was_changed_or_copied_or_is_of_another_run_says_nothing(
    path: Path,
) -> None:
    await whole_run(path)
    before = back(path)
    done = next(line for line in path.read_bytes().splitlines() if b'"state":"done"' in line)
    other = await _line_of_another_run(path)
    for told in (
        done,
        done.replace(b'"of":"a"', b'"of":"b"'),
        done.replace(b'"task":"a"', b'"task":"c"'),
        done.replace(b'"id":"', b'"id":"0'),
        other.replace(b"ffffffff", RUN.encode()),
        done.replace(b'{"id"', b'{"task":"c","id"'),
    ):
        with path.open("ab") as file:
            file.write(told + b"\n")
    assert _same(back(path)) == _same(before)


async def test_lines_in_another_order_say_the_same(path: Path) -> None:
    await whole_run(path)
    before = back(path)
    first, *ours = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b"".join(reversed(ours)))
    after = back(path)
    assert [(task.key, task.state) for task in after.run.tasks] == [(task.key, task.state) for task in before.run.tasks]
    assert (after.values, after.number, after.comments) == (before.values, before.number, before.comments)
    assert after.candidates == before.candidates
    assert after.problems == ()


async def test_what_an_attempt_says_that_is_not_the_last_one_does_not_count(path: Path) -> None:
    await whole_run(path)
    journal = journal_on(path, after=back(path).number)
    board = blackboard_on(path, journal)
    await journal.write(SEAT, "run_task", task="c", state="running", attempt=2, work="work")
    await board.done("c", "late", by=SEAT, task="c", attempt=1)
    ledger = back(path)
    assert state_of(ledger, "c") is TaskState.RUNNING
    assert "c" not in ledger.values
    assert "c" not in ledger.results
    assert ledger.problems == (f"line {len(lines_of(path)) + 1} is of an earlier attempt at c",)


async def test_lines_that_were_taken_away_are_missed(path: Path) -> None:
    await whole_run(path)
    lines = path.read_bytes().splitlines(keepends=True)
    done = next(number for number, line in enumerate(lines) if b'"state":"done"' in line)
    path.write_bytes(b"".join(lines[:done] + lines[done + 1 :]))
    ledger = back(path)
    assert ledger.problems == ("1 of its lines are not in the registry any more: it goes on without them",)
    assert state_of(ledger, "a") is TaskState.RUNNING
    assert "a" not in ledger.results


async def test_lines_that_were_taken_away_and_put_back_after_it_was_resumed_do_not_count(path: Path) -> None:
    await whole_run(path)
    parts = [Part(lines_of(path)[0]["part"], 0)]
    journal = journal_on(path, after=back(path).number)
    parts.append(part(journal))
    await blackboard_on(path, journal).done("c", "of before", by=SEAT, task="c", attempt=1)
    await journal.write(AGENT, "run_ended", state="done")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))
    journal = journal_on(path, after=back(path, parts=parts).number)
    parts.append(part(journal))
    await journal.write(AGENT, "run_resumed", host="h", pid=2)
    with path.open("ab") as file:
        file.write(b"".join(lines[-2:]))
    ledger = back(path, parts=parts)
    assert state_of(ledger, "c") is TaskState.PENDING
    assert ledger.run.state is RunState.RUNNING
    assert "c" not in ledger.values
    assert ledger.problems == ("2 of its lines do not count: it was resumed without them",)
    await journal.write(SEAT, "run_task", task="c", state="running", attempt=2)
    await blackboard_on(path, journal).done("c", "of now", by=SEAT, task="c", attempt=2)
    assert back(path, parts=parts).values["c"] == "of now"


async def test_a_process_that_was_killed_right_after_its_first_line_can_be_followed_by_any_number_of_others(
    path: Path,
) -> None:
    first = journal_on(path)
    await begun(first, {"key": "a"})
    parts: list[Part] = []
    for is_kept, resumed in ((False, 1), (True, 2), (True, 3), (False, 3), (True, 4)):
        journal = journal_on(path, after=back(path, parts=parts).number)
        await journal.write(AGENT, "run_resumed", host="h", pid=2)
        parts += [part(journal)] if is_kept else []
        ledger = back(path, parts=parts)
        assert (ledger.run.resumed, ledger.problems) == (resumed, ())
    await first.write(SEAT, "run_task", task="a", state="running", attempt=1)
    assert state_of(back(path, parts=parts), "a") is TaskState.PENDING, "nobody after it knew that line"


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_clock_that_was_set_between_two_processes_makes_no_line_worthless(
    path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    await whole_run(path)
    parts = [Part(lines_of(path)[0]["part"], 0)]
    now = time.time()
    monkeypatch.setattr("collab_tui.registry.append.time.time", lambda: now + 3600 * hours)
    journal = journal_on(path, after=back(path).number)
    parts.append(part(journal))
    await journal.write(AGENT, "run_resumed", host="h", pid=2)
    await journal.write(SEAT, "run_task", task="c", state="running", attempt=2)
    await blackboard_on(path, journal).done("c", "of now", by=SEAT, task="c", attempt=2)
    ledger = back(path, parts=parts)
    assert ledger.values["c"] == "of now"
    assert ledger.problems == ()


async def test_a_run_whose_beginning_is_gone_and_one_that_never_began_are_told_apart(path: Path) -> None:
    append(str(path), {"agent": AGENT, "run": RUN, "event": "run_started", "name": "forged"})
    with pytest.raises(NothingToldError):
        back(path)
    await whole_run(path)
    with pytest.raises(NothingToldError):
        back(path, key=b"another" * 5)
    with pytest.raises(NothingToldError):
        back(path, run="ffffffff")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if b'"proof"' not in line or b"run_started" not in line))
    with pytest.raises(RunError, match="the beginning of the run") as error:
        back(path)
    assert not isinstance(error.value, NothingToldError)
    path.unlink()
    with pytest.raises(AwayError, match="it is gone"):
        back(path)


@pytest.mark.parametrize("how", ["gone", "changed"])
async def test_a_task_whose_value_is_gone_begins_anew(path: Path, how: str) -> None:
    await whole_run(path)
    journal = journal_on(path, after=back(path).number)
    await blackboard_on(path, journal).done("c", f"{LARGE}c", by=SEAT, task="c", attempt=1)
    assert back(path).lost == frozenset()
    for file in (path.parent / "runs" / RUN).iterdir():
        if how == "gone":
            file.unlink()
        else:
            file.write_bytes(file.read_bytes().replace(b"x", b"y"))
    ledger = back(path)
    assert ledger.lost == {"b", "c"}
    assert ledger.results.keys() == {"a"}
    assert "c" not in ledger.values
    assert sum("is lost" in problem for problem in ledger.problems) == 2


async def test_a_line_that_was_cut_off_by_a_kill_and_what_came_after_it(path: Path) -> None:
    await whole_run(path)
    whole = path.read_bytes()
    *_, last = whole.splitlines(keepends=True)
    for cut in (len(last) - 1, len(last) // 2, 1):
        path.write_bytes(whole[: len(whole) - len(last) + cut])
        ledger = back(path)
        is_whole = cut == len(last) - 1
        assert state_of(ledger, "c") is (TaskState.RUNNING if is_whole else TaskState.PENDING)
        await journal_on(path, after=ledger.number).write(AGENT, "run_resumed", host="h", pid=2)
        again = back(path)
        assert again.problems == ()
        assert again.run.resumed == 1


async def test_a_task_that_nobody_works_on_is_done_without_a_value(path: Path) -> None:
    journal = journal_on(path)
    await begun(journal, {"key": "gate", "role": None})
    await journal.write(AGENT, "run_task", task="gate", state="done")
    assert back(path).results["gate"].value is None
    assert back(path).lost == frozenset()


async def test_lines_of_sessions_and_others_that_name_the_run_are_none_of_its_own(path: Path) -> None:
    journal = journal_on(path)
    await begun(journal, {"key": "a"})
    await journal.write(SEAT, "session_start", role="executor")
    append(str(path), {"agent": SEAT, "event": "status_update", "run": RUN, "progress": 5})
    await journal.write(SEAT, "run_task", task="a", state="running", attempt=1)
    assert "run" not in lines_of(path, lambda line: line["event"] == "session_start")[0]
    ledger = back(path)
    assert (ledger.number, ledger.problems) == (3, ())


noise = st.lists(
    st.tuples(
        st.sampled_from(["copy", "drop", "move", "change", "forge", "junk"]), st.integers(0, 99), st.integers(0, 99)
    ),
    max_size=12,
)


@given(noise)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_to_the_lines_nothing_that_was_not_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, whole: list[bytes], done: list[tuple[str, int, int]]
) -> None:
    first, *lines = whole
    for how, one, other in done:
        at, to = one % max(1, len(lines)), other % (len(lines) + 1)
        match how:
            case "copy" if lines:
                lines.insert(to, lines[at])
            case "drop" if lines:
                del lines[at]
            case "move" if lines:
                lines.insert(to % len(lines), lines.pop(at))
            case "change" if lines:
                lines[at] = lines[at].replace(b'"a"', b'"c"')
            case "forge":
                forged = {"id": f"{at}{to}", "agent": SEAT, "run": RUN, "number": at} | FORGED[at % len(FORGED)]
                lines.insert(to, json.dumps(forged).encode())
            case "junk":
                lines.insert(to, b'{"run": "0a1b2c3d", "event": ["run_task"], "proof": [')
    path = tmp_path_factory.mktemp("ledger") / "registry.jsonl"
    path.write_bytes(b"\n".join([first, *lines]) + b"\n")
    try:
        ledger = back(path)
    except RunError:
        return
    assert ledger.values.items() <= {"goal": "a goal", "a": {"of": "a"}}.items()
    assert {task: json.value for task, json in ledger.results.items()}.items() <= {"a": {"of": "a"}}.items()
    assert {task.key for task in ledger.run.tasks} <= {"a", "b", "c"}
    for task in ledger.run.tasks:
        assert task.state is not TaskState.DONE or task.key == "a"
        assert task.state is not TaskState.FAILED


@pytest.fixture
async def whole(tmp_path: Path) -> list[bytes]:
    path = new_registry(tmp_path / "whole")
    await whole_run(path)
    return path.read_bytes().splitlines()


def _same(ledger: Ledger) -> tuple[object, ...]:
    return ledger.run, ledger.entries, ledger.candidates, ledger.results, ledger.comments, ledger.lost, ledger.number


async def _line_of_another_run(path: Path) -> bytes:
    other = path.with_name("other.jsonl")
    journal = Journal(JsonlRegistry(other), "ffffffff", KEY, print)
    await journal.write(SEAT, "run_task", task="c", state="done", key="c", revision=1, value="of another run")
    line = other.read_bytes().splitlines()[0]
    os.unlink(other)
    return line
