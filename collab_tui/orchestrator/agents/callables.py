"""Callables of Python as agents: async ones in the loop, blocking ones in a thread each.

    async def build(assignment): return f"built {assignment.task.key}"

One that can be called without anything is; any other, and one with `*args`, gets the `Assignment`. What it returns is
its value, a JSON value; what its role replies with may be given in its shortest form:

- text and JSON: the value itself.
- a plan: words, or `{"plan": words, "tasks": [{"key": ..., "role": ..., "prompt": ...}, ...]}`.
- a verdict (of every review): True, or `{"verdict": "rejected", "reasons": ["the second test fails"]}`.

Words that a model gave may have such JSON at their end, as it was asked for in `assignment.prompt`.

A thread cannot be ended from outside. A blocking callable that takes long looks at `assignment.is_cancelled()` now and
then. One that goes on beyond the grace is left behind, as is an async one that does not heed being cancelled; a seat
that has left too many behind, and they still go on, takes no more work.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from threading import Event, get_ident
from typing import Any, Final

from collab_tui.model.text import clean, one_line
from collab_tui.orchestrator.agent import Assignment, CannotWorkError, Given, Surroundings, WorkError
from collab_tui.orchestrator.agents.threads import InThread, Outcome
from collab_tui.orchestrator.plan import ReplyKind

MOST_LEFT: Final = 3
"""Calls that go on though nobody waits for them any more, of one seat."""


@dataclass(frozen=True, slots=True)
class Function:
    """A callable that can take seats."""

    call: Callable[..., Any]

    @property
    def told(self) -> str:
        """What it is, in words."""
        return f"function {getattr(self.call, '__name__', type(self.call).__name__)}"

    @property
    def keeps_seat(self) -> bool:
        """It keeps nothing between two calls that we know of."""
        return False

    @property
    def announces(self) -> bool:
        """It tells nothing by itself."""
        return False

    @property
    def worktree(self) -> bool:
        """It works in this process."""
        return False

    async def check(self, surroundings: Surroundings) -> None:
        """Raises `CannotWorkError` where it wants more than an assignment."""
        if _takes_assignment(self.call) is None:
            wanted = inspect.signature(self.call)
            raise CannotWorkError(f"{self.told} takes {wanted}, and is given one assignment, or nothing")

    def seated(self, seat: str, surroundings: Surroundings) -> _Seat:
        """Take a seat."""
        return _Seat(self, seat, surroundings)


class _Seat:
    """See `agent.Worker`."""

    def __init__(self, function: Function, seat: str, surroundings: Surroundings) -> None:
        self._function = function
        self._seat = seat
        self._surroundings = surroundings
        self._takes_assignment = _takes_assignment(function.call)
        self._is_async = _is_async(function.call)
        self._left: list[Callable[[], bool]] = []
        """Of each call that was to end, and did not: whether it still goes on."""

    async def work(self, assignment: Assignment) -> Given:
        self._left = [goes_on for goes_on in self._left if goes_on()]
        if len(self._left) >= MOST_LEFT:
            raise CannotWorkError(
                f"{self._function.told}: {len(self._left)} of its calls still go on in {self._seat} though they were "
                f"to end, and nobody can end those: {self._advice}, or give it more time"
            )
        assignment = _from_any_thread(assignment)
        try:
            outcome = await (self._in_loop(assignment) if self._is_async else self._in_thread(assignment))
        finally:
            if assignment.blackboard is not None:
                assignment.blackboard.close()
        match outcome.error:
            case None:
                return Given(_whole(assignment.reply, outcome.value))
            case Exception() as error:
                raise error
            case error:  # SystemExit, say: it would end the whole run, and nobody asked it to
                raise WorkError(f"{self._function.told} raised {type(error).__name__}") from error

    async def settle(self, task: str) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Each call ended when its work did, or was told of."""

    async def _in_loop(self, assignment: Assignment) -> Outcome:
        return await self._awaited(self._call(assignment), assignment)

    async def _in_thread(self, assignment: Assignment) -> Outcome:
        is_over = Event()

        def report(progress: float | None = None, message: str | None = None) -> None:
            if not is_over.is_set():
                assignment.report(progress, message)

        own = replace(assignment, report=report, is_cancelled=is_over.is_set)
        thread = InThread(lambda: self._call(own), f"{self._seat}: {assignment.task.key}")
        try:
            outcome = await asyncio.shield(thread.outcome)
            # a plain function may give what an async one would
            return await self._awaited(outcome.value, own) if inspect.isawaitable(outcome.value) else outcome
        except asyncio.CancelledError:
            is_over.set()
            if own.blackboard is not None:
                own.blackboard.close()
            await self._wait_out(thread, assignment)
            raise
        finally:
            is_over.set()

    async def _wait_out(self, thread: InThread, assignment: Assignment) -> None:
        """Hold the seat until the thread ends, or the grace is over."""
        await asyncio.wait((thread.outcome,), timeout=self._surroundings.grace)
        if not thread.outcome.done():
            thread.outcome.cancel()
            self._leave(lambda: thread.is_running, assignment)

    async def _awaited(self, call: Awaitable[Any], assignment: Assignment) -> Outcome:
        """In a task of its own: one that does not heed being cancelled is waited for no longer than the grace."""
        task = asyncio.create_task(_outcome(call), name=f"{self._seat}: {assignment.task.key}")
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task}, timeout=self._surroundings.grace)
            if not task.done():
                self._leave(lambda: not task.done(), assignment)
            elif not task.cancelled() and (error := task.result().error) is not None:
                told = one_line(clean(f"{type(error).__name__}: {error}"))
                self._notice(assignment, f"cancelled, it raised {told}")
            raise
        if task.cancelled():
            return Outcome(error=WorkError(f"{self._function.told} was cancelled by itself"))
        return task.result()

    def _call(self, assignment: Assignment) -> Any:
        return self._function.call(assignment) if self._takes_assignment else self._function.call()

    def _leave(self, goes_on: Callable[[], bool], assignment: Assignment) -> None:
        self._left.append(goes_on)
        why = f"{self._function.told} did not end within {self._surroundings.grace:g} s of being asked to, and goes on"
        self._notice(assignment, f"{why}; what it gives is dropped. So that it ends: {self._advice}")

    @property
    def _advice(self) -> str:
        if self._is_async:
            return "let it end when asyncio.CancelledError is raised in it"
        return "have it look at assignment.is_cancelled() now and then"

    def _notice(self, assignment: Assignment, text: str) -> None:
        self._surroundings.notice(f"{self._seat}, {assignment.task.key}: {text}")


def _from_any_thread(assignment: Assignment) -> Assignment:
    """The same, whose functions do in the loop what they are called for elsewhere."""
    loop, here = asyncio.get_running_loop(), get_ident()

    def call(function: Callable[..., object], *arguments: object) -> None:
        if get_ident() == here:
            function(*arguments)
        else:
            loop.call_soon_threadsafe(function, *arguments)

    def report(progress: float | None = None, message: str | None = None) -> None:
        call(assignment.report, progress, message)

    def waits(is_waiting: bool) -> None:
        call(assignment.waits, is_waiting)

    return replace(assignment, report=report, waits=waits)


async def _outcome(call: Awaitable[Any]) -> Outcome:
    try:
        return Outcome(await call)
    except (Exception, SystemExit, GeneratorExit) as error:  # whatever it is, it is told where the call was made
        return Outcome(error=error)


def _whole(reply: ReplyKind, value: Any) -> Any:
    """What a function gives in short, as an agent of another kind would say it."""
    if reply is ReplyKind.PLAN and isinstance(value, str) and "{" not in value:
        return {"plan": value, "tasks": []}
    if reply is ReplyKind.VERDICT and isinstance(value, str) and "{" not in value:
        raise WorkError('it gave words and no verdict: True, or {"verdict": "rejected", "reasons": ["..."]}')
    if reply is ReplyKind.VERDICT and isinstance(value, bool):
        return (
            {"verdict": "approved"} if value else {"verdict": "rejected", "reasons": ["it gave False, and no reason"]}
        )
    return value


def _takes_assignment(call: Callable[..., Any]) -> bool | None:
    """Whether it is called with an assignment; None where it can be called neither with one nor without."""
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # it does not tell
        return True
    takes_any = any(each.kind is each.VAR_POSITIONAL for each in signature.parameters.values())
    if not takes_any and _binds(signature):
        return False
    return True if _binds(signature, None) else None


def _binds(signature: inspect.Signature, *arguments: object) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _is_async(call: Any) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)
