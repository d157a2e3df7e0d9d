"""What a pipeline would do, before anything is started: in which order, who would work where, and what is open."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from rich.cells import cell_len, set_cell_size

from collab_tui.config import project_config_file
from collab_tui.config.values import shown
from collab_tui.model.ages import as_set
from collab_tui.model.glyphs import Glyphs
from collab_tui.model.run_graph import ALL_BELOW, GOAL, Graph, Node
from collab_tui.model.run_words import chain, readable
from collab_tui.model.text import clean, one_line
from collab_tui.orchestrator.agent import Agent, CannotWorkError, Surroundings
from collab_tui.orchestrator.agents.commands import Command
from collab_tui.orchestrator.agents.sessions import Session
from collab_tui.orchestrator.plan import OnError, Pipeline, Policy, Role, Task
from collab_tui.protocol.wording import cut
from collab_tui.registry.kept import kept_for

_WIDEST_KEY: Final = 24
_FURTHER: Final = 1e-6
"""By how much a task that waits for what is added counts more than its like: a chain over it becomes longer."""
_INDENT: Final = "  "
_LONGEST_COMMAND: Final = 100
_YOU: Final = "you"
"""Who does what has no role."""
_NARROW: Final = 60
_NARROWEST: Final = 20
"""Columns that a line has at least, however narrow the terminal is."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the agent of a role would work."""

    whole: str
    """What it is; of a command all its arguments."""
    told: str
    """The same in short, for people."""
    where: str
    problem: str | None
    """Why it could not work here."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would be done."""

    pipeline: Pipeline
    policy: Policy
    graph: Graph
    places: Mapping[str, Place]
    """Role -> where its seats are."""

    @property
    def problems(self) -> Sequence[str]:
        """Why it could not start, although the pipeline is right; what is the same for several roles once."""
        of: dict[str, list[str]] = {}
        for name, place in self.places.items():
            if place.problem is not None:
                of.setdefault(place.problem, []).append(name)
        return [f"{', '.join(roles)}: {problem}" for problem, roles in of.items()]

    @property
    def adders(self) -> Sequence[str]:
        """Tasks that may add others while it goes."""
        return [task.key for task in self.pipeline.tasks if (role := self._role(task)) is not None and role.may_add]

    @property
    def is_by_time(self) -> bool:
        """Every task on which an agent works has a limit, and every review: so chains can be told apart by those."""
        worked = [task for task in self.pipeline.tasks if task.role is not None]
        reviewers = [self.pipeline.roles[task.review] for task in worked if task.review is not None]
        has_limits = all(self.limit(task) is not None for task in worked)
        return bool(worked) and has_limits and all(role.timeout is not None for role in reviewers)

    @property
    def critical_path(self) -> tuple[Sequence[str], float]:
        """The longest chain, by the limits of its tasks if all have one, else by their number; and how long it is."""
        is_by_time, added = self.is_by_time, {f"{key}{ALL_BELOW}" for key in self.adders}
        length = {task.key: self._longest(task) if is_by_time else 1.0 for task in self.pipeline.tasks}
        adding = {task.key: _FURTHER for task in self.pipeline.tasks if not added.isdisjoint(task.needs)}
        path = self.graph.critical_path({key: length[key] + adding.get(key, 0.0) for key in length})
        return path.keys, sum(length[key] for key in path.keys)

    def _longest(self, task: Task) -> float:
        """Seconds that one attempt at a task and one review of it may take."""
        reviewer = self.pipeline.roles.get(task.review or "")
        return (self.limit(task) or 0.0) + ((reviewer.timeout or 0.0) if reviewer is not None else 0.0)

    def limit(self, task: Task) -> float | None:
        """Seconds that one attempt at a task may take."""
        role = self._role(task)
        return task.timeout if task.timeout is not None or role is None else role.timeout

    def rounds(self, task: Task) -> int:
        """How often its reviewer may send it back."""
        return task.rounds if task.rounds is not None else self.policy.rounds

    def _role(self, task: Task) -> Role | None:
        return self.pipeline.roles.get(task.role or "")

    def document(self) -> dict[str, Any]:
        """As one JSON object."""
        path, length = self.critical_path
        return {
            "name": self.pipeline.name,
            "goal": self.pipeline.goal,
            "pipeline": self.pipeline.path,
            "digest": self.pipeline.digest,
            "variables": dict(self.pipeline.values),
            "tasks": [self._task_document(task) for task in self.pipeline.tasks],
            "roles": [
                {
                    "role": role.name,
                    "seats": role.size,
                    "agent": self.places[role.name].whole,
                    "where": self.places[role.name].where,
                    "problem": self.places[role.name].problem,
                    "timeout": role.timeout,
                    "may_add": role.may_add,
                    "review": role.review,
                }
                for role in self.pipeline.roles.values()
                if role.name in self.places
            ],
            "policy": {name: getattr(self.policy, name) for name in Policy.__slots__},
            "critical_path": {"tasks": path, "by": "timeouts" if self.is_by_time else "steps", "length": length},
            "may_add_tasks": self.adders,
            "problems": self.problems,
        }

    def _task_document(self, task: Task) -> dict[str, Any]:
        return {
            "task": task.key,
            "step": self.graph.layers[task.key] + 1,
            "role": task.role,
            "title": task.title,
            "after": self.graph.before(task.key),
            "needs": task.needs,
            "gives": task.result_key,
            "priority": task.priority,
            "review": task.review,
            "rounds": self.rounds(task) if task.review is not None else None,
            "approval": task.needs_approval,
            "timeout": self.limit(task),
            "line": task.source.line if task.source is not None else None,
        }


async def looked_at(registry: Path, pipeline: Pipeline, environment: Mapping[str, str]) -> DryRun:
    """What a pipeline without mistakes would do for the project of a registry. Nothing is started or written."""
    policy = pipeline.policy or Policy()
    nodes = (Node(task.key, task.result_key, task.needs) for task in pipeline.tasks)
    surroundings = _surroundings(registry, environment, policy.grace)
    places = {
        role.name: await _place(role.agent, surroundings) for role in _used_roles(pipeline) if role.agent is not None
    }
    return DryRun(pipeline, policy, Graph(nodes, {GOAL, *pipeline.values}), places)


def _surroundings(registry: Path, environment: Mapping[str, str], grace: float) -> Surroundings:
    registry = registry.absolute()
    return Surroundings(
        registry=registry,
        project=project_config_file(registry).parent.parent,
        run="",
        environment=environment,
        grace=grace,
        private=kept_for(registry),
        notice=lambda _: None,
        is_dry_run=True,
    )


async def _place(agent: Agent, surroundings: Surroundings) -> Place:
    problem = None
    try:
        await agent.check(surroundings)
    except CannotWorkError as error:
        problem = str(error)
    whole, where = agent.told, f"in {surroundings.project}"
    told = whole
    if isinstance(agent, Command):
        whole = _command(agent.arguments, surroundings.project)
        told = cut(readable(whole), _LONGEST_COMMAND)
        where = f"in {surroundings.project / (agent.folder or '')}"
    elif isinstance(agent, Session):
        whole = told = f"{agent.definition}, a session"
    if isinstance(agent, Command | Session) and agent.worktree:
        folder = agent.folder if isinstance(agent, Command) else None
        where = f"in {f'{folder} of ' if folder is not None else ''}a worktree for each task"
    return Place(whole, told, where, problem)


def _command(arguments: Sequence[str], project: Path) -> str:
    """A command; what lies in the project by its path in it."""
    program, *rest = arguments
    here = [str(Path(each).relative_to(project)) if Path(each).is_relative_to(project) else each for each in rest]
    return shlex.join((Path(program).name, *here))


def _used_roles(pipeline: Pipeline) -> Iterator[Role]:
    """Those that have something to do, and where tasks may be added all, in the order of the file."""
    named = {name for task in pipeline.tasks for name in (task.role, task.review)}
    may_be_any = any(role.may_add for name, role in pipeline.roles.items() if name in named)
    return (role for name, role in pipeline.roles.items() if may_be_any or name in named)


# As text


def lines_of(run: DryRun, width: int, glyphs: Glyphs, *, before_start: bool = False) -> Iterator[str]:
    """The dry run as text for people, in so many columns.

    `before_start`: it is read from its beginning by who is about to start it, else its end is what a terminal shows.
    """
    width = max(width, _NARROWEST)
    pipeline = run.pipeline
    yield from _wrapped(f"{_plain(pipeline.name)}: {_plain(pipeline.goal or 'no goal yet')}", "", width)
    asks, wrong = ("asks you", _asks(run)), ("cannot start", map(_plain, run.problems))
    if before_start:
        yield from _parts((wrong, asks), width)
    elif pipeline.path is not None:
        yield from _wrapped(f"{_plain(pipeline.path)}. This is a dry run: nothing was started.", "", width)
    yield from _steps(run, width, glyphs)
    parts = (
        ("variables", _variables(run)),
        ("who works", _who(run)),
        ("limits", _limits(run)),
        ("critical path", _chain(run, glyphs)),
        ("known only while it runs", _unknown(run)),
        ("look at", _odd(run)),
    )
    yield from _parts(parts if before_start else (*parts, asks, wrong), width)


def _parts(parts: Iterable[tuple[str, Iterator[str]]], width: int) -> Iterator[str]:
    """Titles, and what stands below them; what has nothing to tell is left out."""
    for title, told in parts:
        lines = list(told)
        if lines:
            yield ""
            yield title
            for line in lines:
                yield from _wrapped(line, _INDENT, width)


def _variables(run: DryRun) -> Iterator[str]:
    for name, value in run.pipeline.values.items():
        yield f"{name} = {shown(value)}"


def _steps(run: DryRun, width: int, glyphs: Glyphs) -> Iterator[str]:
    """Each task below the step in which it can begin at the earliest; what is said of it beside it, where that fits."""
    layers = run.graph.layers
    tasks = sorted(run.pipeline.tasks, key=lambda task: layers[task.key])
    keys = min(_WIDEST_KEY, max(len(task.key) for task in tasks))
    roles = max(len(task.role or _YOU) for task in tasks)
    told = {task.key: "; ".join(_details(run, task)) for task in tasks}
    heads = {
        task.key: f"{_INDENT}{task.key:<{keys}}  {task.role or _YOU:<{roles}}  {_plain(task.title or '')}".rstrip()
        for task in tasks
    }
    column = max(map(cell_len, heads.values())) + 2
    is_beside = column + max(map(cell_len, told.values())) <= width
    for layer, at_once in groupby(tasks, key=lambda task: layers[task.key]):
        yield ""
        yield f"step {layer + 1}"
        for task in at_once:
            head, details = heads[task.key], told[task.key]
            if is_beside:
                yield f"{set_cell_size(head, column)}{details}".rstrip()
                continue
            yield _cut(head, width, glyphs)
            if details:
                yield from _wrapped(details, " " * (len(_INDENT) + keys + 2 if width >= _NARROW else 6), width)


def _details(run: DryRun, task: Task) -> Iterator[str]:
    needs = [need for need in task.needs if need not in run.graph.known]
    if needs:
        yield f"after {', '.join(needs)}"
    if task.result_key != task.key:
        yield f"gives {task.result_key}"
    if task.needs_approval:
        yield "you are asked before it starts" if task.role is not None else "your yes is all that it needs"
    if task.review is not None:
        yield f"{task.review} reviews it"
    if task.priority:
        yield f"priority {task.priority}"
    if task.timeout is not None:
        yield f"at most {as_set(task.timeout)}"
    if task.retries:
        yield f"if it fails, tried {task.retries} more {'time' if task.retries == 1 else 'times'}"
    if task.on_error is not None and task.on_error is not run.policy.on_error:
        yield (
            "if it fails the rest goes on"
            if task.on_error is OnError.GO_ON
            else "if it fails all the rest is cancelled"
        )


def _who(run: DryRun) -> Iterator[str]:
    for name, place in run.places.items():
        role = run.pipeline.roles[name]
        seats = f"{role.size} {'seat' if role.size == 1 else 'seats'}"
        limit = f", at most {as_set(role.timeout)} each" if role.timeout is not None else ""
        yield f"{name}, {seats}{limit}: {_plain(place.told)}, {_plain(place.where)}"
        if run.adders and role.review is not None:
            yield f"what is added for {name}: reviewed by {role.review}, whatever the one who adds it says"


def _limits(run: DryRun) -> Iterator[str]:
    policy = run.policy
    yield (
        "if a task fails, all the rest is cancelled"
        if policy.on_error is OnError.STOP
        else "if a task fails, what needs it is skipped and the rest goes on"
    )
    times = {0: "not tried again", 1: "tried once more"}.get(policy.retries, f"tried {policy.retries} more times")
    own = any(task.retries is not None and task.retries != policy.retries for task in run.pipeline.tasks)
    others = ", but for the tasks above that say so themselves" if own else ""
    ending = f"what is to end has {as_set(policy.grace)} to do so by itself, then it is killed"
    yield f"what fails is {times}{others}; {ending}"
    whole = f"{as_set(policy.timeout)} for all of it" if policy.timeout is not None else "no limit for all of it"
    added = f"; at most {policy.most_tasks:,} tasks, added {policy.most_depth} deep" if run.adders else ""
    yield f"{whole}{added}"


def _asks(run: DryRun) -> Iterator[str]:
    for task in run.pipeline.tasks:
        if task.needs_approval:
            within = f", within {as_set(task.expires)}" if task.expires is not None else ""
            yield f"{task.key}: before it starts{within}"
        if task.review is not None:
            rounds = run.rounds(task)
            sent = {0: "at its first rejection", 1: "when it is rejected after one more round"}
            yield f"{task.key}: {sent.get(rounds, f'when it is rejected after {rounds} more rounds')}"


def _chain(run: DryRun, glyphs: Glyphs) -> Iterator[str]:
    keys, length = run.critical_path
    yield chain(keys, glyphs)
    more = ", and what is added comes on top" if run.adders else ""
    many = f"{len(keys)} of {len(run.pipeline.tasks)} {'task' if len(run.pipeline.tasks) == 1 else 'tasks'}"
    if run.is_by_time:
        yield f"{many}, at most {as_set(length)} by their time limits, each done and reviewed once{more}"
    else:
        yield f"{many}, by their number, as not every task has a time limit{more}"


def _unknown(run: DryRun) -> Iterator[str]:
    for key in run.adders:
        waiting = [task.key for task in run.pipeline.tasks if f"{key}{ALL_BELOW}" in task.needs]
        wait = f"; {', '.join(waiting)} {'waits' if len(waiting) == 1 else 'wait'} for those too" if waiting else ""
        yield f"{key} may add tasks{wait}"


def _odd(run: DryRun) -> Iterator[str]:
    """What can be run, and is perhaps not what was meant."""
    alone = {task.key for task in run.pipeline.tasks}.difference(run.adders)
    for task in run.pipeline.tasks:
        for need in task.needs:
            if need.endswith(ALL_BELOW) and (bare := need.removesuffix(ALL_BELOW)) in alone:
                yield f"{task.key} needs {need}, and {bare} adds no tasks: give its role may_add = true, or need {bare}"
        if task.review is not None and task.review == task.role:
            yield f"{task.key}: {task.role} reviews its own work"


def _plain(text: str) -> str:
    return one_line(clean(text))


def _cut(text: str, width: int, glyphs: Glyphs) -> str:
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, width - cell_len(glyphs.ellipsis)).rstrip()}{glyphs.ellipsis}"


def _wrapped(text: str, indent: str, width: int) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
