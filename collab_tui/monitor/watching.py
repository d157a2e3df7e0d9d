"""What this machine knows of the sessions and runs that a registry tells of, and who sees to it now that it is so.

A line that says "working" is as true as whoever wrote it is alive. So what runs is told apart from what ran when it was
last told of: on another machine, without a monitor, or gone with it. And anybody may write a line that says a session
runs elsewhere, or ended: of what runs here the private record and the process tell, whatever stands in the registry.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from collab_tui.model.board import Board
from collab_tui.model.sessions import Observed, Session
from collab_tui.model.text import one_line
from collab_tui.model.words import name_key
from collab_tui.model.workers import StreamState
from collab_tui.monitor.acting import who_acts
from collab_tui.orchestrator.hosted import HostedRuns
from collab_tui.processes.identity import Identity, is_alive
from collab_tui.protocol.commands import Carrier, is_same_host
from collab_tui.registry.append import RefusedError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for, monitor_of
from collab_tui.registry.machine import this_machine
from collab_tui.sessions.log_folder import pointer
from collab_tui.sessions.records import Record, Records

if TYPE_CHECKING:
    from collab_tui.model.runs import Run


class Watch(Enum):
    """Who sees to it."""

    MONITOR = "monitor"
    """A monitor of this machine."""
    PROCESS = "process"
    """Another process of this machine has the run."""
    NOBODY = "nobody"
    """Its program runs, and no monitor looks at it."""
    GONE = "gone"
    """Its monitor is gone, or its process, and its program with it."""
    ELSEWHERE = "elsewhere"
    """Another machine, or another user of this one: nobody here can tell."""
    UNKNOWN = "unknown"
    """It was not looked yet, or it is the past."""


def watch(registry: Path, sessions: Iterable[Session]) -> Mapping[str, Watch]:
    """Run -> who sees to it, for those that are told to run."""
    has_monitor = who_acts(kept_for(registry)) is not None
    return {each.run: _watch_of(registry, each, has_monitor) for each in sessions if each.observed.is_running}


def watch_monitors(registry: Path, monitors: Iterable[str]) -> Mapping[str, Watch]:
    """Id of a monitor -> whether it acts now: `MONITOR` or `GONE` for the one of this machine, else `ELSEWHERE`."""
    kept = kept_for(registry)
    own, state = monitor_of(kept), Watch.MONITOR if who_acts(kept) is not None else Watch.GONE
    return {monitor: state if monitor == own else Watch.ELSEWHERE for monitor in monitors}


def watch_runs(registry: Path, runs: Iterable[Run]) -> Mapping[str, Watch]:
    """Id of a run -> whether a process has it now, for those that are told to run, and did not end since."""
    going = [run for run in runs if not run.state.is_over]
    if not going:
        return {}
    from collab_tui.orchestrator.kept import KeptRuns, RunError  # only who has runs pays for it
    from collab_tui.orchestrator.reading import ended_since

    kept, own = KeptRuns(registry), monitor_of(kept_for(registry))

    def watch_of(run: Run) -> Watch:
        if kept.is_held(run.id):
            return Watch.MONITOR if run.carrier == own else Watch.PROCESS
        try:
            is_here = kept.known(run.id).is_here
        except RunError:
            is_here = False
        return Watch.GONE if is_here else Watch.ELSEWHERE

    watched = {run.id: watch_of(run) for run in going}
    gone = {run.id: run.position for run in going if watched[run.id] is Watch.GONE}
    over = ended_since(registry, gone) if gone else ()
    return {run: watch for run, watch in watched.items() if run not in over}


def gone_agents(registry: JsonlRegistry, runs: Iterable[Run], sessions: Sequence[Session]) -> frozenset[str]:
    """Keys of the agents of runs whose process is gone; of sessions, which may outlive it, those that are gone too.

    The registry has been read.
    """
    from collab_tui.orchestrator.reading import as_they_tell

    runs = as_they_tell(registry, runs)
    watched = watch_runs(registry.path, runs)
    gone = {key for run in runs if watched.get(run.id) is Watch.GONE for key in map(name_key, run.agents())}
    if not gone:
        return frozenset()
    watches = watch(registry.path, sessions)
    run_on = {name_key(one.name) for one in sessions if watches.get(one.run, Watch.GONE) is not Watch.GONE}
    return frozenset(gone - run_on)


def unattended(registry: Path, board: Board) -> Sequence[str]:
    """What the monitor of this machine is to see to while none acts, counted in words; nothing while one does."""
    kept = kept_for(registry)
    own = monitor_of(kept)
    counts = {
        "stream": sum(one.monitor == own and one.state is not StreamState.STOPPED for one in board.streams),
        "worker": sum(one.monitor == own and not one.state.is_over for one in board.workers),
        "session": sum(one.monitor == own and one.observed.is_running for one in board.sessions),
        "run": len(HostedRuns(registry).all()) if board.runs else 0,
    }
    told = [f"{count} {what}{'' if count == 1 else 's'}" for what, count in counts.items() if count]
    return told if told and who_acts(kept) is None else []


def record_of(registry: Path, session: Session) -> Record | None:
    """What is kept here of this very session; None for one of another machine or user, or of an earlier start."""
    record = Records(registry).load(session.name)
    return record if record is not None and record.run == session.run and _is_ours(record) else None


def known(registry: Path, sessions: Iterable[Session]) -> Sequence[Session]:
    """The sessions that a registry tells of, with what is known here of those that run here: these come last."""
    has_monitor = who_acts(kept_for(registry)) is not None
    told = {name_key(session.name): session for session in sessions}
    for record in Records(registry).all():
        session = told.get(name_key(record.name))
        if _runs(record, has_monitor) and (session is None or _differs(session, record)):
            told.pop(name_key(record.name), None)
            told[name_key(record.name)] = _as_it_is(registry, record, session)
    return tuple(told.values())


def own_carrier(registry: Path) -> Carrier:
    """The monitor of this registry on this machine, whether or not it acts."""
    return Carrier(monitor_of(kept_for(registry)), socket.gethostname())


def carrier_of(registry: Path, session: Session) -> Carrier:
    """Who carries out commands to a session, whatever odd lines say; without a monitor where none tells of it."""
    has_monitor = who_acts(kept_for(registry)) is not None
    record = Records(registry).load(session.name)
    if record is not None and _is_ours(record) and (record.run == session.run or _runs(record, has_monitor)):
        return own_carrier(registry)
    return Carrier(session.monitor, session.host)


def carrier_of_run(registry: Path, run: Run) -> Carrier:
    """Who carries out commands to a run, whatever odd lines say of one that is kept here. Reads the registry.

    Raises `RefusedError` where it is over, `LeftError` where its process is gone, `RunError` where no line tells who
    has it.
    """
    from collab_tui.orchestrator.kept import KeptRuns, LeftError, RunError
    from collab_tui.orchestrator.reading import own_run

    is_held = KeptRuns(registry).is_held(run.id)  # before it is read: what ends meanwhile is over, not gone
    told = None
    with suppress(RunError):  # its own lines cannot be read; the brake works all the same
        told = own_run(registry, run.id)
    run = told or run
    if run.state.is_over and (told is not None or not is_held):
        raise RefusedError(f"the run {run.id} is over: {run.state}")
    if not run.carrier:
        raise RunError(f"the registry does not tell who has the run {run.id}")
    carrier = Carrier(run.carrier, run.host or "")
    folder = kept_for(registry)
    goes_on = who_acts(folder) is not None and any(one.run == run.id for one in HostedRuns(registry).all())
    if told is not None and not is_held and not (goes_on and carrier.monitor == monitor_of(folder)):
        again = f"`collab-tui run --resume {run.id}` goes on with it"
        raise LeftError(f"the process of the run {run.id} is gone, and nothing of it runs; {again}")
    return carrier


def _is_ours(record: Record) -> bool:
    """It is of this machine: several may have one home folder."""
    return record.is_of(this_machine(), socket.gethostname())


def _runs(record: Record, has_monitor: bool) -> bool:
    """Its program runs here, as far as can be told without its driver."""
    return record.ended is None and _is_ours(record) and (has_monitor or _lives(record))


def _lives(record: Record) -> bool:
    return record.pid is not None and is_alive(Identity(record.pid, record.pid_started or ""))


def _differs(session: Session, record: Record) -> bool:
    if session.run == record.run and session.observed is Observed.LOST and record.handle is not None:
        return False  # its monitor says so of a terminal that it cannot take up, and tries again
    return (
        session.run != record.run
        or not session.observed.is_running
        or not is_same_host(session.host, record.host)
        or session.monitor != record.monitor
    )


def _as_it_is(registry: Path, record: Record, told: Session | None) -> Session:
    """A session that runs here, of which the registry tells nothing, or something else."""
    is_this = told is not None and told.run == record.run
    if told is None or not (is_this or told.observed.is_running):
        odd = "the registry does not tell of its start"
    elif told.observed.is_running and not is_same_host(told.host, record.host):
        odd = f"an odd line tells that it runs on {one_line(told.host) or 'no machine'}"
    elif told.observed.is_running:
        odd = "an odd line tells of another start of it"
    else:
        odd = f"an odd line tells that it is {told.observed}"
    return replace(
        told if told is not None and is_this else _of(record),
        monitor=record.monitor,
        host=record.host,
        driver=record.driver,
        pid=record.pid,
        cwd=record.folder,
        branch=record.branch,
        base=record.base,
        log=pointer(registry, Path(record.log)),
        observed=told.observed if told is not None and told.observed.is_running and is_this else Observed.STARTING,
        why=odd,
    )


def _of(record: Record) -> Session:
    """As little as is known of a session without its lines: that it runs."""
    return Session(
        name=record.name,
        run=record.run,
        monitor=record.monitor,
        host=record.host,
        definition=record.definition,
        driver=record.driver,
        pid=record.pid,
        cwd=record.folder,
        branch=record.branch,
        base=record.base,
        task=record.task,
        worker=record.worker,
        log=None,
        started=0,
        started_at=None,
        observed=Observed.WORKING,
        why=None,
        observed_at=0,
        observed_since=None,
        last_line=None,
        changed=None,
        unpushed=None,
        queued=0,
        undelivered=0,
        can_resume=record.resume_id is not None,
    )


def _watch_of(registry: Path, session: Session, has_monitor: bool) -> Watch:
    record = record_of(registry, session)
    if record is None:
        return Watch.ELSEWHERE
    if has_monitor:
        return Watch.MONITOR
    return Watch.NOBODY if _lives(record) else Watch.GONE
