"""Runs of teams of callables: what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.runs import RunState, Work
from collab_tui.orchestrator.agent import Assignment, Given
from collab_tui.orchestrator.orchestrator import Orchestrator, Pool
from collab_tui.orchestrator.plan import Pipeline, ReplyKind, Role, Task
from collab_tui.registry.append import RegistryError
from tests.orchestrator.stage import Stage, give_inputs, give_key, plan_of

pytestmark = pytest.mark.usefixtures("in_time")


async def test_what_one_gives_another_gets_and_the_example_of_the_library_is_true(stage: Stage) -> None:
    orchestrator = stage.orchestrator(
        reader=Pool(lambda assignment: len(assignment.task.key), size=2),
        writer=lambda assignment: sum(assignment.inputs.values()),
    )
    tasks = [Task("one", "reader"), Task("three", "reader"), Task("sum", "writer", needs=("one", "three"))]
    result = await orchestrator.run(Pipeline("adding", tasks))
    assert (result.results, result.failures, result.is_done) == ({"one": 3, "three": 5, "sum": 8}, {}, True)
    assert (result.run.state, result.timing.seats) == (RunState.DONE, 3)


async def test_of_what_is_ready_the_highest_priority_goes_first_then_the_first_that_came(stage: Stage) -> None:
    began: list[str] = []
    tasks = [Task("a", "worker"), Task("b", "worker", priority=1), Task("c", "worker", priority=1)]
    await stage.run(*tasks, worker=lambda assignment: began.append(assignment.task.key))
    assert began == ["b", "c", "a"]


async def test_no_more_than_the_pool_are_at_work_at_once(stage: Stage) -> None:
    at_work: set[str] = set()
    most = 0

    async def work(assignment: Assignment) -> None:
        nonlocal most
        assert assignment.seat not in at_work
        at_work.add(assignment.seat)
        most = max(most, len(at_work))
        await asyncio.sleep(0)
        at_work.remove(assignment.seat)

    result = await stage.run(*(Task(f"t{number}", "worker") for number in range(12)), worker=Pool(work, 3))
    assert (result.is_done, most) == (True, 3)


async def test_what_a_planner_adds_is_done_before_who_waits_for_all_of_it(stage: Stage) -> None:
    more = plan_of({"key": "a", "role": "worker"}, {"key": "b", "role": "worker", "needs": ["a", "goal"]})
    planner = Role("planner", reply=ReplyKind.PLAN, may_add=True)
    tasks = [Task("plan", "planner"), Task("docs", "worker", needs=("plan", "plan/*"))]
    result = await stage.run(*tasks, roles=[planner], planner=more, worker=give_inputs)
    made = {"plan/a": {}, "plan/b": {"plan/a": {}, "goal": "trial"}}
    assert result.results["docs"] == {"plan": "as follows", "plan/*": made}


async def test_an_addition_that_is_refused_adds_nothing_and_says_why(stage: Stage) -> None:
    more = plan_of({"key": "a", "role": "worker"}, {"key": "b", "role": "worker", "needs": ["docs"]})
    planner = Role("planner", reply=ReplyKind.PLAN, may_add=True)
    tasks = [Task("plan", "planner", retries=1, backoff=0), Task("docs", "worker", needs=("plan/*",))]
    result = await stage.run(*tasks, roles=[planner], planner=more, worker=give_inputs)
    assert set(result.failures) == {"plan", "docs"}
    assert "wait for each other" in result.failures["plan"].error
    assert stage.states("plan") == ["running", "retrying", "running", "failed"]
    assert stage.states("plan/a") == []


async def test_rejected_work_goes_back_with_what_was_said_of_it(stage: Stage) -> None:
    heard: list[tuple[int, Sequence[str], Any]] = []

    def build(assignment: Assignment) -> str:
        heard.append((assignment.round, assignment.comments, assignment.previous))
        return f"draft {assignment.round}"

    def judge(assignment: Assignment) -> dict[str, Any]:
        assert assignment.work is Work.REVIEW
        is_good = assignment.candidate == "draft 2"
        return {"verdict": "approved" if is_good else "rejected", "reasons": ["too short"]}

    result = await stage.run(Task("build", "worker", review="judge"), worker=build, judge=judge)
    assert result.results == {"build": "draft 2"}
    assert heard == [(1, (), None), (2, ("too short",), "draft 1")]
    assert stage.states("build") == [
        "running",
        "worked",
        "reviewing",
        "rejected",
        "running",
        "worked",
        "reviewing",
        "done",
    ]


async def test_a_value_that_is_put_while_somebody_works_starts_who_needs_it(stage: Stage) -> None:
    async def give_early(assignment: Assignment) -> str:
        board = assignment.blackboard
        assert board is not None
        await board.put("early", 1)
        return str(await board.wait_for("reader"))

    tasks = [Task("writer", "writer", gives="early"), Task("reader", "reader", needs=("early",))]
    result = await stage.run(*tasks, writer=give_early, reader=lambda assignment: assignment.inputs["early"] + 1)
    assert result.results == {"writer": "2", "reader": 2}


async def test_nothing_is_told_of_what_a_refused_result_adds(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.orchestrator.blackboard.MOST_KEYS", 1)  # the goal
    planner = Role("planner", reply=ReplyKind.PLAN, may_add=True)
    more = plan_of({"key": "a", "role": "worker"})
    result = await stage.run(Task("plan", "planner"), roles=[planner], planner=more, worker=give_key)
    assert "keys already" in result.failures["plan"].error
    assert [task.key for task in result.run.tasks] == ["plan"]


async def test_who_lets_go_slowly_holds_up_nobody_else(stage: Stage) -> None:
    all_let_go = asyncio.Barrier(3)

    class Slow:
        told = "slow"
        keeps_seat = announces = worktree = False

        async def check(self, surroundings: Any) -> None: ...

        def seated(self, seat: str, surroundings: Any) -> Any:
            return self

        async def work(self, assignment: Assignment) -> Given:
            return Given(None)

        async def settle(self, task: str) -> None:
            await all_let_go.wait()  # all of them at the same time

        async def close(self) -> None: ...

    assert (await stage.run(*(Task(f"t{number}", "slow") for number in range(3)), slow=Pool(Slow(), 3))).is_done
    assert stage.notices == []


async def test_without_a_folder_for_the_registry_it_says_what_makes_one(tmp_path: Path) -> None:
    orchestrator = Orchestrator(tmp_path / ".collab" / "registry.jsonl", {"worker": give_key})
    with pytest.raises(RegistryError, match="`collab-tui init` makes one"):
        await orchestrator.run(Pipeline("trial", (Task("build", "worker"),)))
