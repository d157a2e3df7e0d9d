"""What can be waited for, in words: `agent lubit status completed`, `blocker "no disk" resolved`, ...

Pure: words become a condition, and a condition says of a board, or of an event, whether it came true.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from collab_tui.model.board import Agent, Board
from collab_tui.model.event import Event
from collab_tui.model.text import clean, one_line
from collab_tui.model.waits import is_met
from collab_tui.model.words import READY_SUFFIXES, Status, leading_names, name_key, status_of
from collab_tui.registry.append import UnusableError

FORMS: Final = {
    "decision": "decision ID",
    "agent": "agent NAME status STATUS",
    "blocker": "blocker TEXT resolved",
    "event": "event NAME [from AGENT]",
    "dependency": "dependency AGENT_ready",
}
_STATUSES: Final = tuple(status.value for status in Status if status is not Status.UNKNOWN)
_NEAR: Final = 0.7


class ConditionError(UnusableError):
    """Words that are no condition; the text says what there is."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A request is answered."""

    request_id: str
    """Or the beginning of one."""


@dataclass(frozen=True, slots=True)
class HasStatus:
    """An agent declares a status."""

    agent: str
    status: str
    """One of ours, which other words for it mean too, or else that very word."""

    @property
    def names(self) -> tuple[str, ...]:
        """Agents that have to be there for it to come true."""
        return (self.agent,)

    def proof(self, board: Board) -> dict[str, Any] | None:
        """What makes it true on this board."""
        agent = board.agent(self.agent)
        return _told(agent) if agent is not None and self._is(agent) else None

    def _is(self, agent: Agent) -> bool:
        if self.status in _STATUSES:
            return agent.status == self.status
        return name_key(agent.raw_status or "") == name_key(self.status)


@dataclass(frozen=True, slots=True)
class IsMet:
    """A dependency such as `gitcode_ready` is met."""

    dependency: str

    @property
    def names(self) -> tuple[str, ...]:
        """Agents that have to be there for it to come true; the longest name that it may begin with."""
        return tuple(name for name in leading_names(self.dependency) if name != name_key(self.dependency))[:1]

    def proof(self, board: Board) -> dict[str, Any] | None:
        """What makes it true on this board."""
        agents = (board.agent(name) for name in leading_names(self.dependency))
        agent = next((agent for agent in agents if agent is not None), None)
        return {"dependency": self.dependency, **_told(agent)} if agent and is_met(self.dependency, agent) else None


@dataclass(frozen=True, slots=True)
class IsResolved:
    """No agent has a blocker of that text."""

    text: str
    """The whole text, or its beginning: see `only_blocker`."""

    @property
    def names(self) -> tuple[str, ...]:
        """It may come true without any agent."""
        return ()

    def proof(self, board: Board) -> dict[str, Any] | None:
        """What makes it true on this board."""
        return {"blocker": self.text, "resolved": True} if self.text not in held_blockers(board) else None


@dataclass(frozen=True, slots=True)
class Happens:
    """An event of that name comes."""

    event: str
    by: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """Agents that have to be there for it to come true."""
        return (self.by,) if self.by is not None else ()

    def is_shown_by(self, event: Event) -> bool:
        """This is such an event."""
        return name_key(event.kind) == name_key(self.event) and (
            self.by is None or name_key(event.agent or "") == name_key(self.by)
        )


Condition = Decided | HasStatus | IsMet | IsResolved | Happens


def parse_condition(words: Sequence[str]) -> Condition:
    """The condition that the words name. Raises `ConditionError`."""
    plain = [text for word in words if (text := one_line(clean(word)))]
    if not plain:
        raise ConditionError(f"what is waited for? {_there_is()}")
    first, *rest = plain
    reader = _READERS.get(name_key(first))
    if reader is None:
        near = get_close_matches(name_key(first), FORMS, 1, _NEAR)
        meant = f"did you mean {FORMS[near[0]]}? " if near else ""
        raise ConditionError(f"{first[:60]!r} is nothing that can be waited for: {meant}{_there_is()}")
    return reader(rest)


def words_of(condition: Condition) -> str:
    """The condition as it is written."""
    match condition:
        case Decided(request_id):
            return f"decision {request_id}"
        case HasStatus(agent, status):
            return f"agent {agent} status {status}"
        case IsMet(dependency):
            return f"dependency {dependency}"
        case IsResolved(text):
            return f"blocker {text} resolved"
        case Happens(event, by):
            return f"event {event}" + (f" from {by}" if by is not None else "")


def _there_is() -> str:
    return f"there is {'; '.join(FORMS.values())}"


def _decided(rest: Sequence[str]) -> Decided:
    if len(rest) != 1:
        raise _wrong("decision", "the id of a request, or its beginning")
    return Decided(rest[0])


def _status(rest: Sequence[str]) -> HasStatus:
    if len(rest) != 3 or name_key(rest[1]) != "status":
        raise _wrong("agent", f"STATUS is one of {', '.join(_STATUSES)}, or a word of the agent's own")
    agent, _, word = rest
    return HasStatus(agent, _known_status(word))


def _known_status(word: str) -> str:
    """The status of ours that the word stands for; a word of two parts, as `waiting_for_lubit`, stands for itself."""
    key = name_key(word)
    status = status_of(key)
    if status is not Status.UNKNOWN and (key.isalpha() or key in _STATUSES):
        return status.value
    if status is Status.UNKNOWN and (near := get_close_matches(key, _STATUSES, 1, _NEAR)):
        raise ConditionError(f"no status is called {word[:60]!r}; did you mean {near[0]}?")
    return word


def _resolved(rest: Sequence[str]) -> IsResolved:
    if len(rest) < 2 or name_key(rest[-1]) != "resolved":
        raise _wrong("blocker", "TEXT is the blocker's, or its beginning")
    return IsResolved(" ".join(rest[:-1]))


def _happens(rest: Sequence[str]) -> Happens:
    match [*rest]:
        case [kind]:
            return Happens(kind, None)
        case [kind, by, name] if name_key(by) in ("from", "of", "by"):
            return Happens(kind, name)
        case _:
            raise _wrong("event", "NAME is the event's, such as decision, message or completion")


def _met(rest: Sequence[str]) -> IsMet:
    if len(rest) != 1 or name_key(rest[0]).rpartition("_")[2] not in READY_SUFFIXES or not leading_names(rest[0])[1:]:
        endings = " or ".join(f"_{suffix}" for suffix in sorted(READY_SUFFIXES))
        raise _wrong("dependency", f"an agent's name and then {endings}")
    return IsMet(rest[0])


def _wrong(form: str, meaning: str) -> ConditionError:
    return ConditionError(f"write it as: {FORMS[form]} ({meaning})")


_READERS: Final[dict[str, Callable[[Sequence[str]], Condition]]] = {
    "decision": _decided,
    "agent": _status,
    "blocker": _resolved,
    "event": _happens,
    "dependency": _met,
}


def held_blockers(board: Board) -> frozenset[str]:
    """The texts of all blockers that somebody has."""
    return frozenset(blocker.text for agent in board.agents for blocker in agent.blockers)


def only_blocker(text: str, held: Collection[str], ever: Collection[str]) -> IsResolved:
    """The blocker that the text is or begins, of those that somebody has, else of those that anybody ever had.

    Raises `ConditionError` when there is none, or more than one.
    """
    for texts in (held, ever):
        found = [one for one in sorted(texts) if name_key(one).startswith(name_key(text))]
        exact = [one for one in found if name_key(one) == name_key(text)]
        if len(exact or found) == 1:
            return IsResolved(*(exact or found))
        if found:
            raise ConditionError(f"{text!r} begins {len(found)} blockers: {_listed(found)}; give more of it")
    raise ConditionError(f"there is no blocker {text!r}; {_there(sorted(held)) if held else 'nobody has one'}")


def unknown_names(condition: HasStatus | IsMet | IsResolved | Happens, known: Collection[str]) -> list[str]:
    """A doubt in words for each agent of whom nobody has heard, with those that there are, near ones first."""
    keys = {name_key(name): name for name in known}
    return [doubt_about(name, known) for name in condition.names if name_key(name) not in keys]


def near_name(name: str, known: Iterable[str]) -> str | None:
    """Which of the known names is nearly this one."""
    names = {name_key(one): one for one in known}
    near = get_close_matches(name_key(name), names, 1, _NEAR)
    return one_line(names[near[0]])[:60] if near else None


def doubt_about(name: str, known: Collection[str]) -> str:
    """What is said of a name that nobody has written under."""
    if not known:
        return f"nobody has written as {name!r} yet, nor as anybody else"
    names = {name_key(one): one for one in reversed(list(known))}  # of two spellings the first is told
    near = get_close_matches(name_key(name), names, 3, 0.6)
    others = [key for key in dict.fromkeys(map(name_key, known)) if key not in near]
    meant = f"did you mean {names[near[0]]}? " if near else ""
    return f"nobody has written as {name!r} yet; {meant}{_there([names[key] for key in (*near, *others)])}"


def _there(names: Sequence[str]) -> str:
    return f"there {'is' if len(names) == 1 else 'are'} {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(one_line(name)[:60] for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _told(agent: Agent) -> dict[str, Any]:
    line = agent.set_at.get("status")
    return {
        "agent": agent.name,
        "status": agent.status.value if agent.status else None,
        "raw_status": agent.raw_status,
        "progress": agent.progress,
        "line": line + 1 if line is not None else None,
    }
