"""What the registry tells of runs of the orchestrator, line by line."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from collab_tui.model.event import Event, as_id
from collab_tui.model.run_graph import Graph, nodes_of
from collab_tui.model.run_lines import (
    LONGEST_NAME,
    MAX_TASKS,
    after_resuming,
    as_told,
    begun,
    count_in,
    end_in,
    new_task,
    place_in,
    pools_in,
    text_in,
    with_end,
)
from collab_tui.model.run_waits import SeatWaits, seat_waits
from collab_tui.model.runs import Run, RunState, RunTask, TaskState, Value, Work
from collab_tui.model.session_book import word_of
from collab_tui.model.words import name_key

MAX_RUNS: Final = 100
"""Runs that are remembered; of more, those that were over first are forgotten. The log has them all."""
MAX_VALUES: Final = 2000
"""Keys of a blackboard that are remembered, the last."""
LONGEST_PREVIEW: Final = 300
"""Characters of a value."""
_FAILURES: Final = frozenset(
    (TaskState.RETRYING, TaskState.FAILED, TaskState.TIMED_OUT, TaskState.CANCELLED, TaskState.SKIPPED)
)
_GOES_ON: Final = frozenset(
    (TaskState.RUNNING, TaskState.REVIEWING, TaskState.RETRYING, TaskState.WORKED, TaskState.REJECTED)
)


class _Kept:
    """One run; shared by the books that were copied from each other until one of them writes."""

    __slots__ = ("asked", "frozen", "going_on", "graph", "last", "run", "seat_waits", "tasks", "values", "writers")

    def __init__(self, run: Run, first: Event) -> None:
        self.run = run
        """Without its tasks and values; of what told of it last see `last`."""
        self.last = first
        seats = (seat for pool in run.pools for seat in pool.seats)
        self.writers = frozenset(map(name_key, (run.agent, *seats)))
        """Keys of the names whose lines count."""
        self.tasks: dict[str, RunTask] = {}
        self.values: dict[str, Value] = {}
        self.asked = self.going_on = 0
        """How many of its tasks wait for the person, and how many go on."""
        self.frozen: Run | None = None
        self.graph: Graph | None = None
        """Of its tasks alone: what stands on the blackboard is looked up there."""
        self.seat_waits: SeatWaits | None = None

    def copy(self) -> _Kept:
        twin = _Kept.__new__(_Kept)
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.tasks, twin.values = self.tasks.copy(), self.values.copy()
        return twin

    def told(self, event: Event) -> None:
        """A line of it was taken."""
        self.last = event
        self.frozen = self.seat_waits = None

    def set(self, event: Event, fields: Mapping[str, Any], **derived: Any) -> None:
        """A line of it set fields of its own, and what follows from them."""
        set_at = MappingProxyType({**self.run.set_at, **dict.fromkeys(fields, event.position)})
        self.run = replace(self.run, set_at=set_at, **fields, **derived)
        self.told(event)

    def moved(self, before: TaskState, after: TaskState) -> None:
        """A task came from one state to another."""
        self.asked += (after is TaskState.ASKED) - (before is TaskState.ASKED)
        self.going_on += (after in _GOES_ON) - (before in _GOES_ON)

    def count_waiting(self, time: datetime | None) -> None:
        """Whether it waits for nobody but the person from now on, and for how long it did."""
        run = self.run
        waits = self.asked > 0 and not self.going_on and not run.state.is_over
        if time is None or waits is (run.waits_since is not None):
            return
        waited = max(timedelta(), time - run.waits_since) if run.waits_since is not None else timedelta()
        waited_ms = run.waited_ms + waited // timedelta(milliseconds=1)
        self.run = replace(run, waited_ms=waited_ms, waits_since=time if waits else None)

    def freeze(self) -> Run:
        if self.frozen is None:
            tasks, values = tuple(self.tasks.values()), tuple(self.values.values())
            last = self.last
            self.frozen = replace(self.run, tasks=tasks, values=values, position=last.position, told_at=last.time)
        return self.frozen

    def waits(self) -> SeatWaits:
        """For whom its idle seats wait."""
        if self.seat_waits is None:
            run = self.freeze()
            self.graph = self.graph or Graph(nodes_of(run))
            self.seat_waits = seat_waits(run, self.graph)
        return self.seat_waits


class RunBook:
    """The runs of a registry. Only lines in the name of a run's own agent and of its seats count for it."""

    def __init__(self) -> None:
        self._runs: dict[str, _Kept] = {}
        self._owned: set[str] = set()
        """Runs that no other book shares."""

    def runs(self) -> tuple[Run, ...]:
        """In the order in which they were started."""
        return tuple(kept.freeze() for kept in self._runs.values())

    def seat_waits(self) -> tuple[SeatWaits, ...]:
        """Of each run that goes on: for whom its idle seats wait."""
        return tuple(waits for kept in self._runs.values() if not kept.run.state.is_over and (waits := kept.waits()))

    def is_led_by(self, key: str) -> bool:
        """The agent of that key leads a run."""
        return any(name_key(kept.run.agent) == key for kept in self._runs.values())

    def copy(self) -> RunBook:
        """An independent copy; a run is copied once one of the two hears more of it."""
        twin = RunBook()
        twin._runs = self._runs.copy()
        self._owned = set()
        return twin

    # What each event means

    def started(self, name: str, event: Event, known: Container[str] = ()) -> None:
        """A `run_started`: the first one of an id is its run, in the name of its writer.

        `known` are the keys of the names that wrote before.
        """
        run_id = as_id(event.data.get("run"))[: LONGEST_NAME + 1]
        if not run_id or len(run_id) > LONGEST_NAME or run_id in self._runs:
            return
        time, pools = event.time, pools_in(event.data.get("pools"))
        fields: dict[str, Any] = {
            "name": text_in(event, "name", LONGEST_NAME) or run_id,
            "goal": text_in(event, "goal") or "",
            "pipeline": text_in(event, "pipeline"),
            "state": RunState.RUNNING,
            "pools": pools,
            **place_in(event),
        }
        run = Run(
            id=run_id,
            agent=name,
            strangers=frozenset(key for pool in pools for key in map(name_key, pool.seats) if key in known),
            reason=None,
            tasks=(),
            values=(),
            resumed=0,
            away_ms=0,
            waited_ms=0,
            waits_since=None,
            started_at=time,
            ended_at=None,
            set_at=MappingProxyType(dict.fromkeys((name for name in fields if fields[name] is not None), event[0])),
            position=event.position,
            told_at=time,
            **fields,
        )
        self._runs[run_id] = _Kept(run, event)
        self._owned.add(run_id)
        if len(self._runs) > MAX_RUNS:
            over = (one for one, kept in self._runs.items() if kept.run.state.is_over)
            forgotten = next(over, next(iter(self._runs)))
            del self._runs[forgotten]
            self._owned.discard(forgotten)

    def tasks(self, event: Event) -> None:
        """A `run_tasks` of the run's agent; a key that is known already keeps its task."""
        told = event.data.get("tasks")
        kept = self._of_its_agent(event)
        if kept is None or not isinstance(told, list):
            return
        added_by = text_in(event, "by", LONGEST_NAME)
        for entry in told:
            if len(kept.tasks) >= MAX_TASKS:
                break
            task = new_task(entry, added_by, event) if isinstance(entry, dict) else None
            if task is not None:
                kept.tasks.setdefault(task.key, task)
        kept.graph = None
        kept.told(event)

    def task(self, event: Event) -> None:
        """A `run_task`: how far a task is; what the line does not say stays as it was, and the last line counts."""
        kept, state = self._of_its_own(event), word_of(TaskState, event.data.get("state"))
        task = kept.tasks.get(text_in(event, "task", LONGEST_NAME) or "") if kept is not None else None
        if kept is None or task is None or state is None:
            return
        since = task.attempts[-1].started_at if task.attempts else kept.run.started_at
        time = end_in(event, since) if state.is_over else event.time
        writer = event.agent or ""
        given: dict[str, Any] = {"state": state, "position": event.position}
        for name in ("comment", "request", "branch", "log"):
            if (text := text_in(event, name)) is not None:
                given[name] = text
        given["round"] = round_ = count_in(event, "round") or task.round
        if state.is_at_work:
            given |= {"seat": writer, "error": None, "started_at": task.started_at or time}
            given["attempts"] = begun(task, state, writer, round_, event, time)
        else:
            error = text_in(event, "error") or (text_in(event, "why") if state in _FAILURES else None)
            ended = with_end(task, state, error, event, time)
            given |= ended
            if error is not None or state is TaskState.DONE:
                given["error"] = error
        given["ended_at"] = time if state.is_over else None
        if state is TaskState.WORKED:
            key = text_in(event, "key", LONGEST_NAME)
            given["candidate"] = _value_in(event, key, 0, writer, task.key) if key is not None else None
        elif state is TaskState.DONE:
            given["candidate"] = None
        told = kept.tasks[task.key] = replace(task, **given)
        if state is TaskState.DONE:
            by = next((each.seat for each in reversed(told.attempts) if each.work is Work.WORK), writer)
            self._write(kept, text_in(event, "key", LONGEST_NAME) or task.gives, by, task.key, event)
        kept.moved(task.state, state)
        kept.count_waiting(time)
        kept.told(event)

    def value(self, event: Event) -> None:
        """A `run_value`: a further revision of a key."""
        kept, key = self._of_its_own(event), text_in(event, "key", LONGEST_NAME)
        if kept is not None and key is not None:
            task = text_in(event, "task", LONGEST_NAME)
            self._write(kept, key, event.agent or "", task, event)
            kept.told(event)

    def resumed(self, event: Event) -> None:
        """A `run_resumed`: what was at work when its process went begins anew, and what `again` names."""
        kept = self._of_its_agent(event)
        if kept is None:
            return
        run, time = kept.run, event.time
        gone_at = run.ended_at or kept.last.time
        away = max(timedelta(), time - gone_at) if time is not None and gone_at is not None else timedelta()
        again = frozenset(event.texts("again"))
        for key, task in kept.tasks.items():
            state = TaskState.PENDING if key in again else after_resuming(task)
            cut_off = with_end(task, TaskState.CANCELLED, "its process was gone", event, gone_at, is_measured=False)
            if state is not None or cut_off:
                given = {"state": state or task.state, "ended_at": None, "position": event.position, **cut_off}
                kept.tasks[key] = replace(task, **given, error=None)
                kept.moved(task.state, given["state"])
        since = run.waits_since
        if since is not None and gone_at is not None:
            waited = max(timedelta(), gone_at - since) // timedelta(milliseconds=1)
            kept.run = replace(run, waited_ms=run.waited_ms + waited, waits_since=None)
        away_ms = run.away_ms + away // timedelta(milliseconds=1)
        told = {"state": RunState.RUNNING, "reason": None, **place_in(event)}
        kept.set(event, told, ended_at=None, resumed=run.resumed + 1, away_ms=away_ms)
        kept.count_waiting(time)

    def ended(self, event: Event) -> bool:
        """A `run_ended` of the run's agent; whether it was one."""
        kept, state = self._of_its_agent(event), word_of(RunState, event.data.get("state"))
        if kept is None or state is None or not state.is_over:
            return False
        ended_at = end_in(event, kept.run.started_at) or kept.last.time
        kept.set(event, {"state": state, "reason": text_in(event, "reason")}, ended_at=ended_at)
        kept.count_waiting(ended_at)
        return True

    # Inner workings

    def _of_its_own(self, event: Event) -> _Kept | None:
        """The run that a line names, to be written to; None where its writer has no say in it."""
        run_id, writer = as_id(event.data.get("run")), name_key(event.agent or "")
        kept = self._runs.get(run_id)
        if kept is None or writer not in kept.writers:
            return None
        if run_id not in self._owned:
            kept = self._runs[run_id] = kept.copy()
            self._owned.add(run_id)
        if writer in kept.run.strangers:
            kept.run = replace(kept.run, strangers=kept.run.strangers - {writer})
            kept.frozen = kept.seat_waits = None
        return kept

    def _of_its_agent(self, event: Event) -> _Kept | None:
        kept = self._of_its_own(event)
        return kept if kept is not None and name_key(event.agent or "") == name_key(kept.run.agent) else None

    @staticmethod
    def _write(kept: _Kept, key: str, by: str, task: str | None, event: Event) -> None:
        known, revision = kept.values.get(key), count_in(event, "revision")
        if not revision or (known is not None and revision < known.revision):
            return
        kept.values[key] = _value_in(event, key, revision, by, task)
        if len(kept.values) > MAX_VALUES:
            del kept.values[next(iter(kept.values))]


def _value_in(event: Event, key: str, revision: int, by: str, task: str | None) -> Value:
    """The value that a line has."""
    file = text_in(event, "file", LONGEST_NAME)
    told = text_in(event, "begins") or "" if file is not None else as_told(event.data.get("value"))
    size = count_in(event, "size")
    return Value(
        key=key,
        revision=revision,
        by=by,
        task=task,
        at=event.time,
        text=told[:LONGEST_PREVIEW],
        size=size if size is not None else len(told.encode("utf-8", "surrogatepass")),
        digest=text_in(event, "digest", LONGEST_NAME),
        file=file,
        position=event.position,
    )
