"""What is told of a pipeline that cannot be run, and of what an agent must not add."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from collab_tui.config.source import Source
from collab_tui.model.runs import TaskState
from collab_tui.orchestrator import checking
from collab_tui.orchestrator.agent import Assignment, Given, Surroundings, Worker
from collab_tui.orchestrator.checking import added, check, problems
from collab_tui.orchestrator.jobs import Job
from collab_tui.orchestrator.needs import Needs
from collab_tui.orchestrator.plan import Pipeline, PipelineError, Policy, Role, Task


class Idle:
    """An agent that is never asked to work."""

    told = "idle"

    def __init__(self, *, keeps_seat: bool = False) -> None:
        self.keeps_seat = keeps_seat

    async def check(self, surroundings: Surroundings) -> None: ...

    def seated(self, seat: str, surroundings: Surroundings) -> Worker:
        return self

    async def work(self, assignment: Assignment) -> Given:
        raise AssertionError("nothing is to be done here")

    async def settle(self, task: str) -> None: ...

    async def close(self) -> None: ...


ROLES = {name: Role(name, Idle()) for name in ("planner", "executor", "validator")}


def found(*tasks: Task, roles: dict[str, Role] = ROLES, policy: Policy | None = None, **values: object) -> list[str]:
    return problems(Pipeline("trial", tasks, roles, policy=policy, values=values))


def test_a_whole_cycle_is_named() -> None:
    tasks = [
        Task("a", "executor", needs=("c",)),
        Task("b", "executor", needs=("a",)),
        Task("c", "executor", needs=("b",)),
    ]
    assert found(*tasks) == ["task a: these wait for each other: a needs c needs b needs a"]


def test_a_task_waits_for_all_that_is_below_it_never() -> None:
    (told,) = found(Task("plan", "planner", needs=("plan/*",)))
    assert "plan needs plan" in told


def test_what_nobody_gives_is_told_with_what_was_perhaps_meant() -> None:
    assert found(Task("plan", "planner"), Task("build", "executor", needs=("plann",))) == [
        "task build: it needs plann, which nothing gives; did you mean plan?"
    ]
    assert found(Task("build", "executor", needs=("goal", "language")), language="python") == []


def test_roles_that_are_not_there_or_have_no_agent() -> None:
    roles = {"executor": Role("executor")}
    assert found(Task("a", "executr"), Task("b", "executor", review="judge"), roles=roles) == [
        "role executor has no agent, and b needs it: give it one where the orchestrator is made",
        "task a: there is no role 'executr'; did you mean executor?",
        "task b: there is no role 'judge'; there are executor",
    ]
    assert found(Task("b", "executor"), roles={"executor": Role("executor", Idle())}) == []


def test_two_tasks_of_one_key_and_a_task_named_like_a_value() -> None:
    source = Source(Path("p.toml"), 3)
    assert found(Task("a", "executor", source=source), Task("a", "planner", source=Source(Path("p.toml"), 9))) == [
        "p.toml:9: task a: there are two of that key, also in p.toml:3"
    ]
    assert found(Task("language", "executor"), language="python") == [
        "task language: that is a value of the run already: give the task another key"
    ]


def test_two_that_give_one_key_come_one_after_the_other() -> None:
    first, second = Task("a", "executor", gives="draft"), Task("b", "executor", gives="draft")
    assert "gives draft, and so does a" in found(first, second)[0]
    assert found(first, Task("b", "executor", gives="draft", needs=("draft",))) == []
    between = Task("between", "executor", needs=("a",))
    assert found(first, between, Task("b", "executor", gives="draft", needs=("between",))) == []


def test_somebody_has_to_do_it() -> None:
    assert "nobody does it" in found(Task("release"))[0]
    assert found(Task("release", needs_approval=True)) == []
    assert "nothing to review" in found(Task("release", needs_approval=True, review="validator"))[0]
    assert found() == ["it has nothing to do: no task"]


def test_seats_that_are_kept_must_not_wait_for_each_other() -> None:
    roles = {name: Role(name, Idle(keeps_seat=True)) for name in ("a", "b", "c")}
    ring = [Task("x", "a", review="b"), Task("y", "b", review="a")]
    assert "may wait for ever" in found(*ring, roles=roles)[0]
    assert "may wait for ever" in found(Task("x", "a", review="a"), roles=roles)[0]
    assert found(Task("x", "a", review="b"), Task("y", "b", review="c"), roles=roles) == []


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (Task("a", "executor", timeout=0), "timeout is more than 0 seconds, not 0"),
        (Task("a", "executor", timeout=float("nan")), "timeout is more than 0 seconds, not nan"),
        (Task("a", "executor", retries=-1), "retries is at least 0, not -1"),
        (Task("a", "executor", backoff=float("inf")), "backoff is at least 0, and finite, not inf"),
        (Task("a", "executor", timeout=float("inf")), "timeout is more than 0 seconds, not inf"),
        (Task("a", "executor", gives="../x"), "gives has small letters"),
        (Task("a", "executor", gives="goal"), "the goal stays as it is"),
        (Task("a", "executor", data={"x": {1}}), "data is no JSON"),
        (Task("a", "executor", prompt="x" * 70_000), "prompt has 70,000 characters, and may have 65,536"),
        (Task("../a", "executor"), "a key of a task has small letters"),
    ],
)
def test_values_that_are_out_of_bounds(task: Task, told: str) -> None:
    assert any(told in text for text in found(task))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    tasks = [
        Task("b", "executor", needs=("nothing",), source=Source(Path("p.toml"), 20)),
        Task("a", "nobody", retries=-1, source=Source(Path("p.toml"), 5)),
    ]
    roles = {"executor": Role("executor", Idle(), size=0, source=Source(Path("p.toml"), 1))}
    with pytest.raises(PipelineError) as error:
        check(Pipeline("trial", tasks, roles, policy=Policy(most_tasks=1)))
    lines = str(error.value).splitlines()
    assert len(lines) == 5
    assert [line.split(" ")[0] for line in lines[1:]] == ["p.toml:1:", "p.toml:5:", "p.toml:5:", "p.toml:20:"]


def test_needs_as_one_text_are_told_as_such_and_not_letter_by_letter() -> None:
    needs: Any = "plan"
    assert found(Task("plan", "planner"), Task("build", "executor", needs=needs)) == [
        "task build: needs is a list of keys, not one text: write ('plan',)"
    ]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"x": object()}, "value x: a value is JSON, and object is none of it"),
        ({"x": float("nan")}, "value x: nan is no number of JSON"),
        ({"X Y": 1}, "value 'X Y': a key has small letters, digits, - _ . and /, at most 200"),
        ({"goal": 1}, "value goal: that is the goal of the run: give it there"),
    ],
)
def test_values_that_cannot_stand_on_the_blackboard(values: dict[str, Any], told: str) -> None:
    assert found(Task("a", "executor"), **values) == [told]


def test_what_no_line_could_say_is_told_before_there_is_one() -> None:
    told = problems(
        Pipeline("trial", [Task("a", "executor")], ROLES, policy=Policy(grace=float("inf")), goal="x" * 70_000)
    )
    assert told == [
        "policy: grace is at least 0, and finite, not inf",
        "the goal has 70,000 characters, and may have 65,536",
    ]


# What an agent adds

RUN = {task.key: task for task in (Task("plan", "planner"), Task("docs", "executor", needs=("plan/*",)))}


def add(
    *tasks: Task, by: str = "plan", depth: int = 0, policy: Policy | None = None, needs: Needs | None = None
) -> Sequence[Task]:
    policy = policy or Policy()
    known, values = RUN, {"goal"}
    return added(
        tasks, by, depth=depth, known=known, roles=ROLES, keeping=(), values=values, policy=policy, needs=needs
    )


def test_what_is_added_stands_below_its_adder_and_needs_its_siblings_first() -> None:
    first, second, third = add(
        Task("api", "executor"),
        Task("plan/ui", "executor", needs=("api", "goal", "plan/api")),
        Task("all", "validator", needs=("ui/*",)),
    )
    assert (first.key, second.key, second.needs) == ("plan/api", "plan/ui", ("plan/api", "goal", "plan/api"))
    assert third.needs == ("plan/ui/*",)


def test_what_is_added_must_not_wait_for_what_waits_for_it() -> None:
    with pytest.raises(PipelineError, match=r"docs needs plan/late needs docs|plan/late needs docs needs plan/late"):
        add(Task("late", "executor", needs=("docs",)))


def test_nothing_is_added_of_what_has_a_mistake() -> None:
    with pytest.raises(PipelineError) as error:
        add(
            Task("good", "executor"),
            Task("bad", "nobody"),
            Task("worse", "executor", needs=("nothing",)),
            Task("a/b", "executor"),
        )
    assert len(error.value.problems) == 3


def standing(*done: str) -> Needs:
    """What is met once these tasks are done, of the run."""
    needs = Needs(("goal",))
    for number, task in enumerate(RUN.values()):
        job = Job(task, number, 0, None)
        needs.register(job)
        if task.key in done:
            job.state = TaskState.DONE
            list(needs.over(job))
    return needs


def test_what_only_waits_for_what_is_there_is_looked_at_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    add_graph = checking._Wrong.add_graph

    def noting(wrong: Any, tasks: Sequence[Task], values: Collection[str]) -> None:
        looked_at.append(len(tasks))
        add_graph(wrong, tasks, values)

    monkeypatch.setattr(checking._Wrong, "add_graph", noting)
    add(Task("api", "executor", needs=("goal", "plan")), Task("ui", "executor", needs=("api",)), needs=standing())
    assert looked_at == [2]
    with pytest.raises(PipelineError, match="wait for each other"):
        add(Task("api", "executor", needs=("ui",)), Task("ui", "executor", needs=("api",)), needs=standing())
    with pytest.raises(PipelineError, match="wait for each other"):
        add(Task("api", "executor", needs=("docs",)), needs=standing())
    assert looked_at == [2, 2, 3]
    with pytest.raises(PipelineError, match="nothing gives"):
        add(Task("api", "executor", needs=("nothing",)), needs=standing())


def test_how_much_is_added_is_bounded() -> None:
    with pytest.raises(PipelineError, match="may add nothing more"):
        add(Task("more", "executor"), depth=5)
    with pytest.raises(PipelineError, match="would have 3 tasks, and may have 2"):
        add(Task("more", "executor"), policy=Policy(most_tasks=2))
    with pytest.raises(PipelineError, match="there are two of that key"):
        add(Task("more", "executor"), Task("plan/more", "executor"))


def test_the_reviewer_of_a_role_judges_what_is_added_for_it_whoever_its_adder_names() -> None:
    roles = ROLES | {"executor": Role("executor", Idle(), review="validator")}
    tasks = [Task("api", "executor"), Task("ui", "executor", review="planner"), Task("look", "planner")]
    whole = added(tasks, "plan", depth=0, known=RUN, roles=roles, keeping=(), values={"goal"}, policy=Policy())
    assert [task.review for task in whole] == ["validator", "validator", None]


def test_the_reviewer_of_a_role_is_there_and_has_an_agent() -> None:
    task = Task("build", "executor")
    roles = {"executor": Role("executor", Idle(), review="validater"), "validator": Role("validator")}
    assert "there is no role 'validater' to review" in found(task, roles=roles)[0]
    roles["executor"] = Role("executor", Idle(), review="validator")
    assert "role validator has no agent, and role executor needs it" in found(task, roles=roles)[0]


def test_what_is_added_gives_no_key_of_the_beginning_or_of_a_task_of_others() -> None:
    known = RUN | {"plan/old": Task("plan/old", "executor", gives="mine")}
    about = {"depth": 0, "known": known, "roles": ROLES, "keeping": (), "values": {"goal", "strict"}}
    for key in ("strict", next(iter(RUN))):
        with pytest.raises(PipelineError, match=f"{key} is not its to give"):
            added([Task("api", "executor", gives=key)], "plan", policy=Policy(), **about)
    again = Task("new", "executor", gives="mine", needs=("plan/old",))
    assert added([again], "plan", policy=Policy(), **about)[0].gives == "mine", "a further revision of its own"
