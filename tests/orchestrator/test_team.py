"""The default team: a pipeline without mistakes, in which those work beside each other who can, and its gate holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.runs import RunState, Work
from collab_tui.orchestrator import Orchestrator, Policy
from collab_tui.orchestrator.agent import Assignment
from collab_tui.orchestrator.agents import as_agent
from collab_tui.orchestrator.checking import problems
from collab_tui.orchestrator.prompts import BUILT_IN
from collab_tui.orchestrator.result import RunResult
from collab_tui.orchestrator.team import default_team
from tests.orchestrator.ground import lines_of, new_registry

_GOAL = "A page that counts words"


def test_the_default_team_is_a_pipeline_without_mistakes() -> None:
    team, agent = default_team(), as_agent(lambda: None)
    roles = {name: replace(role, agent=agent) for name, role in team.roles.items()}
    assert problems(replace(team, roles=roles)) == []
    assert tuple(team.roles) == BUILT_IN


def test_checks_and_documentation_start_from_the_plan_beside_the_executors() -> None:
    tasks = {task.key: task for task in default_team().tasks}
    assert tasks["plan"].needs == ("goal",)
    assert tasks["checks"].needs == tasks["draft"].needs == ("plan",)
    assert {"plan", "plan/*", "checks"} <= set(tasks["build"].needs), "it puts together what the planner's tasks made"
    assert tasks["build"].review == "validator"
    assert {"build", "draft"} <= set(tasks["docs"].needs)


def test_only_the_planner_adds_tasks_nothing_is_endless_and_what_fails_is_tried_again() -> None:
    team = default_team()
    assert [name for name, role in team.roles.items() if role.may_add] == ["planner"]
    assert [role.timeout for role in team.roles.values() if role.timeout is None] == []
    assert team.roles["executor"].size > 1
    assert team.roles["validator"].size > 1
    assert team.policy is not None
    assert team.policy.retries >= 1


# As callables


def plans(given: Assignment) -> Any:
    tasks = [{"key": key, "role": "executor", "prompt": f"Build the {key}."} for key in ("api", "page")]
    return {"plan": "an API and a page", "tasks": tasks}


def builds(given: Assignment) -> str:
    return f"{given.task.key}, {'; '.join(given.comments) or 'as planned'}"


def approves(given: Assignment) -> bool:
    return True


def documents(given: Assignment) -> str:
    return "how to use it"


class Team:
    """A registry, and what the team is asked there."""

    def __init__(self, folder: Path) -> None:
        self.path = new_registry(folder)

    def run(self, policy: Policy | None = None, **others: Callable[[Assignment], Any]) -> RunResult:
        team = {"planner": plans, "executor": builds, "validator": approves, "documenter": documents} | others
        return Orchestrator(self.path, team, policy, notice=lambda text: None).run_all(_GOAL)

    def reviewed(self) -> set[str]:
        lines = lines_of(self.path, lambda line: line.get("state") == "reviewing")
        return {line["task"] for line in lines}


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def test_four_callables_reach_a_goal_and_all_that_is_built_is_reviewed(team: Team) -> None:
    result = team.run()
    assert (result.state, dict(result.failures)) == (RunState.DONE, {})
    assert set(result.results) == {"plan", "plan/api", "plan/page", "checks", "draft", "build", "docs"}
    assert result.results["plan"] == "an API and a page"
    assert result.results["plan/api"] == "plan/api, as planned"
    assert team.reviewed() == {"plan/api", "plan/page", "build"}, "though the planner named no reviewer"


def test_a_planner_may_give_words_alone(team: Team) -> None:
    result = team.run(planner=lambda given: "just build it")
    assert (result.state, result.results["plan"]) == (RunState.DONE, "just build it")


def test_what_the_validator_rejects_goes_back_and_what_it_says_stays(team: Team) -> None:
    def judges(given: Assignment) -> Any:
        if given.work is Work.REVIEW and given.task.key == "build" and given.round == 1:
            return {"verdict": "rejected", "reasons": ["it does not count"]}
        return {"verdict": "approved", "reasons": ["it counts"]}

    result = team.run(validator=judges)
    assert result.state is RunState.DONE
    assert result.results["build"] == "build, it does not count"
    (done,) = lines_of(team.path, lambda line: line.get("task") == "build" and line.get("state") == "done")
    assert done["comment"] == "it counts"


def test_a_validator_that_gives_no_verdict_lets_nothing_pass(team: Team) -> None:
    prompts = list[str]()

    def judges(given: Assignment) -> str:
        if given.work is Work.REVIEW:
            prompts.append(given.prompt)
            assert len(prompts) == 1 or given.error == given.document()["error"]
        return "looks good"

    result = team.run(Policy(retries=1, grace=0.1), planner=lambda given: "just build it", validator=judges)
    assert result.state is RunState.FAILED
    assert "it gave words and no verdict" in result.failures["build"].error
    assert "docs" in result.failures
    first, second = prompts
    assert "it gave words and no verdict" not in first
    assert "it gave words and no verdict" in second, "it is told what was wrong"
