"""A registry with a monitor's workers on it, whose sessions are played; the person signs with the key of the tests."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collab_tui.config import Config
from collab_tui.config.workers import WorkerSettings
from collab_tui.model.board import Board
from collab_tui.model.fold import Fold
from collab_tui.model.sessions import Observed
from collab_tui.protocol.answers import answer
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import append
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.driver import Reply, ReplyStatus
from collab_tui.sessions.records import Record
from collab_tui.workers.service import WorkerService
from collab_tui.workers.stream_event import StreamEvent
from tests.program import PATIENCE
from tests.signing import install_key

Play = Callable[[str], Awaitable[Reply]]
"""Plays an agent: gets the prompt."""


def verdict(*tasks: str, why: str = "so it is") -> Reply:
    """A decision worker that names these tasks."""
    named = [{"task": task, "title": f"do {task}", "why": f"{task} is next", "priority": "high"} for task in tasks]
    return said(f"I looked.\n```json\n{json.dumps({'next': named, 'why': why})}\n```")


def said(text: str, status: ReplyStatus = ReplyStatus.DONE, reason: str = "") -> Reply:
    return Reply(text, status, 0.1, reason=reason)


def always(reply: Reply) -> Play:
    async def play(prompt: str) -> Reply:
        return reply

    return play


async def for_ever(prompt: str) -> Reply:
    await asyncio.Event().wait()
    raise AssertionError


@dataclass
class PlayedSession:
    """One session of a play."""

    record: Record
    play: Play
    observed: Observed = Observed.IDLE
    prompts: list[str] = field(default_factory=list)
    is_idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def run(self) -> str:
        return self.record.run

    @property
    def worker(self) -> str | None:
        return self.record.worker

    async def idle(self) -> bool:
        await self.is_idle.wait()
        return self.observed.is_running

    async def send_prompt_and_wait(self, text: str, timeout: float | None = None) -> Reply:  # noqa: ASYNC109
        self.prompts.append(text)
        try:
            async with asyncio.timeout(timeout):
                return await self.play(text)
        except TimeoutError:
            return said("", ReplyStatus.TIMED_OUT)


class PlayedSessions:
    """Sessions whose agents are played. It notes all that was asked of it."""

    def __init__(self, decides: Play = for_ever, does: Play = for_ever) -> None:
        self.plays = {True: decides, False: does}
        self.sessions: dict[str, PlayedSession] = {}
        self.created: list[dict[str, Any]] = []
        self.destroyed: list[str] = []
        self.most = Counter[str]()

    async def create_session(self, agent: str, **given: Any) -> PlayedSession:
        self.created.append({"agent": agent, **given})
        name = given["name"]
        assert name not in self.sessions
        is_decision = given.get("is_read_only", False)
        branch = None if is_decision else f"collab/{agent}/{given['task']}"
        record = Record(
            name,
            f"{len(self.created):016x}",
            agent,
            "command",
            "m",
            "h",
            ".",
            "log",
            branch,
            worker=given["worker"],
            handle={"pane": "%1"},
        )
        self.sessions[name] = PlayedSession(record, self.plays[is_decision])
        kind = "decisions" if is_decision else "executions"
        running = [one for one in self.sessions if one.startswith("decide-") is is_decision]
        self.most[kind] = max(self.most[kind], len(running))
        return self.sessions[name]

    async def destroy_session(self, name: str) -> str:
        self.destroyed.append(name)
        del self.sessions[name]
        return "exit 0"


class Stage:
    """The registry, and what was told there."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / ".collab" / "registry.jsonl"
        self.path.parent.mkdir(parents=True)
        append(str(self.path), {"agent": "system", "event": "registry_created", "registry": "ab" * 16})
        self.trust = Trust("human", {}, install_key(folder / "keys"))
        self.used = UsedDecisions(folder / "used")
        self.notices: list[str] = []
        self.now = 1_000_000.0

    def service(self, clock: Callable[[], float] | None = None) -> WorkerService:
        return WorkerService(
            self.path,
            self.notices.append,
            {},
            clock=clock or (lambda: datetime.now(UTC).timestamp()),
            trust=lambda _: self.trust,
            used=self.used,
        )

    @staticmethod
    def config(**workers: Any) -> Config:
        return Config(workers=replace(WorkerSettings(decision_agent="judge", execution_agent="doer"), **workers))

    def lines(self, event: str) -> list[dict[str, Any]]:
        found = map(json.loads, self.path.read_text(encoding="utf-8").splitlines())
        return [line for line in found if line["event"] == event]

    def states(self) -> dict[str, list[str]]:
        """Task -> the states of its workers, each with its kind, in order."""
        found: dict[str, list[str]] = {}
        for line in self.lines("worker"):
            found.setdefault(line["task"], []).append(f"{line['kind']} {line['state']}")
        return found

    def board(self) -> Board:
        fold = Fold("human")
        read_to_end(JsonlRegistry(self.path), fold)
        return fold.board()

    def decide(self, given: str, comment: str | None = None, *, signs: bool = True) -> None:
        """Answer what the monitor asks, as the person."""
        registry, fold = JsonlRegistry(self.path), Fold("human")
        read_to_end(registry, fold)
        request = next(request for request in fold.board().requests if request.is_open)
        answer(
            registry,
            request,
            "human",
            given,
            comment,
            known=fold.board().position,
            person="human",
            clock=lambda: datetime.now(UTC),
            trust=self.trust if signs else None,
        )
        announce(self.path)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110  # files, and lines of others
                await asyncio.sleep(0.01)


@asynccontextmanager
async def at_work(stage: Stage, sessions: PlayedSessions, config: Config | None = None) -> AsyncIterator[WorkerService]:
    service = stage.service()
    await service.start(sessions, config or stage.config())
    try:
        yield service
    finally:
        await service.end()


def event(
    task: str = "T-1", event_id: str | None = None, status: str = "done", priority: str = "normal"
) -> StreamEvent:
    return StreamEvent("hub", event_id or f"{task}:{status}", task, status, priority, "api", f"about {task}")
