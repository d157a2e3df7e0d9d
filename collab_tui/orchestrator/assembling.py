"""A run put together: one that begins, or one that goes on where its lines say that it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from collab_tui.model.run_graph import GOAL
from collab_tui.model.runs import RunTask, TaskState
from collab_tui.orchestrator.agent import Agent, Surroundings
from collab_tui.orchestrator.blackboard import Blackboard
from collab_tui.orchestrator.declaring import Declaring
from collab_tui.orchestrator.documents import task_of
from collab_tui.orchestrator.jobs import Question
from collab_tui.orchestrator.journal import Journal
from collab_tui.orchestrator.ledger import Ledger
from collab_tui.orchestrator.parts import Known, Parts
from collab_tui.orchestrator.person import Person
from collab_tui.orchestrator.plan import Pipeline, Policy, Task
from collab_tui.orchestrator.schedule import Schedule
from collab_tui.orchestrator.values import ValueFiles
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.names import task_name

_LONGEST_SLUG: Final = 20


@dataclass(frozen=True, slots=True)
class Assembled:
    """A run that is about to go, and what it writes of itself first."""

    parts: Parts
    untold: frozenset[str]
    """Tasks of the pipeline that the registry does not know yet."""
    again: tuple[str, ...] | None
    """Tasks that had ended and begin anew; None: it is a new run."""
    orphans: tuple[str, ...]
    """Tasks that were added by one that did not come to its end: it will add them again, or others."""


def assembled(
    pipeline: Pipeline,
    policy: Policy,
    surroundings: Surroundings,
    key: bytes,
    ledger: Ledger | None,
    *,
    trust: Trust,
    used: UsedDecisions,
    poll: float | None,
) -> Assembled:
    """Put it together; `ledger` is what its lines say, of one that goes on. `pipeline` was checked and has a goal."""
    run, registry, notice = surroundings.run, surroundings.registry, surroundings.notice
    short = run[:4]
    agent = f"run-{task_name(pipeline.name)[:_LONGEST_SLUG].rstrip('-_')}-{short}"
    agent = ledger.run.agent if ledger is not None else agent
    agents: Mapping[str, Agent] = {name: role.agent for name, role in pipeline.roles.items() if role.agent is not None}
    seats = {
        name: tuple(f"{name}-{number}-{short}" for number in range(1, pipeline.roles[name].size + 1)) for name in agents
    }
    journal = Journal(JsonlRegistry(registry), run, key, notice, after=ledger.number if ledger is not None else 0)
    entries = ledger.entries if ledger is not None else {}
    schedule = Schedule(
        seats,
        policy,
        keeping={name for name, each in agents.items() if each.keeps_seat},
        values={GOAL, *pipeline.values, *entries},
    )
    parts = Parts(
        id=run,
        agent=agent,
        goal=pipeline.goal or pipeline.name,
        pipeline=pipeline,
        policy=policy,
        agents=agents,
        seats=seats,
        schedule=schedule,
        journal=journal,
        blackboard=Blackboard(journal, ValueFiles(registry, run), entries.values()),
        person=Person(run, agent, registry, trust, used, poll, notice),
        declaring=Declaring(journal),
        surroundings=surroundings,
        notice=notice,
        known=Known() if ledger is None else _known(ledger),
    )
    if ledger is None:
        schedule.add(pipeline.tasks)
        return Assembled(parts, frozenset(task.key for task in pipeline.tasks), None, ())
    return _restored(parts, ledger)


def _known(ledger: Ledger) -> Known:
    tasks = ledger.run.tasks
    return Known(
        results=dict(ledger.results),
        candidates=dict(ledger.candidates),
        branches={task.key: task.branch for task in tasks if task.branch is not None},
        answers={task.key: task.comment or "" for task in tasks if task.key in ledger.approved},
        requests={task.key: task.request for task in tasks if task.request is not None},
    )


def _restored(parts: Parts, ledger: Ledger) -> Assembled:
    told = {task.key: _counting(task, ledger) for task in ledger.run.tasks}
    tasks: list[tuple[Task, str | None]] = [(task, None) for task in parts.pipeline.tasks]
    is_done = {key for key, task in told.items() if task.state is TaskState.DONE}
    known = {task.key for task, _ in tasks}
    for key, (by, document) in ledger.added.items():
        if by in known and by in is_done:
            tasks.append((task_of(document), by))
            known.add(key)
    orphans = [key for key, task in told.items() if key not in known and not task.state.is_over]
    schedule, is_over = parts.schedule, ledger.run.state.is_over
    here = {key: task for key, task in told.items() if key in known}
    again = [job.key for job in schedule.restore(tasks, here, approved=ledger.approved, anew=is_over)]
    again += [task.key for task in ledger.run.tasks if task.state is TaskState.DONE and task.key not in is_done]
    for job in schedule.jobs.values():
        rounds = job.round if job.question is Question.RESULT or job.is_taken else job.round - 1
        job.comments = list(ledger.comments.get(job.key, ()))[-rounds:] if rounds else []
    untold = frozenset(task.key for task in parts.pipeline.tasks if task.key not in told)
    return Assembled(parts, untold, tuple(again), tuple(orphans))


def _counting(task: RunTask, ledger: Ledger) -> RunTask:
    """A task whose result is lost counts as one whose attempts came to nothing."""
    has_worked = any(attempt.outcome is TaskState.WORKED for attempt in task.attempts)
    if task.state is TaskState.DONE:
        is_lost = task.key not in ledger.results
    else:
        is_lost = task.key in ledger.lost or (has_worked and task.key not in ledger.candidates)
    if not is_lost:
        return task
    attempts = tuple(replace(attempt, outcome=TaskState.CANCELLED) for attempt in task.attempts)
    return replace(task, state=TaskState.PENDING, attempts=attempts)
