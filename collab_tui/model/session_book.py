"""What the registry tells of sessions and of commands to them, line by line."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from collab_tui.model.event import Event, as_id, parse_time
from collab_tui.model.sessions import Command, CommandState, Observed, Session
from collab_tui.model.words import MONITOR, name_key

MAX_SESSIONS: Final = 500
"""Sessions that are remembered; of more, those that ended first are forgotten."""
MAX_COMMANDS: Final = 500
"""Commands that are remembered, the newest."""
_Word = TypeVar("_Word", bound=StrEnum)


def is_monitors(event: Event) -> bool:
    """It is written in the monitor's name. What it tells is shown; nothing acts on it."""
    return event.agent is not None and name_key(event.agent) == MONITOR


def word_of(words: type[_Word], raw: object) -> _Word | None:
    """One of a few words; None for anything else."""
    return next((word for word in words if word == raw), None)


def count_of(event: Event, name: str) -> int | None:
    """A whole number that is not negative; None for anything else."""
    value = event.data.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


class SessionBook:
    """The sessions of a registry, by name the last one of each, and the last commands."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        """By key of the name, in the order of their starts."""
        self._commands: dict[str, Command] = {}

    def sessions(self) -> tuple[Session, ...]:
        """In the order of their starts."""
        return tuple(self._sessions.values())

    def commands(self) -> tuple[Command, ...]:
        """In the order in which they were written."""
        return tuple(self._commands.values())

    def copy(self) -> SessionBook:
        """An independent copy."""
        twin = SessionBook()
        twin._sessions, twin._commands = self._sessions.copy(), self._commands.copy()
        return twin

    def start(self, name: str, event: Event) -> None:
        """A `session_start` of an agent; only one with a `run` is of a session that a monitor owns."""
        run, time = event.text("run"), parse_time(event.field("timestamp"))
        if run is None:
            return
        key = name_key(name)
        self._sessions.pop(key, None)
        self._sessions[key] = Session(
            name=name,
            run=run,
            monitor=event.text("monitor") or "",
            host=event.text("host") or "",
            definition=event.text("definition") or name,
            driver=event.text("driver") or "",
            pid=count_of(event, "pid"),
            cwd=event.text("cwd"),
            branch=event.text("branch"),
            base=event.text("base"),
            task=event.text("current_task"),
            worker=event.text("worker"),
            log=event.text("log"),
            started=event.position,
            started_at=time,
            observed=Observed.STARTING,
            why=None,
            observed_at=event.position,
            observed_since=time,
            last_line=None,
            changed=None,
            unpushed=None,
            queued=0,
            undelivered=0,
            can_resume=event.data.get("can_resume") is True,
        )
        if len(self._sessions) > MAX_SESSIONS:
            over = (key for key, session in self._sessions.items() if not session.observed.is_running)
            del self._sessions[next(over, next(iter(self._sessions)))]

    def observe(self, event: Event) -> None:
        """A `session_observed` of the monitor: what it does not name stays as it was."""
        session = self._named(event.text("target"), event)
        if session is None or not is_monitors(event):
            return
        given: dict[str, Any] = {}
        if (state := word_of(Observed, event.data.get("observed"))) is not None:
            given |= {"observed": state, "why": event.text("why"), "observed_at": event.position}
            if state is not session.observed:
                given["observed_since"] = parse_time(event.field("timestamp"))
        for name in ("changed", "unpushed", "queued", "undelivered", "pid"):
            if (count := count_of(event, name)) is not None:
                given[name] = count
        if (line := event.text("last_line")) is not None:
            given["last_line"] = line
        if isinstance(can := event.data.get("can_resume"), bool):
            given["can_resume"] = can
        self._sessions[name_key(session.name)] = replace(session, **given)

    def end(self, name: str, event: Event) -> None:
        """A `session_end` with the run of the session; how it ended is told by the monitor, else it was stopped."""
        session = self._named(name, event)
        if session is not None and session.observed.is_running:
            ended: dict[str, Any] = {"observed": Observed.STOPPED, "why": event.text("reason")}
            ended |= {"observed_at": event.position, "observed_since": parse_time(event.field("timestamp"))}
            self._sessions[name_key(name)] = replace(session, **ended, queued=0)

    def command(self, name: str, event: Event) -> None:
        """Somebody wants something of a session."""
        if event.id in self._commands:
            return
        self._commands[event.id] = Command(
            id=event.id,
            by=name,
            kind=event.text("command_type") or "",
            target=event.text("target"),
            monitor=event.text("monitor"),
            position=event.position,
            at=parse_time(event.field("timestamp")),
            state=CommandState.SENT,
            reason=None,
            told_at=event.position,
        )
        if len(self._commands) > MAX_COMMANDS:
            del self._commands[next(iter(self._commands))]

    def result(self, event: Event) -> None:
        """What the monitor says of a command; once it is over, that stays."""
        command = self._commands.get(as_id(event.data.get("command_id")))
        state = word_of(CommandState, event.data.get("state"))
        if command is None or state is None or command.state.is_over:
            return
        if not is_monitors(event) or event.text("monitor") != command.monitor:
            return
        has_run = command.has_run or state is CommandState.RUNNING
        told = replace(command, state=state, reason=event.text("reason"), told_at=event.position, has_run=has_run)
        self._commands[command.id] = told

    def _named(self, name: str | None, event: Event) -> Session | None:
        session = self._sessions.get(name_key(name or ""))
        return session if session is not None and session.run == event.text("run") else None
