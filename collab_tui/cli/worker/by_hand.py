"""`collab-tui worker decision`, `execution` and `stop`: what the person wants, signed, and done by the monitor."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import complain, make_parser, say, show_anything
from collab_tui.cli.console import make_console, styled
from collab_tui.cli.durations import duration
from collab_tui.cli.reading import now
from collab_tui.cli.session.giving import EXITS, FAILED, TIMED_OUT, Line, NobodyError, failed
from collab_tui.cli.standard_input import read_text
from collab_tui.cli.worker.workers import document, find_worker, head, why
from collab_tui.config.values import WrongError, shown
from collab_tui.config.workers import template_name
from collab_tui.model.fold import Fold
from collab_tui.model.summary import Span
from collab_tui.model.text import one_line
from collab_tui.model.workers import Worker, WorkerState
from collab_tui.monitor.acting import who_acts
from collab_tui.protocol.commands import CommandType
from collab_tui.protocol.tail import tail
from collab_tui.registry.append import UnusableError
from collab_tui.registry.base import absorb
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for
from collab_tui.sessions.prompts import LONGEST
from collab_tui.workers.screening import why_no_task

_NO_TASK: Final = "what-is-next"
"""What a decision is on that no task is named for."""
_LOOK: Final = 1.0
"""Seconds between two looks whether the monitor is still there."""

_DECISION: Final = f"""\
  collab-tui worker decision --task T-12 --template task_completed --title "Login with a passkey"
  collab-tui worker decision --prompt "Which of the open issues comes first?"
  collab-tui worker decision --task T-12 --no-wait
It may look and change nothing, and ends by itself. What it wants done is asked of you, as [workers] of your settings
says.
{EXITS}"""

_EXECUTION: Final = f"""\
  collab-tui worker execution T-13 --title "Tests for the login"
  collab-tui worker execution T-13 --agent codex --base main --prompt - < task.md
It works on a branch of its own, in a worktree, and is not waited for: `worker logs ID` and `session peek` tell of it.
{EXITS}"""

_STOP: Final = f"""\
  collab-tui worker stop 3f2a
What it committed stays on its branch.
{EXITS}"""


def decision_(arguments: list[str]) -> int:
    """Have an agent judge what is to be done next."""
    parser = make_parser("worker decision", "Have an agent judge what is to be done next.", _DECISION)
    parser.add_argument("--task", metavar="ID", help="the task that it is about")
    told = parser.add_mutually_exclusive_group()
    told.add_argument("--prompt", metavar="TEXT", help="what it is asked; - reads it from standard input")
    told.add_argument(
        "--template", metavar="NAME", help="what it is told: task_completed, or another; else high_priority"
    )
    _add(parser)
    parser.add_argument("--timeout", type=duration, metavar="TIME", help="how long to wait for its verdict")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for its verdict")
    options = parser.parse_args(arguments)
    if options.task is None and options.prompt is None:
        parser.error("what is to be decided? Give --task or --prompt")
    show_anything()
    line = Line(options.registry, is_piped=options.prompt == "-")
    worker_id = _give(line, CommandType.DECIDE, options.task or _NO_TASK, options, ("title", "template", "agent"))
    if worker_id is None:
        return FAILED
    if options.no_wait:
        return _told(worker_id, options)
    if not options.json:
        say(f"worker {worker_id[:8]} is queued; its verdict comes here, and to `collab-tui worker logs`")
    worker = asyncio.run(_over(line.path, worker_id, options.timeout, line.reading.config.poll))
    if worker is None:
        complain(f"no verdict within {options.timeout:g} s; it goes on: `collab-tui worker logs {worker_id}`")
        return TIMED_OUT
    return _tell_verdict(worker, options.json)


def execution_(arguments: list[str]) -> int:
    """Have an agent do a task."""
    parser = make_parser("worker execution", "Have an agent do a task, in a worktree of its own.", _EXECUTION)
    parser.add_argument("task", metavar="TASK", help="the id of the task, or a short name for it")
    parser.add_argument("--prompt", metavar="TEXT", help="what it is told, else the template; - reads standard input")
    parser.add_argument("--base", metavar="BRANCH", help="where its branch begins; else where the project stands")
    _add(parser)
    options = parser.parse_args(arguments)
    show_anything()
    line = Line(options.registry, is_piped=options.prompt == "-")
    worker_id = _give(line, CommandType.EXECUTE, options.task, options, ("title", "agent", "base"))
    return FAILED if worker_id is None else _told(worker_id, options)


def stop_(arguments: list[str]) -> int:
    """End one that waits or runs."""
    parser = make_parser("worker stop", "End a worker that waits or runs.", _STOP)
    parser.add_argument("id", metavar="ID", help="its id, or a unique beginning of it")
    parser.add_argument("--json", action="store_true", help="one JSON object: worker, state")
    options = parser.parse_args(arguments)
    show_anything()
    line = Line(options.registry, is_brake=True)
    worker = find_worker(line.reading.moment.board, options.id)
    if worker.state.is_over:
        raise UnusableError(f"the worker {worker.id} is over: {worker.state}")
    if _carried_out(line, CommandType.STOP_WORKER, worker.id, {}) is None:
        return FAILED
    if options.json:
        print(json.dumps({"worker": worker.id, "state": "stopped"}))
    else:
        say(one_line(f"the worker {worker.id} on {worker.task} was stopped"))
    return 0


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--title", metavar="TEXT", help="what the task is, on one line")
    parser.add_argument("--agent", metavar="NAME", help="which agent, else the one of your settings")
    parser.add_argument("--json", action="store_true", help="one JSON object: worker, and what came of it")


def _give(line: Line, kind: CommandType, task: str, options: argparse.Namespace, names: tuple[str, ...]) -> str | None:
    """The id of the worker that is queued; None when it is not, which was told."""
    if (wrong := why_no_task(task)) is not None:
        raise UnusableError(f"{wrong}: not {shown(task)}")
    try:
        if "template" in names and options.template is not None:
            template_name(options.template)
    except WrongError as error:
        raise UnusableError(f"--template: {error}") from error
    line.check_person()
    payload = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.prompt is not None:
        payload["prompt"] = read_text(LONGEST) if options.prompt == "-" else options.prompt
        if not payload["prompt"].strip():
            raise UnusableError("an empty prompt says nothing")
    found = _carried_out(line, kind, task, payload)
    return None if found is None else str(found.get("worker", ""))


def _carried_out(line: Line, kind: CommandType, target: str, payload: Mapping[str, str]) -> Mapping[str, Any] | None:
    command_id = line.give(kind, target, payload, line.own)
    result = line.heard(command_id, line.own)
    if result is None or failed(result):
        complain(one_line(f"it was not done: {result.reason if result is not None else 'nobody says why'}"))
        return None
    return result.result


def _told(worker_id: str, options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps({"worker": worker_id}))
    else:
        say(f"queued as worker {worker_id}: `collab-tui worker logs {worker_id[:8]}` tells what becomes of it")
    return 0


async def _over(path: Path, worker_id: str, within: float | None, poll: float | None) -> Worker | None:
    """The worker once nothing more comes of it; None where that takes too long. Raises `NobodyError`."""
    fold = Fold()

    async def follow() -> Worker:
        async with aclosing(tail(JsonlRegistry(path), poll)) as looks:
            async for news in looks:
                absorb(news, fold)
                found = next((one for one in fold.board().workers if one.id == worker_id), None)
                if found is not None and found.state.is_over:
                    return found
        raise AssertionError("a tail does not end")

    following = asyncio.create_task(follow())
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        while True:
            left = _LOOK if within is None else min(_LOOK, began + within - loop.time())
            await asyncio.wait({following}, timeout=max(0.0, left))
            if following.done():
                return following.result()
            if within is not None and loop.time() - began >= within:
                return None
            if await asyncio.to_thread(who_acts, kept_for(path)) is None:
                raise NobodyError(
                    f"the monitor ended meanwhile; the next one goes on: `collab-tui worker logs {worker_id}`"
                )
    finally:
        following.cancel()
        await asyncio.wait({following})


def _tell_verdict(worker: Worker, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"worker": document(worker)}, indent=2))
    else:
        console = make_console()
        console.print(styled(head(worker, now())))
        console.print(styled([Span(" " * 10), why(worker)]))
        for task in (worker.verdict or {}).get("next", ()):
            told = f"{task.get('task')}  {task.get('title') or ''}  {task.get('why')}"
            console.print(styled([Span(" " * 10), Span(one_line(f"next: {told}"))]))
    return 0 if worker.state is WorkerState.DONE else FAILED
