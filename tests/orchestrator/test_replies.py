"""What is read out of what an agent gave, what its tasks may carry, and what is refused with the reason."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.orchestrator.agent import WorkError
from collab_tui.orchestrator.plan import ReplyKind, Task
from collab_tui.orchestrator.replies import MOST_TASKS, Plan, Verdict, read
from collab_tui.protocol.asked_for import FORBIDDEN

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    # what half an emoji becomes is the values' own business
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=12,
)


def fenced(value: Any) -> str:
    return f"I looked.\n\n```json\n{json.dumps(value)}\n```\n"


def why_not(reply: ReplyKind, given: Any) -> str:
    with pytest.raises(WorkError) as error:
        read(reply, given)
    assert "\n" not in str(error.value)
    return str(error.value)


def task(**more: Any) -> dict[str, Any]:
    return {"plan": "so", "tasks": [{"key": "api", "role": "executor", **more}]}


@given(JSON)
def test_json_is_the_same_as_a_value_in_a_fence_and_alone(value: Any) -> None:
    assert read(ReplyKind.JSON, fenced(value)) == value
    assert read(ReplyKind.JSON, json.dumps(value)) == value
    if not isinstance(value, str):
        assert read(ReplyKind.JSON, value) == value


@given(st.text() | st.dictionaries(st.text(max_size=8), JSON), st.sampled_from([ReplyKind.PLAN, ReplyKind.VERDICT]))
def test_whatever_an_agent_says_is_read_or_refused(words: Any, reply: ReplyKind) -> None:
    with suppress(WorkError):
        assert isinstance(read(reply, words), Plan | Verdict)


def test_text_is_the_words_as_they_are_and_a_value_is_the_agents_own_no_more() -> None:
    assert read(ReplyKind.TEXT, fenced(1)) == fenced(1)
    kept = {"files": ["a.py"]}
    value = read(ReplyKind.TEXT, kept)
    kept["files"].append("b.py")
    assert value == {"files": ["a.py"]}
    assert read(ReplyKind.TEXT, (1, 2)) == [1, 2]


@pytest.mark.parametrize("given", [{1, 2}, float("nan"), object(), {"a": b"x"}])
def test_what_is_no_json_is_refused(given: Any) -> None:
    assert why_not(ReplyKind.TEXT, given).startswith("what it gave cannot be a value: ")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "its reply cannot be read: there is no JSON in the reply"),
        (
            "I am done.",
            "cannot be read: it is not JSON: Expecting value: line 1 column 1 (char 0); it begins 'I am done.'",
        ),
        ('```\n{"a": 1, "a": 2}\n```', "a key is there twice"),
        ("NaN", "NaN is no number of JSON"),
        ("[" * 100_000, "its reply cannot be read: it is not JSON: "),
    ],
)
def test_words_without_json_say_what_is_missing(words: str, why: str) -> None:
    assert why in why_not(ReplyKind.JSON, words)


def test_a_plan_may_add_tasks() -> None:
    told = task(title="The\n API", prompt="write it", needs=["plan", "docs/*"], gives="spec", priority=3)
    told["tasks"].append({"key": "plan/two", "role": "executor", "review": "validator", "data": {"path": "a.py"}})
    plan = read(ReplyKind.PLAN, fenced(told))
    assert plan == Plan(
        "so",
        (
            Task("api", "executor", "The API", "write it", ("plan", "docs/*"), "spec", 3),
            Task("plan/two", "executor", review="validator", data={"path": "a.py"}),
        ),
    )
    assert read(ReplyKind.PLAN, {"plan": {"steps": 2}}) == Plan({"steps": 2}, ())


@pytest.mark.parametrize("name", sorted(FORBIDDEN - {"prompt"} | {"agent", "session", "Command", "worktree"}))
def test_a_task_that_says_what_is_to_be_started_is_refused(name: str) -> None:
    assert f"names {name}: what is started, and where, is not an agent's to say" in why_not(
        ReplyKind.PLAN, task(**{name: "sh"})
    )


@pytest.mark.parametrize("name", ["needs_approval", "timeout", "retries", "on_error", "rounds", "expires"])
def test_a_task_that_would_loosen_what_the_person_set_is_refused(name: str) -> None:
    assert why_not(ReplyKind.PLAN, task(**{name: False})) == (
        f"task 1 of the plan names {name}: that is the person's to say"
    )


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ([], "the plan is an object with plan, tasks"),
        ({"tasks": []}, "the plan has no plan"),
        ({"plan": "so", "task": []}, "the plan has 'task', and may have plan, tasks only"),
        ({"plan": "so", "tasks": {}}, "tasks of the plan is a list"),
        ({"plan": "so", "tasks": [{}] * (MOST_TASKS + 1)}, f"adds {MOST_TASKS + 1} tasks, and may add {MOST_TASKS}"),
        ({"plan": "so", "tasks": ["api"]}, "task 1 of the plan is an object"),
        ({"plan": "so", "tasks": [{"key": "api"}]}, "task 1 of the plan has no role"),
        ({"plan": "so", "tasks": [{"role": "executor"}]}, "task 1 of the plan has no key"),
        (task(key=7), "key of task 1 of the plan is a text"),
        (task(needs="plan"), "needs of task 1 of the plan is a list of keys"),
        (task(needs=[7]), "needs of task 1 of the plan is a list of keys"),
        (task(priority=True), "priority of task 1 of the plan is a whole number"),
        (task(priority=10**9), "priority of task 1 of the plan is a whole number"),
        (task(data=[]), "data of task 1 of the plan is an object"),
        (task(data={"cmd": "sh"}), "data of task 1 of the plan names cmd: what is started is not a plan's to say"),
        (task(title=7), "title of task 1 of the plan is a text"),
    ],
)
def test_a_plan_that_cannot_be_followed_says_where_and_why(plan: Any, why: str) -> None:
    assert why in why_not(ReplyKind.PLAN, plan)
    assert why in why_not(ReplyKind.PLAN, fenced(plan))


def test_a_verdict_approves_or_rejects_with_reasons() -> None:
    approved = read(ReplyKind.VERDICT, fenced({"verdict": "approved"}))
    assert approved == Verdict(True, ())
    assert approved.document() == {"verdict": "approved", "reasons": []}
    rejected = read(ReplyKind.VERDICT, {"verdict": "rejected", "reasons": ["one", "two\nlines"]})
    assert rejected == Verdict(False, ("one", "two\nlines"))
    assert rejected.comment == "one\ntwo\nlines"
    assert read(ReplyKind.VERDICT, rejected.document()) == rejected
    assert read(ReplyKind.VERDICT, {"verdict": "rejected", "reasons": "one"}).reasons == ("one",)


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        ({}, "verdict is approved or rejected, and missing"),
        ({"verdict": True}, "verdict is approved or rejected, not true"),
        ({"verdict": ["approved"]}, "verdict is approved or rejected, not a list"),
        ({"verdict": "approved | rejected", "reasons": []}, "rejected, not 'approved | rejected'"),
        ({"verdict": "rejected"}, "a verdict that rejects says why"),
        ({"verdict": "rejected", "reasons": [" "]}, "a verdict that rejects says why"),
        ({"verdict": "rejected", "reasons": [7]}, "reasons of the verdict is a text"),
        ({"verdict": "rejected", "reasons": {}}, "reasons of the verdict is a list"),
        ({"verdict": "approved", "next": []}, "the verdict has 'next'"),
        ({"verdict": "approved", "command": "sh"}, "the verdict names command"),
    ],
)
def test_what_is_no_verdict_says_what_is_wrong(verdict: Any, why: str) -> None:
    assert why in why_not(ReplyKind.VERDICT, fenced(verdict))


def test_what_is_no_json_is_told_what_a_plan_or_a_verdict_looks_like() -> None:
    for reply in (ReplyKind.PLAN, ReplyKind.VERDICT):
        _, _, shown = why_not(reply, "hello").partition("; one looks like this: ")
        assert isinstance(read(reply, shown), Plan | Verdict)
