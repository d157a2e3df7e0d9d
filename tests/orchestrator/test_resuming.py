"""Runs that another process goes on with (O07)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from collab_tui.model.runs import RunState
from collab_tui.orchestrator.agent import Surroundings
from collab_tui.orchestrator.countdown import Countdown
from collab_tui.orchestrator.kept import KeptRuns, RunError
from collab_tui.orchestrator.plan import Pipeline, Policy, Task
from tests.orchestrator.ground import RUN, until
from tests.orchestrator.stage import STOP, Stage, fail, give_key, hang

pytestmark = pytest.mark.usefixtures("in_time")


async def test_a_run_that_a_process_has_is_refused_to_any_other(stage: Stage) -> None:
    orchestrator = stage.orchestrator(worker=hang)
    running = asyncio.create_task(orchestrator.run(Pipeline("trial", [Task("a", "worker")], policy=STOP), run_id=RUN))
    await until(lambda: stage.states("a") == ["running"])
    with pytest.raises(RunError, match="goes on already"):
        await stage.orchestrator(worker=hang).resume(RUN)
    orchestrator.cancel(RUN)
    await running
    with pytest.raises(RunError, match=r"no run .* is kept here"):
        await orchestrator.resume("11111111")


async def test_each_process_has_all_of_its_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float | None] = []

    class Noted(Countdown):
        def __init__(self, seconds: float | None, expired: Callable[[], object]) -> None:
            given.append(seconds)
            super().__init__(seconds, expired)

    monkeypatch.setattr("collab_tui.orchestrator.run.Countdown", Noted)
    orchestrator = stage.orchestrator(worker=hang)
    pipeline = Pipeline("trial", [Task("a", "worker")], policy=Policy(grace=0.1, timeout=7200))
    running = asyncio.create_task(orchestrator.run(pipeline, run_id=RUN))
    await until(lambda: stage.states("a") == ["running"])
    orchestrator.cancel(RUN)
    await running
    assert (await stage.orchestrator(worker=give_key).resume(RUN)).state is RunState.DONE
    assert given == [7200, 7200]


async def test_what_is_left_of_the_process_before_is_seen_to_within_the_grace_and_heard_of(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, is_held = list[str](), list[bool]()

    async def slow(surroundings: Surroundings, agents: object) -> None:
        at_work.append("begins")
        try:
            await asyncio.Event().wait()
        finally:
            is_held.append(KeptRuns(stage.path).is_held(RUN))
            at_work.append("ends")

    async def fails(surroundings: Surroundings, agents: object) -> None:
        raise ZeroDivisionError("by 0")

    pipeline = Pipeline("trial", [Task("a", "worker")], policy=STOP)
    assert (await stage.orchestrator(worker=fail).run(pipeline, run_id=RUN)).state is RunState.FAILED
    monkeypatch.setattr("collab_tui.orchestrator.run.DRAIN", 0.0)
    monkeypatch.setattr("collab_tui.orchestrator.run.let_go_of_left", slow)
    assert (await stage.orchestrator(worker=fail).resume(RUN)).state is RunState.FAILED
    assert (at_work, is_held) == (["begins", "ends"], [True])
    assert any("does not end" in notice for notice in stage.notices)
    monkeypatch.setattr("collab_tui.orchestrator.run.let_go_of_left", fails)
    assert (await stage.orchestrator(worker=give_key).resume(RUN)).state is RunState.DONE
    assert any("did not end well: ZeroDivisionError: by 0" in notice for notice in stage.notices)
