"""The default team, which a goal alone is enough for: it plans, builds, judges and documents at the same time.

    team = {"planner": plan, "executor": build, "validator": judge, "documenter": write}
    result = Orchestrator(registry, team).run_all("A page that counts words")

What a callable of each role gives (`agents.callables` has all that it may give, `assignment.task.key` tells which task
it is):

- planner (`plan`): how the goal is reached, in words; or `{"plan": words, "tasks": [{"key": "api", "role": "executor",
  "prompt": what is to be done}, ...]}`.
- executor (`build` and each task of the plan): what it did, any JSON value. Sent back, it finds why in
  `assignment.comments`.
- validator: of `checks` any JSON value; of a review (`assignment.work is Work.REVIEW`, the result is
  `assignment.candidate`) True, or `{"verdict": "rejected", "reasons": ["what has to change"]}`. One that always gives a
  verdict is fine for both.
- documenter (`draft`, `docs`): what it wrote, any JSON value.
"""

from __future__ import annotations

from dataclasses import replace

from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.orchestrator.pipelines import BUILT_IN
from collab_tui.orchestrator.plan import Pipeline


def default_team() -> Pipeline:
    """Planner, executors, validator and documenter, as the pipeline `team` has them: see `built_in/team.toml`.

    Who sits in them is given where the orchestrator is made.
    """
    file = read_pipeline(BUILT_IN / "team.toml")
    roles = {name: replace(role, agent=None, source=None) for name, role in file.roles.items()}
    return Pipeline(file.name, [replace(task, source=None) for task in file.tasks], roles, policy=file.policy)
