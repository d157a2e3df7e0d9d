"""Rules: when this happens, then do that. What a `[[rule]]` of a config file says, and everything wrong with it.

    [[rule]]
    name = "wake lubit at 80 %"
    on = true
    when = { event = "status_update", from = "sena", progress_crosses = 80 }
    then = { message = "lubit", text = "{from} is at {progress} %: {task}" }
    cool_down = "0s"
    per_hour = 10
    depth = 1

What stands in `when` has to hold together. `then` is one thing: a notification to the person, a message to an agent, a
prompt to a session or a program to run; these two set something to work in the user's name, so they are for the user's
own file alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from string import Formatter
from typing import Any, Final

from collab_tui.config import values
from collab_tui.config.source import Source
from collab_tui.config.values import WrongError, instead_of, listed
from collab_tui.model.text import clean, one_line

DEFAULT_COOL_DOWN: Final = 60.0
"""Seconds, unless each occurrence is one of its own: then none."""
DEFAULT_PER_HOUR: Final = 10
DEFAULT_DEPTH: Final = 1
DEFAULT_TIME_LIMIT: Final = 30.0
DEFAULT_PATIENCE: Final = 600.0
"""Seconds for which a prompt waits for its session."""
WHOEVER: Final = "{from}"
"""As the agent to tell or to wake: the one that the rule matched."""

_LONGEST_NAME: Final = 80
_LONGEST_TEXT: Final = 1000
_DAY: Final = 86_400.0
_ONCE: Final = frozenset({"decision_request", "decision"})
_ALWAYS: Final = frozenset({"from", "line"})
_OF_AGENT: Final = frozenset({"status", "progress", "task", "next"})


class Kind(Enum):
    """What a rule looks at; the values are what its texts may name."""

    LINE = _ALWAYS | _OF_AGENT | {"event", "request", "verdict", "comment", "message", "blocker", "target"}
    """Each line as it is read."""
    SILENCE = _ALWAYS | _OF_AGENT | {"minutes"}
    """An agent of which no sign of life comes."""
    DEADLOCK = _ALWAYS | {"agents"}
    """A cycle of agents that wait for each other; `from` is the one that closed it."""


class Verdict(StrEnum):
    """What a decision says of a request."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class When:
    """What has to be so, all of it; None and False: it does not matter."""

    event: str | None = None
    """The name of the event."""
    source: str | None = None
    """Who wrote it, is silent, or is in the deadlock: `from` in the file."""
    status: str | None = None
    """The writer takes on this status: one of our words, or else the very word that it uses. Of a silence: has it."""
    progress_crosses: float | None = None
    """The writer's progress, in per cent, comes from below to this or more."""
    verdict: str | None = None
    """What a decision says."""
    silent_for: float | None = None
    """Minutes."""
    deadlock: bool = False
    request_to: str | None = None
    """Of whom something is requested."""

    @property
    def kind(self) -> Kind:
        """What it looks at."""
        return Kind.DEADLOCK if self.deadlock else Kind.LINE if self.silent_for is None else Kind.SILENCE

    @property
    def is_once(self) -> bool:
        """Each that comes about is one of its own, and none is another sign of the same: a request, a decision, a
        deadlock, a threshold that is crossed.
        """
        is_so_by_value = any(value is not None for value in (self.request_to, self.verdict, self.progress_crosses))
        return self.deadlock or self.event in _ONCE or is_so_by_value

    @property
    def is_of_decisions(self) -> bool:
        """It looks at nothing but decisions: in the person's name only signed ones count."""
        return self.verdict is not None or self.event == "decision"


@dataclass(frozen=True, slots=True)
class Then:
    """What is done: one of `notify`, `message`, `prompt` and `run` is there."""

    notify: str | None = None
    """What the person is told; a text with names in braces."""
    message: str | None = None
    """The agent that gets a message; `WHOEVER` is the one that the rule matched."""
    prompt: str | None = None
    """The session that gets a prompt; `WHOEVER` is the one of the agent that the rule matched."""
    text: str | None = None
    """What the message or the prompt says; a text with names in braces."""
    run: tuple[str, ...] | None = None
    """A program and its arguments, as they are."""
    time_limit: float = DEFAULT_TIME_LIMIT
    """Seconds after which the program is ended, or the prompt is not to be given any more."""

    @property
    def takes_time(self) -> bool:
        """It sets something to work, which is not done with one line."""
        return self.run is not None or self.prompt is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    name: str
    when: When
    then: Then
    is_on: bool = False
    cool_down: float = DEFAULT_COOL_DOWN
    """Seconds after it was done for an agent in which it is not done for that agent again."""
    per_hour: int = DEFAULT_PER_HOUR
    """How often it is done within any hour at most."""
    depth: int = DEFAULT_DEPTH
    """How often it may stand in one chain of causes: what it causes does not set it off again more often."""
    is_users: bool = False
    """It is from the user's own file, not a project's."""
    source: Source | None = None
    """Where it was set."""

    @property
    def is_personal(self) -> bool:
        """It does something for the one whose rule it is, whatever rules of that name others have."""
        return self.is_users and self.then.message is None


def read_rule(value: Any) -> Rule:
    """A rule of the user's own file."""
    return _rule(value, is_users=True)


def read_project_rule(value: Any) -> Rule:
    """A rule of a project's file, which runs no programs and sets no session to work."""
    rule = _rule(value, is_users=False)
    if rule.then.run is not None:
        raise WrongError("run is for your own file alone: a project's rules start no programs", "then", "run")
    if rule.then.prompt is not None:
        told = "prompt is for your own file alone: a project's rules set none of your sessions to work"
        raise WrongError(told, "then", "prompt")
    return rule


def placeholders(text: str) -> tuple[str, ...]:
    """The names that a text has in braces; raises `ValueError` where its braces are no names."""
    found = []
    for _, name, spec, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError
        found.append(name)
    return tuple(found)


def _rule(value: Any, *, is_users: bool) -> Rule:
    given = _FIELDS(value)
    when = _when(given["when"])
    rule = Rule(
        name=given["name"],
        when=when,
        then=_then(given["then"]),
        is_on=given.get("on", False),
        cool_down=given.get("cool_down", 0.0 if when.is_once else DEFAULT_COOL_DOWN),
        per_hour=given.get("per_hour", DEFAULT_PER_HOUR),
        depth=given.get("depth", DEFAULT_DEPTH),
        is_users=is_users,
    )
    _check_texts(rule)
    return rule


# When

_ALONE: Final = {
    "deadlock": {"from"},
    "silent_for": {"from", "status"},
    "verdict": {"event", "from"},
    "request_to": {"event", "from"},
}
"""What may stand beside each, which says by itself at what is looked."""
_EVENT_OF: Final = {"verdict": "decision", "request_to": "decision_request"}
_KNOWN_EVENTS: Final = frozenset(
    (
        "status_update",
        "session_start",
        "session_end",
        "decision_request",
        "decision",
        "request_withdrawn",
        "blocker",
        "blocker_resolved",
        "completion",
        "message",
    )
)
_WITHOUT_PROGRESS: Final = frozenset({"decision", "request_withdrawn", "blocker_resolved", "message"})


def _when(given: Mapping[str, Any]) -> When:
    if not given:
        raise WrongError(f"it looks for nothing: give {listed(_WHEN)}", "when")
    for name, beside in _ALONE.items():
        if name in given and (other := next((key for key in given if key != name and key not in beside), None)):
            raise WrongError(f"{name} and {other} contradict each other: make a rule of each", "when", other)
    event = given.get("event")
    for name, only in _EVENT_OF.items():
        if name in given and event not in (None, only):
            raise WrongError(f"{name} is of {only}, not of {event}: leave event out", "when", "event")
    if "progress_crosses" in given and event in _WITHOUT_PROGRESS:
        raise WrongError(f"{event} says nothing of progress: leave event out", "when", "event")
    return When(**{"source" if name == "from" else name: value for name, value in given.items()})


def _event(value: Any) -> str:
    """Any name: agents have events of their own. One that is nearly ours is none of theirs."""
    event = values.name(value)
    if event == "activation":
        raise WrongError("what rules did sets off no rule")
    ours = event.lower().replace("-", "_").replace(" ", "_")
    if event not in _KNOWN_EVENTS and ours in _KNOWN_EVENTS:
        raise WrongError(f"did you mean {ours}?")
    return event


def _deadlock(value: Any) -> bool:
    if value is not True:
        raise WrongError("it takes true, or is left out")
    return True


# Then


def _then(given: Mapping[str, Any]) -> Then:
    done = [name for name in ("notify", "message", "prompt", "run") if name in given]
    if not done:
        raise WrongError("it does nothing: give notify, message, prompt or run", "then")
    if len(done) > 1:
        raise WrongError(f"{done[0]} and {done[1]} are two things: make a rule of each", "then", done[1])
    if done[0] in ("message", "prompt") and "text" not in given:
        raise WrongError(f"{done[0]} needs text: what the agent is told", "then", done[0])
    for name, owners in (("text", ("message", "prompt")), ("time_limit", ("run", "prompt"))):
        if name in given and done[0] not in owners:
            raise WrongError(f"{name} is of {' or '.join(owners)}: there is none", "then", name)
    return Then(**{"time_limit": DEFAULT_PATIENCE if done[0] == "prompt" else DEFAULT_TIME_LIMIT, **given})


def _addressee(value: Any) -> str:
    """The name of an agent, or whoever was matched."""
    name = values.name(value)
    if name != WHOEVER and ("{" in name or "}" in name):
        raise WrongError(f'it takes the name of an agent, or "{WHOEVER}" for the one that was matched')
    return name


def _text(value: Any) -> str:
    text = values.name(value)
    if len(text) > _LONGEST_TEXT:
        raise WrongError(f"it takes at most {_LONGEST_TEXT:,} characters")
    try:
        placeholders(text)
    except ValueError:
        raise WrongError('braces hold a name, such as "{from}"; a brace itself is written twice, "{{"') from None
    return text


def _program(value: Any) -> tuple[str, ...]:
    """A program and its arguments."""
    program = values.program(value)
    for argument in program:
        if named := next((name for name in Kind.LINE.value | Kind.SILENCE.value if f"{{{name}}}" in argument), None):
            raise WrongError(f"nothing is filled in for {{{named}}}: the event is on the program's standard input")
    return program


def _check_texts(rule: Rule) -> None:
    """The names in its texts are there for what it looks at."""
    known = rule.when.kind.value
    for key in ("notify", "text"):
        for name in placeholders(getattr(rule.then, key) or ""):
            if name not in known:
                told = f"there is no {{{name}}} here; {instead_of(name, sorted(known))}"
                raise WrongError(told, "then", key)


# Fields


def _name(value: Any) -> str:
    name = values.name(value)
    if name != one_line(clean(name)) or len(name) > _LONGEST_NAME:
        raise WrongError(f"it takes one line of at most {_LONGEST_NAME} characters")
    return name


def _count(most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise WrongError(f"it takes a whole number, 1 to {most}")
        return value

    return read


_WHEN: Final = {
    "event": _event,
    "from": values.name,
    "status": values.name,
    "progress_crosses": values.number(over=0, most=100, unit="per cent"),
    "verdict": values.one_of(Verdict),
    "silent_for": values.number(over=0, most=1e6, unit="minutes"),
    "deadlock": _deadlock,
    "request_to": values.name,
}
_FIELDS: Final = values.record(
    ("name", "when", "then"),
    name=_name,
    on=values.flag,
    when=values.record(**_WHEN),
    then=values.record(
        notify=_text,
        message=_addressee,
        prompt=_addressee,
        text=_text,
        run=_program,
        time_limit=values.duration(least=1, most=3600),
    ),
    cool_down=values.duration(least=0, most=_DAY),
    per_hour=_count(1000),
    depth=_count(100),
)
