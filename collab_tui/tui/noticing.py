"""What on a board is worth a call to a person who looks elsewhere: things with keys, so that each is told once.

What needs the person is one kind, what merely happened another. Something that is part of what is told already is no
thing of its own: who is in a deadlock is silent and blocked with it, and who asks the person is so because it waits.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.board import Deadlock, Request
from collab_tui.model.moment import Moment
from collab_tui.model.silence import AT_REST_AFTER, Owing
from collab_tui.model.words import Status, name_key

_NAME: Final = re.compile(r"\w[\w-]{0,23}")
"""A name that can be nothing else; the words of agents do not leave the board, whatever they call themselves."""


class Kind(Enum):
    """What it is; in this order they are told."""

    QUESTION = "question"
    DEADLOCK = "deadlock"
    NOTICE = "notice"
    """What a rule notifies of."""
    BLOCKED = "blocked"
    SILENT = "silent"

    @property
    def is_need(self) -> bool:
        """Somebody waits for the person because of it. All else merely happened."""
        return self in (Kind.QUESTION, Kind.DEADLOCK)

    @property
    def rings(self) -> bool:
        """It is worth a bell: somebody waits for the person, or a rule of theirs says that they want to be told."""
        return self.is_need or self is Kind.NOTICE


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that can be told of; the same again has the same key."""

    key: Hashable
    kind: Kind
    agent: str = ""
    count: float = 1
    """Of a deadlock how many agents are in it, of a silence its seconds."""
    is_part: bool = False
    """It is part of another thing, and not told by itself."""


def things_of(moment: Moment) -> Iterator[Thing]:
    """Everything on the board that is worth telling of, and what is part of that."""
    asking = {name_key(need.asker) for need in moment.needs if isinstance(need, Request)}
    deadlocked = {name_key(name) for deadlock in moment.deadlocks for name in deadlock.agents}
    for need in moment.needs:
        if isinstance(need, Deadlock):
            yield Thing(need.id, Kind.DEADLOCK, count=len(need.agents))
        else:
            yield Thing(need.id, Kind.QUESTION)
    for agent in moment.blocked:
        if not agent.unblocked:
            is_part = agent.key in asking or agent.key in deadlocked
            yield Thing(("blocked", agent.key), Kind.BLOCKED, agent.name, is_part=is_part)
    if not moment.silent or (seconds_between(moment.board.last_time, moment.now) or 0) > AT_REST_AFTER:
        return  # where everybody is at rest nobody in particular is silent
    owing = Owing(moment)
    for agent in moment.silent:
        working = agent.status is Status.IN_PROGRESS
        limit = moment.limits.stale_after_working if working else moment.limits.stale_after
        at = owing.silent_at(agent, limit)
        if at is not None and at < moment.now:
            seconds = (moment.now - at + limit).total_seconds()
            yield Thing(("silent", agent.key), Kind.SILENT, agent.name, seconds, is_part=agent.key in deadlocked)


def in_words(things: Sequence[Thing], *, ascii_only: bool = False) -> str:
    """Counts, and names where there is one: nothing that an agent wrote but a name that can be nothing else."""
    by_kind = {kind: [thing for thing in things if thing.kind is kind] for kind in Kind}
    return ", ".join(_told(kind, found, ascii_only) for kind, found in by_kind.items() if found)


def _told(kind: Kind, things: Sequence[Thing], ascii_only: bool) -> str:
    count, first = len(things), things[0]
    name = first.agent if _NAME.fullmatch(first.agent) and (first.agent.isascii() or not ascii_only) else "an agent"
    match kind:
        case Kind.QUESTION:
            return f"{count} question{'s' if count > 1 else ''} for you"
        case Kind.DEADLOCK:
            return f"deadlock of {first.count}" if count == 1 else f"{count} deadlocks"
        case Kind.NOTICE:
            return f"{count} notice{'s' if count > 1 else ''} of your rules"
        case Kind.BLOCKED:
            return f"{name} blocked" if count == 1 else f"{count} agents blocked"
        case Kind.SILENT:
            return f"{name} silent for {age(first.count)}" if count == 1 else f"{count} agents silent"
