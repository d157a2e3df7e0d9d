"""From an event to a commit: each event one worker, the person's yes before anything is done, and all of it told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab_tui.config import Config
from collab_tui.config.workers import read_decide
from collab_tui.model.workers import WorkerState
from collab_tui.registry.append import append
from collab_tui.sessions.driver import DriverError, ReplyStatus
from collab_tui.workers.jobs import Jobs
from collab_tui.workers.logs import read_log
from collab_tui.workers.stream_event import StreamEvent
from tests.workers.stage import PlayedSessions, Stage, always, at_work, event, for_ever, said, verdict

# The whole way


async def test_a_task_that_is_done_leads_to_a_decision_to_a_question_and_with_a_yes_to_work(stage: Stage) -> None:
    sessions = PlayedSessions(
        always(verdict("T-2", why="T-2 waits for T-1")), always(said("looked\n\nadded the tests"))
    )
    async with at_work(stage, sessions) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: "execution asked" in stage.states().get("T-2", ()))
        (request,) = stage.board().requests
        assert (request.asker, request.request) == ("monitor", 'Start a worker on T-2: "do T-2", because "T-2 is next"')
        assert '"T-2 is next"' in (request.details or "")
        assert stage.states() == {
            "T-1": ["decision queued", "decision running", "decision done"],
            "T-2": ["execution queued", "execution asked"],
        }
        assert [made["agent"] for made in sessions.created] == ["judge"]
        stage.decide("approved")
        await stage.until(lambda: "execution done" in stage.states()["T-2"] and Jobs(stage.path).all() == [])
    decision, execution = stage.board().workers
    assert decision.verdict == {
        "next": [{"task": "T-2", "title": "do T-2", "why": "T-2 is next", "priority": "high", "order": 1}],
        "why": "T-2 waits for T-1",
    }
    assert (execution.cause, execution.request, execution.outcome) == (decision.id, request.id, "added the tests")
    judge, doer = sessions.created
    assert (judge["is_read_only"], judge["in_worktree"]) == (True, False)
    assert (doer["task"], doer["in_worktree"]) == ("T-2", True)
    assert sorted(sessions.destroyed) == sorted([judge["name"], doer["name"]])
    assert stage.states()["T-2"][2:] == ["execution queued", "execution running", "execution done"]
    log = read_log(stage.path, decision.log or "") or ""
    assert log.index("== prompt") < log.index('"T-1"') < log.index("== reply, done") < log.index("== outcome: done")


async def test_a_no_of_the_person_starts_nothing_and_is_told(stage: Stage) -> None:
    sessions = PlayedSessions(always(verdict("T-2")))
    async with at_work(stage, sessions) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: stage.board().requests)
        stage.decide("rejected", "not now")
        await stage.until(lambda: "execution refused" in stage.states()["T-2"])
    assert stage.board().workers[1].outcome == "human said no: not now"
    assert len(sessions.created) == 1


async def test_a_yes_that_nobody_signed_starts_nothing(stage: Stage) -> None:
    sessions = PlayedSessions(always(verdict("T-2")), always(said("ok")))
    async with at_work(stage, sessions) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: "execution asked" in stage.states().get("T-2", ()))
        stage.decide("approved", signs=False)
        await workers.take(event("T-9"))
        await stage.until(lambda: "decision done" in stage.states().get("T-9", ()))
        assert stage.states()["T-2"][:2] == ["execution queued", "execution asked"]
    assert [made["agent"] for made in sessions.created] == ["judge"] * 2


async def test_unasked_so_many_start_a_day_and_then_the_person_is_asked(stage: Stage) -> None:
    sessions = PlayedSessions(always(verdict("a", "b", "c")), always(said("ok")))
    async with at_work(stage, sessions, stage.config(start="auto", auto_limit=2)) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: len(stage.states()) == 4 and "execution asked" in stage.states()["c"])
        await stage.until(lambda: all("execution done" in stage.states()[task] for task in "ab"))
    (request,) = stage.board().requests
    assert request.request == 'Start a worker on c: "do c", because "c is next"'
    assert "auto_limit is reached: 2 started unasked within a day" in (request.details or "")
    again = PlayedSessions(always(verdict("d")))
    async with at_work(stage, again, stage.config(start="auto", auto_limit=2, cool_down=0.0)) as workers:
        await workers.take(event("T-9"))
        await stage.until(lambda: "execution asked" in stage.states().get("d", ()))


async def test_work_on_a_task_is_not_begun_twice(stage: Stage) -> None:
    sessions = PlayedSessions(always(verdict("same")), for_ever)
    async with at_work(stage, sessions, stage.config(start="auto")) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: "execution running" in stage.states().get("same", ()))
        await workers.take(event("T-2"))
        await stage.until(lambda: "execution dropped" in stage.states()["same"])
    assert sum(not made.get("is_read_only") for made in sessions.created) == 1


# What goes wrong


async def test_a_reply_that_is_no_verdict_is_sent_back_once_with_what_is_wrong(stage: Stage) -> None:
    replies = iter([said("I would do T-2."), verdict("T-2")])

    async def mends(prompt: str):
        return next(replies)

    sessions = PlayedSessions(mends)
    async with at_work(stage, sessions) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: len(sessions.sessions) == 1 or sessions.destroyed)
        (session,) = sessions.sessions.values() or (None,)
        await stage.until(lambda: "decision done" in stage.states()["T-1"])
    if session is not None:
        assert "not JSON" in session.prompts[1]
        assert session.prompts[1].endswith(session.prompts[0])  # a new process knows of nothing before


@pytest.mark.parametrize(
    ("reply", "state", "told"),
    [
        (said("no idea"), WorkerState.FAILED, "twice it gave no verdict"),
        (said('{"next": [], "why": "x", "command": "sh"}'), WorkerState.REFUSED, "command"),
        (said("", ReplyStatus.FAILED, "usage limit"), WorkerState.FAILED, "usage limit"),
    ],
)
async def test_a_decision_that_comes_to_nothing_says_why_and_leaves_no_session(
    stage: Stage, reply, state, told
) -> None:
    sessions = PlayedSessions(always(reply))
    async with at_work(stage, sessions) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: stage.board().workers and stage.board().workers[0].state.is_over)
    (worker,) = stage.board().workers
    assert worker.state is state
    assert told in (worker.outcome or "")
    assert sessions.sessions == {}


async def test_a_decision_ends_at_its_time_limit(stage: Stage) -> None:
    sessions = PlayedSessions(for_ever)
    async with at_work(stage, sessions, stage.config(decision_limit=0.05)) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: "decision failed" in stage.states().get("T-1", ()))
    assert sessions.sessions == {}


async def test_an_agent_that_cannot_be_started_is_told_and_the_next_goes_on(stage: Stage) -> None:
    class Broken(PlayedSessions):
        async def create_session(self, agent, **given):
            if not self.created:
                self.created.append(given)
                raise DriverError("judge: there is no such program")
            return await super().create_session(agent, **given)

    sessions = Broken(always(verdict()))
    async with at_work(stage, sessions, stage.config(max_decisions=1)) as workers:
        await workers.take(event("T-1"))
        await workers.take(event("T-2"))
        await stage.until(lambda: "decision done" in stage.states().get("T-2", ()))
    assert stage.board().workers[0].outcome == "judge: there is no such program"


# E04: each event one worker


async def test_an_event_that_comes_again_starts_nothing_more_also_after_a_restart(stage: Stage) -> None:
    sessions = PlayedSessions(always(verdict()))
    async with at_work(stage, sessions, stage.config(cool_down=0.0)) as workers:
        for _ in range(3):
            await workers.take(event("T-1", "7"))
        await asyncio.gather(*(workers.take(event("T-1", "7")) for _ in range(5)))
        await stage.until(lambda: "decision done" in stage.states().get("T-1", ()))
        await workers.take(event("T-1", "7"))
        await workers.take(event("T-2", "8"))
        await stage.until(lambda: "decision done" in stage.states().get("T-2", ()))
    async with at_work(stage, sessions, stage.config(cool_down=0.0)) as workers:
        await workers.take(event("T-2", "8"))
        await workers.take(event("T-1", "7"))
        await workers.take(event("T-3", "9"))
        await stage.until(lambda: "decision done" in stage.states().get("T-3", ()))
    assert [made["name"].split("-")[0] for made in sessions.created] == ["decide"] * 3
    assert len(stage.lines("stream_event")) == 3


async def test_what_another_monitor_took_is_not_taken_again(stage: Stage) -> None:
    theirs = event("T-1")
    sessions = PlayedSessions(always(verdict()))
    async with at_work(stage, sessions) as workers:
        line = {"agent": "monitor", "event": "stream_event", "monitor": "theirs", "key": theirs.key}
        append(str(stage.path), line | {"stream": "hub", "task": "T-1"})
        await workers.take(theirs)
        await workers.take(event("T-2"))
        await stage.until(lambda: "decision done" in stage.states().get("T-2", ()))
    assert "T-1" not in stage.states()
    assert all(job.task == "T-2" for job in Jobs(stage.path).all())


STEPS = st.lists(st.integers(0, 4) | st.just("restart"), min_size=1, max_size=12)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_in_whatever_order_events_come_again_each_is_decided_on_once(steps, stage: Stage, tmp_path: Path) -> None:
    with TemporaryDirectory(dir=tmp_path) as folder:
        here = Stage(Path(folder))
        sessions = PlayedSessions(always(verdict()))

        async def play() -> None:
            wanted = {f"T-{step}" for step in steps if step != "restart"}
            left = list(steps)
            while left:
                async with at_work(here, sessions, here.config(cool_down=0.0)) as workers:
                    while left and (step := left.pop(0)) != "restart":
                        await workers.take(event(f"T-{step}"))
                    if not left:
                        await here.until(lambda: all("decision done" in here.states()[task] for task in wanted))
            assert sorted(line["task"] for line in here.lines("stream_event")) == sorted(wanted)

        asyncio.run(play())
        assert all(states.count("decision done") == 1 for states in here.states().values())


# E05: a storm


async def test_in_a_storm_the_queue_is_bounded_caps_hold_and_what_is_dropped_is_told(stage: Stage) -> None:
    sessions = PlayedSessions(for_ever)
    async with at_work(stage, sessions, stage.config(queue=5, max_decisions=2)) as workers:
        for number in range(2000):
            await workers.take(event(f"T-{number}"))
        await stage.until(lambda: len(sessions.sessions) == 2)
    running = [task for task, states in stage.states().items() if "decision running" in states]
    assert len(running) == 2
    assert sessions.most["decisions"] == 2
    dropped = [line for line in stage.lines("stream_event") if line["outcome"] == "dropped"]
    assert sum(line.get("count", 1) for line in dropped) == 2000 - len(stage.states())
    assert len(stage.states()) <= 5 + 2
    assert len(dropped) < 20


async def test_an_urgent_one_takes_the_place_of_what_can_wait(stage: Stage) -> None:
    sessions = PlayedSessions(for_ever)
    async with at_work(stage, sessions, stage.config(queue=2, max_decisions=1)) as workers:
        for number in range(4):
            await workers.take(event(f"T-{number}"))
            await stage.until(lambda: sessions.sessions)
        await workers.take(event("hot", status="todo", priority="urgent"))
    assert stage.states()["hot"] == ["decision queued"]
    assert stage.states()["T-2"] == ["decision queued", "decision dropped"]


# E06: what an event may not ask for


@pytest.mark.parametrize(
    ("task", "data"),
    [("../../etc", {}), ("x; rm -rf ~", {}), ("T-1", {"command": ["sh"]}), ("T-1", {"template": "../../secret"})],
)
async def test_an_event_that_asks_for_what_none_may_is_refused_and_written_down(stage: Stage, task, data) -> None:
    sessions = PlayedSessions(always(verdict()))
    async with at_work(stage, sessions) as workers:
        await workers.take(StreamEvent("hub", "1", task, "done", data=data))
        await workers.take(event("T-9"))
        await stage.until(lambda: "decision done" in stage.states().get("T-9", ()))
    refused = [line for line in stage.lines("stream_event") if line["outcome"] == "refused"]
    assert len(refused) == 1
    assert refused[0]["why"]
    assert [made["name"][:10] for made in sessions.created] == ["decide-t-9"]


async def test_lines_that_anybody_may_write_start_nothing(stage: Stage) -> None:
    job = {"agent": "monitor", "event": "worker", "worker": "ab" * 8, "kind": "execution", "task": "x"}
    for state in ("queued", "asked", "running"):
        append(str(stage.path), job | {"state": state, "prompt": "rm -rf ~", "session": "work-x"})
    sessions = PlayedSessions(always(verdict()), always(said("done")))
    async with at_work(stage, sessions) as workers:
        await workers.take(event("T-9"))
        await stage.until(lambda: "decision done" in stage.states().get("T-9", ()))
    assert [made["agent"] for made in sessions.created] == ["judge"]


# Reporting


async def test_what_became_of_a_worker_is_on_the_standard_input_of_the_users_program(
    stage: Stage, tmp_path: Path
) -> None:
    import sys

    heard = tmp_path / "heard.json"
    writes = f"import sys, pathlib; pathlib.Path({str(heard)!r}).write_text(sys.stdin.read(), encoding='utf-8')"
    program = (sys.executable, "-c", writes)
    async with at_work(stage, PlayedSessions(always(verdict())), stage.config(report=program)) as workers:
        await workers.take(event("T-1"))
        await stage.until(lambda: Jobs(stage.path).all() == [] and heard.exists())
    told = json.loads(heard.read_text(encoding="utf-8"))
    assert (told["task"], told["kind"], told["outcome"], told["cause"]) == ("T-1", "decision", "done", "T-1:done")


async def test_settings_that_change_count_for_what_comes_then(stage: Stage) -> None:
    sessions = PlayedSessions(always(verdict()))
    async with at_work(stage, sessions) as workers:
        skipping = Config(workers=stage.config().workers, decide=(read_decide({"status": "done", "skip": True}),))
        await workers.use(skipping)
        await workers.take(event("T-1"))
        await workers.use(stage.config())
        await workers.take(event("T-2"))
        await stage.until(lambda: "decision done" in stage.states().get("T-2", ()))
    assert list(stage.states()) == ["T-2"]
