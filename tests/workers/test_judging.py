"""Which events need a decision, what a verdict may say, and what nobody outside may ask for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.config.values import WrongError
from collab_tui.config.workers import Priority, read_decide
from collab_tui.model.text import clean, one_line
from collab_tui.workers.needs_decision import HIGH_PRIORITY, TASK_COMPLETED, Need, needs_decision
from collab_tui.workers.screening import why_no_task, why_refused
from collab_tui.workers.stream_event import StreamEvent
from collab_tui.workers.verdict import (
    MAX_NEXT,
    NextTask,
    RefusedVerdictError,
    Verdict,
    VerdictError,
    read_verdict,
)

DONE = StreamEvent("hub", "7", "T-12", "done", "normal", "api", "Log in with a passkey")
TEXT = st.text(max_size=60)
EVENTS = st.builds(
    StreamEvent,
    st.sampled_from(["hub", "ci"]),
    TEXT,
    TEXT,
    st.none() | st.sampled_from(["done", "todo", "DONE", "in_progress"]) | TEXT,
    st.sampled_from([*Priority, "critical", "P9"]),
    st.none() | TEXT,
    st.none() | TEXT,
)
RULES = st.lists(
    st.fixed_dictionaries(
        {"status": st.sampled_from(["done", "todo", "review"])},
        optional={
            "priority": st.sampled_from([p.value for p in Priority]),
            "title": st.sampled_from(["a", ["security", "x"]]),
        },
    ).flatmap(lambda rule: st.sampled_from([rule, rule | {"skip": True}, rule | {"template": "mine"}])),
    max_size=4,
).map(lambda rules: [read_decide(rule) for rule in rules])


# Which events


@pytest.mark.parametrize(
    ("status", "priority", "expected"),
    [
        ("done", "low", TASK_COMPLETED),
        ("Completed", "low", TASK_COMPLETED),
        ("todo", "high", HIGH_PRIORITY),
        ("TODO", "critical", HIGH_PRIORITY),
        ("todo", "normal", None),
        ("in_progress", "urgent", None),
        (None, "urgent", None),
    ],
)
def test_a_task_that_is_done_and_an_urgent_one_to_do_need_a_decision(status, priority, expected) -> None:
    need = needs_decision(StreamEvent("hub", "1", "T-1", status, priority))
    assert (need and need.template) == expected


def test_the_first_rule_that_holds_decides() -> None:
    rules = [
        read_decide({"status": "done", "project": "docs", "skip": True}),
        read_decide({"title": ["passkey", "oauth"], "template": "security"}),
        read_decide({"status": "done", "skip": True}),
    ]
    assert needs_decision(replace(DONE, project="docs"), rules) is None
    assert needs_decision(DONE, rules) == Need("security", "the settings say so (passkey or oauth -> security)")
    assert needs_decision(replace(DONE, title="Colours"), rules) is None
    assert (
        needs_decision(replace(DONE, title="Colours", status="todo", priority="high"), rules).template == HIGH_PRIORITY
    )


@given(event=EVENTS, rules=RULES)
def test_rules_that_do_not_hold_change_nothing_and_none_reads_what_others_wrote_as_a_template(event, rules) -> None:
    need = needs_decision(event, rules)
    assert need is None or need.template in {TASK_COMPLETED, HIGH_PRIORITY, "mine"}
    if all(rule.status != event.status for rule in rules):
        assert need == needs_decision(event)
    elif rules[0].status == event.status and not rules[0].title and rules[0].priority is None:
        assert (need is None) == rules[0].is_skipped


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({}, "it looks for nothing"),
        ({"skip": True}, "it looks for nothing"),
        ({"status": "done", "skip": True, "template": "x"}, "skip needs no template"),
        ({"status": "done", "template": "../x"}, "the name of a template"),
        ({"priority": "soon"}, "urgent, high, normal or low"),
        ({"command": "sh"}, "unknown key"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_told(table, told) -> None:
    with pytest.raises(WrongError, match=told):
        read_decide(table)


# What an event may say


@given(event=EVENTS)
def test_whatever_an_event_says_its_texts_are_short_clean_lines(event) -> None:
    for text in (event.stream, event.event_id, event.task, event.status, event.project, event.title):
        assert text is None or (len(text) <= 300 and text == one_line(clean(text)))
    assert event.priority in set(Priority)


@pytest.mark.parametrize(
    "task",
    [
        "../x",
        "a/../../b",
        "/etc/passwd",
        "x;rm -rf ~",
        "$(id)",
        "`id`",
        "-rf",
        "a b",
        "a\nb",
        "",
        "x" * 121,
        "a|b",
        "~x",
    ],
)
def test_a_task_that_is_called_like_a_path_or_a_command_is_refused(task) -> None:
    assert why_refused(StreamEvent("hub", "1", task, "done")) is not None


@pytest.mark.parametrize("key", ["command", "Template", "cwd", "env", "args"])
def test_an_event_that_would_say_what_is_started_is_refused(key) -> None:
    why = why_refused(replace(DONE, data={"task_id": "T-12", key: "x"}))
    assert why is not None
    assert key in why
    assert why_refused(replace(DONE, data={"task_id": "T-12", "assignee": "sena"})) is None


# Verdicts

TASK = {"task": "T-13", "title": "Tests", "order": 1, "priority": "high", "why": "it is not tested"}
VERDICT = {"next": [TASK], "why": "tests are missing"}


@pytest.mark.parametrize(
    "reply",
    [
        json.dumps(VERDICT),
        f"I looked.\n\n```json\n{json.dumps(VERDICT, indent=2)}\n```\n",
        f'First:\n```json\n{{"next": [], "why": "no"}}\n```\nNo:\n```\n{json.dumps(VERDICT)}\n```',
    ],
)
def test_a_verdict_is_the_last_fenced_block_or_the_whole_reply(reply) -> None:
    assert read_verdict(reply) == Verdict(
        (NextTask("T-13", "it is not tested", "Tests", 1, "high"),), "tests are missing"
    )


def test_the_tasks_of_a_verdict_come_in_its_order() -> None:
    tasks = [TASK | {"task": name, "order": order} for name, order in (("c", 3), ("a", 1), ("b", 2))]
    assert [task.task for task in read_verdict(json.dumps(VERDICT | {"next": tasks})).next] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("", "no JSON"),
        ("I think T-13.", "not JSON"),
        ("[]", "an object"),
        (json.dumps({"next": []}), "why of the verdict"),
        (json.dumps(VERDICT | {"next": [TASK] * 2}), "twice"),
        (json.dumps(VERDICT | {"next": [TASK | {"task": f"t{n}"} for n in range(MAX_NEXT + 1)]}), "may have 10"),
        (json.dumps(VERDICT | {"next": [TASK | {"order": 1.5}]}), "no whole number"),
        (json.dumps(VERDICT | {"next": [TASK | {"order": True}]}), "whole number"),
        (json.dumps(VERDICT | {"next": [TASK | {"priority": "soon"}]}), "priority"),
        (json.dumps(VERDICT | {"next": [TASK | {"why": " "}]}), "why of task 1"),
        (json.dumps(VERDICT | {"next": [TASK | {"note": "x"}]}), "'note'"),
        ('{"next": [], "why": "a", "why": "b"}', "twice"),
        ("[" * 100_000, "characters"),
        ("[" * 60_000, "not JSON"),
    ],
)
def test_what_is_no_verdict_is_told_so_that_it_can_be_mended(reply, told) -> None:
    with pytest.raises(VerdictError, match=told):
        read_verdict(reply)


@pytest.mark.parametrize(
    "verdict",
    [
        VERDICT | {"command": ["sh"]},
        VERDICT | {"next": [TASK | {"template": "mine"}]},
        VERDICT | {"next": [TASK | {"cwd": "/"}]},
        VERDICT | {"next": [TASK | {"task": "../../etc"}]},
        VERDICT | {"next": [TASK | {"task": "x; rm -rf ~"}]},
    ],
)
def test_a_verdict_that_asks_for_what_none_may_is_refused(verdict) -> None:
    with pytest.raises(RefusedVerdictError):
        read_verdict(json.dumps(verdict))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["next", "why", "task", "order", "priority", "title", "command"]), inner)
    ),
    max_leaves=12,
)


@given(value=JSON | TEXT)
def test_whatever_a_worker_replies_is_a_verdict_within_bounds_or_is_told_to_be_none(value) -> None:
    try:
        verdict = read_verdict(value if isinstance(value, str) else json.dumps(value))
    except (VerdictError, RefusedVerdictError):
        return
    assert len(verdict.next) <= MAX_NEXT
    assert all(why_no_task(task.task) is None for task in verdict.next)
    assert read_verdict(json.dumps(verdict.document())) == verdict
