"""How fast a run was, from its own record: against one seat that does all of it, and against its longest chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from collab_tui.model.ages import seconds_between
from collab_tui.model.run_graph import Graph, graph_of
from collab_tui.model.runs import Run, RunTask, TaskState


@dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds. Not counted is when no process carried the run, and when all of it waited for the person."""

    wall: float
    """From its beginning to its end, or until now."""
    waited: float
    """For the person alone, beside that."""
    work: float
    """For which agents were at work, all added up: what one seat would have taken."""
    speed_up: float | None
    """Work by wall; None before anything was worked."""
    efficiency: float | None
    """Speed-up by seats: 1 is all seats at work all the time."""
    critical_path: tuple[str, ...]
    """The chain of tasks that took longest, in order; of a run that goes on the one that is expected to."""
    critical_time: float
    """What that chain took, so far: no number of seats would have been faster."""
    overhead_per_task: float | None
    """For which a seat was held beyond the time that its agent took, by tasks that were worked on."""
    seats: int


def timing(run: Run, now: datetime | None = None, graph: Graph | None = None) -> Timing:
    """The figures of a run; of one that goes on until `now`, None: until its last sign of life.

    `graph` is that of the run, where the caller has it already.
    """
    end = run.ended_at or now or run.told_at
    wall, waited = wall_time(run, end)
    spent = {task.key: seconds for task in run.tasks if (seconds := work_time(task, end)) > 0}
    work = sum(spent.values())
    takes = spent if run.state.is_over else _expected(run, spent)
    path = (graph or graph_of(run)).critical_path(takes).keys if work else ()
    seats = sum(len(pool.seats) for pool in run.pools)
    speed_up = work / wall if wall > 0 and work > 0 else None
    return Timing(
        wall=wall,
        waited=waited,
        work=work,
        speed_up=speed_up,
        efficiency=speed_up / seats if speed_up is not None and seats else None,
        critical_path=path,
        critical_time=sum(spent.get(key, 0.0) for key in path),
        overhead_per_task=_overhead(run),
        seats=seats,
    )


def wall_time(run: Run, now: datetime | None) -> tuple[float, float]:
    """Seconds that it took until its end, else until now; and those beside them in which it waited for the person."""
    end = run.ended_at or now
    waited = run.waited_ms / 1000 + _between(run.waits_since, end)
    return max(0.0, _between(run.started_at, end) - run.away_ms / 1000 - waited), waited


def _expected(run: Run, spent: Mapping[str, float]) -> Mapping[str, float]:
    """What each task takes: as measured, at least the mean for what is to be done, and nothing for what never comes."""
    done = [spent.get(task.key, 0.0) for task in run.tasks if task.state is TaskState.DONE]
    mean = sum(done) / len(done) if any(done) else 1.0
    coming = (task.key for task in run.tasks if not task.state.is_over)
    return {
        **{task.key: spent.get(task.key, 0.0) for task in run.tasks if task.state is TaskState.DONE},
        **{key: max(spent.get(key, 0.0), mean) for key in coming},
    }


def _between(start: datetime | None, end: datetime | None) -> float:
    return max(0.0, (seconds_between(start, end) or 0.0) if end is not None else 0.0)


def work_time(task: RunTask, now: datetime | None) -> float:
    """Seconds for which agents had a task, all attempts together, one that runs until now."""
    running = task.attempts[-1] if task.state.is_at_work and task.attempts else None
    so_far = (seconds_between(running.started_at, now) or 0.0) if running is not None and now is not None else 0.0
    return task.work_ms / 1000 + so_far


def _overhead(run: Run) -> float | None:
    """Only attempts of which both times and the agent's own are known tell something."""
    held = [tuple(_held_longer(task)) for task in run.tasks]
    worked = [each for each in held if each]
    return sum(map(sum, worked)) / len(worked) if worked else None


def _held_longer(task: RunTask) -> Iterator[float]:
    for attempt in task.attempts:
        if attempt.ended_at is not None and attempt.took_ms is not None and attempt.started_at is not None:
            yield max(0.0, (attempt.ended_at - attempt.started_at).total_seconds() - attempt.took_ms / 1000)
