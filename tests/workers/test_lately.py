"""What was refused, done or is under way: no decision asks it again, and each is told of it."""

from __future__ import annotations

from datetime import UTC, datetime

from collab_tui.registry.append import append
from tests.workers.stage import PlayedSession, PlayedSessions, Stage, always, at_work, event, for_ever, said, verdict

HOUR = 3600.0


class Heard(PlayedSessions):
    """Remembers what decision workers were told."""

    def __init__(self, *plays) -> None:
        super().__init__(*plays)
        self.decisions: list[PlayedSession] = []

    async def create_session(self, agent, **given):
        session = await super().create_session(agent, **given)
        if given.get("is_read_only"):
            self.decisions.append(session)
        return session

    def told(self) -> str:
        """The last."""
        return self.decisions[-1].prompts[0]


def dropped(stage: Stage, task: str) -> list[str | None]:
    return [one.outcome for one in stage.board().workers if one.task == task and one.state == "dropped"]


async def decided(stage: Stage, workers, *tasks: str) -> None:
    for task in tasks:
        await workers.take(event(task))
        await stage.until(lambda task=task: "decision done" in stage.states().get(task, ()))


async def test_what_the_person_refused_is_not_asked_again_for_a_day_also_after_a_restart(stage: Stage) -> None:
    sessions = Heard(always(verdict("T-2")))
    async with at_work(stage, sessions) as workers:
        await decided(stage, workers, "T-1")
        assert "T-2" not in sessions.told()
        await stage.until(lambda: "execution asked" in stage.states()["T-2"])
        stage.decide("rejected", 'too "early"')
        await stage.until(lambda: "execution refused" in stage.states()["T-2"])
    async with at_work(stage, sessions) as workers:
        await decided(stage, workers, "T-3", "T-4")
        assert "- refused " in sessions.told()
        assert """"T-2", "do T-2": "human said no: too 'early'\"""" in sessions.told()
        assert sessions.told().index("- refused") < sessions.told().index("End your reply")
    assert dropped(stage, "T-2") == ['it was refused less than a day ago: human said no: too "early"']
    (told,) = {one.outcome for one in stage.board().workers if one.task in ("T-3", "T-4")}
    assert told.startswith("so it is; not begun again: T-2 (it was refused")
    assert len(stage.board().requests) == 1

    service = stage.service(lambda: datetime.now(UTC).timestamp() + 25 * HOUR)
    await service.start(sessions, stage.config())
    try:
        await decided(stage, service, "T-5")
        await stage.until(lambda: len(stage.board().requests) == 2)
        assert "- refused " not in sessions.told()
    finally:
        await service.end()


async def test_what_was_done_is_not_begun_again_within_an_hour_but_what_has_another_title_is(stage: Stage) -> None:
    replies = iter([verdict("T-2"), verdict("T-2"), said(verdict("T-2").text.replace("do T-2", "mend T-2"))])

    async def judges(prompt: str):
        return next(replies)

    sessions = Heard(judges, always(said("ok")))
    async with at_work(stage, sessions, stage.config(start="auto")) as workers:
        await decided(stage, workers, "T-1")
        await stage.until(lambda: "execution done" in stage.states()["T-2"])
        done = next(one.id for one in stage.board().workers if one.task == "T-2")
        await decided(stage, workers, "T-3")
        assert "- done " in sessions.told()
        assert dropped(stage, "T-2") == [f"the worker {done} did the same less than an hour ago"]
        await decided(stage, workers, "T-4")
        await stage.until(lambda: stage.states()["T-2"].count("execution done") == 2)


async def test_however_many_decisions_name_what_is_at_work_that_is_told_in_one_line(stage: Stage) -> None:
    sessions = Heard(always(verdict("same")), for_ever)
    async with at_work(stage, sessions, stage.config(start="auto")) as workers:
        await decided(stage, workers, "T-1")
        await stage.until(lambda: "execution running" in stage.states().get("same", ()))
        await decided(stage, workers, *(f"T-{number}" for number in range(2, 6)))
        assert "- at work for " in sessions.told()
    assert stage.states()["same"].count("execution dropped") == 1
    assert stage.states()["same"].count("execution queued") == 1


async def test_a_question_that_was_withdrawn_is_no_refusal(stage: Stage) -> None:
    sessions = Heard(always(verdict("T-2")))
    async with at_work(stage, sessions) as workers:
        await decided(stage, workers, "T-1")
        await stage.until(lambda: "execution asked" in stage.states()["T-2"])
        (request,) = stage.board().requests
        append(str(stage.path), {"agent": "monitor", "event": "request_withdrawn", "request_id": request.id})
        await stage.until(lambda: "execution refused" in stage.states()["T-2"])
        await decided(stage, workers, "T-3")
        await stage.until(lambda: stage.states()["T-2"].count("execution asked") == 2)
