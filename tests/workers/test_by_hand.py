"""What the person wants by hand: signed, each once, answered; and a stop at any moment ends that worker alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from collab_tui.model.workers import WorkerKind, WorkerState
from collab_tui.monitor.watching import own_carrier
from collab_tui.protocol.commands import CommandType, send
from collab_tui.registry.append import append
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.workers.job import Job, Step
from collab_tui.workers.jobs import Jobs
from collab_tui.workers.record import Record
from tests.program import PATIENCE
from tests.workers.stage import PlayedSessions, Stage, always, at_work, event, for_ever, said, verdict


@pytest.fixture
def give(stage: Stage) -> Callable[..., Any]:
    """Gives a command as the person."""
    registry = JsonlRegistry(stage.path)
    registry.read_next()

    def give(kind: CommandType, target: str, **payload: str) -> dict[str, Any]:
        return send(registry, stage.trust, kind, target, payload, own_carrier(stage.path))

    return give


def work(number: int, task: str) -> Job:
    return Job(f"{number:016x}", WorkerKind.EXECUTION, task, Step.WAITING, float(number), prompt="Do it.")


async def test_the_person_starts_and_stops_workers_by_signed_commands_each_once(
    stage: Stage, give: Callable[..., Any]
) -> None:
    sessions = PlayedSessions(always(verdict()), for_ever)
    async with at_work(stage, sessions) as workers:
        give(CommandType.EXECUTE, "T-5", prompt="Do it so.", base="main")
        await stage.until(lambda: "execution running" in stage.states().get("T-5", ()))
        await stage.until(lambda: sessions.sessions)
        (session,) = sessions.sessions.values()
        await stage.until(lambda: session.prompts == ["Do it so."])
        give(CommandType.DECIDE, "T-6", template="no_such")
        await stage.until(lambda: "decision failed" in stage.states().get("T-6", ()))
        job = next(job for job in Jobs(stage.path).all() if job.task == "T-5")
        give(CommandType.STOP_WORKER, job.id)
        await stage.until(lambda: "execution stopped" in stage.states()["T-5"])
        assert await workers.stop("nobody") == "no worker nobody waits or runs here"
    assert [line["state"] for line in stage.lines("command_result")] == ["done"] * 3
    assert stage.board().workers[0].outcome == "stopped by hand"
    assert sessions.sessions == {}
    async with at_work(stage, PlayedSessions()):
        await stage.until(lambda: True)
    assert len(stage.lines("command_result")) == 3


async def test_a_command_that_the_person_did_not_sign_is_neither_done_nor_answered(stage: Stage) -> None:
    line = {"agent": "human", "event": "command", "command_type": "execute", "target": "T-5", "payload": {}}
    sessions = PlayedSessions()
    registry = JsonlRegistry(stage.path)
    registry.read_next()
    here = own_carrier(stage.path)
    async with at_work(stage, sessions):
        append(str(stage.path), line | {"monitor": here.monitor})
        sent = send(registry, stage.trust, CommandType.STOP_WORKER, "nobody", {}, here)
        await stage.until(lambda: stage.lines("command_result"))
    (told,) = stage.lines("command_result")
    assert (told["command_id"], told["state"]) == (sent["id"], "failed")
    assert (told["command_type"], told["target"]) == ("stop_worker", "nobody")
    assert sessions.created == []


async def test_one_that_is_stopped_while_it_is_being_started_never_starts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, gate, say = asyncio.Event(), asyncio.Event(), Record.say

    async def slow(self: Record, worker: str, state: WorkerState, fields: Any) -> bool:
        if state is WorkerState.RUNNING and not gate.is_set():
            inside.set()
            await gate.wait()
        return await say(self, worker, state, fields)

    monkeypatch.setattr(Record, "say", slow)
    sessions = PlayedSessions(always(verdict()))
    async with at_work(stage, sessions) as workers:
        await workers.take(event("T-1"))
        await inside.wait()
        (job,) = Jobs(stage.path).all()
        assert await workers.stop(job.id) is None
        gate.set()
        await workers.take(event("T-2"))
        await stage.until(lambda: "decision done" in stage.states().get("T-2", ()))
        await stage.until(lambda: "decision stopped" in stage.states()["T-1"])
    assert [made["name"][:10] for made in sessions.created] == ["decide-t-2"]


async def test_one_that_is_stopped_twice_ends_once_and_its_task_is_free_again(stage: Stage) -> None:
    ending, gate = asyncio.Event(), asyncio.Event()

    class Slow(PlayedSessions):
        async def destroy_session(self, name: str) -> str:
            ending.set()
            await gate.wait()
            return await super().destroy_session(name)

    sessions = Slow(does=for_ever)
    async with at_work(stage, sessions) as workers:
        assert await workers.put(work(1, "T-1")) is None
        await stage.until(lambda: sessions.sessions)
        assert await workers.stop(work(1, "T-1").id) is None
        await ending.wait()
        assert await workers.stop(work(1, "T-1").id) == "it is being stopped"
        gate.set()
        await stage.until(lambda: "execution stopped" in stage.states()["T-1"])
        async with asyncio.timeout(PATIENCE):
            while await workers.put(work(2, "T-1")) is not None:  # noqa: ASYNC110  # it is told before it is gone
                await asyncio.sleep(0.01)
        await stage.until(lambda: len(sessions.created) == 2)


async def test_a_task_that_is_worked_on_is_not_queued_again_and_it_is_said_why(
    stage: Stage, give: Callable[..., Any]
) -> None:
    async with at_work(stage, PlayedSessions(does=for_ever)):
        give(CommandType.EXECUTE, "T-5")
        await stage.until(lambda: "execution running" in stage.states().get("T-5", ()))
        give(CommandType.EXECUTE, "T-5")
        await stage.until(lambda: len(stage.lines("command_result")) == 2)
    (worker,) = stage.board().workers
    first, second = stage.lines("command_result")
    assert (first["state"], second["state"]) == ("done", "failed")
    assert second["reason"] == f"the worker {worker.id} is on the same task"


async def test_a_command_that_breaks_something_is_answered_and_the_next_is_heard(
    stage: Stage, give: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_work(stage, PlayedSessions(does=always(said("ok")))) as workers:
        put, broken = workers.put, [True]

        async def breaks(job: Job) -> str | None:
            if broken.pop() if broken else False:
                raise KeyError("it broke")
            return await put(job)

        monkeypatch.setattr(workers, "put", breaks)
        give(CommandType.EXECUTE, "T-1")
        await stage.until(lambda: stage.lines("command_result"))
        give(CommandType.EXECUTE, "T-2")
        await stage.until(lambda: "execution done" in stage.states().get("T-2", ()))
    assert [line["state"] for line in stage.lines("command_result")] == ["failed", "done"]
