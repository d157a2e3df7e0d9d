"""Commands of the person to the sessions of a monitor, and what becomes of them.

    written = send(registry, trust, CommandType.SEND_PROMPT, "sena", {"prompt": "go on"}, host)
    async for result in result_of(registry, written["id"]):
        print(result.state, result.reason)

A line of a shared file must not start programs: a command is signed with the person's own key over all that it says and
the registry it stands in, names the machine that carries it out, and is good once and for ten minutes. Whoever carries
commands out gives every line to `taken`, and acts on nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from collab_tui.model.event import Event, Item, parse_time
from collab_tui.model.requests import is_person_writing
from collab_tui.model.session_book import is_monitors, word_of
from collab_tui.model.sessions import CommandState
from collab_tui.model.signature import Judgement, Signed, Standing
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


class CommandType(StrEnum):
    """What is to be done with a session; `target` is its name. The payload of each is listed."""

    START = "start"
    """`agent` (the name of its definition), `name? task? base? prompt?` (texts), `in_worktree?` (true or false)."""
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


OF_WORKERS: Final = frozenset({CommandType.DECIDE, CommandType.EXECUTE, CommandType.STOP_WORKER})
"""Carried out by whoever has the workers; the others by whoever has the sessions."""

_PAYLOADS: Final[Mapping[CommandType, Mapping[str, type]]] = {
    CommandType.START: {"agent": str, "name": str, "task": str, "base": str, "prompt": str, "in_worktree": bool},
    CommandType.SEND_PROMPT: {"prompt": str},
    CommandType.INTERRUPT: {},
    CommandType.STOP: {"remove_worktree": bool},
    CommandType.RESTORE: {},
    CommandType.DECIDE: {"title": str, "prompt": str, "template": str, "agent": str},
    CommandType.EXECUTE: {"title": str, "prompt": str, "agent": str, "base": str},
    CommandType.STOP_WORKER: {},
}
_NEEDED: Final = {CommandType.START: "agent", CommandType.SEND_PROMPT: "prompt"}


@dataclass(frozen=True, slots=True)
class Taken:
    """A command that is to be carried out here and now."""

    id: str
    type: CommandType
    target: str
    payload: Mapping[str, Any]
    """Only what its type knows, each of its kind."""
    host: str
    time: datetime


class NotTakenError(Exception):
    """A command for this machine that is not carried out; the text says why."""


class TakenBeforeError(NotTakenError):
    """It was taken before: what became of it stands elsewhere, or nobody knows."""


# Giving commands


def command(by: str, command_type: CommandType, target: str, payload: Mapping[str, Any], host: str) -> dict[str, Any]:
    """The event of a command, still to be signed."""
    return {
        "agent": by,
        "event": COMMAND,
        "command_type": command_type.value,
        "target": target,
        "payload": dict(payload),
        "host": host,
    }


def send(
    registry: JsonlRegistry,
    trust: Trust,
    command_type: CommandType,
    target: str,
    payload: Mapping[str, Any],
    host: str,
) -> dict[str, Any]:
    """Append a command, signed as the person: it is always theirs. Gives it as written.

    The registry has been read. Raises `KeyFileError` without a key that can be used, or what the append raises.
    """
    event = command(trust.person, command_type, target, payload, host)
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
    host: str,
    by: str,
    now: datetime,
    of_workers: bool = False,
) -> Taken | None:
    """The command of a line if it is to be carried out here and now: to whoever acts as `by` it is given once.

    None for what is no command, one for another machine, or one of workers unless it is `of_workers`. Raises
    `NotTakenError` for one that is not carried out, and `RegistryError` where it cannot be told whether it was taken
    before.
    """
    if not isinstance(item, Event) or item.kind != COMMAND or not is_same_host(item.text("host"), host):
        return None
    if (item.text("command_type") in OF_WORKERS) is not of_workers:
        return None
    found = judge(item, registry_id, trust)
    if found.standing is not Standing.SIGNED:
        raise NotTakenError(f"it is not {trust.person}'s: {found.reason}")
    command = _read(item)
    if now - command.time > GOOD_FOR:
        raise NotTakenError(f"it is too old: it was given at {command.time:%Y-%m-%d %H:%M} UTC")
    if command.time - now > GOOD_FOR:
        raise NotTakenError(f"it is of {command.time:%Y-%m-%d %H:%M} UTC, which is still to come: set the clocks")
    if not used.use_once(item, by):
        raise TakenBeforeError("it was taken before")
    return command


def is_for(item: Item, host: str, now: datetime) -> bool:
    """A line may be a command that is to be carried out here: not whether it may."""
    if not isinstance(item, Event) or item.data.get("event") != COMMAND or not is_same_host(item.text("host"), host):
        return False
    return item.time is not None and now - item.time <= GOOD_FOR


def is_same_host(named: str | None, host: str) -> bool:
    """Two names of machines are the same one's: systems spell them as they like."""
    return named is not None and name_key(named) == name_key(host)


def _read(event: Event) -> Taken:
    """What a command says. Raises `NotTakenError` for one that says it wrongly."""
    kind, payload, target = event.data.get("command_type"), event.data.get("payload"), event.data.get("target")
    time, host = parse_time(event.data.get("timestamp")), event.text("host")
    type_ = word_of(CommandType, kind)
    if type_ is None:
        raise NotTakenError(f"there is no command {kind!r:.60}")
    if not isinstance(target, str) or not target or time is None or host is None or not isinstance(payload, dict):
        raise NotTakenError("it lacks its target, its time or its payload")
    known = _PAYLOADS[type_]
    for name, value in payload.items():
        if name not in known or not isinstance(value, known[name]):
            raise NotTakenError(f"{type_} takes no such {name!r:.60}")
    needed = _NEEDED.get(type_)
    if needed is not None and not str(payload.get(needed, "")).strip():
        raise NotTakenError(f"{type_} needs {needed}")
    return Taken(event.id, type_, target, payload, host, time)


# What becomes of them


@dataclass(frozen=True, slots=True)
class Result:
    """How far a command is, as the monitor says."""

    state: CommandState
    reason: str | None
    """Why it failed."""
    result: Mapping[str, Any]
    """What came of it."""
    event: Event


def result(
    command_id: str, state: CommandState, reason: str | None = None, result: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The event that says how far a command is.

    What came of it: of `start` and `restore` `run`, `cwd`, `branch`; of `send_prompt`, when it is done, `status` (a
    `ReplyStatus`), `reply` (its text), `duration` (seconds), `delivery`; of `stop` `ended`.
    """
    event = {"agent": MONITOR, "event": RESULT, "command_id": command_id, "state": state.value}
    return event | ({"reason": reason} if reason else {}) | ({"result": dict(result)} if result else {})


async def result_of(
    registry: JsonlRegistry, command_id: str, poll: float | None = None
) -> AsyncGenerator[Result, None]:
    """How far a command is whenever that changes, until nothing more comes of it.

    The registry was read up to somewhere before the command, and is read on. Nobody signs results: they are for whoever
    asked, and nothing acts on them. Raises `CommandLostError` when the registry is another meanwhile.
    """
    async with aclosing(tail(registry, poll)) as looks:
        async for news in looks:
            if news.restarted is not None:
                raise CommandLostError(f"the registry was {news.restarted}: what became of the command is unknown")
            for item in news.items:
                found = read_result(item, command_id)
                if found is not None:
                    yield found
                    if found.state.is_over:
                        return


def read_result(item: Item, command_id: str) -> Result | None:
    """What a line says of a command; None where it says nothing of it."""
    if not isinstance(item, Event) or item.kind != RESULT or item.text("command_id") != command_id:
        return None
    state, told = word_of(CommandState, item.data.get("state")), item.data.get("result")
    if state is None or not is_monitors(item):
        return None
    return Result(state, item.text("reason"), told if isinstance(told, dict) else {}, item)


class CommandLostError(RegistryError):
    """What became of a command cannot be told any more."""

    exit_code = 3
