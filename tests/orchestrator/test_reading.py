"""Looking at whole values and logs of runs: lines are claims, and nothing is read but what would be kept there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.event import Event
from collab_tui.model.fold import Fold
from collab_tui.model.runs import RunState, Value
from collab_tui.orchestrator.blackboard import Blackboard
from collab_tui.orchestrator.journal import Journal
from collab_tui.orchestrator.kept import KeptRuns, Part
from collab_tui.orchestrator.reading import Whole, as_they_tell, own_run, read_task_log, read_value
from collab_tui.orchestrator.values import ValueFiles, ValueLostError, checked
from collab_tui.registry.append import append
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.ground import AGENT, RUN, SEAT, begun


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    path = tmp_path / "registry.jsonl"
    append(str(path), {"agent": "system", "event": "registry_created", "registry": "ab" * 16})
    return path


def read(path: Path, run: str = RUN, **fields: Any) -> str:
    """What is read of a value whose line says that, which is nobody's here."""
    found = whole(path, run, **fields)
    assert not found.is_proven
    return found.text


def whole(path: Path, run: str = RUN, **fields: Any) -> Whole:
    append(str(path), {"agent": "executor-1", "event": "run_value", "run": RUN, "key": "plan", "revision": 1, **fields})
    registry = JsonlRegistry(path)
    position = [item.position for item in registry.read_next().items][-1]
    key = str(fields.get("key", "plan"))
    return read_value(registry, run, Value(key, 1, "executor-1", None, None, "", 0, None, None, position))


def test_a_value_is_read_whole_wherever_it_stands(path: Path) -> None:
    assert read(path, value="two\nlines") == "two\nlines"
    assert json.loads(read(path, value={"steps": ["안녕", 2]})) == {"steps": ["안녕", 2]}
    assert read(path, value=None) == "null"
    for text in ("x" * 100_000, "\x1b[2J" * 20_000, "a\x1b[2J\u202eb"):
        large, files = checked(text), ValueFiles(path, RUN)
        fields = files.fields_of(large)
        files.save(large)
        assert read(path, **fields) == text, "exactly as it was given, in its line or in a file"


async def test_of_a_run_that_is_kept_here_only_what_it_wrote_itself_counts(path: Path) -> None:
    kept = KeptRuns(path)
    run = kept.new("demo", "a goal", {}, RUN)
    journal = Journal(JsonlRegistry(path), RUN, kept.key(), lambda _: None)
    run.began(Part(journal.part, 0))
    await begun(journal)
    await Blackboard(journal, ValueFiles(path, RUN)).put("plan", "ours", by=SEAT)
    forged = whole(path, value="theirs", revision=2)
    assert (forged.text, forged.is_proven) == ("ours", True)
    append(str(path), {"agent": AGENT, "event": "run_ended", "run": RUN, "state": "done"})
    told = own_run(path, RUN)
    assert told is not None
    assert told.state is RunState.RUNNING
    with pytest.raises(ValueLostError, match="the run did not write it"):
        read(path, key="other", value="theirs")
    await journal.close(1)
    run.end()


async def test_an_earlier_revision_is_read_as_it_was(path: Path) -> None:
    kept = KeptRuns(path)
    run = kept.new("demo", "a goal", {}, RUN)
    journal = Journal(JsonlRegistry(path), RUN, kept.key(), lambda _: None)
    run.began(Part(journal.part, 0))
    await begun(journal)
    board, files = Blackboard(journal, ValueFiles(path, RUN)), path.parent / "runs" / RUN
    for value in ("first", "second" * 20_000, "third" * 20_000):
        await board.put("plan", value, by=SEAT)
    registry = JsonlRegistry(path)
    lines = [item.position for item in registry.read_next().items if isinstance(item, Event) and item.data.get("key")]
    revisions = [Value("plan", at + 1, SEAT, None, None, "", 0, None, None, line) for at, line in enumerate(lines)]
    assert [read_value(registry, RUN, each).text[:5] for each in revisions] == ["first", "secon", "third"]
    next(file for file in files.iterdir() if b"second" in file.read_bytes()).unlink()
    with pytest.raises(ValueLostError, match="is gone, or was changed"):
        read_value(registry, RUN, revisions[1])
    await journal.close(1)
    run.end()


async def test_how_a_run_is_told_by_its_own_lines_and_by_those_of_others(path: Path) -> None:
    kept = KeptRuns(path)
    run = kept.new("demo", "a goal", {}, RUN)
    journal = Journal(JsonlRegistry(path), RUN, kept.key(), lambda _: None)
    await begun(journal)

    def states() -> list[RunState]:
        registry, fold = JsonlRegistry(path), Fold()
        read_to_end(registry, fold)
        (as_told,) = fold.board().runs
        (told,) = as_they_tell(registry, [as_told])
        return [as_told.state, told.state]

    assert states() == [RunState.RUNNING, RunState.RUNNING]
    forged = {"agent": AGENT, "run": RUN}
    append(str(path), {**forged, "event": "run_ended", "state": "done"})
    assert states() == [RunState.DONE, RunState.RUNNING]
    looks: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collab_tui.orchestrator.reading.read_kept", lambda _, run: looks.append(run))
        assert states() == [RunState.DONE, RunState.RUNNING]
    assert not looks, "the whole registry is read once for each line"
    await journal.write(AGENT, "run_ended", state="failed")
    append(str(path), {**forged, "event": "run_resumed", "host": "x", "carrier": "f" * 12})
    assert states() == [RunState.RUNNING, RunState.FAILED]
    await journal.close(1)
    run.end()


def test_a_line_reads_no_file_but_that_value(path: Path) -> None:
    large, files = checked(["secret" * 20_000]), ValueFiles(path, RUN)
    fields = files.fields_of(large)
    files.save(large)
    outside = path.parent / "elsewhere.json"
    (path.parent / "runs" / RUN / f"{large.digest}.json").rename(outside)
    for changed in ({}, {"file": "elsewhere.json"}, {"digest": "../../elsewhere"}, {"size": 3}, {"size": "all"}):
        with pytest.raises(ValueLostError):
            read(path, **fields | changed)
    with pytest.raises(ValueLostError, match="the registry was replaced"):
        read(path, run="ffffffff", value="x")


def test_the_log_of_a_task_is_read_to_its_end_and_only_among_the_logs(path: Path) -> None:
    logs = path.parent / "logs" / "runs"
    logs.mkdir(parents=True)
    (logs / "a.log.1").write_text("before\n", encoding="utf-8")
    (logs / "a.log").write_text("after\n", encoding="utf-8")
    assert read_task_log(path, "logs/runs/a.log") == "before\nafter\n"
    (logs / "b.log").write_bytes(b"a\n" * (1 << 20) + b"\xffend\n")
    found = read_task_log(path, "logs/runs/b.log")
    assert found is not None
    assert found.endswith("\ufffdend\n")
    assert len(found) <= 1 << 20
    for named in (
        "registry.jsonl",
        "logs/../registry.jsonl",
        str(path),
        "logs/runs/none.log",
        "logs",
        "\0",
        "logs/" + "x" * 5000,
    ):
        assert read_task_log(path, named) is None
