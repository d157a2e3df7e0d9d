"""Events for tests: helpers that go through bytes as a real registry does, and hypothesis strategies."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from collab_tui.model.board import Agent, Board, Request
from collab_tui.model.event import Event, Item, decode
from collab_tui.model.fold import Fold

START = datetime(2025, 10, 20, 9, 0, tzinfo=UTC)

Object = dict[str, Any]


def at(seconds: float) -> str:
    """A timestamp as we write it, so long after the start of the story."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(obj: object, *, ascii_only: bool = False) -> bytes:
    """One line of a registry, with its newline."""
    return json.dumps(obj, ensure_ascii=ascii_only).encode() + b"\n"


def lines(*objects: object) -> bytes:
    """A registry that holds these objects."""
    return b"".join(map(line, objects))


def items(*objects: object, first: int = 0) -> list[Item]:
    """What reading these objects gives."""
    return list(decode(lines(*objects), first))


def event(_position: int = 0, /, **fields: Any) -> Event:
    """One event, read from its line."""
    (item,) = items(fields, first=_position)
    assert isinstance(item, Event)
    return item


def says(agent: str, event_kind: str, /, **fields: Any) -> Object:
    """An event of an agent, as an object."""
    return {"agent": agent, "event": event_kind, **fields}


def updates(agent: str, /, **fields: Any) -> Object:
    """A `status_update`."""
    return says(agent, "status_update", **fields)


def asks(agent: str, request_id: str | None = None, /, **fields: Any) -> Object:
    """A `decision_request`."""
    return says(agent, "decision_request", **({"id": request_id} if request_id else {}), **fields)


def decides(agent: str, request_id: str | None = None, /, **fields: Any) -> Object:
    """A `decision`."""
    return says(agent, "decision", **({"request_id": request_id} if request_id else {}), **fields)


def fold_of(*objects: object, person: str = "human") -> Fold:
    """A fold that read these objects."""
    fold = Fold(person)
    fold.extend(items(*objects))
    return fold


def board_of(*objects: object, person: str = "human") -> Board:
    """The board that these objects make."""
    return fold_of(*objects, person=person).board()


def agent_of(board: Board, name: str) -> Agent:
    """The agent of that name, which must be there."""
    found = board.agent(name)
    assert found is not None, f"no agent {name}"
    return found


def request_of(board: Board, request_id: str) -> Request:
    """The request of that id, which must be there."""
    found = board.request(request_id)
    assert found is not None, f"no request {request_id}"
    return found


# Stories: few agents, requests and blockers, so that they get in each other's way.

AGENTS = ("sena", "lubit", "gitcode", "human")
REQUEST_IDS = ("r1", "r2", "r3", "r4")
BLOCKERS = ("db is down", "lubit_decision", "gitcode_ready", "sena_metrics")
STATUSES = (
    "waiting_for_lubit",
    "awaiting_sena_response",
    "waiting_for_human",
    "waiting",
    "blocked",
    "in_progress",
    "done",
    "idle",
    "failed",
    "pondering",
    "",
)


def _fields(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    return st.fixed_dictionaries({}, optional=optional)


_agent = st.sampled_from((*AGENTS, "Sena", "LUBIT "))
_status = st.sampled_from(STATUSES)
_declared = {
    "status": _status | st.none(),
    "progress": st.sampled_from((0, 30, "80%", 0.5, 150, "much", None)),
    "current_task": st.sampled_from(("ship", "test", None)),
    "task": st.sampled_from(("ship", "write")),
    "blockers": st.lists(st.sampled_from(BLOCKERS), max_size=2),
    "dependencies": st.lists(st.sampled_from(BLOCKERS), max_size=2),
    "next_action": st.sampled_from(("go", "")),
    "timestamp": st.integers(0, 9).map(at),
}
_BODIES: dict[str, st.SearchStrategy[Object]] = {
    "status_update": _fields(**_declared),
    "session_start": _fields(**_declared),
    "validation_started": _fields(**_declared),
    "session_end": _fields(status=_status),
    "decision_request": _fields(
        id=st.sampled_from(REQUEST_IDS),
        status=_status,
        target=_agent,
        request=st.just("go?"),
        current_task=st.just("t"),
    ),
    "decision": _fields(
        request_id=st.sampled_from(REQUEST_IDS),
        decision_for=st.sampled_from(("sena_metrics", "lubit", "r1", "go?")),
        target=_agent,
        verdict=st.sampled_from(("approved", "rejected")),
        resolved_blockers=st.lists(st.sampled_from(BLOCKERS), max_size=2),
        status=_status,
    ),
    "request_withdrawn": _fields(request_id=st.sampled_from(REQUEST_IDS)),
    "blocker": _fields(blocker=st.sampled_from((*BLOCKERS, "resolved")), status=_status),
    "blocker_resolved": _fields(blocker=st.sampled_from(BLOCKERS), target=_agent),
    "completion": _fields(current_task=st.just("ship"), status=_status),
    "message": _fields(target=_agent, message=st.just("hi")),
}


@st.composite
def _told(draw: st.DrawFn) -> Object:
    kind = draw(st.sampled_from(sorted(_BODIES)))
    return {"agent": draw(_agent), "event": kind, **draw(_BODIES[kind])}


stories: st.SearchStrategy[list[Object]] = st.lists(_told(), max_size=25)
"""Event sequences as agents that know our words write them."""

# Sessions and workers: what a monitor writes, and what others write in its name or under its words.

WORK_KINDS = ("session_start", "session_observed", "session_end", "command", "command_result", "stream_state", "worker")
_WORDS = (
    "working",
    "idle",
    "lost",
    "running",
    "done",
    "failed",
    "queued",
    "connected",
    "retrying",
    "decision",
    1,
    None,
)
_work = st.fixed_dictionaries(
    {"agent": st.sampled_from(("monitor", "sena", "Monitor")), "event": st.sampled_from((*WORK_KINDS, "stream_event"))},
    optional={
        "id": st.sampled_from(("c1", "c2")),
        "run": st.sampled_from(("a", "b")),
        "worker": st.sampled_from(("w1", 2, [])),
        "command_id": st.sampled_from(("c1", "c2", {})),
        "stream": st.sampled_from(("hub", "hub2", 3)),
        "target": _agent,
        "observed": st.sampled_from(_WORDS),
        "state": st.sampled_from(_WORDS),
        "kind": st.sampled_from(_WORDS),
        "verdict": st.sampled_from(({}, {"next": []}, "yes")),
        "took_ms": st.integers(-1, 5) | st.booleans(),
        "timestamp": st.integers(0, 9).map(at),
    },
)
work_stories: st.SearchStrategy[list[Object]] = st.lists(_work | _told(), max_size=25)
"""Event sequences of monitors, and of whoever writes the same words."""

# Runs: what an orchestrator and its seats write, and what others write under their words.

RUN_KINDS = ("run_started", "run_tasks", "run_task", "run_value", "run_resumed", "run_ended")
TEAM = ("lead", "w-1", "w-2", "v-1")
POOLS = (
    {"role": "worker", "agent": "python", "seats": ["w-1", "w-2"]},
    {"role": "validator", "agent": "python", "seats": ["v-1"]},
)
_keys = st.sampled_from(("plan", "build", "docs", "plan/a", "plan/b"))
_task = st.fixed_dictionaries(
    {"key": _keys},
    optional={
        "role": st.sampled_from(("worker", "validator", "nobody")),
        "needs": st.lists(_keys | st.sampled_from(("plan/*", "goal", "spec", "never")), max_size=3),
        "gives": st.sampled_from(("spec", "docs")),
        "review": st.just("validator"),
        "rounds": st.integers(0, 2),
    },
)


def starts_run(run: str = "a", by: str = "lead", **fields: Any) -> Object:
    """A `run_started`."""
    given = {"name": "login", "goal": "a login page", "pools": list(POOLS), "status": "in_progress", "progress": 0}
    return says(by, "run_started", run=run, **{**given, **fields})


def has_tasks(*tasks: Object, run: str = "a", by: str = "lead", **fields: Any) -> Object:
    """A `run_tasks`."""
    return says(by, "run_tasks", run=run, tasks=list(tasks), **fields)


def task_is(task: str, state: str, by: str = "w-1", run: str = "a", **fields: Any) -> Object:
    """A `run_task`."""
    return says(by, "run_task", run=run, task=task, state=state, **fields)


_run = st.fixed_dictionaries(
    {"agent": st.sampled_from((*TEAM, "Lead", "sena")), "event": st.sampled_from(RUN_KINDS)},
    optional={
        "run": st.sampled_from(("a", "b", 3)),
        "pools": st.just(list(POOLS)),
        "tasks": st.lists(_task, max_size=4),
        "task": _keys,
        "state": st.sampled_from(
            ("running", "worked", "reviewing", "rejected", "retrying", "asked", "done", "failed", "cancelled", "x")
        ),
        "key": _keys | st.sampled_from(("spec", "never")),
        "value": st.just({"files": 3}) | st.just("text"),
        "revision": st.integers(0, 3),
        "attempt": st.integers(0, 3),
        "again": st.lists(_keys, max_size=2),
        "took_ms": st.integers(-1, 5) | st.booleans(),
        "request": st.sampled_from(REQUEST_IDS),
        "status": st.sampled_from(("idle", "waiting", "in_progress")),
        "timestamp": st.integers(0, 9).map(at),
    },
)
run_stories: st.SearchStrategy[list[Object]] = st.builds(
    lambda tasks, rest: [
        starts_run(),
        has_tasks(*tasks),
        *(says(seat, "status_update", status="idle") for seat in TEAM[1:]),
        *rest,
    ],
    st.lists(_task, max_size=5),
    st.lists(_run | _told(), max_size=25),
)
"""Event sequences of a run, and of whoever writes the same words."""


# The wild: anything that is JSON, under names that mean something to us.

# fmt: off
KNOWN_FIELDS = (
    "id", "timestamp", "ts", "time", "agent", "event", "status", "current_task", "task", "working_on", "progress",
    "blockers", "blocker", "dependencies", "next_action", "estimated_completion", "message", "role", "request",
    "request_type", "kind", "details", "description", "options", "default", "target", "deadline", "expires",
    "urgency", "evidence", "documents", "request_id", "verdict", "answer", "comment", "comments",
    "resolved_blockers", "resolved_blocker", "decision_for", "reason", "result", "error", "registry",
    "run", "tasks", "pools", "state", "key", "value", "revision", "file", "attempt", "round", "took_ms", "again",
)
# fmt: on

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from((*STATUSES, *BLOCKERS, *AGENTS, *REQUEST_IDS, "80%", "nan", "inf", at(0), 1_760_000_000)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
wild_objects: st.SearchStrategy[Object] = st.builds(
    lambda known, fields: {**fields, **known},
    st.fixed_dictionaries(
        {}, optional={"agent": _agent, "event": st.sampled_from(sorted({*_BODIES, *WORK_KINDS, *RUN_KINDS}))}
    ),
    st.dictionaries(st.sampled_from(KNOWN_FIELDS) | st.text(max_size=8), json_values, max_size=8),
)
"""Objects with any value in any field."""

hostile_text: st.SearchStrategy[str] = st.text(
    st.sampled_from(
        "a \t\n\r\x00\x1b\x7f\x85\x9b\u00ad\u0300\u0301\u034f\u061c\u200b\u200d\u200e\u2028\u202e\u2060\u2066\u206a"
        "\u20d0\u3164\ufe0f\ufe20\ufeff\ufffe\ud83d\ude00\U000e0041가é"
    )
    | st.characters(),
    max_size=30,
)
"""Text with what steers terminals and deceives readers, half emoji included."""
