"""What a board means to one of its agents: what waits for it, what it waits for, and what was decided for it.

`Gathered` takes every line while a registry is read, and keeps the few that are about the agent; `Standpoint` joins
them with the board at a time. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from collab_tui.model.board import Agent, Answer, Because, Blocker, Board, Deadlock, Reason, Request, RequestState, Wait
from collab_tui.model.event import Event, as_id
from collab_tui.model.fold import Fold
from collab_tui.model.moment import Moment
from collab_tui.model.requests import answer_of, has_gone_on, is_person_writing
from collab_tui.model.signature import Standing
from collab_tui.model.waits import find_waiters, held_up_by
from collab_tui.model.words import Status, leading_names, name_key
from collab_tui.protocol.brief.gathered import Gathered
from collab_tui.protocol.trust import Trust


def board_for(name: str, fold: Fold) -> Board:
    """The board as it is for an agent that is here: with who waits for it by its name, also before anybody heard of
    it, and with the deadlocks that its session's end does not break.
    """
    board = fold.board()
    agent = board.agent(name)
    if agent is not None and not agent.gone:
        return board
    arrived = fold.checkpoint()
    arrived.extend((Event(fold.position, {"agent": name, "event": "session_start"}, b""),))
    with_it = arrived.board()
    return replace(board, waits=with_it.waits, deadlocks=with_it.deadlocks, blockers=with_it.blockers)


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that was decided for the agent."""

    event: Event
    request: Request | None
    """What it answers; None where it answers no request of the agent's."""
    counts: bool
    """It may be acted on: whoever signs did sign it."""
    standing: Standing | None
    """Who wrote it; None for agents, who sign nothing."""
    names_request: bool
    """It names the request by its id; without that it may mean another."""
    is_pending: bool
    """The agent declared nothing since that shows that it knows."""

    @property
    def answer(self) -> Answer:
        """What it says."""
        return answer_of(self.event)


class OnMe(NamedTuple):
    """A blocker of another agent that waits for this one."""

    holder: str
    blocker: Blocker
    held_up: tuple[str, ...]


@dataclass(frozen=True)
class Standpoint:
    """One agent's view of a moment."""

    moment: Moment
    name: str
    trust: Trust
    gathered: Gathered

    @cached_property
    def key(self) -> str:
        """Its name as compared."""
        return name_key(self.name)

    @cached_property
    def me(self) -> Agent | None:
        """The agent; None before its first event."""
        return self.moment.board.agent(self.name)

    @cached_property
    def _by_key(self) -> dict[str, Agent]:
        return {agent.key: agent for agent in self.moment.board.agents}

    def is_here(self, name: str) -> bool:
        """An agent of that name wrote, and its session did not end."""
        agent = self._by_key.get(name_key(name))
        return agent is not None and not agent.gone

    def agent(self, name: str) -> Agent | None:
        """The agent of that name."""
        return self._by_key.get(name_key(name))

    # What waits for the agent

    @cached_property
    def requests_to_me(self) -> tuple[Request, ...]:
        """Open ones that the agent may answer: those that hold up most agents that are here first, then the oldest."""
        found = [
            request
            for request in self.moment.board.open_requests
            if not request.to_person
            and self.key in map(name_key, request.targets)
            and name_key(request.asker) != self.key
            and not self.moment.is_expired(request)
        ]
        return tuple(sorted(found, key=lambda r: (-len(self.held_up(r.asker)), r.position)))

    @cached_property
    def _waiters(self) -> dict[str, list[str]]:
        return {key: list(names) for key, names in find_waiters(self.moment.waits).items()}

    def held_up(self, name: str) -> tuple[str, ...]:
        """That agent and all who wait for it, directly or not, without those whose session ended and this one."""
        found = held_up_by([name], self._waiters)
        return tuple(each for each in found if self.is_here(each) and name_key(each) != self.key)

    @cached_property
    def blockers_on_me(self) -> tuple[OnMe, ...]:
        """Blockers that name the agent or were aimed at it; those that hold up most first, then the oldest."""
        found = [
            OnMe(agent.name, blocker, self.held_up(agent.name))
            for agent in self.moment.board.agents
            if agent.key != self.key and agent.status is not Status.COMPLETED
            for blocker in agent.blockers
            if blocker.position in self.gathered.aimed or self._leads_to_me(blocker.text)
        ]
        return tuple(sorted(found, key=lambda on: (-len(on.held_up), on.blocker.position)))

    def _leads_to_me(self, token: str) -> bool:
        """The longest name of an agent that the token starts with is this one's."""
        return next((key for key in leading_names(token) if key in self._by_key or key == self.key), None) == self.key

    @cached_property
    def waits_for_me(self) -> tuple[Wait, ...]:
        """Who waits for the agent and why, those who wait longest first."""
        found = (
            wait
            for wait in self.moment.waits
            if name_key(wait.awaited) == self.key and name_key(wait.waiter) != self.key
        )
        return tuple(sorted(found, key=lambda wait: wait.since))

    @cached_property
    def status_waits_on_me(self) -> tuple[tuple[Wait, Reason], ...]:
        """Those whose status alone says that they wait for the agent, and to whom it decided nothing since."""
        found = []
        for wait in self.waits_for_me:
            if all(reason.because in (Because.STATUS, Because.DEPENDENCY) for reason in wait.reasons):
                told = (r for r in wait.reasons if r.because is Because.STATUS and not r.answered)
                found += [(wait, reason) for reason in told]
        return tuple(found)

    @cached_property
    def deadlocks(self) -> tuple[Deadlock, ...]:
        """Those that the agent is part of."""
        return tuple(d for d in self.moment.deadlocks if self.key in map(name_key, d.agents))

    # What the agent waits for

    @cached_property
    def my_waits(self) -> tuple[Wait, ...]:
        """Whom the agent waits for, and why."""
        return tuple(wait for wait in self.moment.waits if name_key(wait.waiter) == self.key)

    @cached_property
    def my_requests(self) -> tuple[Request, ...]:
        """Its own ones that are remembered, oldest first."""
        return tuple(r for r in self.moment.board.requests if name_key(r.asker) == self.key)

    @cached_property
    def open_requests(self) -> tuple[Request, ...]:
        """Its own ones that still wait for an answer that counts, oldest first.

        One that was answered only by somebody who claimed to be the person is open, until the agent goes on.
        """
        return tuple(r for r in self.my_requests if self._waits(r) and not self._is_over(r))

    @cached_property
    def void_requests(self) -> tuple[Request, ...]:
        """Its own ones that somebody closed in the name of one who signs and who was not asked: for everybody else they
        are answered, and for the agent they are not.
        """
        return tuple(r for r in self.my_requests if self._is_claimed(r) and not self._may_be_answered(r))

    @cached_property
    def expired_requests(self) -> tuple[Request, ...]:
        """Its own ones that nobody can answer any more, and after which the agent declared nothing."""
        found = (r for r in self.my_requests if self._waits(r) and self._is_over(r))
        return tuple(r for r in found if self._stays_at(r.position))

    def _waits(self, request: Request) -> bool:
        return request.is_open or (self._is_claimed(request) and self._may_be_answered(request))

    def _is_claimed(self, request: Request) -> bool:
        is_unsettled = request.state is RequestState.ANSWERED and self.settling(request) is None
        return is_unsettled and not self._went_on_at(request.closed_at or 0)

    def _may_be_answered(self, request: Request) -> bool:
        """Those who were asked sign, and to them it is open still."""
        return request.to_person or any(map(self.trust.signs, request.targets))

    def _is_over(self, request: Request) -> bool:
        return request.expires is not None and request.expires <= self.moment.now

    def settling(self, request: Request) -> Event | None:
        """The decision on a request that may be acted on; None where there is none."""
        return self.trust.settling(request, self.moment.board.registry_id)

    def claim(self, request: Request) -> Answer | None:
        """The answer that somebody gave in the name of one who signs, and that does not count."""
        if request.answer is None or self.settling(request) is not None:
            return None
        return request.answer if self.trust.concerns(request.answer.event) else None

    # What was decided for it

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Decisions for the agent that it has to be told of, oldest first."""
        found = [self._on(request, event) for request in self.my_requests for event in self._answers(request)]
        known = {decision.event.position for decision in found}
        found += [self._unasked(event) for event in self.gathered.unasked if event.position not in known]
        told = (d for d in found if d.is_pending or d.event.position >= self.gathered.moved)
        return tuple(sorted(told, key=lambda decision: decision.event.position))

    def _answers(self, request: Request) -> tuple[Event, ...]:
        """The decision that counts, else the one that was given or perhaps given.

        What waits for the person is not perhaps answered: a decision that names no request stands for itself.
        """
        if request.state is RequestState.WITHDRAWN or request.answer is None:
            return ()
        if request.is_open and request.to_person and not request.answer.has_request_id:
            return ()
        settling = self.settling(request)
        return (settling if settling is not None else request.answer.event,)

    def _on(self, request: Request, event: Event) -> Decision:
        names_request = bool(as_id(event.data.get("request_id")))
        if request.state is RequestState.ANSWERED:
            counts = self.settling(request) is not None
        else:  # perhaps an answer: the asker of an agent may take the word of whom it asked
            was_asked = name_key(event.agent or "") in map(name_key, request.targets)
            counts = was_asked and self.trust.may_be_acted_on(event, request, self.moment.board.registry_id)
        is_over = request.state is RequestState.MOVED_ON
        return Decision(
            event, request, counts, self._standing(event, request.event), names_request,
            not is_over and self._stays_at(event.position),
        )  # fmt: skip

    def _unasked(self, event: Event) -> Decision:
        standing = self._standing(event, None)
        counts = standing in (None, Standing.SIGNED)
        return Decision(event, None, counts, standing, False, self._stays_at(event.position))

    def _standing(self, event: Event, request: Event | None) -> Standing | None:
        if not self.trust.concerns(event):
            return None
        return self.trust.standing(event, request, self.moment.board.registry_id)

    def _stays_at(self, position: int) -> bool:
        """The agent declared nothing since that line by which it goes on, asks something else or is blocked."""
        if self.me is None or self._went_on_at(position):
            return False
        newest = max((blocker.position for blocker in self.me.blockers), default=-1)
        return position >= max(newest, self._last_asked)

    def _went_on_at(self, position: int) -> bool:
        """The agent declared since that line that it does not wait, or that it has another task."""
        me = self.me
        return me is not None and has_gone_on(position, me.status, me.set_at.get("status", -1), me.task_since)

    @cached_property
    def _last_asked(self) -> int:
        return max((request.position for request in self.my_requests), default=-1)

    @cached_property
    def others(self) -> tuple[Agent, ...]:
        """The other agents: those who are here first, then who wrote last."""
        found = [
            agent
            for agent in self.moment.agents
            if agent.key != self.key and not is_person_writing(agent.name, self.moment.person)
        ]
        return tuple(sorted(found, key=lambda agent: (agent.gone, -agent.last_position)))
