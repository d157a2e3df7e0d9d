"""A board at a time: ages, silence, what is overdue, and what needs the person first.

The registry has no clock; whoever looks has one. `Moment` joins the two and stays pure: the time is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from collab_tui.model.ages import seconds_between
from collab_tui.model.board import Agent, Board, Deadlock, Request, Wait
from collab_tui.model.requests import is_person
from collab_tui.model.waits import find_deadlocks, held_up_by
from collab_tui.model.words import Status, name_key

_SKEW = 120
"""Seconds by which clocks may differ before that is told."""


@dataclass(frozen=True, slots=True)
class Limits:
    """After how long without a sign of life an agent counts as silent."""

    stale_after: timedelta = timedelta(minutes=30)
    """For one that waits or is blocked."""
    stale_after_working: timedelta = timedelta(minutes=5)
    """For one that says it is working."""


class Order(StrEnum):
    """How the list of agents is ordered."""

    NEED = "need"
    NAME = "name"
    ACTIVITY = "activity"


Need = Deadlock | Request
"""What the inbox shows: something that waits for the person."""


@dataclass(frozen=True)
class Moment:
    """One board, seen at one time."""

    board: Board
    now: datetime
    limits: Limits = Limits()
    person: str = "human"

    def age(self, agent: Agent) -> float | None:
        """Seconds since its last sign of life."""
        return seconds_between(agent.last_event_at, self.now)

    def clock_ahead(self, time: datetime | None) -> float | None:
        """Seconds by which a clock that wrote this time is ahead of ours; None when it is not worth telling."""
        seconds = seconds_between(self.now, time) if time is not None else None
        return seconds if seconds is not None and seconds > _SKEW else None

    def silence(self, agent: Agent) -> float | None:
        """Seconds for which an agent that should move has been silent; None when it is not silent.

        Silence is told only of agents that say they work, wait or are blocked: others owe no sign of life.
        """
        if agent.gone or agent.status not in (Status.IN_PROGRESS, Status.WAITING, Status.BLOCKED):
            return None
        limit = self.limits.stale_after_working if agent.status is Status.IN_PROGRESS else self.limits.stale_after
        seconds = self.age(agent)
        return seconds if seconds is not None and seconds > limit.total_seconds() else None

    def is_me(self, name: str) -> bool:
        """The name means the person who looks."""
        return is_person(name, self.person)

    def is_expired(self, request: Request) -> bool:
        """Its time to be answered is over."""
        return request.is_open and request.expires is not None and request.expires <= self.now

    def is_overdue(self, request: Request) -> bool:
        """Its deadline is over; it can still be answered."""
        return request.is_open and request.deadline is not None and request.deadline <= self.now

    def is_answerable(self, request: Request) -> bool:
        """Open and not expired."""
        return request.is_open and not self.is_expired(request)

    def held_up(self, request: Request) -> tuple[str, ...]:
        """The asker and everyone who waits for it, directly or not."""
        return self._held_up.get(request.asker) or (request.asker,)

    @cached_property
    def waits(self) -> tuple[Wait, ...]:
        """The board's waits without what rests on expired requests alone: nobody can answer those any more."""
        expired = {request.id for request in self.board.requests if self.is_expired(request)}
        if not expired:
            return self.board.waits
        left = ((wait, tuple(r for r in wait.reasons if r.request_id not in expired)) for wait in self.board.waits)
        return tuple(replace(wait, reasons=reasons) for wait, reasons in left if reasons)

    @cached_property
    def deadlocks(self) -> tuple[Deadlock, ...]:
        """The board's deadlocks without those that only an expired request closed."""
        if self.waits is self.board.waits:
            return self.board.deadlocks
        return find_deadlocks(self.board.agents, self.waits)

    @cached_property
    def _held_up(self) -> dict[str, tuple[str, ...]]:
        askers = dict.fromkeys(request.asker for request in self.board.open_requests)
        return {asker: held_up_by([asker], self.waits) for asker in askers}

    def _only_keeps_the_log(self, agent: Agent) -> bool:
        """It is the person, or what made the registry: nobody whose work is to be watched."""
        return self.is_me(agent.name) or agent.last_event == "registry_created"

    @cached_property
    def agents(self) -> tuple[Agent, ...]:
        """The agents, without the person while they declare nothing of themselves."""
        return tuple(
            agent
            for agent in self.board.agents
            if agent.status is not None or agent.current_task is not None or not self._only_keeps_the_log(agent)
        )

    @cached_property
    def needs(self) -> tuple[Need, ...]:
        """What waits for the person: deadlocks, then requests, most agents held up first, then oldest."""
        mine = [request for request in self.board.open_requests if request.to_person and self.is_answerable(request)]
        mine.sort(key=lambda request: (-len(self.held_up(request)), request.position))
        return (*self.deadlocks, *mine)

    @cached_property
    def to_others(self) -> tuple[Request, ...]:
        """Open requests that agents make of each other, oldest first."""
        return tuple(r for r in self.board.open_requests if not r.to_person and self.is_answerable(r))

    @cached_property
    def silent(self) -> tuple[Agent, ...]:
        """Silent agents, the longest first."""
        found = [(silence, agent) for agent in self.board.agents if (silence := self.silence(agent)) is not None]
        return tuple(agent for _, agent in sorted(found, key=lambda pair: -pair[0]))

    @cached_property
    def blocked(self) -> tuple[Agent, ...]:
        """Agents that say they are blocked, or have a blocker and are not done."""
        return tuple(agent for agent in self.board.agents if agent.is_blocked and not agent.gone)

    def ordered(self, order: Order) -> Sequence[Agent]:
        """The agents, gone ones last."""
        agents = self.agents
        match order:
            case Order.NAME:
                return sorted(agents, key=lambda agent: (agent.gone, agent.key))
            case Order.ACTIVITY:
                return sorted(agents, key=lambda agent: (agent.gone, -agent.last_position))
            case Order.NEED:
                return sorted(agents, key=lambda agent: (self._urgency(agent), agent.key))

    def _urgency(self, agent: Agent) -> int:
        """0 is the most urgent: in a deadlock, asks the person, blocked, failed, silent, waiting, working, at rest."""
        if agent.gone:
            return 9
        if agent.key in self._deadlocked:
            return 0
        if agent.key in self._asking:
            return 1
        if agent.is_blocked:
            return 2
        if agent.status is Status.FAILED:
            return 3
        if self.silence(agent) is not None:
            return 4
        match agent.status:
            case Status.WAITING:
                return 5
            case Status.IN_PROGRESS:
                return 6
            case Status.COMPLETED | Status.IDLE:
                return 8
            case _:
                return 7

    @cached_property
    def _deadlocked(self) -> frozenset[str]:
        return frozenset(name_key(name) for deadlock in self.deadlocks for name in deadlock.agents)

    @cached_property
    def _asking(self) -> frozenset[str]:
        return frozenset(name_key(need.asker) for need in self.needs if isinstance(need, Request))
