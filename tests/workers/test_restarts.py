"""A monitor that ends, and the next one: what waited and ran goes on, nothing twice and nothing forgotten."""

from __future__ import annotations

import sys
from pathlib import Path

from collab_tui.model.sessions import Observed
from collab_tui.registry.append import append
from collab_tui.workers.job import Step
from collab_tui.workers.jobs import Jobs
from tests.workers.stage import PlayedSessions, Stage, always, at_work, event, for_ever, said, verdict


async def test_a_decision_that_waits_or_runs_when_the_monitor_ends_is_made_by_the_next(stage: Stage) -> None:
    for _ in range(3):
        sessions = PlayedSessions(for_ever)
        async with at_work(stage, sessions) as workers:
            await workers.take(event("T-1"))
            await stage.until(lambda sessions=sessions: sessions.sessions)
        assert sessions.sessions == {}
    async with at_work(stage, PlayedSessions(always(verdict()))):
        await stage.until(lambda: "decision done" in stage.states()["T-1"])


async def test_a_question_is_asked_once_and_its_answer_starts_one_worker_over_restarts(stage: Stage) -> None:
    async with at_work(stage, PlayedSessions(always(verdict("T-2")))) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: "execution asked" in stage.states().get("T-2", ()))
    async with at_work(stage, PlayedSessions()):
        await stage.until(lambda: True)
    stage.decide("approved")
    sessions = PlayedSessions(does=always(said("ok")))
    async with at_work(stage, sessions):
        await stage.until(lambda: "execution done" in stage.states()["T-2"])
    async with at_work(stage, sessions):
        await stage.until(lambda: True)
    assert len(stage.board().requests) == 1
    assert len(sessions.created) == 1


async def test_work_whose_session_is_gone_is_told_as_lost_and_not_begun_again(stage: Stage) -> None:
    async with at_work(stage, PlayedSessions(always(verdict("T-2")), for_ever), stage.config(start="auto")) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: "execution running" in stage.states().get("T-2", ()))
        await stage.until(lambda: any(job.run for job in Jobs(stage.path).all()))
    after = PlayedSessions()
    async with at_work(stage, after):
        await stage.until(lambda: "execution failed" in stage.states()["T-2"])
    assert after.created == []
    assert stage.board().workers[1].outcome == "it was lost with its monitor"


async def test_work_whose_session_was_taken_up_is_seen_to_its_end(stage: Stage) -> None:
    sessions = PlayedSessions(always(verdict("T-2")), for_ever)
    async with at_work(stage, sessions, stage.config(start="auto")) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: any(session.prompts for session in sessions.sessions.values()))
    (session,) = sessions.sessions.values()
    session.observed = Observed.WORKING
    append(str(stage.path), {"agent": session.name, "event": "completion", "result": "all tests pass"})
    async with at_work(stage, sessions):
        await stage.until(lambda: stage.states()["T-2"][-1] == "execution running")
        session.observed = Observed.IDLE
        session.is_idle.set()
        await stage.until(lambda: "execution done" in stage.states()["T-2"])
    assert len(session.prompts) == 1
    assert stage.board().workers[1].outcome == "all tests pass"
    assert sum(not made.get("is_read_only") for made in sessions.created) == 1


async def test_what_is_not_reported_holds_nothing_up_and_the_next_monitor_reports_it(
    stage: Stage, tmp_path: Path
) -> None:
    never = (sys.executable, "-c", "import threading; threading.Event().wait()")
    config = stage.config(report=never, cool_down=0.0, queue=1)
    async with at_work(stage, PlayedSessions(always(verdict())), config) as workers:
        for number in range(3):
            await workers.take(event(f"T-{number}"))
            await stage.until(lambda number=number: "decision done" in stage.states().get(f"T-{number}", ()))
        await stage.until(lambda: [job.step for job in Jobs(stage.path).all()] == [Step.TOLD] * 3)
    heard = tmp_path / "heard"
    writes = f"import sys; open({str(heard)!r}, 'a', encoding='utf-8').write(sys.stdin.read())"
    async with at_work(stage, PlayedSessions(), stage.config(report=(sys.executable, "-c", writes))):
        await stage.until(lambda: Jobs(stage.path).all() == [])
    assert heard.read_text(encoding="utf-8").count('"outcome": "done"') == 3
    assert all(states.count("decision done") == 1 for states in stage.states().values())
