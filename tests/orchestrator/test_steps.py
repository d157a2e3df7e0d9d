"""What a run says of its seats and tasks, step by step."""

from __future__ import annotations

from collab_tui.orchestrator.agent import Assignment
from collab_tui.orchestrator.plan import Task
from tests.events import agent_of
from tests.orchestrator.ground import until
from tests.orchestrator.stage import GO_ON, Stage

_REVIEWED = Task("odd", "worker", review="judge")


async def test_a_seat_that_is_idle_has_no_progress_and_nothing_to_do_next(stage: Stage) -> None:
    seen: list[object] = []

    async def work(assignment: Assignment) -> str:
        assignment.report(40, None)
        await until(lambda: agent_of(stage.board(), assignment.seat).progress == 40)
        return "good"

    async def judge() -> bool:
        worker = agent_of(stage.board(), "worker-1-0a1b")
        seen.extend((worker.status, worker.progress, worker.next_action))
        return True

    await stage.run(_REVIEWED, worker=work, judge=judge)
    assert seen == ["idle", None, None]
    judged = agent_of(stage.board(), "judge-1-0a1b")
    assert (judged.status, judged.progress) == ("idle", None)


async def test_a_review_that_is_no_verdict_says_whose_it_was_and_what_it_said(stage: Stage) -> None:
    result = await stage.run(_REVIEWED, policy=GO_ON, worker=lambda: "good", judge=lambda: {"verdict": "perhaps"})
    assert result.failures["odd"].error == (
        "the review by judge-1-0a1b: verdict is approved or rejected, not 'perhaps'"
    )
