"""Programs as agents: each attempt is one run of it, which gets the assignment as JSON on standard input.

What it prints is its value, as the reply of its role reads that; with a code other than 0 it failed, and its last words
on standard error say why. No shell reads its arguments.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from collab_tui.model.runs import Work
from collab_tui.orchestrator.agent import Assignment, CannotWorkError, Given, Surroundings, WorkError
from collab_tui.orchestrator.agents.running import run_program
from collab_tui.orchestrator.agents.worktrees import TaskWorktrees, check_worktrees, has_worktree, words_for
from collab_tui.processes.child import StartError
from collab_tui.processes.finding import find_program
from collab_tui.processes.output import OutputLog
from collab_tui.processes.programs import allowed_environment
from collab_tui.protocol.wording import cut
from collab_tui.sessions.drivers.turns import last_words
from collab_tui.sessions.log_folder import LogFolder
from collab_tui.sessions.names import task_name

MOST_OUTPUT: Final = 1 << 20
"""Bytes of what a program gives."""
_LONGEST_TOLD: Final = 1000
_LONGEST_NAMED: Final = 60
_MOST_LOGS: Final = 400
_MOST_LOG_BYTES: Final = 256 << 20
_LOG: Final = re.compile(r"[0-9a-f]{8}-[a-z0-9_-]+-\d+\.log(?:\.1)?")


@dataclass(frozen=True, slots=True)
class Command:
    """A program that can take seats."""

    arguments: Sequence[str]
    worktree: bool = False
    """It works in a worktree for each task, not in the project itself."""
    environment: Sequence[str] = ()
    """Names of variables that it gets beside those that every program gets."""
    folder: str | None = None
    """Where it starts: below the project's folder, or the same place in its worktree."""
    silence: float | None = None
    """Seconds without a word, on standard output or error, after which it is ended."""
    most_output: int = MOST_OUTPUT
    """Bytes of standard output; it is ended where it prints more."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for what is no list of arguments."""
        if isinstance(self.arguments, str) or not self.arguments or not self.arguments[0].strip():
            raise ValueError('a command is a list, the program and its arguments: ["python", "work.py"]')

    @property
    def told(self) -> str:
        """What it is, in words: the whole command, but for the folder of its program."""
        program, *rest = self.arguments
        return cut(shlex.join((Path(program).name, *rest)), _LONGEST_TOLD)

    @property
    def _named(self) -> str:
        return cut(self.told, _LONGEST_NAMED)

    @property
    def keeps_seat(self) -> bool:
        """Each attempt is a process of its own, and finds the task's worktree from any seat."""
        return False

    @property
    def announces(self) -> bool:
        """It need not tell anything by itself."""
        return False

    def document(self) -> dict[str, Any]:
        """As JSON values, to be kept."""
        told = {name: getattr(self, name) for name in ("worktree", "folder", "silence", "most_output")}
        return {"command": list(self.arguments), "environment": list(self.environment), **told}

    async def check(self, surroundings: Surroundings) -> None:
        """Raises `CannotWorkError` where there is no such program or folder, or no worktree can be made."""
        start = await asyncio.to_thread(self.start_in, surroundings.project)
        if self.worktree:
            await check_worktrees(surroundings, self._named)
        elif not await asyncio.to_thread(start.is_dir):
            raise CannotWorkError(f"{self._named}: there is no folder {start}")
        program, environment = self.arguments[0], allowed_environment(surroundings.environment)
        is_of_worktree = self.worktree and len(Path(program).parts) > 1 and not Path(program).is_absolute()
        if not is_of_worktree and await asyncio.to_thread(find_program, program, environment, start) is None:
            raise CannotWorkError(f"{self._named}: there is no program {program}")

    def start_in(self, top: Path) -> Path:
        """Where it starts, below a folder. Raises `CannotWorkError` where that leads out of it. Touches the disk."""
        if self.folder is None:
            return top
        start = Path(os.path.realpath(top / self.folder))
        if not start.is_relative_to(os.path.realpath(top)):
            raise CannotWorkError(f"{self._named}: its folder {self.folder} leads out of {top}")
        return start

    def seated(self, seat: str, surroundings: Surroundings) -> _Seat:
        """Take a seat."""
        return _Seat(self, seat, surroundings)


class _Seat:
    """See `agent.Worker`."""

    def __init__(self, command: Command, seat: str, surroundings: Surroundings) -> None:
        self._command = command
        self._seat = seat
        self._surroundings = surroundings
        self._worktrees = TaskWorktrees(surroundings)
        self._logs = LogFolder(surroundings.registry, "runs", _LOG, most=_MOST_LOGS, most_bytes=_MOST_LOG_BYTES)

    async def work(self, assignment: Assignment) -> Given:
        words, is_review = words_for(assignment), assignment.work is Work.REVIEW
        try:
            top = self._surroundings.project
            if self._command.worktree and has_worktree(assignment):
                top = await self._worktrees.project_in(await self._worktrees.make(words, assignment))
            given = await self._run(assignment, top)
            if not is_review and assignment.task.review is not None:
                await self._worktrees.check_committed(words)
            return replace(given, branch=None if is_review else await self._worktrees.branch_for(words))
        except WorkError as error:
            error.branch = None if is_review else await self._worktrees.branch_for(words)
            raise
        finally:
            if is_review:
                await self._worktrees.let_go(words)

    async def settle(self, task: str) -> None:
        await self._worktrees.let_go(task)

    async def close(self) -> None:
        await self._worktrees.let_go_all()

    async def _run(self, assignment: Assignment, top: Path) -> Given:
        command = self._command
        start = await asyncio.to_thread(command.start_in, top)
        log = await asyncio.to_thread(self._new_log, assignment)
        try:
            ran = await run_program(
                command.arguments,
                _document(assignment),
                environment=self._environment(assignment),
                folder=start,
                log=log,
                most=command.most_output,
                silence=command.silence,
                grace=self._surroundings.grace,
                held=self._surroundings.held,
            )
        except StartError as error:
            raise WorkError(f"cannot start {error}") from error
        if ran.outcome != "exit 0":
            raise WorkError(f"{ran.outcome}{last_words(ran.errors)}", log=log)
        return Given(ran.output.decode("utf-8", "replace").rstrip("\r\n"), log=log)

    def _environment(self, assignment: Assignment) -> Mapping[str, str]:
        around = self._surroundings.environment
        return {
            **allowed_environment(around),
            **{name: around[name] for name in self._command.environment if name in around},
            "COLLAB_REGISTRY": str(self._surroundings.registry),
            "COLLAB_AGENT": self._seat,
            "COLLAB_RUN": assignment.run,
            "COLLAB_TASK": assignment.task.key,
        }

    def _new_log(self, assignment: Assignment) -> Path:
        """Where its output goes: beside the registry, or where nothing can be kept there, in the run's own folder."""
        name = f"{assignment.run}-{task_name(assignment.task.key)}-{assignment.attempt}.log"
        try:
            self._logs.make_room()
            log = self._logs.path / name
        except OSError as error:
            self._surroundings.notice(f"no logs can be kept in {self._logs.path}: {error.strerror}")
            log = self._surroundings.private / name
        begins = f"> {self._command.told}, as {self._seat}, attempt {assignment.attempt} at {assignment.task.key}\n\n"
        OutputLog(log).append(begins.encode())
        return log


def _document(assignment: Assignment) -> bytes:
    try:
        return json.dumps(assignment.document()).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise CannotWorkError(f"{assignment.task.key}: what it is told is no JSON: {error}") from error
