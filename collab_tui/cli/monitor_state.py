"""`collab-tui monitor --status` and `--stop`: who acts on a registry on this machine, and its end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import asked_yes, say
from collab_tui.cli.settings import load_to_brake
from collab_tui.model.ages import age, seconds_between
from collab_tui.model.board import Board
from collab_tui.model.event import parse_time
from collab_tui.model.fold import Fold
from collab_tui.model.runs import Run, TaskState
from collab_tui.model.sessions import Session
from collab_tui.model.text import one_line
from collab_tui.model.workers import Stream, Worker, WorkerState
from collab_tui.monitor.acting import Acting, ask_to_end, has_ended, who_acts
from collab_tui.monitor.watching import known, record_of
from collab_tui.orchestrator.hosted import HostedRuns
from collab_tui.protocol.presence import agent_mark
from collab_tui.registry.append import NotWrittenError, UnusableError
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for, monitor_of
from collab_tui.registry.turn import Turn

NOBODY: Final = 1
_PATIENCE: Final = 60.0
"""Seconds for sessions and programs to end, and then for the monitor itself."""


@dataclass(frozen=True, slots=True)
class _Owned:
    """What a monitor has in hand."""

    ending: Sequence[Session]
    """Sessions that end with it."""
    staying: Sequence[Session]
    """Sessions whose program stays when it ends: the next monitor takes them up."""
    workers: Sequence[Worker]
    streams: Sequence[Stream]
    runs: Mapping[str, Run | None]
    """By id those that the next monitor goes on with; None: the registry does not tell of it yet."""

    @classmethod
    def of(cls, registry: Path) -> _Owned:
        """As the registry tells of it, and what is kept here."""
        board, monitor = _board(registry), monitor_of(kept_for(registry))
        told = [session for session in known(registry, board.sessions) if session.observed.is_running]
        ours = [(session, record) for session in told if (record := record_of(registry, session)) is not None]
        return cls(
            [session for session, record in ours if record.handle is None],
            [session for session, record in ours if record.handle is not None],
            [worker for worker in board.workers if worker.monitor == monitor and not worker.state.is_over],
            [stream for stream in board.streams if stream.monitor == monitor],
            {hosted.run: board.run(hosted.run) for hosted in HostedRuns(registry).all()},
        )


def status(registry: Path, as_json: bool) -> int:
    """Print who acts, and what it has in hand; gives 0, or 1 where nobody acts."""
    folder = kept_for(registry)
    acting = who_acts(folder)
    if acting is None:
        starting = Turn(folder).holder()
        if as_json:
            print(json.dumps({"registry": str(registry), "acts": False, "starting": starting}))
        elif starting is not None:
            say(f"{registry}: a monitor starts: {starting}")
        else:
            say(f"{registry}: no monitor acts on this machine; `collab-tui monitor` starts one, and so does a session")
        return NOBODY
    owned = _Owned.of(registry)
    if as_json:
        print(json.dumps(_document(registry, acting, owned), indent=2))
        return 0
    for line in _lines(registry, acting, owned):
        say(line)
    return 0


def stop(registry: Path, *, is_sure: bool) -> int:
    """End the monitor that acts, and no other process; gives 0, or 1 where nobody acts or the person says no."""
    acting = who_acts(kept_for(registry))
    if acting is None:
        say(f"{registry}: no monitor acts on this machine")
        return NOBODY
    if (mark := agent_mark(os.environ)) is not None:
        raise UnusableError(f"this runs inside an agent's process (${mark} is set): the person stops the monitor")
    owned = _Owned.of(registry)
    if (owned.ending or owned.runs) and not is_sure:
        if owned.ending:
            say(f"With the monitor (process {acting.pid}) end {_counted(owned.ending, 'session')} that it has in hand:")
        for session in owned.ending:
            say(f"  {_told(session)}")
        if owned.runs:
            stop_ = "stops" if len(owned.runs) == 1 else "stop"
            say(f"{_counted(owned.runs, 'run')} {stop_}; the next monitor goes on, and begins anew what is under way:")
        for run_id, run in owned.runs.items():
            say(f"  {_told_of_run(run_id, run)}")
        if owned.staying:
            say(f"{', '.join(_name(session) for session in owned.staying)} in tmux run on.")
        if not sys.stdin.isatty():
            raise UnusableError("nobody can be asked: --yes stops it all the same")
        if not asked_yes("Stop it?"):
            say("Nothing was stopped.")
            return NOBODY
    ask_to_end(acting)
    if not has_ended(acting, _PATIENCE):
        raise NotWrittenError(f"process {acting.pid} was asked to end and has not within {_PATIENCE:g} s")
    say(f"stopped the monitor of {registry} (process {acting.pid})")
    return 0


def _board(registry: Path) -> Board:
    """What the registry tells; where it cannot be read, nothing."""
    fold = Fold(load_to_brake(registry).person)
    read_to_end(JsonlRegistry(registry), fold, final=True)
    return fold.board()


def _lines(registry: Path, acting: Acting, owned: _Owned) -> Iterator[str]:
    since = parse_time(acting.since)
    told = f", since {since.astimezone():%Y-%m-%d %H:%M:%S} ({_age(since)})" if since is not None else ""
    yield f"{registry}"
    yield f"acts      process {acting.pid}{told}"
    yield f"monitor   {monitor_of(kept_for(registry))}"
    yield f"log       {acting.log or 'in the terminal in which it was started'}"
    yield f"sessions  {len(owned.ending) + len(owned.staying) or 'none'}"
    for session in owned.ending:
        yield f"  {_told(session)}"
    for session in owned.staying:
        yield f"  {_told(session)}  stays when the monitor ends"
    yield f"workers   {len(owned.workers) or 'none'}"
    for worker in owned.workers:
        yield f"  {_fit(worker.id, 14)}  {worker.kind} {worker.state}  {_fit(worker.task, 40)}"
    yield f"runs      {len(owned.runs) or 'none'}"
    for run_id, run in owned.runs.items():
        yield f"  {_told_of_run(run_id, run)}"
    yield f"streams   {len(owned.streams) or 'none'}"
    for stream in owned.streams:
        why = f": {stream.why}" if stream.why else ""
        yield f"  {_fit(stream.name, 14)}  {stream.state} {_age(stream.since)}{one_line(why)}"


def _told(session: Session) -> str:
    return f"{_fit(session.name, 14)}  {session.observed} {_age(session.observed_since)}  {one_line(session.driver)}"


def _told_of_run(run_id: str, run: Run | None) -> str:
    if run is None:
        return f"{run_id}  it has not begun"
    done = sum(task.state is TaskState.DONE for task in run.tasks)
    return f"{_fit(run.name, 14)}  {run_id} {run.state} {_age(run.started_at)}  {done} of {len(run.tasks)} tasks done"


def _name(session: Session) -> str:
    return one_line(session.name)


def _fit(text: str, width: int) -> str:
    """On one line, in a column."""
    text = one_line(text)
    return f"{text if len(text) <= width else f'{text[: width - 3]}...':<{width}}"


def _age(since: datetime | None) -> str:
    seconds = seconds_between(since, datetime.now(UTC))
    return age(seconds) if seconds is not None else "?"


def _counted(things: Collection[object], what: str) -> str:
    return f"{len(things) or 'no'} {what}{'' if len(things) == 1 else 's'}"


def _document(registry: Path, acting: Acting, owned: _Owned) -> dict[str, Any]:
    def of_session(session: Session, *, ends: bool) -> dict[str, Any]:
        return {
            "name": session.name,
            "run": session.run,
            "driver": session.driver,
            "observed": session.observed.value,
            "ends_with_monitor": ends,
        }

    sessions = [of_session(session, ends=True) for session in owned.ending]
    sessions += [of_session(session, ends=False) for session in owned.staying]
    return {
        "registry": str(registry),
        "acts": True,
        "pid": acting.pid,
        "monitor": monitor_of(kept_for(registry)),
        "since": acting.since,
        "log": acting.log,
        "sessions": sessions,
        "workers": [
            {
                "id": worker.id,
                "kind": worker.kind.value,
                "task": worker.task,
                "state": worker.state.value,
                "session": worker.session,
                "is_running": worker.state is WorkerState.RUNNING,
            }
            for worker in owned.workers
        ],
        "streams": [
            {"name": stream.name, "state": stream.state.value, "why": stream.why, "events": stream.events}
            for stream in owned.streams
        ],
        "runs": [
            {"run": run_id, "name": run.name if run else None, "state": run.state.value if run else None}
            for run_id, run in owned.runs.items()
        ],
    }
