"""Callables in seats: async ones and blocking ones, what they get, and what becomes of those that do not end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collab_tui.orchestrator.agent import Assignment, CannotWorkError, Surroundings, WorkError
from collab_tui.orchestrator.agents import as_agent
from collab_tui.orchestrator.agents.callables import MOST_LEFT
from collab_tui.orchestrator.blackboard import ReleasedError
from collab_tui.orchestrator.board import TaskBoard
from collab_tui.orchestrator.plan import ReplyKind
from tests.orchestrator.agents.assigned import assignment, surroundings
from tests.program import PATIENCE
from tests.sessions.house import eventually


class Place:
    """Where callables work, and what was told there."""

    def __init__(self, folder: Path) -> None:
        (folder / "work").mkdir()
        self.notices: list[str] = []
        self.surroundings: Surroundings = surroundings(folder / "work", self.notices.append, grace=0.05)

    async def gives(self, call: Callable[..., Any], **about: Any) -> Any:
        """What an attempt comes to."""
        worker = as_agent(call).seated("executor-1-1a2b", self.surroundings)
        async with asyncio.timeout(PATIENCE):
            return (await worker.work(assignment(**about))).value

    async def cancelled(self, call: Callable[..., Any], begun: Callable[[], bool], **about: Any) -> None:
        """Cancel an attempt once it began."""
        working = asyncio.create_task(self.gives(call, **about))
        await eventually(begun)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


class Worker:
    """An object that is called."""

    async def __call__(self, assignment: Assignment) -> str:
        return f"called for {assignment.task.key}"


def plain(given: Assignment) -> str:
    return f"did {given.task.key}"


async def awaited(given: Assignment) -> str:
    await asyncio.sleep(0)
    return f"awaited {given.task.key}"


@pytest.mark.parametrize(
    ("call", "value"),
    [
        (plain, "did build"),
        (awaited, "awaited build"),
        (lambda: 7, 7),
        (lambda given: asyncio.sleep(0, f"slept {given.task.key}"), "slept build"),
        (lambda *given: len(given), 1),
        (lambda number=3: number, 3),
        (lambda given, *more: len(more), 0),
        (lambda given, number=3: number, 3),
        (partial(lambda given, number: number, number=4), 4),
        (partial(plain), "did build"),
        (partial(awaited), "awaited build"),
        (Worker(), "called for build"),
    ],
)
async def test_a_callable_gets_the_assignment_or_nothing_and_what_it_returns_is_the_value(
    place: Place, call: Callable[..., Any], value: Any
) -> None:
    await as_agent(call).check(place.surroundings)
    assert await place.gives(call) == value
    assert place.notices == []


async def test_one_that_wants_more_cannot_work_and_what_is_no_callable_is_no_agent(place: Place) -> None:
    with pytest.raises(CannotWorkError, match=r"function <lambda> takes \(one, two\), and is given one assignment"):
        await as_agent(lambda one, two: None).check(place.surroundings)
    for wrong in ("build", 7, None, dict):
        with pytest.raises(TypeError, match="is no agent"):
            as_agent(wrong)


async def test_blocking_callables_run_beside_each_other_however_many_there_are(place: Place) -> None:
    together = threading.Barrier(40)
    assert await asyncio.gather(*(place.gives(together.wait) for _ in range(40))) != []
    assert together.broken is False


@pytest.mark.parametrize("error", [KeyError("x"), StopIteration(3), WorkError("no")])
@pytest.mark.parametrize("is_async", [False, True])
async def test_what_a_callable_raises_comes_out_as_it_is(place: Place, error: Exception, is_async: bool) -> None:
    def blocking() -> None:
        raise error

    async def waiting() -> None:
        raise error

    with pytest.raises((type(error), RuntimeError)) as raised:
        await place.gives(waiting if is_async else blocking)
    assert error in (raised.value, raised.value.__cause__)


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), asyncio.CancelledError()])
@pytest.mark.parametrize("is_async", [False, True])
async def test_one_that_would_end_the_whole_run_ends_its_attempt_alone(
    place: Place, error: BaseException, is_async: bool
) -> None:
    def blocking() -> None:
        raise error

    async def waiting() -> None:
        raise error

    with pytest.raises(WorkError, match=r"raised|cancelled by itself"):
        await place.gives(waiting if is_async else blocking)


async def test_an_async_one_is_cancelled_and_may_clean_up(place: Place) -> None:
    steps: list[str] = []

    async def work() -> None:
        steps.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    await place.cancelled(work, lambda: bool(steps))
    assert steps == ["begun", "cleaned up"]
    assert place.notices == []


async def test_an_async_one_that_does_not_heed_that_is_left_behind_and_told_of(place: Place) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        while not may_end.is_set():
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                continue

    await place.cancelled(work, begun.is_set)
    may_end.set()
    assert place.notices == [
        "executor-1-1a2b, build: function work did not end within 0.05 s of being asked to, and goes on; what it gives "
        "is dropped. So that it ends: let it end when asyncio.CancelledError is raised in it"
    ]


async def test_a_thread_that_goes_on_is_told_of_and_what_it_reports_and_gives_late_is_dropped(place: Place) -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()
    reports: list[tuple[float | None, str | None]] = []

    def work(given: Assignment) -> str:
        given.report(10, "begun")
        begun.set()
        may_end.wait(PATIENCE)
        given.report(90, "too late")
        ended.set()
        return "too late"

    await place.cancelled(work, lambda: begun.is_set() and bool(reports), report=lambda *told: reports.append(told))
    may_end.set()
    assert "what it gives is dropped. So that it ends: have it look at assignment.is_cancelled()" in place.notices[0]
    await eventually(ended.is_set)
    await asyncio.sleep(0)
    assert reports == [(10, "begun")]
    assert len(place.notices) == 1


async def test_a_thread_that_looks_whether_it_is_to_end_keeps_its_seat_until_it_did(place: Place) -> None:
    steps: list[str] = []

    def work(given: Assignment) -> None:
        steps.append("begun")
        while not given.is_cancelled():
            threading.Event().wait(0.001)
        steps.append("ended")

    place.surroundings = replace(place.surroundings, grace=PATIENCE)
    await place.cancelled(work, lambda: bool(steps))
    assert steps == ["begun", "ended"]
    assert place.notices == []


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_seat_that_left_too_many_calls_behind_works_no_more_until_they_end(
    place: Place, *, is_async: bool
) -> None:
    may_end, begun, ended = threading.Event(), list[int](), list[int]()

    def work() -> str:
        begun.append(1)
        may_end.wait(PATIENCE)
        ended.append(1)
        return "done"

    async def heedless() -> str:
        begun.append(1)
        while not may_end.is_set():
            try:
                await asyncio.sleep(0.001)
            except asyncio.CancelledError:
                continue
        ended.append(1)
        return "done"

    worker = as_agent(heedless if is_async else work).seated("executor-1-1a2b", place.surroundings)
    for number in range(MOST_LEFT):
        working = asyncio.create_task(worker.work(assignment()))
        await eventually(lambda number=number: len(begun) > number)
        working.cancel()
        await asyncio.wait((working,))
    refused = (await asyncio.gather(worker.work(assignment()), return_exceptions=True))[0]
    may_end.set()
    assert isinstance(refused, CannotWorkError)
    assert f"{MOST_LEFT} of its calls still go on in executor-1-1a2b" in str(refused)
    assert len(begun) == MOST_LEFT
    await eventually(lambda: len(ended) == MOST_LEFT)
    await eventually(lambda: not any(each.name.startswith("executor-1-1a2b") for each in threading.enumerate()))
    assert (await worker.work(assignment())).value == "done"


@pytest.mark.parametrize(
    ("reply", "given", "value"),
    [
        (ReplyKind.PLAN, "just build it", {"plan": "just build it", "tasks": []}),
        (ReplyKind.PLAN, '```\n{"plan": "so"}\n```', '```\n{"plan": "so"}\n```'),
        (ReplyKind.VERDICT, True, {"verdict": "approved"}),
        (ReplyKind.VERDICT, False, {"verdict": "rejected", "reasons": ["it gave False, and no reason"]}),
        (ReplyKind.TEXT, True, True),
    ],
)
async def test_what_a_role_replies_with_may_be_given_in_short(
    place: Place, reply: ReplyKind, given: Any, value: Any
) -> None:
    assert await place.gives(lambda: given, reply=reply) == value


async def test_words_approve_nothing(place: Place) -> None:
    with pytest.raises(WorkError, match="it gave words and no verdict: True, or"):
        await place.gives(lambda: "looks good", reply=ReplyKind.VERDICT)


class Board:
    """A blackboard as a thread sees it, with nothing but what threads use."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.written = asyncio.Event()

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def revision(self, key: str) -> int:
        return int(key in self.values)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    async def put(self, key: str, value: Any, *, by: str, task: str, expected: int | None = None) -> str:
        self.values[key] = value
        self.written.set()
        return f"{key} by {by} for {task}"

    async def wait_for(self, key: str, timeout: float | None = None, after: int = 0) -> Any:  # noqa: ASYNC109
        async with asyncio.timeout(timeout):
            while key not in self.values:
                self.written.clear()
                await self.written.wait()
        return self.values[key]


def on_task(board: Any, **about: Any) -> TaskBoard:
    """It, as an attempt has it."""
    return TaskBoard(board, "sena", "build", **about)


async def test_a_thread_reads_writes_and_waits_at_the_blackboard(place: Place) -> None:
    board = on_task(Board())

    def writes(given: Assignment) -> Any:
        assert given.blackboard is not None
        return given.blackboard.put("answer", 42)

    def waits(given: Assignment) -> Any:
        assert given.blackboard is not None
        found: Any = given.blackboard.wait_for("answer", 30)
        return found, given.blackboard.get("answer"), "answer" in given.blackboard, given.blackboard.revision("answer")

    waited, written = await asyncio.gather(place.gives(waits, blackboard=board), place.gives(writes, blackboard=board))
    assert (waited, written) == ((42, 42, True, 1), "answer by sena for build")


def decorated(call: Callable[[Assignment], Any]) -> Callable[[Assignment], Any]:
    def plain(given: Assignment) -> Any:
        return call(given)

    return plain


@pytest.mark.parametrize("wrap", [decorated, lambda call: call])
async def test_an_async_one_awaits_the_blackboard_also_behind_a_plain_wrapper(place: Place, wrap: Any) -> None:
    heard = list[str | None]()

    async def work(given: Assignment) -> Any:
        assert given.blackboard is not None
        given.report(50, "half")
        await given.blackboard.put("answer", 42)
        return await given.blackboard.wait_for("answer", 30)

    about = {"blackboard": on_task(Board()), "report": lambda progress, message: heard.append(message)}
    assert await place.gives(wrap(work), **about) == 42
    assert heard == ["half"]


async def test_what_an_async_one_says_from_a_thread_is_heard(place: Place) -> None:
    heard: list[Any] = []

    async def work(given: Assignment) -> None:
        await asyncio.to_thread(given.waits, True)
        await asyncio.to_thread(given.report, 50)
        given.waits(False)

    def hear(*told: Any) -> None:
        asyncio.get_running_loop()
        heard.append(told)

    await place.gives(work, report=hear, waits=hear)
    assert heard == [(True,), (50, None), (False,)]


async def test_a_wait_of_which_nothing_will_come_can_be_ended(place: Place) -> None:
    waited_for = list[tuple[str, ...]]()
    board = on_task(Board(), changed=lambda: waited_for.append(tuple(board.waited_for)))
    working = asyncio.create_task(place.gives(lambda given: given.blackboard.wait_for("never"), blackboard=board))
    await eventually(lambda: waited_for == [("never",)])
    board.release("nobody gives another", "another")
    board.release("nobody gives never")
    with pytest.raises(WorkError, match="nobody gives never"):
        await working
    assert waited_for == [("never",), ()]


async def test_a_thread_that_waits_at_the_blackboard_comes_free_when_its_attempt_is_over(place: Place) -> None:
    values = Board()
    raised: list[BaseException] = []
    begun = threading.Event()

    def work(given: Assignment) -> None:
        board: Any = given.blackboard
        for call in (partial(board.wait_for, "never"), partial(board.put, "late", 1)):
            begun.set()
            try:
                call()
            except ReleasedError as error:
                raised.append(error)

    await place.cancelled(work, begun.is_set, blackboard=on_task(values))
    await eventually(lambda: len(raised) == 2)
    assert values.values == {}


async def test_each_attempt_has_its_own_end_of_reports(place: Place) -> None:
    reports: list[str | None] = []
    shared = replace(assignment(), report=lambda progress, message: reports.append(message))
    worker = as_agent(lambda given: given.report(None, "heard")).seated("s", place.surroundings)
    for _ in range(2):
        await worker.work(shared)
    await eventually(lambda: reports == ["heard", "heard"])
