"""Runs of teams of callables: what comes of them, whatever their agents do, and wherever they are ended."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.fold import Fold
from collab_tui.model.runs import RunState, TaskState, Work
from collab_tui.orchestrator import attempt, own_loop, steps
from collab_tui.orchestrator import run as running_module
from collab_tui.orchestrator.agent import Assignment, CannotWorkError, Given
from collab_tui.orchestrator.kept import RunError
from collab_tui.orchestrator.orchestrator import Orchestrator, Pool
from collab_tui.orchestrator.plan import OnError, Pipeline, PipelineError, Policy, ReplyKind, Role, Task
from collab_tui.orchestrator.result import RunResult
from collab_tui.protocol.answers import answer
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import NotWrittenError, RegistryError
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.ground import PATIENCE, lines_of, new_registry, until
from tests.program import environment, eventually
from tests.signing import install_key

RUN = "0a1b2c3d"
GO_ON = Policy(on_error=OnError.GO_ON, grace=0.1)
STOP = Policy(grace=0.1)


def raised_in(function: Callable[..., object]) -> str:
    """Where a function of two lines raises."""
    return f"{Path(__file__).name}:{function.__code__.co_firstlineno + 1}"


class Stage:
    """A registry, and the runs that a test has on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = new_registry(folder)
        self.trust = Trust("human", {}, install_key(folder / "config"))
        self.notices: list[str] = []

    def orchestrator(self, **agents: Any) -> Orchestrator:
        used = UsedDecisions(self.folder / "used")
        return Orchestrator(self.path, agents, notice=self.notices.append, trust=self.trust, used=used)

    async def run(self, *tasks: Task, policy: Policy = STOP, roles: Sequence[Role] = (), **agents: Any) -> RunResult:
        pipeline = Pipeline("trial", tasks, {role.name: role for role in roles}, policy=policy)
        return await self.orchestrator(**agents).run(pipeline, run_id=RUN)

    def told(self, **fields: Any) -> list[dict[str, Any]]:
        """The lines of the run with these fields."""
        return lines_of(self.path, lambda line: fields.items() <= line.items())

    def states(self, task: str) -> list[str]:
        """What was told of a task, in order."""
        return [line["state"] for line in self.told(event="run_task", task=task)]

    def requests(self) -> Any:
        fold = Fold("human")
        read_to_end(JsonlRegistry(self.path), fold)
        return fold.board().requests

    async def decide(self, given: str, comment: str | None = None) -> None:
        """As the person, once there is a request."""
        await until(lambda: any(request.is_open for request in self.requests()))
        registry = JsonlRegistry(self.path)
        read_to_end(registry, Fold("human"))
        request = next(request for request in self.requests() if request.is_open)
        known = request.position + 1
        answer(
            registry,
            request,
            "human",
            given,
            comment,
            known=known,
            person="human",
            clock=lambda: datetime.now(UTC),
            trust=self.trust,
        )
        announce(self.path)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    return Stage(tmp_path)


@pytest.fixture(autouse=True)
async def in_time() -> AsyncIterator[None]:
    async with asyncio.timeout(2 * PATIENCE):
        yield


def give_key(assignment: Assignment) -> str:
    return assignment.task.key


async def give_inputs(assignment: Assignment) -> dict[str, Any]:
    return dict(assignment.inputs)


async def hang(assignment: Assignment) -> None:
    await asyncio.Event().wait()


def plan_of(*tasks: Mapping[str, Any]) -> Callable[[], Any]:
    return lambda: {"plan": "as follows", "tasks": list(tasks)}


# What comes of it


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


# The person


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


# What goes wrong (O02, O04)


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
    assert result.reason == f"3 of 4 tasks are not done: bad: {told}"


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
    keeps_seat = announces = False

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
        keeps_seat = announces = False

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


# Cancelled (O03)

EVERYTHING = (
    Task("works", "hanging"),
    Task("reviewed", "worker", review="hanging_judge"),
    Task("pauses", "failing", retries=3, backoff=50),
    Task("asks", needs_approval=True),
    Task("pends", "worker", needs=("works",)),
)


def fail() -> None:
    raise ValueError("no")


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


async def test_a_run_that_is_told_to_end_before_it_began_never_begins(stage: Stage) -> None:
    orchestrator = stage.orchestrator(worker=hang)
    running = asyncio.create_task(orchestrator.run(Pipeline("trial", [Task("a", "worker")]), run_id=RUN))
    await asyncio.sleep(0)
    assert orchestrator.cancel(RUN, "not today")
    await orchestrator.stop_all()
    with pytest.raises(RunError, match="was ended before it began: not today"):
        await running
    assert not stage.told(event="run_started")


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


# Agents that wait for each other on the blackboard (O05)


async def wait_for_the_other(assignment: Assignment) -> Any:
    assert assignment.blackboard is not None
    return await assignment.blackboard.wait_for({"a": "b", "b": "a"}[assignment.task.key])


async def test_agents_that_wait_for_each_other_are_told_so(stage: Stage) -> None:
    tasks = [Task("a", "worker"), Task("b", "worker")]
    result = await stage.run(*tasks, policy=GO_ON, worker=Pool(wait_for_the_other, 2))
    assert {failure.error for failure in result.failures.values()} == {
        "nobody is left to write what agents wait for on the blackboard: a waits for b; b waits for a"
    }
    (blocker,) = stage.told(event="blocker")
    assert "a waits for b; b waits for a" in blocker["blocker"]


async def test_who_waits_for_a_task_that_has_no_seat_or_failed_does_not_wait_for_ever(stage: Stage) -> None:
    tasks = [Task("a", "worker"), Task("b", "worker")]
    result = await stage.run(*tasks, policy=GO_ON, worker=wait_for_the_other)
    assert "a waits for b, and b waits for a seat of worker" in result.failures["a"].error
    assert result.failures["b"].error == "it waits on the blackboard for what never comes: it needs a, which failed"


async def test_who_waits_while_another_works_gets_it(stage: Stage) -> None:
    async def give_late() -> int:
        await asyncio.sleep(3 * running_module.SETTLED)
        return 1

    tasks = [Task("a", "worker"), Task("b", "late")]
    result = await stage.run(*tasks, worker=wait_for_the_other, late=give_late)
    assert result.results == {"a": 1, "b": 1}


# What is added


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
        keeps_seat = announces = False

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


# A disk that is full (O08)


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


# Gone on with (O07)


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


@contextmanager
def process(stage: Stage, how: str) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own."""
    program = [sys.executable, "-m", "tests.orchestrator.team_of_callables", stage.path, stage.folder, how, RUN]
    running = subprocess.Popen(
        list(map(str, program)),
        env=environment(stage.folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def calls(stage: Stage) -> list[str]:
    return sorted((stage.folder / "calls").read_text(encoding="utf-8").split())


def is_half_way(stage: Stage) -> bool:
    is_told = stage.states("wait")[-1:] == ["running"] and "done" in stage.states("beside")
    return is_told and "wait" in calls(stage)


def test_killed_it_goes_on_in_another_process_and_nothing_that_is_done_is_done_again(stage: Stage) -> None:
    with process(stage, "run") as first:
        eventually(lambda: is_half_way(stage))
        first.kill()
        first.wait()
    (stage.folder / "go").touch()
    with process(stage, "resume") as second:
        out, errors = second.communicate(timeout=60)
    assert (out.strip(), second.returncode) == ("done last of ['beside', 'wait']", 0), errors
    assert calls(stage) == ["beside", "first", "last", "wait", "wait"]
    assert stage.states("wait") == ["running", "running", "done"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to one process there")
@pytest.mark.parametrize("how", ["run", "stubborn"])
def test_ctrl_c_ends_it_and_tells_of_every_task(stage: Stage, how: str) -> None:
    with process(stage, how) as running:
        eventually(lambda: is_half_way(stage))
        running.send_signal(signal.SIGINT)
        if how == "stubborn":  # and once more, as one does
            eventually(lambda: stage.states("last") == ["cancelled"])
            running.send_signal(signal.SIGINT)
        eventually(lambda: stage.told(event="run_ended", state="cancelled"))
        (stage.folder / "go").touch()
        _, errors = running.communicate(timeout=60)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert stage.states("wait") == ["running", "cancelled"]
    assert stage.states("last") == ["cancelled"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal to one process there")
def test_sigterm_ends_it_in_good_order_and_then_its_program(stage: Stage) -> None:
    with process(stage, "run") as running:
        eventually(lambda: is_half_way(stage))
        running.terminate()
        eventually(lambda: stage.told(event="run_ended", state="cancelled"))
        (stage.folder / "go").touch()
        running.communicate(timeout=60)
    assert running.returncode == -signal.SIGTERM
    assert stage.states("wait") == ["running", "cancelled"]


def test_one_that_never_ends_does_not_hold_up_the_program(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "LEEWAY", 0.05)
    monkeypatch.setattr(own_loop, "LEAVING", 0.05)

    async def never_end() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    pipeline = Pipeline("trial", [Task("never", "worker", timeout=0.01)], policy=GO_ON)
    result = stage.orchestrator(worker=never_end).run_all(pipeline)
    assert result.failures["never"].state is TaskState.TIMED_OUT
    assert any("does not heed being cancelled" in notice for notice in stage.notices)


async def test_in_an_event_loop_a_run_is_awaited(stage: Stage) -> None:
    with pytest.raises(RuntimeError, match="await"):
        stage.orchestrator(worker=give_key).run_all(Pipeline("trial", [Task("a", "worker")]))


async def test_without_a_folder_for_the_registry_it_says_what_makes_one(tmp_path: Path) -> None:
    orchestrator = Orchestrator(tmp_path / ".collab" / "registry.jsonl", {"worker": give_key})
    with pytest.raises(RegistryError, match="`collab-tui init` makes one"):
        await orchestrator.run(Pipeline("trial", (Task("build", "worker"),)))
