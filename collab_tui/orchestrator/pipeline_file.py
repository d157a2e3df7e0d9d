"""A pipeline as a file: what may stand in it, and everything that is wrong with it.

    name = "word counter"
    goal = "A tool that counts words"

    [vars]
    language = "python"

    [policy]
    on_error = "go on"
    timeout = "30m"

    [agent.builder]
    command = ["{python}", "{folder}/build.py", "{language}"]

    [role.executor]
    agent = "builder"
    size = 2

    [[task]]
    key = "build"
    role = "executor"
    prompt = "Build what was asked for: {goal}"

In texts `{goal}` and the names of `[vars]` are filled in, in the arguments of commands also `{python}`, this
interpreter, and `{folder}`, where the file stands. A brace itself is written twice, as in `{{"verdict": "approved"}}`.
What is filled in is text and nothing else: no shell reads it, and no braces in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from collab_tui.config import values
from collab_tui.config.source import Source
from collab_tui.config.text_file import TextError, read_text
from collab_tui.config.toml_file import TomlError, TomlFile, read_toml
from collab_tui.config.values import WrongError, instead_of, key, shown
from collab_tui.model.run_graph import ALL_BELOW
from collab_tui.model.text import clean, one_line
from collab_tui.orchestrator.agents.commands import Command
from collab_tui.orchestrator.agents.sessions import Session
from collab_tui.orchestrator.checking import problems
from collab_tui.orchestrator.filling import Filling, InTextError
from collab_tui.orchestrator.pipeline_values import (
    AGENT,
    LONGEST_TEXT,
    POLICY,
    ROLE,
    TASK,
    TOP,
    is_variable,
    session,
    title,
    variable,
    word,
)
from collab_tui.orchestrator.plan import Pipeline, PipelineError, Policy, Role, Task
from collab_tui.orchestrator.prompts import NAMES
from collab_tui.sessions.names import BadNameError, checked

if TYPE_CHECKING:
    from collab_tui.orchestrator.agent import Agent

_LONGEST_FILE: Final = 1 << 16
"""Bytes of a file with a prompt."""
_TABLES: Final = ("vars", "policy", "agent", "role", "task")
_HANGING: Final = frozenset(("agent", "command", "session", "key", "role", "needs", "gives", "review", "approval"))
_ALONE: Final = frozenset((*AGENT, *ROLE, *TASK)) - _HANGING
"""Keys from whose mistakes no others follow."""


def read_pipeline(path: Path, variables: Mapping[str, str] | None = None, goal: str | None = None) -> Pipeline:
    """The pipeline of a file, with these values of its variables and this goal, else its own.

    Raises `PipelineError` with every mistake, in the order of their lines. Without a goal, where the file has none
    either, `{goal}` stays in the texts: so it can be looked at.
    """
    path = Path(os.path.abspath(path))
    try:
        file = read_toml(path)
    except TomlError as error:
        raise PipelineError(str(error)) from error
    if file is None:
        raise PipelineError(f"{path}: there is no such file")
    return _Reading(file, variables or {}, goal).pipeline()


class _Reading:
    """One file while it is read."""

    def __init__(self, file: TomlFile, given: Mapping[str, str], goal: str | None) -> None:
        self._file = file
        self._folder = file.path.parent
        self._wrong: list[tuple[int, str]] = []
        """Lines, and what is wrong there; 0 is no line of the file."""
        self._bad_tables: set[int] = set()
        """Lines on which tables begin that hang together with others in another way than is meant."""
        self._is_whole = True
        """It has its tables, so that it can be told how they hang together."""
        self._nameless: list[str] = []
        """Tasks without a name that is one, or that give nothing that is: what others need may be that."""
        self._prompts: dict[str, str] = {}
        """Name of a file with a prompt -> what it says."""
        self._given = given
        self._top = self._fields((), {name: file.data[name] for name in file.data if name not in _TABLES}, TOP)
        self._goal = self._goal_given(goal) if goal is not None else self._top.get("goal")
        self._vars = self._variables()
        declared = {name: word(self._vars[name]) if name in self._vars else None for name in self._table("vars")}
        self._filling = Filling({"goal": self._goal, **declared})

    def pipeline(self) -> Pipeline:
        """All of it. Raises `PipelineError`."""
        policy = self._fields(("policy",), self._table("policy"), POLICY)
        agents = {
            name: self._agent(name, value) if value is not None else None for name, value in self._tables("agent")
        }
        roles = {name: self._role(name, value or {}, agents) for name, value in self._tables("role")}
        tasks = [self._task(number, value) for number, value in self._tasks()]
        self._check_given(tasks)
        pipeline = Pipeline(
            name=self._top.get("name", self._file.path.stem),
            tasks=tasks,
            roles=roles,
            goal=self._goal,
            policy=Policy(**policy),
            values=self._vars,
            path=str(self._file.path),
            digest=None if self._wrong else self._digest(),
        )
        wrong = [*self._told(), *(self._also_wrong(pipeline) if self._is_whole else ())]
        if wrong:
            raise PipelineError(*sorted(dict.fromkeys(wrong), key=self._line_told))
        return pipeline

    def _also_wrong(self, pipeline: Pipeline) -> Iterator[str]:
        """What does not hold together, but for what only follows from what is wrong already."""
        places = tuple(f"{self._file.path}:{line}: " for line in self._bad_tables)
        declared = filter(is_variable, self._table("vars"))
        known = dict.fromkeys([*declared, *self._unknown(pipeline)])
        for problem in problems(replace(pipeline, values=known)):
            if not problem.startswith(f"{self._file.path}:"):
                yield f"{self._file.path}: {problem}"
            elif not problem.startswith(places):
                yield problem

    def _unknown(self, pipeline: Pipeline) -> Iterator[str]:
        """What is needed and may be what another task is to be called, or to give."""
        given = {name for task in pipeline.tasks for name in (task.key, task.result_key)}
        for task in pipeline.tasks:
            if any(other != task.key for other in self._nameless):
                for need in task.needs:
                    if need.removesuffix(ALL_BELOW) not in given:
                        yield from (need, need.removesuffix(ALL_BELOW))

    def _line_told(self, problem: str) -> int:
        line = problem.removeprefix(f"{self._file.path}:").partition(":")[0]
        return int(line) if line.isdecimal() else 0

    def _digest(self) -> str:
        """Of what was read, not of what stands in the files by the time that somebody looks again."""
        said = json.dumps([self._file.data, self._prompts], sort_keys=True)
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()

    # Tables

    def _table(self, name: str) -> Mapping[str, Any]:
        """A table by its name; empty where there is none."""
        value = self._file.data.get(name, {})
        if isinstance(value, dict):
            return value
        self._is_whole = False
        self._add((name,), f"{name} = {shown(value)}: it is a table, [{name}]")
        return {}

    def _tables(self, name: str) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
        """The tables in a table: `[role.executor]`; None for what is there and is none."""
        for inner, value in self._table(name).items():
            try:
                checked(inner, f"name of {'an agent' if name == 'agent' else 'a role'}")
            except BadNameError as error:
                self._add((name, inner), str(error))
            if not isinstance(value, dict):
                self._add((name, inner), f"{name}.{key(inner)} = {shown(value)}: it is a table, [{name}.{key(inner)}]")
            yield inner, value if isinstance(value, dict) else None

    def _tasks(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        value = self._file.data.get("task", [])
        if not isinstance(value, list) or not all(isinstance(task, dict) for task in value):
            self._is_whole = False
            self._add(("task",), f"task = {shown(value)}: each is a table of its own, [[task]] and below it its values")
        else:
            yield from enumerate(value, 1)

    def _fields(
        self,
        path: tuple[str, ...],
        table: Mapping[str, Any],
        fields: Mapping[str, Callable[[Any], Any]],
        where: str = "",
    ) -> dict[str, Any]:
        """The values of a table that are right; what is wrong is kept."""
        found: dict[str, Any] = {}
        where = where or (f"[{'.'.join(path)}]: " if path else "")
        for name, value in table.items():
            if name not in fields:
                self._add((*path, name), f"{where}unknown key {shown(name)}; {instead_of(name, _known(path, fields))}")
                continue
            try:
                found[name] = fields[name](value)
            except WrongError as wrong:
                said = _way(wrong.path) if wrong.path else f" = {shown(value)}"
                self._add((*path, name, *wrong.path), f"{where}{name}{said}: {wrong}")
        return found

    def _add(self, path: tuple[str, ...], problem: str, line: int | None = None) -> None:
        self._wrong.append((self._file.line_of(path) if line is None else line, problem))
        if len(path) < 3 or path[2] not in _ALONE:
            self._bad_tables.add(self._file.line_of(path[:2]))

    def _told(self) -> Iterator[str]:
        for line, problem in self._wrong:
            yield f"{self._file.path}:{line}: {problem}" if line else f"{self._file.path}: {problem}"

    # Variables

    def _variables(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in self._table("vars").items():
            try:
                found[name] = variable(name, value, self._given.get(name))
            except WrongError as wrong:
                self._add(("vars", name), f"[vars]: {key(name)} = {shown(value)}: {wrong}")
        return found

    def _goal_given(self, goal: str) -> str | None:
        try:
            return values.text(LONGEST_TEXT)(goal)
        except WrongError as wrong:
            self._wrong.append((0, f"--goal: {wrong}"))
            return None

    def _check_given(self, tasks: Iterable[Task]) -> None:
        """What is given by the command is used by the file: else something is misspelt."""
        declared = self._table("vars")
        needed = {need for task in tasks for need in task.needs}
        for name in self._given:
            if name not in declared:
                known = instead_of(name, declared) if declared else "it has no [vars]"
                self._wrong.append((0, f"--var {name}: there is no such variable; {known}"))
            elif name in self._vars and name not in self._filling.used | needed:
                self._wrong.append((0, f"--var {name}: nothing uses it: no text has {{{name}}}, and no task needs it"))

    def _filled(self, path: tuple[str, ...], where: str, fill: Callable[[], Any]) -> Any:
        """What `fill` gives; None where it is wrong, which is kept."""
        try:
            return fill()
        except WrongError as wrong:
            line = self._line_with(path + wrong.path, wrong.line) if isinstance(wrong, InTextError) else None
            self._add(path + wrong.path, f"{where}{path[-1]}{_way(wrong.path)}: {wrong}", line)
            return None

    def _line_with(self, path: tuple[str, ...], text: str) -> int:
        """Where a line of a text stands that goes over several; where it is not found as it is, where that begins."""
        begins = self._file.line_of(path)
        lines = enumerate(self._file.text.split("\n")[begins - 1 :], begins)
        return next((number for number, line in lines if text.strip() in line), begins)

    # What stands in them

    def _agent(self, name: str, table: Mapping[str, Any]) -> Agent | None:
        path, where = ("agent", name), f"[agent.{name}]: "
        found = self._fields(path, table, AGENT)
        if ("command" in table) == ("session" in table):
            told = 'it takes one of command = ["program", "argument"] or session = "claude"'
            self._add(path, where + told)
            return None
        if "session" in table:
            for beside in ("folder", "silence", "environment"):
                if beside in table:
                    self._add((*path, beside), f"{where}{beside} is of command, and this one has session: leave it out")
            named = self._filled((*path, "session"), where, lambda: self._session(path, found.get("session")))
            return Session(named, found.get("worktree", True)) if named is not None else None
        if "command" not in found:
            return None
        more = {"python": sys.executable, "folder": str(self._folder)}
        command = found.pop("command")
        arguments = self._filled(
            (*path, "command"), where, lambda: values.program([self._filling.text(part, more) for part in command])
        )
        return Command(arguments, **found) if arguments is not None else None

    def _session(self, path: tuple[str, ...], named: str | None) -> str | None:
        """Which agent; None where that is wrong, or a variable in it, which is told."""
        if named is None:
            return None
        filled = self._filling.text(named)
        if filled != named or "{" not in named:
            return session(filled)
        self._bad_tables.add(self._file.line_of(path))
        return None

    def _role(self, name: str, table: Mapping[str, Any], agents: Mapping[str, Agent | None]) -> Role:
        path, where = ("role", name), f"[role.{name}]: "
        found = self._fields(path, table, ROLE)
        agent = found.pop("agent", None)
        if agent is not None and agent not in agents:
            known = instead_of(agent, agents) if agents else f"give [agent.{agent}]"
            self._add((*path, "agent"), f"{where}agent = {shown(agent)}: there is no such agent; {known}")
        elif agent is not None and agents[agent] is None:
            self._bad_tables.add(self._file.line_of(path))
        prompt = found.pop("prompt", None)
        if "prompt_file" in found:
            named = found.pop("prompt_file")
            if "prompt" in table:
                self._add((*path, "prompt_file"), f"{where}it takes prompt or prompt_file, one of them")
            prompt = self._filled((*path, "prompt_file"), where, lambda: self._prompt_of(named))
        if prompt is not None:
            given = "prompt" if "prompt" in table else "prompt_file"
            text = prompt
            prompt = self._filled((*path, given), where, lambda: self._filling.template(text, NAMES))
        return Role(name=name, agent=agents.get(agent or ""), prompt=prompt, **found, source=self._source(path))

    def _prompt_of(self, named: str) -> str:
        """What the file says. Raises `WrongError`."""
        place = self._folder / named
        if not Path(os.path.realpath(place)).is_relative_to(os.path.realpath(self._folder)):
            raise WrongError(f"{shown(named)} leads out of the folder of this file")
        try:
            file = read_text(place, _LONGEST_FILE)
        except (TextError, ValueError) as error:
            raise WrongError(str(error)) from error
        if file is None:
            raise WrongError(f"there is no file {place}")
        self._prompts[named] = values.text(LONGEST_TEXT)(file.text)
        return self._prompts[named]

    def _task(self, number: int, table: Mapping[str, Any]) -> Task:
        path = ("task", str(number))
        called = table.get("key")
        name = one_line(clean(called)) if isinstance(called, str) and called.strip() else f"number {number}"
        where = f"task {name}: "
        found = self._fields(path, table, TASK, where)
        if "key" not in table:
            self._add(path, f"{where}it needs key")
        if "key" not in found or ("gives" in found) != ("gives" in table):
            self._nameless.append(name)
        found["needs_approval"] = found.pop("approval", None) is not None
        if (titled := found.get("title")) is not None:
            found["title"] = self._filled((*path, "title"), where, lambda: title(self._filling.text(titled)))
        if (asked := found.get("prompt")) is not None:
            found["prompt"] = self._filled((*path, "prompt"), where, lambda: self._filling.text(asked))
        if "data" in found:
            data = found["data"]
            found["data"] = self._filled((*path, "data"), where, lambda: self._filling.value(data)) or {}
        lines = {key: self._file.line_of((*path, key)) for key in table}
        return Task(**{"key": name, **found}, source=Source(self._file.path, self._file.line_of(path), lines))

    def _source(self, path: tuple[str, ...]) -> Source:
        return Source(self._file.path, self._file.line_of(path))


def _way(path: Iterable[str]) -> str:
    """The way into a value, as a dotted key goes on."""
    return "".join(f".{step if step.isdecimal() else key(step)}" for step in path)


def _known(path: tuple[str, ...], fields: Iterable[str]) -> list[str]:
    """The keys that there are; beside those of the whole file its tables."""
    return [*fields, *(() if path else _TABLES)]
