"""Commands of the person to what runs on a machine - sessions, workers, runs - and what becomes of them.

    written = send(registry, trust, CommandType.SEND_PROMPT, "sena", {"prompt": "go on"}, Carrier(monitor_id, host))
    async for result in result_of(registry, written["id"], monitor_id):
        print(result.state, result.reason)

A line of a shared file must not start programs: a command is signed with the person's own key over all that it says and
the registry it stands in, names the monitor that carries it out, and is good once and for ten minutes. Whoever carries
commands out gives every line to `taken`, and acts on nothing else. A machine may have several monitors of a registry:
one for each user, or for each state folder. A run in a process of its own carries out itself what is to be done with
it: that process is called as a monitor is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any, Final, TypeGuard

from collab_tui.model.event import Event, Item, parse_time
from collab_tui.model.requests import is_person_writing
from collab_tui.model.session_book import is_monitors, word_of
from collab_tui.model.sessions import CommandState
from collab_tui.model.signature import Judgement, Signed, Standing, parse
from collab_tui.model.text import clean
from collab_tui.model.words import MONITOR, name_key
from collab_tui.protocol.answers import seal_of
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.tail import tail
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RegistryError
from collab_tui.registry.jsonl import JsonlRegistry

COMMAND: Final = "command"
RESULT: Final = "command_result"
GOOD_FOR: Final = timedelta(minutes=10)
"""An older command is not carried out any more; nor is one whose time lies as far ahead."""
_LONGEST_NAME: Final = 100
"""Characters of what a command names that stand in its results."""


class CommandType(StrEnum):
    """What is to be done with a session, whose name `target` is, if nothing else is said. The payload is listed."""

    START = "start"
    """`target` is the name under which it takes part; `agent` (the name of its definition), `task? base? prompt?`
    (texts), `in_worktree?` (true or false).
    """
    SEND_PROMPT = "send_prompt"
    """`prompt`. It is `running` once the agent has it, `done` with its reply."""
    INTERRUPT = "interrupt"
    STOP = "stop"
    """`remove_worktree?` (true or false)."""
    RESTORE = "restore"
    DECIDE = "decide"
    """A decision worker; `target` is its task: `title? prompt? template? agent?`. `done` once it is queued."""
    EXECUTE = "execute"
    """An execution worker; `target` is its task: `title? prompt? agent? base?`. The same."""
    STOP_WORKER = "stop_worker"
    """`target` is the id of a worker."""
    START_RUN = "start_run"
    """`target` is the whole path of a pipeline file: `digest` (of what it said when the person saw it), `goal?`,
    `variables?` (as JSON), `run?` (the id that its run is to get: 8 hex digits). It is `running` once it is looked at,
    and `done` once the run has begun.
    """
    CANCEL_RUN = "cancel_run"
    """`target` is the id of a run: `reason?`. Carried out by whoever has the run."""
    RESUME_RUN = "resume_run"
    """`target` is the id of a run; the same states as of its start."""


class Concern(Enum):
    """Who carries a command out: the sessions, the workers and the runs of a monitor each hear their own."""

    SESSIONS = "sessions"
    """Also what nobody knows."""
    WORKERS = "workers"
    RUNS = "runs"


_CONCERNS: Final = {
    CommandType.DECIDE: Concern.WORKERS,
    CommandType.EXECUTE: Concern.WORKERS,
    CommandType.STOP_WORKER: Concern.WORKERS,
    CommandType.START_RUN: Concern.RUNS,
    CommandType.CANCEL_RUN: Concern.RUNS,
    CommandType.RESUME_RUN: Concern.RUNS,
}

_PAYLOADS: Final[Mapping[CommandType, Mapping[str, type]]] = {
    CommandType.START: {"agent": str, "task": str, "base": str, "prompt": str, "in_worktree": bool},
    CommandType.SEND_PROMPT: {"prompt": str},
    CommandType.INTERRUPT: {},
    CommandType.STOP: {"remove_worktree": bool},
    CommandType.RESTORE: {},
    CommandType.DECIDE: {"title": str, "prompt": str, "template": str, "agent": str},
    CommandType.EXECUTE: {"title": str, "prompt": str, "agent": str, "base": str},
    CommandType.STOP_WORKER: {},
    CommandType.START_RUN: {"digest": str, "goal": str, "variables": str, "run": str},
    CommandType.CANCEL_RUN: {"reason": str},
    CommandType.RESUME_RUN: {},
}
_NEEDED: Final = {CommandType.START: "agent", CommandType.SEND_PROMPT: "prompt", CommandType.START_RUN: "digest"}
_AS_SIGNED: Final = frozenset(("prompt", "goal", "variables"))
"""Texts for a program."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Who carries a command out."""

    monitor: str
    """The id of that very monitor: see `registry.kept.monitor_of`."""
    host: str
    """Its machine, for people to read."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A command that is to be carried out here and now."""

    id: str
    type: CommandType
    target: str
    payload: Mapping[str, Any]
    """Only what its type knows, each of its kind."""
    time: datetime


class NotTakenError(Exception):
    """A command for this monitor that is not carried out; the text says why."""


class NotThePersonsError(NotTakenError):
    """It is not the person's: anybody may have written it."""


class TakenBeforeError(NotTakenError):
    """It was taken before: what became of it stands elsewhere, or nobody knows."""


# Giving commands


def command(
    by: str, command_type: CommandType, target: str, payload: Mapping[str, Any], carrier: Carrier
) -> dict[str, Any]:
    """The event of a command, still to be signed."""
    return {
        "agent": by,
        "event": COMMAND,
        "command_type": command_type.value,
        "target": target,
        "payload": dict(payload),
        "monitor": carrier.monitor,
        "host": carrier.host,
    }


def start_payload(
    digest: str, goal: str | None = None, variables: Mapping[str, str] | None = None, run: str | None = None
) -> dict[str, str]:
    """Of `START_RUN`: `digest` is that of the pipeline as the person saw it, `run` the id that its run is to get."""
    told = {"digest": digest, "goal": goal, "variables": json.dumps(dict(variables)) if variables else None, "run": run}
    return {name: value for name, value in told.items() if value}


def send(
    registry: JsonlRegistry,
    trust: Trust,
    command_type: CommandType,
    target: str,
    payload: Mapping[str, Any],
    carrier: Carrier,
) -> dict[str, Any]:
    """Append a command, signed as the person: it is always theirs. Gives it as written.

    The registry has been read. Raises `KeyFileError` without a key that can be used, or what the append raises.
    """
    event = command(trust.person, command_type, target, payload, carrier)
    written = registry.append(event, seal=seal_of(registry, trust, None, Signed.COMMAND))
    announce(registry.path)
    return written


# Taking commands


def judge(event: Event, registry_id: str | None, trust: Trust) -> Judgement:
    """Who gave a command; only `SIGNED` is the person's. Nobody else gives commands, approvers neither."""
    if event.agent is None or not is_person_writing(event.agent, trust.person):
        return Judgement(Standing.BAD, f"only {trust.person} gives commands")
    return trust.judge_command(event, registry_id)


def taken(
    item: Item,
    *,
    registry_id: str | None,
    trust: Trust,
    used: UsedDecisions,
    monitor: str,
    now: datetime,
    concern: Concern = Concern.SESSIONS,
) -> Taken | None:
    """The command of a line if it is to be carried out here and now: each is given once to a monitor.

    None for what is no command, one for another monitor, or one of another concern. Raises
    `NotTakenError` for one that is not carried out, and `RegistryError` where it cannot be told whether it was taken
    before.
    """
    if not is_to(item, monitor) or concern_of(item) is not concern:
        return None
    found = judge(item, registry_id, trust)
    if found.standing is not Standing.SIGNED:
        raise NotThePersonsError(f"it is not {trust.person}'s: {found.reason}")
    command = _read(item)
    if now - command.time > GOOD_FOR:
        raise NotTakenError(f"it is too old: it was given at {command.time:%Y-%m-%d %H:%M} UTC")
    if command.time - now > GOOD_FOR:
        raise NotTakenError(f"it is of {command.time:%Y-%m-%d %H:%M} UTC, which is still to come: set the clocks")
    if not used.of_commands.use_once(item, monitor):
        raise TakenBeforeError("it was taken before")
    return command


def is_to(item: Item, monitor: str) -> TypeGuard[Event]:
    """A line is a command to a monitor, whoever wrote it and whenever."""
    return isinstance(item, Event) and item.kind == COMMAND and item.text("monitor") == monitor


def concern_of(command: Event) -> Concern:
    """Who is to hear a command."""
    type_ = word_of(CommandType, command.data.get("command_type"))
    return _CONCERNS.get(type_, Concern.SESSIONS) if type_ is not None else Concern.SESSIONS


def is_for(item: Item, monitor: str, now: datetime) -> bool:
    """A line may be a command that a monitor is to carry out: not whether it may."""
    return is_to(item, monitor) and item.time is not None and now - item.time <= GOOD_FOR


def is_same_host(named: str | None, host: str) -> bool:
    """Two names of machines are the same one's: systems spell them as they like."""
    return named is not None and name_key(named) == name_key(host)


def _read(event: Event) -> Taken:
    """What a signed command says, in the very words that were signed. Raises `NotTakenError` for one that says it
    wrongly.
    """
    kind, target, time = event.data.get("command_type"), event.data.get("target"), parse_time(event.data["timestamp"])
    payload = parse(event.line).get("payload")
    type_ = word_of(CommandType, kind)
    if type_ is None:
        raise NotTakenError(f"there is no command {kind!r:.60}")
    if not isinstance(target, str) or not target or time is None or not isinstance(payload, dict):
        raise NotTakenError("it lacks its target, its time or its payload")
    known = _PAYLOADS[type_]
    for name, value in payload.items():
        if name not in known or not isinstance(value, known[name]):
            raise NotTakenError(f"{type_} takes no such {name!a:.60}")
    needed = _NEEDED.get(type_)
    if needed is not None and not str(payload.get(needed, "")).strip():
        raise NotTakenError(f"{type_} needs {needed}")
    return Taken(event.id, type_, target, {name: _as_given(name, value) for name, value in payload.items()}, time)


def _as_given(name: str, value: object) -> object:
    """What a program is told is taken as it was signed, but for half characters, which none could read; names are
    cleaned.
    """
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "replace").decode() if name in _AS_SIGNED else clean(value)


# What becomes of them


def subject_of(command: Event | Taken) -> dict[str, str]:
    """What a command is and to whom, as its results say: short, for anybody may have written it."""
    if isinstance(command, Taken):
        told = {"command_type": command.type.value, "target": command.target}
    else:
        told = {name: command.text(name) or "" for name in ("command_type", "target")}
    return {name: clean(text[:_LONGEST_NAME]) for name, text in told.items() if text}


@dataclass(frozen=True, slots=True)
class Result:
    """How far a command is, as its monitor says."""

    state: CommandState
    reason: str | None
    """Why it failed."""
    result: Mapping[str, Any]
    """What came of it."""


def result(
    command_id: str,
    monitor: str,
    state: CommandState,
    reason: str | None = None,
    result: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The event by which the monitor of that id says how far a command is.

    What came of it: of `start` and `restore` `run`, `cwd`, `branch`; of `send_prompt`, when it is done, `status` (a
    `ReplyStatus`), `reply` (its text), `duration` (seconds), `delivery`; of `stop` `ended`; of `start_run` and
    `resume_run` `run`.
    """
    event = {"agent": MONITOR, "event": RESULT, "command_id": command_id, "monitor": monitor, "state": state.value}
    return event | ({"reason": reason} if reason else {}) | ({"result": dict(result)} if result else {})


async def result_of(
    registry: JsonlRegistry,
    command_id: str,
    monitor: str,
    poll: float | None = None,
    truth: Callable[[str], Result | None] | None = None,
) -> AsyncGenerator[Result, None]:
    """How far a command to a monitor is whenever that changes, until nothing more comes of it.

    The registry was read up to somewhere before the command, and is read on. Nobody signs results, so anybody may have
    written them, and nothing acts on them. With `truth`, which tells how far a command is, a line says only that there
    is news: see `KeptResults.load`. Raises `CommandLostError` when the registry is another meanwhile.
    """
    async with aclosing(tail(registry, poll)) as looks:
        async for news in looks:
            if news.restarted is not None:
                raise CommandLostError(f"the registry was {news.restarted}: what became of the command is unknown")
            for item in news.items:
                found = read_result(item, command_id, monitor)
                if found is not None and truth is not None:
                    found = await asyncio.to_thread(truth, command_id)
                if found is not None:
                    yield found
                    if found.state.is_over:
                        return


def read_result(item: Item, command_id: str, monitor: str) -> Result | None:
    """What a line says of a command in the name of its monitor; None where it says nothing of it."""
    if not isinstance(item, Event) or item.kind != RESULT or not is_monitors(item):
        return None
    if item.text("command_id") != command_id or item.text("monitor") != monitor:
        return None
    return read_told(item.data)


def read_told(told: Mapping[str, Any]) -> Result | None:
    """What the fields of `result` say; None for what makes no sense."""
    state, reason, found = word_of(CommandState, told.get("state")), told.get("reason"), told.get("result")
    if state is None:
        return None
    return Result(state, reason if isinstance(reason, str) else None, found if isinstance(found, dict) else {})


class CommandLostError(RegistryError):
    """What became of a command cannot be told any more."""

    exit_code = 3
