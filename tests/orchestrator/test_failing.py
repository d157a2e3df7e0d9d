"""Runs whose agents fail, take too long, or cannot work at all (O02, O04)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.fold import Fold
from collab_tui.model.runs import RunState, TaskState
from collab_tui.orchestrator import attempt, steps
from collab_tui.orchestrator.agent import Assignment, CannotWorkError, Given
from collab_tui.orchestrator.plan import Pipeline, PipelineError, Policy, Task
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.ground import lines_of, until
from tests.orchestrator.stage import GO_ON, Stage, give_key, hang

pytestmark = pytest.mark.usefixtures("in_time")


def raised_in(function: Callable[..., object]) -> str:
    """Where a function of two lines raises."""
    return f"{Path(__file__).name}:{function.__code__.co_firstlineno + 1}"


async def test_of_one_that_raises_the_error_is_kept_and_the_others_finish(stage: Stage) -> None:
    def work(assignment: Assignment) -> str:
        if assignment.task.key == "bad":
            raise ZeroDivisionError("by 0\nindeed")
        return "good"

    tasks = [Task("bad", "worker"), Task("good", "worker"), Task("next", "worker", needs=("bad",))]
    tasks += [Task("last", "worker", needs=("next",))]
    result = await stage.run(*tasks, policy=GO_ON, worker=work)
    assert (result.state, result.results) == (RunState.FAILED, {"good": "good"})
    assert isinstance(result.failures["bad"].exception, ZeroDivisionError)
    told = f"ZeroDivisionError: by 0 indeed ({Path(__file__).name}:{work.__code__.co_firstlineno + 2})"
    assert result.failures["bad"].error == told
    assert result.failures["next"].error == "it needs bad, which failed"
    assert result.failures["last"].error == "it needs next, which was skipped"
    assert result.reason == "1 failed: bad; 2 skipped"


async def test_of_many_that_fail_the_reason_names_the_first(stage: Stage) -> None:
    def work(assignment: Assignment) -> str:
        raise ZeroDivisionError

    result = await stage.run(*(Task(key, "worker") for key in "abcde"), policy=GO_ON, worker=work)
    assert result.reason == "5 failed: a, b, c, …"


async def test_what_a_seat_meant_to_do_next_is_gone_once_it_does_that(stage: Stage) -> None:
    meant: list[str | None] = []

    def told_so_far() -> Fold:
        fold = Fold()
        read_to_end(JsonlRegistry(stage.path), fold)
        return fold

    def work(assignment: Assignment) -> str:
        meant.extend(agent.next_action for agent in told_so_far().board().agents if agent.name == assignment.seat)
        if assignment.attempt == 1:
            raise ValueError("not yet")
        return "good"

    result = await stage.run(Task("odd", "worker", retries=1, backoff=0.01), worker=work)
    assert result.state is RunState.DONE
    assert meant == [None, None]
    assert "it tries again" in [line.get("next_action") for line in lines_of(stage.path)]


async def test_by_default_the_first_failure_ends_the_rest(stage: Stage) -> None:
    is_ended = asyncio.Event()

    async def wait(assignment: Assignment) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            is_ended.set()

    def fail() -> None:
        raise ValueError("no")

    tasks = [Task("waits", "waiter"), Task("bad", "worker"), Task("asks", needs_approval=True)]
    tasks += [Task("later", "worker", needs=("waits",))]
    result = await stage.run(*tasks, waiter=wait, worker=fail)
    assert {key: failure.state for key, failure in result.failures.items()} == {
        "waits": TaskState.CANCELLED,
        "bad": TaskState.FAILED,
        "asks": TaskState.CANCELLED,
        "later": TaskState.CANCELLED,
    }
    assert (result.state, result.reason) == (RunState.FAILED, f"bad failed: ValueError: no ({raised_in(fail)})")
    assert is_ended.is_set()
    assert not any(request.is_open for request in stage.requests())


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (lambda: {1, 2}, "JSON"),
        (lambda: float("nan"), "JSON"),
        (lambda: sys.exit(3), "SystemExit"),
        (lambda: (_ for _ in ()).throw(asyncio.CancelledError()), ""),
    ],
)
async def test_whatever_an_agent_does_fails_its_task_and_nothing_else(
    stage: Stage, agent: Callable[[], Any], told: str
) -> None:
    result = await stage.run(Task("bad", "odd"), Task("good", "worker"), policy=GO_ON, odd=agent, worker=give_key)
    assert result.results == {"good": "good"}
    assert result.failures["bad"].state is TaskState.FAILED
    assert told in result.failures["bad"].error


async def test_an_attempt_that_takes_too_long_is_ended_and_tried_again(stage: Stage) -> None:
    async def work(assignment: Assignment) -> str:
        if assignment.attempt == 1:
            await asyncio.Event().wait()
        return "there"

    result = await stage.run(Task("slow", "worker", timeout=0.01, retries=1, backoff=0), worker=work)
    assert result.results == {"slow": "there"}
    (line,) = stage.told(task="slow", state="retrying")
    assert (line["error"], line["retry_in"]) == ("it took longer than 0.01 s", 0)


async def test_one_that_never_ends_is_left_behind_and_another_sits_in_its_seat(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (attempt, steps):
        monkeypatch.setattr(module, "LEEWAY", 0.05)
    stubborn = Stubborn()
    tasks = [Task("never", "worker", timeout=0.01), Task("other", "worker")]
    try:
        result = await stage.run(*tasks, policy=GO_ON, worker=stubborn)
    finally:
        stubborn.may_end.set()
    assert result.results == {"other": "other"}
    assert result.failures["never"].state is TaskState.TIMED_OUT
    assert any("never goes on without it" in notice for notice in stage.notices)
    assert stubborn.seated_times == 2


class Stubborn:
    """An agent that works on one task for ever, whoever wants it to end."""

    told = "stubborn"
    keeps_seat = announces = worktree = False

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.seated_times = 0

    async def check(self, surroundings: Any) -> None: ...

    def seated(self, seat: str, surroundings: Any) -> Any:
        self.seated_times += 1
        return self

    async def work(self, assignment: Assignment) -> Given:
        while assignment.task.key == "never" and not self.may_end.is_set():
            with suppress(asyncio.CancelledError):
                await self.may_end.wait()
        return Given(assignment.task.key)

    async def settle(self, task: str) -> None: ...

    async def close(self) -> None: ...


async def test_who_cannot_work_here_is_told_before_anything_starts(stage: Stage) -> None:
    class Missing:
        told = "missing"
        keeps_seat = announces = worktree = False

        async def check(self, surroundings: Any) -> None:
            raise CannotWorkError("install it first")

        def seated(self, seat: str, surroundings: Any) -> Any: ...

    with pytest.raises(PipelineError, match="role worker: install it first"):
        await stage.run(Task("a", "worker"), worker=Missing())
    assert stage.told(event="run_started") == []


async def test_a_run_has_a_time_of_its_own_that_stands_still_while_the_person_is_waited_for(stage: Stage) -> None:
    policy = Policy(grace=0.1, timeout=0.3)
    running = asyncio.create_task(stage.run(Task("go", needs_approval=True), policy=policy))
    await until(stage.requests)
    late = await stage.orchestrator(worker=hang).run(Pipeline("late", [Task("hangs", "worker")], policy=policy))
    assert (late.state, late.reason) == (RunState.FAILED, "it took longer than 0.3 s")
    await stage.decide("approved")  # after all of its own time
    assert (await running).is_done


@pytest.mark.parametrize("is_in_thread", [False, True])
async def test_its_time_stands_still_too_while_who_works_asks_the_person_something(
    stage: Stage, *, is_in_thread: bool
) -> None:
    policy = Policy(grace=0.1, timeout=0.2)
    late = Pipeline("late", [Task("hangs", "worker")], policy=policy)

    async def ask(assignment: Assignment) -> str:
        assignment.waits(True)
        result = await stage.orchestrator(worker=hang).run(late)
        assignment.waits(False)
        return result.state.value

    def ask_in_thread(assignment: Assignment) -> str:
        assignment.waits(True)
        result = stage.orchestrator(worker=hang).run_all(late)
        assignment.waits(False)
        return result.state.value

    worker = ask_in_thread if is_in_thread else ask
    assert (await stage.run(Task("ask", "worker"), policy=policy, worker=worker)).results == {"ask": "failed"}
