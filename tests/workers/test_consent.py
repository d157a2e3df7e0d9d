"""The person's yes: what they said yes to is what starts, and nothing that others send or write takes it away."""

from __future__ import annotations

import hashlib

from collab_tui.model.workers import WorkerKind
from collab_tui.registry.append import append
from collab_tui.registry.kept import kept_for, monitor_of
from collab_tui.workers.job import Job, Step
from tests.workers.stage import PlayedSessions, Stage, always, at_work, event, for_ever, said, verdict


async def test_what_starts_is_the_agent_that_was_asked_about_whatever_the_settings_say_then(stage: Stage) -> None:
    sessions = PlayedSessions(always(verdict("T-2")), always(said("ok")))
    async with at_work(stage, sessions) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: "execution asked" in stage.states().get("T-2", ()))
        await workers.use(stage.config(execution_agent="other"))
        assert "as doer," in (stage.board().requests[0].details or "")
    async with at_work(stage, sessions, stage.config(execution_agent="other")):
        stage.decide("approved")
        await stage.until(lambda: "execution done" in stage.states()["T-2"])
    assert [made["agent"] for made in sessions.created] == ["judge", "doer"]
    assert len(stage.board().requests) == 1


async def test_whatever_a_stream_sends_what_the_person_said_yes_to_waits_on(stage: Stage) -> None:
    sessions = PlayedSessions(always(verdict("T-2")), for_ever)
    config = stage.config(queue=1, max_executions=1, per_hour=1)
    busy = Job("b" * 16, WorkerKind.EXECUTION, "busy", Step.WAITING, 1.0, prompt="Do it.")
    async with at_work(stage, sessions, config) as workers:
        assert await workers.put(busy) is None
        await stage.until(lambda: sessions.sessions)
        await workers.take(event("T-1"))
        await stage.until(lambda: "execution asked" in stage.states().get("T-2", ()))
        stage.decide("approved")
        await stage.until(lambda: stage.states()["T-2"][-1] == "execution queued")
        for number in range(3):
            await workers.take(event(f"U-{number}", priority="urgent"))
        assert stage.states()["T-2"][-1] == "execution queued"
        await workers.stop(busy.id)
        await stage.until(lambda: stage.states()["T-2"][-1] == "execution running")


async def test_lines_of_others_neither_hide_a_worker_nor_count_for_a_limit(stage: Stage) -> None:
    sessions = PlayedSessions(always(verdict("a", "b")), always(said("ok")))
    decision = event("T-1").key[:16]
    execution = hashlib.sha256(f"{decision} a".encode()).hexdigest()[:16]
    forged = {"agent": "monitor", "event": "worker", "monitor": monitor_of(kept_for(stage.path)), "task": "x"}
    for kind, worker in ((WorkerKind.DECISION, decision), (WorkerKind.EXECUTION, execution)):
        append(str(stage.path), forged | {"kind": kind.value, "worker": worker, "state": "done"})
    for number in range(3):
        start = {"worker": f"{number:016x}", "unasked": True}
        append(str(stage.path), forged | start | {"kind": "decision", "state": "running"})
        append(str(stage.path), forged | start | {"kind": "execution", "state": "queued"})
    async with at_work(stage, sessions, stage.config(start="auto", auto_limit=1, per_hour=1)) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: "execution asked" in stage.states().get("b", ()))
        await stage.until(lambda: "execution done" in stage.states().get("a", ()))
    assert stage.states()["T-1"] == ["decision queued", "decision running", "decision done"]
    assert stage.states()["a"] == ["execution queued", "execution running", "execution done"]
