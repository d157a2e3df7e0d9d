"""The lines of a run: in order, proven, on the disk before anybody hears of it, whatever the disk does meanwhile."""

# ruff: noqa: ASYNC240  # a test may wait for a file

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.signature import parse
from collab_tui.orchestrator.journal import PROOF, Journal, proof_of
from collab_tui.protocol.nearby import woken
from collab_tui.registry import append as appending
from collab_tui.registry.append import LockedError, NotDurableError, NotWrittenError, UnusableError, append, hold
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.ground import AGENT, KEY, PATIENCE, RUN, journal_on, lines_of, new_registry, until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return new_registry(tmp_path)


class Faulty(JsonlRegistry):
    """Raises what it is told to, one after the other, before it writes; counts what it is asked."""

    def __init__(self, path: Path, *faults: Exception | None) -> None:
        super().__init__(path)
        self.faults = list(faults)
        self.asked: list[int] = []

    def append_all(self, events: Any, **given: Any) -> list[dict[str, Any]]:
        self.asked.append(len(events))
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, NotDurableError):
            super().append_all(events, **given)
        if fault is not None:
            raise fault
        return super().append_all(events, **given)


async def test_lines_stand_in_the_order_in_which_they_were_written_with_a_number_and_a_proof_each(path: Path) -> None:
    journal = journal_on(path)
    await asyncio.gather(
        *(journal.write(AGENT, "run_task", task=f"t{n}", state="running", why=None) for n in range(50))
    )
    lines = lines_of(path)
    assert [line["task"] for line in lines] == [f"t{n}" for n in range(50)]
    assert [line["number"] for line in lines] == list(range(1, 51))
    assert all("why" not in line for line in lines)
    for line in path.read_bytes().splitlines()[1:]:
        told = parse(line)
        assert told[PROOF] == proof_of(told, KEY)
        assert told[PROOF] != proof_of({**told, "task": "another"}, KEY)
        assert told[PROOF] != proof_of({**told, "timestamp": "2026-01-01T00:00:00.000Z"}, KEY)
        assert told[PROOF] != proof_of(told, b"x" * 32)


async def test_many_that_wait_cost_one_lock_and_one_sync(path: Path) -> None:
    registry = Faulty(path)
    journal = Journal(registry, RUN, KEY, print)
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(journal.write(AGENT, "run_task", task=f"t{n}") for n in range(500)))
    assert sum(registry.asked) == 500
    assert len(registry.asked) < 10


async def test_what_is_written_is_given_back_as_it_stands_and_heard_at_once_in_this_process(path: Path) -> None:
    heard = threading.Event()
    with woken(path, heard.set):
        written = await journal_on(path).write(AGENT, "run_value", key="k", value={"한국어": [1.5, None, "\x1b[2J"]})
    assert heard.is_set()
    assert lines_of(path) == [written]


async def test_while_the_disk_is_full_it_waits_says_so_once_and_goes_on(path: Path) -> None:
    full = [NotWrittenError("is the disk full?"), LockedError("locked"), NotWrittenError("is the disk full?")]
    notices: list[str] = []
    journal = Journal(Faulty(path, *full), RUN, KEY, notices.append)
    assert not journal.is_in_trouble
    writing = [asyncio.create_task(journal.write(AGENT, "run_task", task=f"t{n}")) for n in range(3)]
    await until(lambda: journal.is_in_trouble)
    assert not any(task.done() for task in writing)
    await asyncio.wait_for(asyncio.gather(*writing), PATIENCE)
    assert not journal.is_in_trouble
    assert notices == ["is the disk full?; trying again until it can be written", "it is written now"]
    assert [line["number"] for line in lines_of(path)] == [1, 2, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on files there")
async def test_a_disk_that_is_full_in_the_middle_of_several_lines_repeats_and_loses_none(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[int] = []
    write = os.write

    def short(descriptor: int, data: bytes) -> int:
        if data.startswith(b'{"id"') and len(writes) < 3:
            writes.append(len(data))
            return write(descriptor, data[: (len(data) // 2, 0, 10)[len(writes) - 1]])
        return write(descriptor, data)

    monkeypatch.setattr(appending.os, "write", short)
    journal = journal_on(path)
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(journal.write(AGENT, "run_task", task=f"t{n}") for n in range(8)))
    assert len(writes) == 3
    lines = lines_of(path)
    assert [line["task"] for line in lines] == [f"t{n}" for n in range(8)]
    assert [line["number"] for line in lines] == list(range(1, 9))
    assert len({line["id"] for line in lines}) == 8


async def test_a_line_that_is_perhaps_not_on_the_disk_is_written_again_as_the_same(
    path: Path,
) -> None:
    journal = Journal(Faulty(path, NotDurableError("perhaps not on the disk")), RUN, KEY, print)
    await journal.write(AGENT, "run_task", task="t")
    first, second = lines_of(path)
    assert first["id"] == second["id"]
    assert first["number"] < second["number"]


async def test_a_registry_that_is_away_is_waited_for_and_never_made_anew(path: Path) -> None:
    notices: list[str] = []
    journal = journal_on(path, notices)
    await journal.write(AGENT, "run_task", task="a")
    away = path.with_name("away")
    path.rename(away)
    writing = asyncio.create_task(journal.write(AGENT, "run_task", task="b"))
    await until(lambda: journal.is_in_trouble)
    assert not path.exists()
    away.rename(path)
    await asyncio.wait_for(writing, PATIENCE)
    assert [line["task"] for line in lines_of(path)] == ["a", "b"]
    assert "is gone" in notices[0]


async def test_one_that_comes_back_as_it_was_is_not_told_to_be_another(path: Path) -> None:
    notices: list[str] = []
    journal = journal_on(path, notices)
    await journal.write(AGENT, "run_task", task="a")
    away = path.with_name("away")
    path.rename(away)
    path.mkdir()
    writing = asyncio.create_task(journal.write(AGENT, "run_task", task="b"))
    await until(lambda: journal.is_in_trouble)
    path.rmdir()
    away.rename(path)
    await asyncio.wait_for(writing, PATIENCE)
    assert [line["task"] for line in lines_of(path)] == ["a", "b"]
    assert not any("replaced" in notice for notice in notices)


async def test_a_folder_that_is_away_is_waited_for_too(path: Path) -> None:
    journal = journal_on(path)
    await journal.write(AGENT, "run_task", task="a")
    away = path.parent.with_name("away")
    path.parent.rename(away)
    writing = asyncio.create_task(journal.write(AGENT, "run_task", task="b"))
    await until(lambda: journal.is_in_trouble)
    away.rename(path.parent)
    await asyncio.wait_for(writing, PATIENCE)
    assert [line["task"] for line in lines_of(path)] == ["a", "b"]


@pytest.mark.parametrize("how", ["shortened", "replaced"])
async def test_a_registry_that_was_changed_meanwhile_is_told_once_and_written_on(path: Path, how: str) -> None:
    notices: list[str] = []
    journal = journal_on(path, notices)
    await journal.write(AGENT, "run_task", task="a")
    first = path.read_bytes().splitlines(keepends=True)[0]
    if how == "replaced":
        path.with_name("new").write_bytes(first)
        path.with_name("new").replace(path)
    else:
        os.truncate(path, len(first))
    for task in ("b", "c"):
        await journal.write(AGENT, "run_task", task=task)
    assert [(line["task"], line["number"]) for line in lines_of(path)] == [("b", 2), ("c", 3)]
    assert len(notices) == 1
    assert "replaced or shortened" in notices[0]


async def test_a_whole_copy_in_its_place_is_no_loss_and_not_told(path: Path) -> None:
    notices: list[str] = []
    journal = journal_on(path, notices)
    await journal.write(AGENT, "run_task", task="a")
    append(str(path), {"agent": "other", "event": "status_update"})
    path.with_name("new").write_bytes(path.read_bytes())
    path.with_name("new").replace(path)
    await journal.write(AGENT, "run_task", task="b")
    assert [line["task"] for line in lines_of(path)] == ["a", "b"]
    assert notices == []


async def test_a_registry_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    await journal_on(tmp_path / "new.jsonl").write(AGENT, "run_started", name="demo")
    assert len(lines_of(tmp_path / "new.jsonl")) == 1


@pytest.mark.parametrize(
    "value",
    [float("nan"), {"a", "b"}, {1: "x", "1": "y"}, 10**5000, "x" * (1 << 20)],
    ids=["no number", "no JSON", "a name twice", "too many digits", "too long"],
)
async def test_what_can_never_be_written_is_refused_and_all_else_is_written(path: Path, value: object) -> None:
    journal = journal_on(path)
    before = journal.send(AGENT, "run_task", {"task": "a"})
    with pytest.raises(UnusableError):
        await journal.write(AGENT, "run_value", key="k", value=value)
    await journal.write(AGENT, "run_task", task="b")
    await before
    assert [line["number"] for line in lines_of(path)] == [1, 2]


async def test_names_that_are_numbers_are_texts_for_the_proof_as_in_the_line(path: Path) -> None:
    await journal_on(path).write(AGENT, "run_value", key="k", value={10: "a", 9: ("b",)})
    told = parse(path.read_bytes().splitlines()[-1])
    assert told["value"] == {"10": "a", "9": ["b"]}
    assert told[PROOF] == proof_of(told, KEY)


async def test_who_is_cancelled_while_it_waits_does_not_take_the_line_back(path: Path) -> None:
    lock = hold(str(path), 0)
    journal = journal_on(path)
    writing = asyncio.create_task(journal.write(AGENT, "run_task", task="a"))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing])
    os.close(lock)
    assert await journal.close(PATIENCE) == 0
    assert [line["task"] for line in lines_of(path)] == ["a"]


async def test_a_closed_journal_gives_up_after_its_patience_and_says_how_much_is_lost(path: Path) -> None:
    journal = Journal(Faulty(path, *[NotWrittenError("full")] * 1000), RUN, KEY, lambda _: None)
    writing = [asyncio.create_task(journal.write(AGENT, "run_task", task=f"t{n}")) for n in range(3)]
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        assert await journal.close(0.0) == 3
        ended = await asyncio.gather(*writing, return_exceptions=True)
    assert [type(error) for error in ended] == [NotWrittenError] * 3
    with pytest.raises(NotWrittenError, match="is over"):
        journal.send(AGENT, "run_task", {})
    assert lines_of(path) == []


async def test_a_mistake_of_ours_leaves_nobody_waiting(path: Path) -> None:
    journal = Journal(Faulty(path, KeyError("a mistake")), RUN, KEY, lambda _: None)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(KeyError):
            await journal.write(AGENT, "run_task", task="a")
        await journal.write(AGENT, "run_task", task="b")
    assert [line["task"] for line in lines_of(path)] == ["b"]


async def test_what_has_to_be_there_before_a_line_is_there_before_it_and_holds_up_what_comes_after(path: Path) -> None:
    tries: list[int] = []

    def before() -> None:
        tries.append(len(lines_of(path)))
        if len(tries) < 3:
            raise NotWrittenError("the disk is full")

    journal = journal_on(path)
    await journal.write(AGENT, "run_task", task="a")
    one = journal.send(AGENT, "run_value", {"key": "k"}, before)
    two = journal.send(AGENT, "run_task", {"task": "b"})
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(one, two)
    assert tries == [1, 1, 1]
    assert [line["event"] for line in lines_of(path)] == ["run_task", "run_value", "run_task"]


async def test_a_line_can_be_written_now_and_its_failure_is_the_callers(path: Path) -> None:
    journal = Journal(Faulty(path, None, NotWrittenError("full")), RUN, KEY, print)
    assert journal.write_now(AGENT, "run_task", task="a", why=None)["number"] == 1
    with pytest.raises(NotWrittenError):
        journal.write_now(AGENT, "run_task", task="b")
    await journal.write(AGENT, "run_task", task="c")
    assert [(line["task"], line["number"]) for line in lines_of(path)] == [("a", 1), ("c", 2)]


async def test_agents_that_take_all_threads_of_the_loop_do_not_keep_it_from_writing(path: Path) -> None:
    loop, end = asyncio.get_running_loop(), threading.Event()
    with ThreadPoolExecutor(1) as only:
        loop.set_default_executor(only)
        blocked = loop.run_in_executor(None, end.wait)
        try:
            async with asyncio.timeout(PATIENCE):
                await journal_on(path).write(AGENT, "run_task", task="a")
        finally:
            end.set()
            await blocked
    assert json.loads(path.read_bytes().splitlines()[-1])["task"] == "a"
