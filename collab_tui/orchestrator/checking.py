"""Whether a run can be done at all: every mistake of a pipeline at once, and of what an agent adds while it goes."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from collab_tui.config.source import Source
from collab_tui.config.values import instead_of, shown
from collab_tui.model.run_graph import ALL_BELOW, GOAL, Graph, Node
from collab_tui.orchestrator.plan import Pipeline, PipelineError, Policy, Role, Task
from collab_tui.orchestrator.prompts import why_no_template
from collab_tui.orchestrator.values import ValueRefusedError
from collab_tui.orchestrator.values import checked as checked_value
from collab_tui.sessions.names import BadNameError, checked

if TYPE_CHECKING:
    from collab_tui.orchestrator.needs import Needs

MOST_SEATS: Final = 200
"""How many of one role work at the same time, at most."""
MOST_NEEDS: Final = 500
LONGEST_ROLE: Final = 36
"""Characters; the name of a seat has a number and the beginning of the run's id more."""
LONGEST_TITLE: Final = 300
"""Characters."""
LONGEST_PROMPT: Final = 1 << 16
LONGEST_DATA: Final = 1 << 16
LONGEST_GOAL: Final = 1 << 16
_LONGEST_HINT: Final = 200
_MOST_HINTS: Final = 20
"""Needs for which it is told what was perhaps meant."""
_MOST_NAMED: Final = 12
"""Tasks of a cycle."""
_VALUE_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_./-]{0,199}", re.ASCII)


def check(pipeline: Pipeline) -> None:
    """Raises `PipelineError` with all `problems`."""
    if found := problems(pipeline):
        raise PipelineError(*found)


def problems(pipeline: Pipeline) -> list[str]:
    """What is wrong with a pipeline, each with file and line where they are known, in the order of its lines."""
    policy = pipeline.policy or Policy()
    wrong = _Wrong()
    wrong.add(None, *_of_policy(policy))
    if not pipeline.tasks:
        wrong.add(None, "it has nothing to do: no task")
    if len(pipeline.tasks) > policy.most_tasks:
        wrong.add(None, f"it has {len(pipeline.tasks)} tasks, and may have {policy.most_tasks}: see most_tasks")
    for name, role in pipeline.roles.items():
        wrong.add(role.source, *_of_role(name, role, pipeline.roles))
    needed = {role.review: (f"role {name}", role.source) for name, role in pipeline.roles.items()}
    for task in reversed(pipeline.tasks):
        needed[task.review] = needed[task.role] = task.key, task.source
    for name, (whose, source) in ((name, why) for name, why in needed.items() if name is not None):
        if (known := pipeline.roles.get(name)) is not None and known.agent is None:
            in_file, in_python = f': agent = "NAME" in [role.{name}]', " where the orchestrator is made"
            how = f"give it one{in_python if known.source is None else in_file}"
            wrong.add(known.source or source, f"role {name} has no agent, and {whose} needs it: {how}")
    for task in pipeline.tasks:
        wrong.add(task.source, *_of_key(task.key), *_of_task(task))
        wrong.add_roles(task, pipeline.roles)
    wrong.add(None, *_of_values(pipeline))
    wrong.add_graph(pipeline.tasks, {GOAL, *pipeline.values})
    keeping = {name for name, role in pipeline.roles.items() if role.agent is not None and role.agent.keeps_seat}
    wrong.add(None, *_of_seats(pipeline.tasks, keeping))
    return wrong.told()


def added(
    tasks: Sequence[Task],
    by: str,
    *,
    depth: int,
    known: Mapping[str, Task],
    roles: Mapping[str, Role],
    keeping: Collection[str],
    values: Collection[str],
    policy: Policy,
    needs: Needs | None = None,
) -> Sequence[Task]:
    """What an agent adds to a run, with whole keys: of its own `by/KEY`, in `needs` those of the run.

    `depth` is how many tasks added one another until `by` was there, `known` are all tasks of the run, `keeping` the
    roles whose seat stays with a task, `values` the keys that stood on the blackboard from the beginning, `needs` what
    is met so far: what waits for nothing else is looked at by itself, not with the whole run. Raises `PipelineError`
    with all that is wrong; then nothing of it is added.
    """
    wrong = _Wrong()
    if depth >= policy.most_depth:
        wrong.add(None, f"{by} was added {depth} deep, and may add nothing more: see most_depth")
    if len(known) + len(tasks) > policy.most_tasks:
        wrong.add(None, f"the run would have {len(known) + len(tasks)} tasks, and may have {policy.most_tasks}")
    siblings = {task.key.removeprefix(f"{by}/"): f"{by}/{task.key.removeprefix(f'{by}/')}" for task in tasks}
    whole = [
        dataclasses.replace(
            task,
            key=siblings[task.key.removeprefix(f"{by}/")],
            needs=tuple(_resolved(need, siblings) for need in task.needs),
            review=_reviewer(task, roles),
        )
        for task in tasks
    ]
    taken = {*values, *(key for other in known.values() if not other.key.startswith(f"{by}/") for key in _gives(other))}
    for task in whole:
        wrong.add(None, *_of_key(task.key.removeprefix(f"{by}/")), *_of_task(task))
        wrong.add_roles(task, roles)
        if task.gives in taken and task.gives != GOAL:
            wrong.add(None, f"task {task.key}: {task.gives} is not its to give: let it give another key")
    met = _met_outside(whole, by, known, needs) if needs is not None else None
    if met is not None:
        wrong.add_graph(whole, {*values, *met})
    else:
        wrong.add_graph([*known.values(), *whole], values)
    if any(task.role in keeping and task.review in keeping for task in whole):
        wrong.add(None, *_of_seats([*known.values(), *whole], keeping))
    if found := wrong.told():
        raise PipelineError(*found)
    return whole


def _met_outside(tasks: Sequence[Task], by: str, known: Container[str], needs: Needs) -> Collection[str] | None:
    """What tasks need beside each other, where all of that is met and nothing else can wait for what they give: then
    only they can be wrong. None where the whole run has to be looked at.
    """
    own = {task.key for task in tasks}
    if any(task.gives is not None or task.key in known or needs.is_given(task.key) for task in tasks):
        return None
    all_of_them = {need for task in tasks for need in task.needs}
    outside = {need for need in all_of_them if need.removesuffix(ALL_BELOW) not in own}
    return outside if all(need == by or needs.is_met(need) for need in outside) else None


class _Wrong:
    """What was found so far."""

    def __init__(self) -> None:
        self._found: list[tuple[Source | None, str]] = []

    def add(self, source: Source | None, *found: str) -> None:
        self._found += ((source, text) for text in found)

    def add_roles(self, task: Task, roles: Mapping[str, Role]) -> None:
        """What is wrong with who works on a task, and who reviews it."""
        for key, role in (("role", task.role), ("review", task.review)):
            if role is not None and role not in roles:
                meant = instead_of(role, roles) if roles else "there are none"
                self.add(_line_of(task, key), f"task {task.key}: there is no role {shown(role)}; {meant}")

    def add_graph(self, tasks: Iterable[Task], values: Collection[str]) -> None:
        """What is wrong with how they hang together; `values` stand on the blackboard from the beginning."""
        by_key: dict[str, Task] = {}
        for task in tasks:
            if task.key in values:
                told = f"task {task.key}: that is a value of the run already: give the task another key"
                self.add(task.source, told)
            elif task.key in by_key:
                stands = by_key[task.key].source
                there = f", also in {stands}" if stands else ""
                self.add(task.source, f"task {task.key}: there are two of that key{there}")
            by_key.setdefault(task.key, task)
        graph = Graph((Node(task.key, task.result_key, _needs(task)) for task in by_key.values()), values)
        known = [*by_key, *(task.result_key for task in by_key.values() if task.gives), *values]
        hints: dict[str, str] = {}
        for key, need in graph.nobody_gives():
            bare = need.removesuffix(ALL_BELOW)
            if bare not in hints and len(hints) < _MOST_HINTS:
                hints[bare] = f"; {instead_of(bare, known)[:_LONGEST_HINT]}"
            source = _line_of(by_key[key], "needs")
            self.add(source, f"task {key}: it needs {need}, which nothing gives{hints.get(bare, '')}")
        for cycle in graph.cycles():
            more = [f"... ({len(cycle) - _MOST_NAMED} more)"] if len(cycle) > _MOST_NAMED else []
            chain = " needs ".join((*cycle[:_MOST_NAMED], *more, cycle[0]))
            source = _line_of(by_key[cycle[0]], "needs")
            self.add(source, f"task {cycle[0]}: these wait for each other: {chain}")
        for first, second in _unordered(graph, by_key):
            told = f"task {second.key}: it gives {second.result_key}, and so does {first.key}"
            self.add(second.source, f"{told}; let one of them need the other, so that one comes after the other")

    def told(self) -> list[str]:
        """Each with where it stands; those that stand nowhere come first."""
        ordered = sorted(self._found, key=lambda each: (str(each[0].path), each[0].line) if each[0] else ("", 0))
        return list(dict.fromkeys(f"{source}: {text}" if source else text for source, text in ordered))


def _line_of(task: Task, key: str) -> Source | None:
    """Where a key of a task stands in its file."""
    return task.source.of(key) if task.source is not None else None


def _unordered(graph: Graph, tasks: Mapping[str, Task]) -> Iterator[tuple[Task, Task]]:
    """Tasks that give the same key, of which neither comes after the other."""
    place = {key: number for number, key in enumerate(graph.order)}
    givers: dict[str, list[Task]] = {}
    for task in tasks.values():
        givers.setdefault(task.result_key, []).append(task)
    for same in givers.values():
        if len(same) == 1 or any(task.key not in place for task in same):
            continue  # those of a cycle are told of as such
        same.sort(key=lambda task: place[task.key])
        for first, second in itertools.pairwise(same):
            if not _comes_before(graph, first.key, second.key):
                yield first, second


def _comes_before(graph: Graph, first: str, second: str) -> bool:
    looked_at, rest = {second}, [second]
    while rest:
        for key in graph.before(rest.pop()):
            if key == first:
                return True
            if key not in looked_at:
                looked_at.add(key)
                rest.append(key)
    return False


def _of_policy(policy: Policy) -> Iterator[str]:
    numbers = {name: getattr(policy, name) for name in ("retries", "rounds", "grace", "most_depth")}
    yield from _below("policy: ", numbers, 0)
    yield from _below("policy: ", {"most_tasks": policy.most_tasks}, 1)
    yield from _too_short("policy: ", {"timeout": policy.timeout})


def _of_values(pipeline: Pipeline) -> Iterator[str]:
    """What stands on the blackboard from the beginning, the goal beside it."""
    goal = pipeline.goal if pipeline.goal is not None else pipeline.name
    if len(goal) > LONGEST_GOAL:
        yield f"the goal has {len(goal):,} characters, and may have {LONGEST_GOAL:,}"
    values: Mapping[Any, Any] = pipeline.values
    for key, value in values.items():
        if not isinstance(key, str) or not _VALUE_KEY.fullmatch(key):
            yield f"value {shown(key)}: a key has small letters, digits, - _ . and /, at most 200"
        elif key == GOAL:
            yield f"value {key}: that is the goal of the run: give it there"
        else:
            try:
                checked_value(value)
            except ValueRefusedError as error:
                yield f"value {key}: {error}"


def _of_role(name: str, role: Role, roles: Mapping[str, Role]) -> Iterator[str]:
    try:
        checked(name, "role")
    except BadNameError as error:
        yield str(error)
    if len(name) > LONGEST_ROLE:
        yield f"role {name}: at most {LONGEST_ROLE} characters, as its seats are called by it"
    if role.name != name:
        yield f"role {name} calls itself {shown(role.name)}"
    if not 1 <= role.size <= MOST_SEATS:
        yield f"role {name}: size is from 1 to {MOST_SEATS}, not {role.size}"
    if role.prompt is not None and (why := why_no_template(role.prompt)) is not None:
        yield f"role {name}: its prompt: {why}"
    yield from _too_short(f"role {name}: ", {"timeout": role.timeout})
    if role.review is not None and role.review not in roles:
        yield f"role {name}: there is no role {shown(role.review)} to review; {instead_of(role.review, roles)}"


def _of_key(key: str) -> Iterator[str]:
    try:
        checked(key, "key of a task")
    except BadNameError as error:
        yield str(error)


def _of_task(task: Task) -> Iterator[str]:
    where = f"task {task.key}: "
    if task.role is None and not task.needs_approval:
        yield f"{where}nobody does it: give it a role, or the person's approval"
    if task.role is None and task.review is not None:
        yield f"{where}nobody works on it, so there is nothing to review"
    if task.gives is not None and not _VALUE_KEY.fullmatch(task.gives):
        yield f"{where}gives has small letters, digits, - _ . and /, at most 200: not {shown(task.gives)}"
    if task.gives == GOAL:
        yield f"{where}the goal stays as it is: give its result another key"
    yield from _below(where, {"retries": task.retries, "rounds": task.rounds, "backoff": task.backoff}, 0)
    yield from _too_short(where, {"timeout": task.timeout, "expires": task.expires})
    needs: Any = task.needs
    if isinstance(needs, str):
        yield f"{where}needs is a list of keys, not one text: write ({shown(needs)},)"
    elif len(task.needs) > MOST_NEEDS:
        yield f"{where}it needs {len(task.needs)} things, and may need {MOST_NEEDS}"
    for name, text, most in (("title", task.title, LONGEST_TITLE), ("prompt", task.prompt, LONGEST_PROMPT)):
        if text is not None and len(text) > most:
            yield f"{where}{name} has {len(text):,} characters, and may have {most:,}"
    yield from _of_data(where, task.data)


def _of_data(where: str, data: Mapping[str, Any]) -> Iterator[str]:
    try:
        size = len(json.dumps(dict(data), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        yield f"{where}data is no JSON: {error}"
        return
    if size > LONGEST_DATA:
        yield f"{where}data has {size:,} characters, and may have {LONGEST_DATA:,}"


def _below(where: str, numbers: Mapping[str, float | None], least: int) -> Iterator[str]:
    for name, number in numbers.items():
        if number is not None and not least <= number < math.inf:
            yield f"{where}{name} is at least {least}{', and finite' if number == math.inf else ''}, not {number:g}"


def _too_short(where: str, times: Mapping[str, float | None]) -> Iterator[str]:
    for name, seconds in times.items():
        if seconds is not None and not 0 < seconds < math.inf:
            yield f"{where}{name} is more than 0 seconds, not {seconds:g}"


def _needs(task: Task) -> tuple[str, ...]:
    """What it needs; of a text, which is told of, that as one key."""
    needs: Any = task.needs
    return (needs,) if isinstance(needs, str) else tuple(needs)


def _of_seats(tasks: Iterable[Task], keeping: Collection[str]) -> Iterator[str]:
    """Roles that keep their seats while their work is reviewed, and wait for each other's seats meanwhile."""
    waits: dict[str, set[str]] = {}
    for task in tasks:
        if task.role in keeping and task.review in keeping and task.role is not None and task.review is not None:
            waits.setdefault(task.role, set()).add(task.review)
    graph = Graph((Node(role, role, tuple(sorted(others))) for role, others in waits.items()), keeping)
    for cycle in graph.cycles():
        chain = ", ".join((*cycle, cycle[0]))
        yield f"the seats of {chain}: each is kept until its work is reviewed by the next, so they may wait for ever"


def _reviewer(task: Task, roles: Mapping[str, Role]) -> str | None:
    """Of a task that is added: its role's comes first."""
    role = roles.get(task.role or "")
    return role.review if role is not None and role.review is not None else task.review


def _gives(task: Task) -> tuple[str, str]:
    return task.key, task.result_key


def _resolved(need: str, siblings: Mapping[str, str]) -> str:
    """The need as the run knows it: one of a sibling first."""
    if need in siblings:
        return siblings[need]
    bare = need.removesuffix(ALL_BELOW)
    if bare != need and bare in siblings:
        return f"{siblings[bare]}{ALL_BELOW}"
    return need
