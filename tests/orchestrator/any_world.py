"""A story as it happens: real lines in a real file, and agents and a person that do as the story says.

A process that is killed writes nothing from one line on, and all that it had in its memory is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

from collab_tui.model.runs import RunState, TaskState, Work
from collab_tui.orchestrator import assembling, journal
from collab_tui.orchestrator.agent import Assignment, CannotWorkError, Given, Surroundings, WorkError
from collab_tui.orchestrator.approvals import Approval
from collab_tui.orchestrator.assembling import assembled
from collab_tui.orchestrator.ledger import NothingToldError, read_back
from collab_tui.orchestrator.parts import Parts
from collab_tui.orchestrator.plan import Pipeline, ReplyKind, Role
from collab_tui.orchestrator.run import Run
from collab_tui.orchestrator.values import IN_LINE
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import NotWrittenError, RegistryError
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.any_loop import Disk, HangsError, Loop
from tests.orchestrator.any_story import End, How, Story, plan_of

RUN = "0a1b2c3d"
KEY = b"k" * 32
PATIENCE = 1000.0
"""Seconds."""
LIMIT = 1.0
"""Seconds that an attempt may take."""
COMMENT = "as you like"
_MUCH = "." * (IN_LINE + 1)
"""Too much for a line: it stands in a file."""
NEVER = 0.3
"""Seconds after which a person who does not answer has enough of the run."""
_PUT = ("value/0", "value/1")
_NOTE = "note/"
"""Begins the keys under which only one task writes."""
_COMPLETED = frozenset(("retrying", "worked", "rejected", "done", "failed", "timed_out"))


class Registry(JsonlRegistry):
    """It tells of each line, and takes only so many."""

    def __init__(self, path: Path, world: World, process: Process) -> None:
        super().__init__(path)
        self._world = world
        self._process = process

    def append_all(self, events: Sequence[Mapping[str, Any]], **how: Any) -> list[dict[str, Any]]:
        process = self._process
        fitting = events[: process.room] if process.room is not None else events
        if not fitting:
            raise NotWrittenError("the process is dead")
        written = super().append_all(fitting, **how)
        self._world.lines += written
        process.wrote(len(written))
        return written


class Process:
    """How far the present process is from its end."""

    def __init__(self, end: End | None) -> None:
        self._end = end
        self._left = end.lines if end is not None else None
        self.room = self._left if end is not None and end.how is How.KILL else None
        self.loop = asyncio.get_running_loop()
        self.reached = asyncio.Event()
        """It is to end now."""

    def wrote(self, lines: int) -> None:
        """So many more."""
        if self._end is None or self._left is None or self._left <= 0:
            return
        self._left -= lines
        if self.room is not None:
            self.room -= lines
        if self._left <= 0:
            self.loop.call_soon(self._turn, self._end.turns)

    def _turn(self, turns: int) -> None:
        if turns:
            self.loop.call_soon(self._turn, turns - 1)
        else:
            self.reached.set()


@dataclass
class World:
    """What outlives a process, and what was seen."""

    story: Story
    path: Path
    lines: list[dict[str, Any]] = field(default_factory=list)
    """Those of the run."""
    requests: dict[tuple[str, str], str] = field(default_factory=dict)
    """A question, with its details -> its request that nobody acted on yet."""
    said: list[tuple[str, str, bool]] = field(default_factory=list)
    """Each answer: the task, the request, whether it was a yes."""
    calls: dict[tuple[str, int], Assignment] = field(default_factory=dict)
    """Task and attempt -> what its agent got."""
    gave: dict[tuple[str, int], Any] = field(default_factory=dict)
    stops: dict[int, int] = field(default_factory=dict)
    """Process, from 0 -> how many lines there were when it was told to end."""
    wrong: list[str] = field(default_factory=list)
    """What agents saw: raised there, it would be one more failing agent."""
    process: int = -1
    run: Run | None = None
    parts: Parts | None = None

    def stop(self, reason: str) -> None:
        """The person ends the run."""
        assert self.run is not None
        if not self.is_stopped and not self.run.ended.is_set():
            self.stops[self.process] = len(self.lines)
            self.run.stop(reason)

    def broke(self, context: Mapping[str, Any]) -> None:
        """Something in the loop did; of what a killed process leaves behind nothing is meant."""
        if str(context["message"]).startswith("Exception in callback"):
            self.wrong.append(f"{context['message']}: {context.get('exception')!r}")

    @property
    def is_stopped(self) -> bool:
        return self.process in self.stops

    def completed(self) -> list[dict[str, Any]]:
        """The ends of the attempts that were not broken off."""
        told = (line for line in self.lines if line["event"] == "run_task" and "attempt" in line)
        return [line for line in told if line["state"] in _COMPLETED]


class Agent:
    """Any agent."""

    told = "anybody"
    worktree = False

    def __init__(self, world: World, *, keeps_seat: bool, announces: bool) -> None:
        self.world = world
        self.keeps_seat = keeps_seat
        self.announces = announces

    async def check(self, surroundings: Surroundings) -> None: ...

    def seated(self, seat: str, surroundings: Surroundings) -> Seat:
        return Seat(self.world)


class Seat:
    """One of it."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def work(self, assignment: Assignment) -> Given:
        world, key = self.world, assignment.task.key
        if (key, assignment.attempt) in world.calls:
            world.wrong.append(f"attempt {assignment.attempt} at {key} is begun twice")
        world.calls[key, assignment.attempt] = assignment
        if world.is_stopped:
            for _ in range(10):  # whoever began at that very moment is ended at once
                await asyncio.sleep(0)
            world.wrong.append(f"{key} begins after the run was stopped")
        place = sum(line["task"] == key and line["work"] == assignment.work for line in world.completed())
        given = await self._outcome(assignment, world.story.script(key, assignment.work, place), place + 1)
        world.gave[key, assignment.attempt] = given.value
        return given

    async def _outcome(self, assignment: Assignment, kind: str, number: int) -> Given:
        """`number` counts from 1 those attempts that came to an end, and this one."""
        key, is_review = assignment.task.key, assignment.work is Work.REVIEW
        is_steady = self.world.story.is_steady
        number = number if is_steady else assignment.attempt
        match kind:
            case "fails":
                raise WorkError("it does not work")
            case "raises":
                raise SystemExit(3)
            case "cannot":
                raise CannotWorkError("it is not installed")
            case "hangs":
                await asyncio.Event().wait()
            case "stays":  # it takes its time to end
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
                await asyncio.sleep(0.5)
                raise asyncio.CancelledError
            case "odd":
                return Given({"verdict": {1, 2}})
            case "rejects" if is_review:
                return Given({"verdict": "rejected", "reasons": [f"attempt {number}"]})
            case "waits":
                await asyncio.sleep(0.1)
            case "leaves" if is_review:
                raise WorkError("it does not work")
            case "puts" | "leaves" if not is_review and assignment.blackboard is not None:
                for name in (f"{_NOTE}{key}",) if is_steady else _PUT:
                    await assignment.blackboard.put(name, f"by {key}")
                if kind == "leaves":
                    raise WorkError("it left something")
        if is_review:
            return Given({"verdict": "approved", "reasons": []})
        if assignment.reply is not ReplyKind.PLAN:
            return Given(f"{key} {number}" + _MUCH * (kind == "gives much"))
        more = plan_of(kind, number, may_add=assignment.depth + 1 < assignment.most_depth)
        return Given({"plan": f"{key} {number}", "tasks": more})

    async def settle(self, task: str) -> None: ...

    async def close(self) -> None: ...


class Person:
    """Somebody who answers, or does not, as the story says."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: set[str] = set()

    async def approvals(self) -> Person:
        return self

    async def ask(
        self,
        about: str,
        text: str,
        *,
        details: str,
        expires: float | None,
        opened: Callable[[str], Awaitable[object]],
        deliver: Callable[[Approval], Awaitable[object]],
    ) -> Approval:
        world, key = self._world, about.partition(":")[0]
        request = world.requests.setdefault((about, details), f"request-{len(world.lines)}-{len(world.requests)}")
        self._waiting.add(request)
        try:
            await opened(request)
            said = world.story.answer(key, world.process)
            if said == "never":
                asyncio.get_running_loop().call_later(NEVER, world.stop, "nobody answers")
                await asyncio.Event().wait()
            for _ in range(20 if said == "late" else 1):
                await asyncio.sleep(0)
            approval = Approval(said != "no", COMMENT, "the person said so", request)
            world.said.append((key, request, approval.is_approved))
            await deliver(approval)
        except RegistryError:  # the process is dead
            await asyncio.Event().wait()
        world.requests.pop((about, details), None)
        self._waiting.discard(request)
        return approval

    async def end(self, reason: str, patience: float) -> None:
        for question in [question for question, each in self._world.requests.items() if each in self._waiting]:
            del self._world.requests[question]


def pipeline_of(world: World) -> Pipeline:
    """The pipeline of a story."""
    story, roles = world.story, {}
    for name, size in story.sizes.items():
        agent = Agent(world, keeps_seat=story.keeps_seat and name == "worker", announces=name != "planner")
        reply = ReplyKind.PLAN if name == "planner" else ReplyKind.TEXT
        roles[name] = Role(name, agent, size, reply=reply, timeout=LIMIT, may_add=name == "planner")
    return Pipeline("any", story.tasks, roles, goal="any", policy=story.policy)


def _assembled(world: World, process: Process) -> assembling.Assembled:
    path, folder, pipeline = world.path, world.path.parent, pipeline_of(world)
    try:
        ledger = read_back(path, RUN, KEY)
    except NothingToldError:
        ledger = None
    surroundings = Surroundings(path, folder, RUN, {}, world.story.policy.grace, folder / "private", lambda _: None)
    with (
        mock.patch.object(assembling, "JsonlRegistry", return_value=Registry(path, world, process)),
        mock.patch.object(journal, "ThreadPoolExecutor", return_value=Disk(world.story.disk)),
    ):
        found = assembled(
            pipeline,
            world.story.policy,
            surroundings,
            KEY,
            ledger,
            trust=Trust("human"),
            used=UsedDecisions(folder / "used"),
            poll=None,
        )
    found.parts.person = Person(world)  # type: ignore[assignment]
    return found


async def _processed(world: World, end: End | None) -> Run:
    """One process that has the run, from its start to its end."""
    world.process += 1
    process = Process(end)
    found = _assembled(world, process)
    world.parts, run = found.parts, Run(found, "carrier")
    world.run = run
    process.loop.set_exception_handler(lambda _, context: world.broke(context))
    driving = asyncio.create_task(run.carry_out())
    reached = asyncio.create_task(process.reached.wait())
    done, _ = await asyncio.wait((driving, reached), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    is_killed = False
    if end is not None and reached in done and not driving.done():
        is_killed = end.how is How.KILL
        if not is_killed:
            world.stop("the person has enough")
            done, _ = await asyncio.wait((driving,), timeout=PATIENCE)
    is_hanging = not is_killed and not driving.done()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    while (is_killed or is_hanging) and others:  # it is gone, and whatever it still does leads to nothing
        process.room = 0
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        others = asyncio.all_tasks() - {asyncio.current_task()}
    reached.cancel()
    if is_hanging:
        raise HangsError(f"process {world.process} hangs after {told_of(world)}")
    if not is_killed and not driving.cancelled():
        driving.result()
    return run


def told_of(world: World) -> str:
    """What stands in the registry, one line each."""
    shown = (
        "agent",
        "event",
        "task",
        "attempt",
        "work",
        "round",
        "state",
        "error",
        "why",
        "by",
        "again",
        "reason",
        "key",
    )
    told = [[f"{line[name]}" for name in shown if name in line] for line in world.lines]
    return "".join(f"\n  {number:3} {' '.join(words)}" for number, words in enumerate(told))


def happened(folder: Path, story: Story) -> World:
    """A story through all its processes."""
    folder.mkdir()
    path = folder / "registry.jsonl"
    JsonlRegistry(path).append({"agent": "human", "event": "registry_created"})
    world = World(story, path)
    for end in (*story.ends, *[None] * 8):
        with asyncio.Runner(loop_factory=Loop) as runner:
            run = runner.run(_processed(world, end))
        is_told = bool(world.lines) and world.lines[-1]["event"] == "run_ended"
        if (end is None or story.is_steady) and is_told and run.state is not RunState.CANCELLED:
            break
    return world


def came_of(world: World) -> dict[str, Any]:
    """All of a run that is over that a kill may not change, as its last process knows it, and as it is read back."""
    assert world.parts is not None
    ledger, values = read_back(world.path, RUN, KEY), world.parts.blackboard.snapshot()
    told = {
        task.key: (task.state, None if task.state is TaskState.SKIPPED else task.error) for task in ledger.run.tasks
    }
    asked: dict[str, list[dict[str, Any]]] = {}
    for line in world.completed():
        call = replace(world.calls[line["task"], line["attempt"]], seat="", attempt=0)
        asked.setdefault(line["task"], []).append(call.document())
    answered = (line for line in world.lines if line["event"] == "run_task" and line["state"] in ("pending", "failed"))
    return {
        "state": (ledger.run.state, world.run and world.run.state),
        "tasks": told,
        "ends": {key: job.state for key, job in world.parts.schedule.jobs.items()},
        "results": {key: json.value for key, json in world.parts.known.results.items()},
        "results read back": {key: json.value for key, json in ledger.results.items()},
        "values": {key: entry.value for key, entry in values.items()},
        "values read back": ledger.values,
        "revisions": {key: entry.revision for key, entry in values.items() if not key.startswith(_NOTE)},
        "asked": asked,
        "answers of the person": sorted(line["task"] for line in answered if "request" in line),
    }
