"""Runs that are ended, also on a disk that is full: each task is told of, and nothing is left (O03, O08)."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from collab_tui.model.runs import RunState
from collab_tui.orchestrator.agent import Assignment
from collab_tui.orchestrator.kept import RunError
from collab_tui.orchestrator.orchestrator import Orchestrator
from collab_tui.orchestrator.plan import Pipeline, Task
from collab_tui.registry.append import NotWrittenError, RegistryError
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.ground import RUN, until
from tests.orchestrator.stage import STOP, Stage, fail, give_key, hang

pytestmark = pytest.mark.usefixtures("in_time")


EVERYTHING = (
    Task("works", "hanging"),
    Task("reviewed", "worker", review="hanging_judge"),
    Task("pauses", "failing", retries=3, backoff=50),
    Task("asks", needs_approval=True),
    Task("pends", "worker", needs=("works",)),
)


@pytest.mark.parametrize("is_by_task", [False, True])
async def test_cancelled_at_whatever_it_is_each_task_is_told_of_and_nothing_is_left(
    stage: Stage, *, is_by_task: bool
) -> None:
    before = asyncio.all_tasks()
    orchestrator = stage.orchestrator(hanging=hang, hanging_judge=hang, worker=give_key, failing=fail)
    pipeline = Pipeline("trial", EVERYTHING, policy=STOP)
    running = asyncio.create_task(orchestrator.run(pipeline, run_id=RUN))
    await until(
        lambda: (
            (stage.states("reviewed")[-1:], stage.states("pauses")[-1:], stage.states("asks"))
            == (["reviewing"], ["retrying"], ["asked"])
        )
    )
    if is_by_task:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    else:
        assert orchestrator.cancel(RUN, "enough")
        assert (await running).state is RunState.CANCELLED
        assert not orchestrator.cancel(RUN)
    assert {task.key: stage.states(task.key)[-1] for task in EVERYTHING} == {
        task.key: "cancelled" for task in EVERYTHING
    }
    (ended,) = stage.told(event="run_ended")
    assert ended["state"] == "cancelled"
    assert not any(request.is_open for request in stage.requests())
    await until(lambda: asyncio.all_tasks() <= before)
    agents = {"hanging": give_key, "hanging_judge": lambda: {"verdict": "approved"}}
    resumed = stage.orchestrator(**agents, worker=give_key, failing=give_key)
    going_on = asyncio.create_task(resumed.resume(RUN))
    await stage.decide("approved")
    assert (await going_on).is_done
    assert stage.states("reviewed").count("worked") == 1  # only reviewed once more


async def test_cancelled_while_it_starts_it_is_over_and_can_be_gone_on_with(stage: Stage) -> None:
    pipeline = Pipeline("trial", [Task("a", "worker")])
    for turns in range(0, 60, 3):
        run = f"{turns:08x}"
        orchestrator = stage.orchestrator(worker=give_key)
        running = asyncio.create_task(orchestrator.run(pipeline, run_id=run))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        if stage.told(run=run, event="run_started"):
            assert stage.told(run=run, event="run_ended")
            assert (await orchestrator.resume(run)).is_done


async def test_stop_all_ends_every_run_and_waits_for_that(stage: Stage) -> None:
    orchestrator = stage.orchestrator(worker=hang)
    pipeline = Pipeline("trial", [Task("a", "worker")], policy=STOP)
    running = [asyncio.create_task(orchestrator.run(pipeline, run_id=f"0000000{number}")) for number in range(3)]
    await until(lambda: len(stage.told(state="running")) == 3)
    await orchestrator.stop_all("the day is over")
    assert len(stage.told(event="run_ended", reason="the day is over")) == 3
    assert {result.state for result in await asyncio.gather(*running)} == {RunState.CANCELLED}


async def test_an_agent_may_end_its_own_run(stage: Stage) -> None:
    made: list[Orchestrator] = []

    async def stop_all() -> None:
        await made[0].stop_all("an agent has enough")

    made.append(stage.orchestrator(worker=stop_all))
    result = await made[0].run(Pipeline("trial", [Task("a", "worker")], policy=STOP))
    assert (result.state, result.reason) == (RunState.CANCELLED, "an agent has enough")


async def test_a_run_that_is_told_to_end_before_it_began_never_begins(stage: Stage) -> None:
    orchestrator = stage.orchestrator(worker=hang)
    running = asyncio.create_task(orchestrator.run(Pipeline("trial", [Task("a", "worker")]), run_id=RUN))
    await asyncio.sleep(0)
    assert orchestrator.cancel(RUN, "not today")
    await orchestrator.stop_all()
    with pytest.raises(RunError, match="was ended before it began: not today"):
        await running
    assert not stage.told(event="run_started")


# A disk that is full


async def test_while_nothing_can_be_written_nothing_starts_and_who_works_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_all, is_full, began = JsonlRegistry.append_all, threading.Event(), []

    def full(*arguments: Any, **how: Any) -> Any:
        if is_full.is_set():
            raise NotWrittenError("the disk is full")
        return append_all(*arguments, **how)

    async def work(assignment: Assignment) -> str:
        began.append(assignment.task.key)
        if assignment.task.key == "first":
            is_full.set()
        return "done"

    monkeypatch.setattr(JsonlRegistry, "append_all", full)
    tasks = [Task("first", "worker"), Task("second", "worker", needs=("first",))]
    running = asyncio.create_task(stage.run(*tasks, worker=work))
    await until(lambda: any("the disk is full" in notice for notice in stage.notices))
    assert began == ["first"]
    is_full.clear()
    assert (await running).is_done
    assert began == ["first", "second"]


async def test_a_run_that_is_ended_on_a_full_disk_ends_and_can_be_gone_on_with(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab_tui.orchestrator.run.DRAIN", 0.1)
    monkeypatch.setattr("collab_tui.orchestrator.run.LEEWAY", 0.1)
    orchestrator = stage.orchestrator(worker=hang)
    running = asyncio.create_task(orchestrator.run(Pipeline("trial", [Task("a", "worker")], policy=STOP), run_id=RUN))
    await until(lambda: stage.states("a") == ["running"])
    with monkeypatch.context() as patch:
        patch.setattr(JsonlRegistry, "append_all", _full)
        orchestrator.cancel(RUN)
        assert (await running).state is RunState.CANCELLED
    assert any("could not be written" in notice for notice in stage.notices)
    assert (await stage.orchestrator(worker=give_key).resume(RUN)).results == {"a": "a"}


async def test_a_run_whose_end_cannot_be_written_can_be_ended_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab_tui.orchestrator.run.DRAIN", 0.05)
    append_all = JsonlRegistry.append_all

    def full(registry: JsonlRegistry, events: Any, **how: Any) -> Any:
        if any(event["event"] == "run_ended" for event in events):
            raise NotWrittenError("the disk is full")
        return append_all(registry, events, **how)

    monkeypatch.setattr(JsonlRegistry, "append_all", full)
    orchestrator = stage.orchestrator(worker=give_key)
    running = asyncio.create_task(orchestrator.run(Pipeline("trial", [Task("a", "worker")]), run_id=RUN))
    await until(lambda: stage.notices)
    await orchestrator.stop_all()
    assert (await running).is_done
    assert stage.notices[1:] == [f"2 lines of the run {RUN} could not be written: resume it to go on"]


async def test_where_nothing_can_be_written_no_run_begins(stage: Stage) -> None:
    orchestrator = Orchestrator(stage.folder / "nowhere" / "registry.jsonl", {"worker": give_key})
    with pytest.raises(RegistryError):
        await orchestrator.run(Pipeline("trial", [Task("a", "worker")]))
    assert not (stage.folder / "nowhere").exists()


def _full(*_: Any, **__: Any) -> Any:
    raise NotWrittenError("the disk is full")
