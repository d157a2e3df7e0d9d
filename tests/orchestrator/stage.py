"""Runs of teams of callables on a registry of their own, and what agents of a test do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collab_tui.model.board import Board, Request
from collab_tui.model.fold import Fold
from collab_tui.orchestrator.agent import Assignment
from collab_tui.orchestrator.orchestrator import Orchestrator
from collab_tui.orchestrator.plan import OnError, Pipeline, Policy, Role, Task
from collab_tui.orchestrator.result import RunResult
from collab_tui.protocol.answers import answer
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.ground import RUN, lines_of, new_registry, until
from tests.signing import install_key

GO_ON = Policy(on_error=OnError.GO_ON, grace=0.1)
STOP = Policy(grace=0.1)


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

    def board(self) -> Board:
        fold = Fold("human")
        read_to_end(JsonlRegistry(self.path), fold)
        return fold.board()

    def requests(self) -> Sequence[Request]:
        return self.board().requests

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


def give_key(assignment: Assignment) -> str:
    return assignment.task.key


async def give_inputs(assignment: Assignment) -> dict[str, Any]:
    return dict(assignment.inputs)


async def hang(assignment: Assignment) -> None:
    await asyncio.Event().wait()


def plan_of(*tasks: Mapping[str, Any]) -> Callable[[], Any]:
    return lambda: {"plan": "as follows", "tasks": list(tasks)}


def fail() -> None:
    raise ValueError("no")
