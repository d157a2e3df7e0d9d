"""Runs that the monitor of this machine has, or another process: handed over, gone on with and cancelled by command."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import complain
from collab_tui.cli.session.giving import Line, NobodyError, failed
from collab_tui.model.runs import Run, RunState
from collab_tui.model.text import one_line
from collab_tui.monitor.acting import who_acts
from collab_tui.monitor.watching import carrier_of_run
from collab_tui.orchestrator.documents import is_of_callables, pipeline_of
from collab_tui.orchestrator.hearing import BY_HAND
from collab_tui.orchestrator.hosted import HostedRuns
from collab_tui.orchestrator.kept import KeptRuns, LeftError, RunError
from collab_tui.orchestrator.leaving import clear_left, tell_left
from collab_tui.orchestrator.plan import Pipeline
from collab_tui.protocol.commands import CommandType, start_payload
from collab_tui.registry.append import RefusedError, RegistryError, UnusableError
from collab_tui.registry.kept import kept_for

_BEGINS_WITHIN: Final = 120.0
"""Seconds for what it needs to be looked at, and for its first line."""
_HEARD_WITHIN: Final = 15.0
ITS_PROGRAM: Final = "its agents are Python functions: resume it from that program"


def named(registry: str | None) -> str:
    """How a command names the registry that this one was given; empty where it finds that by itself."""
    return f" --registry {shlex.quote(registry)}" if registry is not None else ""


def how_to_go_on(registry: Path, run_id: str, given: str | None = None) -> str:
    """How a run that is not done is gone on with, in words; `given` as of `named`."""
    try:
        if is_of_callables(pipeline_of(KeptRuns(registry).known(run_id).document)):
            return ITS_PROGRAM
    except (RunError, ValueError, TypeError, KeyError):
        pass  # what is wrong with it is told by who goes on with it
    return f"go on with it: `collab-tui run --resume {run_id}{named(given)}`"


class NotBegunError(RegistryError):
    """No run began; the text says why: of a pipeline, each of its mistakes on a line."""

    exit_code = 1


def hand_over(line: Line, pipeline: Pipeline, variables: Mapping[str, str], goal: str | None = None) -> str:
    """Have the monitor run a pipeline as it was read here; it is started if none acts. Gives the id of the run.

    Raises `NotBegunError`, and what `Line` does: it stays with the person at work.
    """
    if pipeline.path is None or pipeline.digest is None:
        raise UnusableError("only a pipeline that stands in a file can be handed to the monitor")
    return _begun(line, CommandType.START_RUN, pipeline.path, start_payload(pipeline.digest, goal, variables))


def resume_there(line: Line, run_id: str) -> str:
    """Have the monitor go on with a run of this machine. Gives its id. Raises as `hand_over`."""
    return _begun(line, CommandType.RESUME_RUN, run_id, {})


def _begun(line: Line, type_: CommandType, target: str, payload: Mapping[str, Any]) -> str:
    command_id = line.give(type_, target, payload, line.own)
    result = line.heard(command_id, line.own, within=_BEGINS_WITHIN)
    if result is None or not result.state.is_over:
        raise NobodyError(f"it has not begun within {_BEGINS_WITHIN:g} s: `collab-tui runs` shows it when it does")
    if failed(result):
        raise NotBegunError(result.reason or "the monitor does not say why")
    return str(result.result.get("run", ""))


def cancel_run(line: Line, run: Run, reason: str | None = None) -> bool:
    """Have whoever has a run cancel it: the monitor, or a process of its own; it ends within its grace.

    One that no process has is ended here, and what it left cleared: nothing starts for that, and no monitor goes on
    with it any more. Gives whether that was so. Raises `RefusedError` with why not, and what `Line` does.
    """
    hosted = HostedRuns(line.path)
    is_to_go_on = any(one.run == run.id for one in hosted.all())
    try:
        carrier = carrier_of_run(line.path, run)
        is_left = False
    except LeftError:
        is_left = True
    except RefusedError:
        if not is_to_go_on:
            raise
        carrier, is_left = line.own, who_acts(kept_for(line.path)) is None
    if is_left:
        line.check_person()
        kept_runs = KeptRuns(line.path)
        asyncio.run(clear_left(kept_runs, run.id, complain))
        state = tell_left(kept_runs, run.id, reason or BY_HAND, complain)
        hosted.forget(run.id)  # not before: who resumed it just now keeps their note of it
        if state is not RunState.CANCELLED:
            raise RefusedError(f"the run {run.id} is over: {state}")
        return True
    command_id = line.give(CommandType.CANCEL_RUN, run.id, {"reason": reason} if reason else {}, carrier)
    result = line.heard(command_id, carrier, within=_HEARD_WITHIN)
    if result is None or not result.state.is_over:
        on = one_line(run.host or "its machine")
        raise NobodyError(f"nobody on {on} took it within {_HEARD_WITHIN:g} s")
    if failed(result):
        raise RefusedError(result.reason or "it does not say why")
    return False
