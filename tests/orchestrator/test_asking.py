"""What the person is asked in a run, and what follows."""

from __future__ import annotations

import asyncio

import pytest

from collab_tui.model.runs import RunState, TaskState
from collab_tui.orchestrator.plan import Task
from tests.orchestrator.ground import RUN, until
from tests.orchestrator.stage import Stage, give_key

pytestmark = pytest.mark.usefixtures("in_time")


async def test_a_task_of_the_person_is_done_with_their_signed_yes(stage: Stage) -> None:
    release = Task("release", title="Release it?", needs=("build",), needs_approval=True)
    running = asyncio.create_task(stage.run(Task("build", "worker"), release, worker=give_key))
    await stage.decide("approved", "with pleasure")
    assert (await running).results == {"build": "build", "release": "with pleasure"}
    (request,) = stage.requests()
    assert request.request == "Release it? (run trial)"
    first, begins, digest = (request.details or "").splitlines()
    assert (first, begins) == (f"release of the run {RUN}, trial", "build: build")
    assert digest.startswith("  (SHA-256 ")
    assert stage.states("release") == ["asked", "pending", "done"]


async def test_what_is_sent_back_once_too_often_is_the_persons_to_take(stage: Stage) -> None:
    never = lambda: {"verdict": "rejected", "reasons": ["no"]}  # noqa: E731
    task = Task("build", "worker", review="judge", rounds=0)
    running = asyncio.create_task(stage.run(task, worker=give_key, judge=never))
    await stage.decide("approved")
    assert (await running).results == {"build": "build"}


async def test_a_no_of_the_person_fails_the_task(stage: Stage) -> None:
    running = asyncio.create_task(stage.run(Task("build", "worker", needs_approval=True), worker=give_key))
    await stage.decide("rejected", "not today")
    failure = (await running).failures["build"]
    assert failure.state is TaskState.FAILED
    assert "not today" in failure.error
    assert stage.states("build") == ["asked", "failed"]


async def test_who_is_about_to_be_asked_when_another_fails_is_not(stage: Stage) -> None:
    is_both = asyncio.Event()

    async def wait() -> None:
        await is_both.wait()

    async def fail_then() -> None:
        await is_both.wait()
        raise ValueError("no")

    tasks = [Task("good", "waiter"), Task("bad", "failing"), Task("asks", needs=("good",), needs_approval=True)]
    running = asyncio.create_task(stage.run(*tasks, waiter=wait, failing=fail_then))
    await until(lambda: len(stage.told(state="running")) == 2)
    is_both.set()  # both ends are written at once: the question begins, and in the same turn the run stops
    assert (await running).state is RunState.FAILED
    assert stage.states("asks") == ["cancelled"]
