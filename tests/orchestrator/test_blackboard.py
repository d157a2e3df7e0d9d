"""The blackboard: a value is there once its line is, each revision once, and who waits for one is woken by it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from collab_tui.orchestrator import blackboard as subject
from collab_tui.orchestrator.blackboard import Blackboard, ConflictError, ReleasedError
from collab_tui.orchestrator.journal import Journal
from collab_tui.orchestrator.values import IN_LINE, ValueFiles, ValueRefusedError
from collab_tui.registry.append import NotWrittenError, hold
from tests.orchestrator.ground import AGENT, RUN, SEAT, blackboard_on, journal_on, lines_of, new_registry

pytestmark = pytest.mark.usefixtures("in_time")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return new_registry(tmp_path)


async def test_a_value_is_there_with_who_wrote_it_when_and_its_revision(path: Path) -> None:
    board = blackboard_on(path)
    assert (board.get("plan", "none"), board.revision("plan"), "plan" in board) == ("none", 0, False)
    entry = await board.put("plan", {"a": (1,)}, by=SEAT, task="t")
    assert (entry.key, entry.revision, entry.value, entry.by, entry.task) == ("plan", 1, {"a": [1]}, SEAT, "t")
    (line,) = lines_of(path)
    assert line.items() >= {"agent": SEAT, "event": "run_value", "key": "plan", "revision": 1, "task": "t"}.items()
    assert entry.at is not None
    assert line["timestamp"].startswith(entry.at.isoformat()[:23])
    assert (await board.put("plan", None, by=AGENT)).revision == 2
    assert (board.get("plan", "none"), board.revision("plan"), "plan" in board) == (None, 2, True)
    assert lines_of(path)[-1]["value"] is None


async def test_nobody_has_a_value_before_its_line_stands(path: Path) -> None:
    board = blackboard_on(path)
    lock = hold(str(path), 0)
    putting = asyncio.create_task(board.put("k", 1, by=SEAT))
    waiting = asyncio.create_task(board.wait_for("k"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert "k" not in board
    os.close(lock)
    assert await waiting == 1
    assert (await putting).value == 1


async def test_the_result_of_a_task_and_its_end_are_one_line(path: Path) -> None:
    board = blackboard_on(path)
    await board.done("result", [1], by=SEAT, task="build", attempt=2, took_ms=5, comment=None)
    (line,) = lines_of(path)
    told = {"event": "run_task", "task": "build", "state": "done", "attempt": 2, "took_ms": 5, "key": "result"}
    assert line.items() >= (told | {"revision": 1, "value": [1]}).items()
    assert "comment" not in line
    assert board.get("result") == [1]


async def test_what_is_too_large_for_the_run_is_refused_before_anything_follows_from_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab_tui.orchestrator.values.MOST_BYTES", 2 * IN_LINE)
    board, added = blackboard_on(path), list[str]()
    with pytest.raises(ValueRefusedError, match="the large values of the run"):
        await board.done("result", "x" * 2 * IN_LINE, by=SEAT, task="plan", first=lambda: added.append("a task"))
    assert (added, lines_of(path)) == ([], [])
    await board.done("result", "x", by=SEAT, task="plan", first=lambda: added.append("a task"))
    assert (added, board.revision("result")) == (["a task"], 1)


async def test_what_is_still_to_be_judged_is_told_and_not_on_the_blackboard(path: Path) -> None:
    board = blackboard_on(path)
    assert (await board.worked("result", (1,), by=SEAT, task="build", attempt=1)).value == [1]
    (line,) = lines_of(path)
    assert line.items() >= {"state": "worked", "key": "result", "value": [1]}.items()
    assert "revision" not in line
    assert "result" not in board


async def test_of_many_that_compare_and_set_one_wins_each_time(path: Path) -> None:
    board = blackboard_on(path)
    conflicts: list[ConflictError] = []

    async def count(by: str) -> None:
        for _ in range(5):
            while True:
                revision = board.revision("sum")
                try:
                    await board.put("sum", board.get("sum", 0) + 1, by=by, expected=revision)
                    break
                except ConflictError as error:  # and at once again: the one that was first stands by now
                    conflicts.append(error)

    await asyncio.gather(*(count(f"seat-{n}") for n in range(6)))
    assert board.get("sum") == 30
    assert conflicts
    assert [line["value"] for line in lines_of(path)] == list(range(1, 31))


async def test_a_conflict_says_who_wrote_and_what_stands(path: Path) -> None:
    board = blackboard_on(path)
    with pytest.raises(ConflictError, match="nobody wrote it yet"):
        await board.put("k", 1, by=SEAT, expected=3)
    await board.put("k", 1, by="other")
    with pytest.raises(ConflictError, match="k is not as it was at revision 0: other wrote revision 1") as conflict:
        await board.put("k", 2, by=SEAT, expected=0)
    assert conflict.value.entry is not None
    assert conflict.value.entry.value == 1
    assert len(lines_of(path)) == 1


async def test_many_that_wait_are_all_woken_by_one_value(path: Path) -> None:
    board = blackboard_on(path)
    waiting = [asyncio.create_task(board.wait_for("k")) for _ in range(200)]
    await asyncio.sleep(0)
    await board.put("other", 1, by=SEAT)
    assert not any(task.done() for task in waiting)
    await board.put("k", {"a": 1}, by=SEAT)
    values = await asyncio.gather(*waiting)
    assert values == [{"a": 1}] * 200
    assert len({id(value) for value in values}) == 200


async def test_what_came_before_is_there_at_once_and_a_later_revision_is_waited_for(path: Path) -> None:
    board = blackboard_on(path)
    await board.put("k", 1, by=SEAT)
    assert await board.wait_for("k", timeout=0) == 1
    later = asyncio.create_task(board.wait_for("k", after=2))
    await board.put("k", 2, by=SEAT)
    await asyncio.sleep(0)
    assert not later.done()
    await board.put("k", 3, by=SEAT)
    assert await later == 3


async def test_waiting_ends_with_its_time_limit_or_its_cancellation_and_leaves_nothing(path: Path) -> None:
    board = blackboard_on(path)
    with pytest.raises(TimeoutError):
        await board.wait_for("k", timeout=0.01)
    waiting = asyncio.create_task(board.wait_for("k"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not board._waiting
    with pytest.raises(ValueRefusedError):
        await board.wait_for("No such key")


async def test_the_end_of_the_run_releases_who_waits_and_nothing_is_written_any_more(path: Path) -> None:
    board = blackboard_on(path)
    await board.put("there", 1, by=SEAT)
    waiting = asyncio.create_task(board.wait_for("k"))
    await asyncio.sleep(0)
    board.close("the run is over")
    with pytest.raises(ReleasedError, match="the run is over"):
        await waiting
    for attempt in (board.put("k", 1, by=SEAT), board.done("k", 1, by=SEAT, task="t"), board.wait_for("k")):
        with pytest.raises(ReleasedError):
            await attempt
    assert await board.wait_for("there") == 1
    assert len(lines_of(path)) == 1


async def test_who_is_cancelled_while_it_writes_has_written(path: Path) -> None:
    board = blackboard_on(path)
    lock = hold(str(path), 0)
    putting = asyncio.create_task(board.put("k", 1, by=SEAT))
    await asyncio.sleep(0)
    putting.cancel()
    await asyncio.wait([putting])
    late = asyncio.create_task(board.put("k", 2, by="other", expected=0))
    await asyncio.sleep(0)
    os.close(lock)
    with pytest.raises(ConflictError):
        await late
    assert board.get("k") == 1, "whoever is told of the conflict sees what was first"


@pytest.mark.parametrize("key", ["", "A", "-a", "a b", "a\n", "ключ", "a" * 201, None, 5, "../x"])
async def test_a_key_is_a_plain_name(path: Path, key: str) -> None:
    with pytest.raises(ValueRefusedError, match="a key has small letters"):
        await blackboard_on(path).put(key, 1, by=SEAT)
    assert lines_of(path) == []


async def test_there_are_only_so_many_keys_and_so_many_bytes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_KEYS", 2)
    monkeypatch.setattr(subject, "MOST_BYTES", 100)
    board = blackboard_on(path)
    await board.put("a", "x" * 60, by=SEAT)
    with pytest.raises(ValueRefusedError, match="over 100 bytes"):
        await board.put("b", "y" * 60, by=SEAT)
    await board.put("a", "z" * 90, by=SEAT)
    await board.put("b", 1, by=SEAT)
    with pytest.raises(ValueRefusedError, match="2 keys already"):
        await board.put("c", 1, by=SEAT)


async def test_a_large_value_is_in_its_file_before_its_line_is_in_the_registry(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, tries = ValueFiles.save, []

    def full_at_first(self: ValueFiles, given: subject.Json) -> None:
        tries.append(len(lines_of(path)))
        if len(tries) == 1:
            raise NotWrittenError("the disk is full")
        save(self, given)

    monkeypatch.setattr(ValueFiles, "save", full_at_first)
    board = blackboard_on(path)
    first = asyncio.create_task(board.put("large", "x" * 2 * IN_LINE, by=SEAT))
    second = asyncio.create_task(board.put("large", "small", by=SEAT))
    await asyncio.gather(first, second)
    assert tries == [0, 0]
    assert [line.get("value") for line in lines_of(path)] == [None, "small"]
    assert board.get("large") == "small"
    assert first.result().value == "x" * 2 * IN_LINE


async def test_a_blackboard_that_is_resumed_has_what_stood_there(path: Path) -> None:
    journal: Journal = journal_on(path)
    before = blackboard_on(path, journal)
    await before.put("a", 1, by=SEAT)
    await before.put("a", 2, by=SEAT)
    after = Blackboard(journal, ValueFiles(path, RUN), before.snapshot().values())
    assert after.snapshot() == before.snapshot()
    assert (await after.put("a", 3, by=SEAT, expected=2)).revision == 3
    assert before.get("a") == 2
