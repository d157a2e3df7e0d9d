"""What single lines of runs say: their fields, as far as they make sense, and what each does to its task."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from collab_tui.model.event import Event, as_id, as_text, as_texts, parse_time
from collab_tui.model.runs import Attempt, Pool, RunTask, TaskState, Work

MAX_TASKS: Final = 5000
"""Tasks of a run that are remembered, the first."""
MAX_ATTEMPTS: Final = 20
"""Attempts at a task that are remembered, the last."""
MAX_SEATS: Final = 500
LONGEST_NAME: Final = 400
"""Characters of a key, a name of an agent, a path."""
_LONGEST_TEXT: Final = 2000
_MOST: Final = 10**12
"""Of any number in a line; a larger one is nonsense."""
_CUT_OFF: Final = frozenset((TaskState.RUNNING, TaskState.REVIEWING, TaskState.RETRYING))


def after_resuming(task: RunTask) -> TaskState | None:
    """What a task comes to whose process went; a result that was to be reviewed is not worked again. None: it stays."""
    if task.state not in _CUT_OFF:
        return None
    is_review = task.attempts and task.attempts[-1].work is Work.REVIEW
    return TaskState.WORKED if is_review else TaskState.PENDING


def text_in(event: Event, name: str, most: int = _LONGEST_TEXT) -> str | None:
    """A field as a text of at most so many characters."""
    text = event.text(name)
    return text[:most] if text is not None else None


def count_in(event: Event, name: str) -> int | None:
    """A field that is a whole number from 0."""
    return _whole(event.data.get(name))


def end_in(event: Event, since: datetime | None) -> datetime | None:
    """When that ended of which a line tells: of what had no process any more, as who gives it up says, within reason.

    `since` is when it began.
    """
    time, told = event.time, parse_time(event.data.get("ended_at"))
    return min(time, max(told, since or told)) if time is not None and told is not None else time


def _whole(value: object) -> int | None:
    is_one = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
    return value if is_one and isinstance(value, int) else None


def as_told(value: object) -> str:
    """A value as JSON, a text as it is."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return as_text(value)


def place_in(event: Event) -> dict[str, Any]:
    """Where its process is."""
    return {
        "host": text_in(event, "host", LONGEST_NAME),
        "pid": count_in(event, "pid"),
        "carrier": text_in(event, "carrier", LONGEST_NAME),
    }


def pools_in(told: object) -> tuple[Pool, ...]:
    """The pools of a `run_started`."""
    pools: dict[str, Pool] = {}
    left = MAX_SEATS
    for entry in told if isinstance(told, list) else ():
        role = as_text(entry.get("role"))[:LONGEST_NAME] if isinstance(entry, dict) else ""
        if role and role not in pools and left > 0:
            seats = tuple(dict.fromkeys(seat[:LONGEST_NAME] for seat in as_texts(entry.get("seats"))))[:left]
            left -= max(1, len(seats))
            pools[role] = Pool(role, as_text(entry.get("agent"))[:_LONGEST_TEXT], seats)
    return tuple(pools.values())


def new_task(entry: Mapping[str, Any], added_by: str | None, event: Event) -> RunTask | None:
    """A task of a `run_tasks`; None for one without a key."""
    key = as_id(entry.get("key"))
    if not key or len(key) > LONGEST_NAME:
        return None
    priority = entry.get("priority")
    is_number = isinstance(priority, int) and not isinstance(priority, bool) and abs(priority) <= _MOST
    return RunTask(
        key=key,
        role=as_text(entry.get("role"))[:LONGEST_NAME] or None,
        title=as_text(entry.get("title"))[:_LONGEST_TEXT] or None,
        needs=tuple(dict.fromkeys(need[:LONGEST_NAME] for need in as_texts(entry.get("needs"))[:MAX_TASKS])),
        gives=as_text(entry.get("gives"))[:LONGEST_NAME] or key,
        priority=priority if is_number and isinstance(priority, int) else 0,
        review=as_text(entry.get("review"))[:LONGEST_NAME] or None,
        rounds=_whole(entry.get("rounds")) or 0,
        needs_approval=entry.get("approval") is True,
        added_by=added_by,
        state=TaskState.PENDING,
        seat=None,
        round=1,
        error=None,
        comment=None,
        request=None,
        branch=None,
        log=None,
        attempts=(),
        work_ms=0,
        candidate=None,
        started_at=None,
        ended_at=None,
        position=event.position,
    )


def begun(
    task: RunTask, state: TaskState, seat: str, round_: int, event: Event, time: datetime | None
) -> tuple[Attempt, ...]:
    """The attempts with the one that a line begins; told of once more, it goes on as it is."""
    last = task.attempts[-1] if task.attempts else None
    work = Work.REVIEW if state is TaskState.REVIEWING else Work.WORK
    number = count_in(event, "attempt") or (last.number + 1 if last is not None else 1)
    attempts = task.attempts
    if last is not None and last.outcome is None:
        if (last.number, last.work, last.seat) == (number, work, seat):
            return attempts
        attempts = (*attempts[:-1], replace(last, outcome=TaskState.CANCELLED, ended_at=time))
    return (*attempts, Attempt(number, work, round_, seat, time, None, None, None, None))[-MAX_ATTEMPTS:]


def with_end(
    task: RunTask,
    state: TaskState,
    error: str | None,
    event: Event,
    time: datetime | None,
    *,
    is_measured: bool = True,
) -> dict[str, Any]:
    """The fields of a task whose last attempt, if it runs, comes to an end."""
    last = task.attempts[-1] if task.attempts else None
    if last is None or last.outcome is not None:
        return {}
    took = count_in(event, "took_ms") if is_measured else None
    if took is None and time is not None and last.started_at is not None:
        took = max(timedelta(), time - last.started_at) // timedelta(milliseconds=1)
    said = error or (text_in(event, "comment") if is_measured and state is TaskState.REJECTED else None)
    attempt = replace(last, ended_at=time, outcome=state, took_ms=took, error=said)
    return {"attempts": (*task.attempts[:-1], attempt), "work_ms": task.work_ms + (took or 0)}
