"""Agents that wait on the blackboard for what never comes (O05)."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from collab_tui.orchestrator.agent import Assignment, WorkError
from collab_tui.orchestrator.orchestrator import Pool
from collab_tui.orchestrator.plan import Task
from tests.orchestrator.ground import until
from tests.orchestrator.stage import GO_ON, Stage, fail

pytestmark = pytest.mark.usefixtures("in_time")
_GOES_ON = {"status": "in_progress", "next_action": ""}
_LATE = 0.1
"""Seconds after which an agent does something beside waiting."""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has patience."""
    monkeypatch.setattr("collab_tui.orchestrator.run.STUCK_AFTER", 0.02)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits is shown at once."""
    monkeypatch.setattr("collab_tui.orchestrator.waiting.SHOWN_AFTER", 0.0)
    monkeypatch.setattr("collab_tui.orchestrator.declaring.AT_MOST_EVERY", 0.0)


async def wait_for_the_other(assignment: Assignment) -> Any:
    assert assignment.blackboard is not None
    return await assignment.blackboard.wait_for({"a": "b", "b": "a"}[assignment.task.key])


@pytest.mark.usefixtures("short")
async def test_agents_that_wait_for_each_other_are_told_so_and_the_board_shows_it_no_longer(stage: Stage) -> None:
    tasks = [Task("a", "worker"), Task("b", "worker")]
    result = await stage.run(*tasks, policy=GO_ON, worker=Pool(wait_for_the_other, 2))
    assert {failure.error for failure in result.failures.values()} == {
        "nobody is left to write what agents wait for on the blackboard: a waits for b; b waits for a"
    }
    (blocker,) = stage.told(event="blocker")
    assert "a waits for b; b waits for a" in blocker["blocker"]
    assert not stage.board().blockers


@pytest.mark.usefixtures("short")
async def test_who_waits_for_a_task_that_has_no_seat_or_failed_does_not_wait_for_ever(stage: Stage) -> None:
    tasks = [Task("a", "worker"), Task("b", "worker")]
    result = await stage.run(*tasks, policy=GO_ON, worker=wait_for_the_other)
    assert "a waits for b, and b waits for a seat of worker" in result.failures["a"].error
    assert result.failures["b"].error == "it waits on the blackboard for what never comes: it needs a, which failed"


@pytest.mark.usefixtures("short")
async def test_who_waits_while_another_works_gets_it(stage: Stage) -> None:
    async def give_late() -> int:
        await asyncio.sleep(_LATE)
        return 1

    tasks = [Task("a", "worker"), Task("b", "late")]
    result = await stage.run(*tasks, worker=wait_for_the_other, late=give_late)
    assert result.results == {"a": 1, "b": 1}


@pytest.mark.usefixtures("at_once")
async def test_agents_that_wait_for_each_other_are_a_deadlock_on_the_board_until_one_goes_on(stage: Stage) -> None:
    seen: list[tuple[str, ...]] = []

    async def wait_then_give(assignment: Assignment) -> str:
        waiting = asyncio.ensure_future(wait_for_the_other(assignment))
        await until(lambda: stage.board().deadlocks)
        seen.extend(deadlock.agents for deadlock in stage.board().deadlocks)
        waiting.cancel()
        await until(lambda: not stage.board().deadlocks)
        return "given"

    tasks = [Task("a", "writer"), Task("b", "giver")]
    result = await stage.run(*tasks, writer=wait_for_the_other, giver=wait_then_give)
    assert result.results == {"a": "given", "b": "given"}
    assert seen == [("giver-1-0a1b", "writer-1-0a1b")]
    assert "giver-1-0a1b" in [line["agent"] for line in stage.told(event="status_update", **_GOES_ON)]
    waits = stage.told(event="status_update", status="waiting_for_giver-1-0a1b")
    assert [line["next_action"] for line in waits] == ["waits on the blackboard for b"]


@pytest.mark.usefixtures("at_once")
async def test_who_waits_for_what_needs_another_waits_for_that_one(stage: Stage) -> None:
    long = "a-role-of-which-the-name-is-long"

    def declared() -> set[tuple[str, str]]:
        lines = stage.told(event="status_update")
        return {(line["status"], line["next_action"]) for line in lines if "next_action" in line}

    async def wait_for(assignment: Assignment) -> Any:
        assert assignment.blackboard is not None
        return await assignment.blackboard.wait_for({"a": "last", "b": "long"}[assignment.task.key])

    async def give_once_shown() -> int:
        await until(lambda: len(declared()) >= 2)
        return 1

    tasks = [Task("a", "worker"), Task("b", "worker"), Task("short", "giver"), Task("last", "giver", needs=("short",))]
    agents = {"worker": Pool(wait_for, 2), "giver": give_once_shown, long: give_once_shown}
    assert (await stage.run(*tasks, Task("long", long), **agents)).state == "done"
    assert {
        ("waiting_for_giver-1-0a1b", "waits on the blackboard for last, and last needs short"),
        ("waiting", "waits on the blackboard for long"),
    } <= declared()


@pytest.mark.usefixtures("short")
async def test_that_the_run_is_blocked_stays_on_the_board_while_it_goes_on(stage: Stage) -> None:
    async def go_on_blocked(assignment: Assignment) -> Any:
        with pytest.raises(WorkError):
            await wait_for_the_other(assignment)
        await until(lambda: stage.board().blockers)
        return "went on"

    result = await stage.run(Task("a", "worker"), worker=go_on_blocked)
    assert result.results == {"a": "went on"}
    assert not stage.board().blockers


@pytest.mark.usefixtures("short")
async def test_a_run_that_goes_on_is_not_blocked_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.orchestrator.waiting.BLOCKED_FOR", 0.0)

    async def go_on_unblocked(assignment: Assignment) -> Any:
        with pytest.raises(WorkError):
            await wait_for_the_other(assignment)
        await until(lambda: stage.told(event="status_update", blockers=[]))
        return "went on"

    assert (await stage.run(Task("a", "worker"), worker=go_on_unblocked)).results == {"a": "went on"}


@pytest.mark.usefixtures("short")
async def test_nothing_is_in_vain_while_the_person_is_waited_for(stage: Stage) -> None:
    async def ask_beside(assignment: Assignment) -> list[Any]:
        assignment.waits(True)
        waiting = asyncio.ensure_future(wait_for_the_other(assignment))
        await asyncio.sleep(_LATE)
        was_let_go = waiting.done()
        assignment.waits(False)
        with pytest.raises(WorkError):
            await waiting
        return [was_let_go]

    assert (await stage.run(Task("a", "worker"), worker=ask_beside)).results == {"a": [False]}


async def test_only_the_wait_for_what_never_comes_ends(stage: Stage) -> None:
    is_waiting = asyncio.Event()

    async def wait_for_both(assignment: Assignment) -> list[str]:
        board: Any = assignment.blackboard
        waits = [asyncio.ensure_future(board.wait_for(key)) for key in ("bad", "good")]
        await asyncio.sleep(0)
        is_waiting.set()
        return [str(each) for each in await asyncio.gather(*waits, return_exceptions=True)]

    async def fail_then() -> None:
        await is_waiting.wait()
        raise ValueError("no")

    async def give_then() -> str:
        await until(lambda: stage.states("bad")[-1:] == ["failed"])
        return "there"

    tasks = [Task("both", "both"), Task("bad", "bad"), Task("good", "good")]
    result = await stage.run(*tasks, policy=GO_ON, both=wait_for_both, bad=fail_then, good=give_then)
    never = "it waits on the blackboard for what never comes: it needs bad, which failed"
    assert result.results["both"] == [never, "there"]


async def give_itself_in_the_background(assignment: Assignment) -> Any:
    board: Any = assignment.blackboard

    async def give_late() -> None:
        await asyncio.sleep(_LATE)
        await board.put("late", "there")

    giving = asyncio.create_task(give_late())
    value = await board.wait_for("late")
    await giving
    return value


async def go_on_without(assignment: Assignment) -> Any:
    board: Any = assignment.blackboard
    try:
        async with asyncio.timeout(_LATE):
            return await board.wait_for("late")
    except TimeoutError:
        return "without"


def give_from_a_thread(assignment: Assignment) -> Any:
    board: Any = assignment.blackboard
    thread = threading.Timer(_LATE, board.put, ("late", "there"))
    thread.start()
    return board.wait_for("late")


@pytest.mark.parametrize(
    ("agent", "given"),
    [(give_itself_in_the_background, "there"), (go_on_without, "without"), (give_from_a_thread, "there")],
)
async def test_who_has_more_going_than_a_wait_is_let_go_on_waiting(stage: Stage, agent: Any, given: Any) -> None:
    assert (await stage.run(Task("a", "worker"), worker=agent)).results == {"a": given}


async def test_what_waits_on_after_its_attempt_is_over_counts_for_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab_tui.orchestrator.run.STUCK_AFTER", 0.0)
    left: list[asyncio.Future[Any]] = []

    async def leave_a_wait(assignment: Assignment) -> str:
        board: Any = assignment.blackboard
        if assignment.attempt == 1:
            left.append(asyncio.ensure_future(board.wait_for("b")))
            await asyncio.sleep(0)
            raise ValueError("not yet")
        await until(lambda: "failed" in stage.states("b"))
        return "done"

    tasks = [Task("a", "worker", retries=1, backoff=0), Task("b", "failing")]
    result = await stage.run(*tasks, policy=GO_ON, worker=leave_a_wait, failing=fail)
    assert result.results == {"a": "done"}
    assert left[0].cancelled()
