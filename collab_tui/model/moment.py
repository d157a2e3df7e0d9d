"""A board at a time: ages, silence, what is overdue, and what needs the person first.

The registry has no clock; whoever looks has one. `Moment` joins the two and stays pure: the time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from collab_tui.model.ages import seconds_between
from collab_tui.model.board import Agent, Answer, Because, Board, Deadlock, Reason, Request, RequestState, Wait
from collab_tui.model.event import Event, as_id
from collab_tui.model.requests import answer_of, has_gone_on, is_person
from collab_tui.model.signature import Judgement, Standing
from collab_tui.model.waits import find_deadlocks, find_waiters, held_up_by
from collab_tui.model.words import MONITOR, Status, name_key

if TYPE_CHECKING:
    from collab_tui.model.runs import Run

SKEW = 120
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


Judge = Callable[[Event, Event | None, str | None], Judgement | None]
"""Gets a decision, the request that it names and the registry's id; None for a decision of one who signs nothing."""


@dataclass(frozen=True)
class Moment:
    """One board, seen at one time."""

    board: Board
    now: datetime
    limits: Limits = Limits()
    person: str = "human"
    judge: Judge | None = field(default=None, compare=False, repr=False)
    """Checks who wrote a decision; None: nothing is said of that."""
    signs: bool = False
    """The person who looks has a signing key: with it, `judge` may say something else of the same decision."""
    gone: frozenset[str] = frozenset()
    """Keys of agents that said no farewell, and whose process is known to be gone."""

    def age(self, agent: Agent) -> float | None:
        """Seconds since its last sign of life."""
        return seconds_between(agent.last_event_at, self.now)

    def is_gone(self, agent: Agent) -> bool:
        """It took its leave, or its process is gone."""
        return agent.gone or agent.key in self.gone

    def clock_ahead(self, time: datetime | None) -> float | None:
        """Seconds by which a clock that wrote this time is ahead of ours; None when it is not worth telling."""
        seconds = seconds_between(self.now, time) if time is not None else None
        return seconds if seconds is not None and seconds > SKEW else None

    def silence(self, agent: Agent) -> float | None:
        """Seconds for which an agent that should move has been silent; None when it is not silent.

        Silence is told only of agents that say they work, wait or are blocked: others owe no sign of life. Nor does
        who in a run has nothing to do; the one that leads it is as silent as the run as a whole.
        """
        if (run := self._led.get(agent.key)) is not None:
            return None if self.is_gone(agent) else self.run_silence(run)
        owes_one = agent.status in (Status.IN_PROGRESS, Status.WAITING, Status.BLOCKED)
        if self.is_gone(agent) or not owes_one or agent.key in self._has_nothing_to_do:
            return None
        limit = self.limits.stale_after_working if agent.status is Status.IN_PROGRESS else self.limits.stale_after
        seconds = self.age(agent)
        return seconds if seconds is not None and seconds > limit.total_seconds() else None

    @cached_property
    def _has_nothing_to_do(self) -> frozenset[str]:
        """Keys of the agents of runs that go on and work on no task: the one that leads it, and idle seats."""
        busy = {key for run in self._led.values() for key in run.at_work()}
        return frozenset(key for run in self._led.values() for key in _keys_of(run)) - busy

    @cached_property
    def _led(self) -> dict[str, Run]:
        """The runs that go on, by the key of the agent that leads them."""
        return {name_key(run.agent): run for run in self.board.runs if not run.state.is_over}

    def run_silence(self, run: Run) -> float | None:
        """Seconds since the last line of any agent of a run that goes on, when that is long; None when it is not.

        While nothing of it goes on before the person answers it owes no sign of life.
        """
        if run.state.is_over or self._waits_for_me(run):
            return None
        agents = (self._agents_by_key.get(key) for key in _keys_of(run))
        last = min((age for agent in agents if agent is not None and (age := self.age(agent)) is not None), default=0.0)
        return last if last > self.limits.stale_after_working.total_seconds() else None

    def _waits_for_me(self, run: Run) -> bool:
        """The person is asked, by the run where none of its tasks goes on, or by each of those who work on one."""
        if run.waits_since is not None:
            return name_key(run.agent) in self._asking
        return bool(at_work := run.at_work()) and at_work <= self._asking

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
        """Open and not expired, or answered only by somebody who claimed to be the person."""
        return (request.is_open and not self.is_expired(request)) or self.is_only_claimed(request)

    # Who decided

    def judgement(self, decision: Event) -> Judgement | None:
        """Who wrote a decision; None for one of somebody who signs nothing, or whose request is not remembered."""
        if self.judge is None or decision.kind != "decision":
            return None
        request = self.request_of(decision)
        if request is None and as_id(decision.data.get("request_id")):
            return None
        return self.judge(decision, request, self.board.registry_id)

    def request_of(self, event: Event) -> Event | None:
        """The request that an event names by its id; None where it names none or that is not remembered."""
        return self._request_events.get(as_id(event.data.get("request_id")))

    @cached_property
    def _request_events(self) -> dict[str, Event]:
        return {request.id: request.event for request in self.board.requests}

    def standing(self, answer: Answer) -> Standing | None:
        """Who wrote an answer; None where it is nobody's who signs."""
        judgement = self.judgement(answer.event)
        return judgement.standing if judgement is not None else None

    def answer(self, request: Request) -> Answer | None:
        """The answer that counts: of what waits for the person, the first one that they signed; else the first."""
        signed = self._signed(request) if request.to_person else None
        return answer_of(signed) if signed is not None else request.answer

    def _signed(self, request: Request) -> Event | None:
        if (judge := self.judge) is None:
            return None
        judged = ((each, judge(each, request.event, self.board.registry_id)) for each in request.decisions)
        return next((each for each, of in judged if of is not None and of.standing is Standing.SIGNED), None)

    def is_only_claimed(self, request: Request) -> bool:
        """Somebody answered in the name of the person, who did not sign that, and its asker still waits.

        An asker that went on since is past helping: it took the answer, or needs none.
        """
        return request.id in self._claimed

    @cached_property
    def _claimed(self) -> dict[str, Request]:
        """By id: what is only claimed to be answered by the person."""
        return {r.id: r for r in self.board.requests if self._still_waits(r) and self.is_unsigned(r)}

    def is_unsigned(self, request: Request) -> bool:
        """It waited for the person, and was answered in the name of somebody who signs, and by nobody who did.

        They may still say what they decided, also when its asker went on.
        """
        return (
            request.to_person
            and request.state is RequestState.ANSWERED
            and (request.expires is None or request.expires > self.now)
            and request.answer is not None
            and self.standing(request.answer) is not None
            and self._signed(request) is None
        )

    def _still_waits(self, request: Request) -> bool:
        """The asker is there, and since the answer has not said that it goes on, or waits for another agent."""
        asker = self._agents_by_key.get(name_key(request.asker))
        if asker is None or asker.gone or request.closed_at is None:
            return False
        if request.id in self._asked_by_runs:
            return True
        status_at = asker.set_at.get("status", -1)
        if has_gone_on(request.closed_at, asker.status, status_at, asker.task_since):
            return False
        return status_at < request.closed_at or asker.key not in self._waiting_for_agents

    @cached_property
    def _asked_by_runs(self) -> frozenset[str]:
        """Ids of the requests that tasks of runs wait for, whatever else their runs go on with."""
        return frozenset(
            task.request
            for run in self.board.runs
            if not run.state.is_over
            for task in run.tasks
            if task.request is not None and task.state.value == "asked"
        )

    @cached_property
    def _waiting_for_agents(self) -> frozenset[str]:
        """Keys of the agents whose status says that they wait for another agent."""
        told = (wait for wait in self.board.waits if any(r.because is Because.STATUS for r in wait.reasons))
        return frozenset(name_key(wait.waiter) for wait in told if not self.is_me(wait.awaited))

    @cached_property
    def _agents_by_key(self) -> dict[str, Agent]:
        return {agent.key: agent for agent in self.board.agents}

    @cached_property
    def _asked_of_me(self) -> tuple[Request, ...]:
        return tuple(r for r in self.board.requests if r.to_person and self.is_answerable(r))

    def answered(self, agent: Agent) -> Request | None:
        """What the agent waited for and got an answer to, while it says that it waits and nothing else keeps it."""
        request = self._last_answered.get(agent.key)
        if request is None or request.closed_at is None or agent.status is not Status.WAITING or agent.gone:
            return None
        if agent.key == MONITOR:  # it asks for its workers, and waits for nothing
            return None
        said_before = agent.set_at.get("status", -1) < request.closed_at
        return request if said_before and agent.key not in self._waiting else None

    @cached_property
    def _last_answered(self) -> dict[str, Request]:
        """By the asker's key."""
        answered = (r for r in self.board.requests if r.state is RequestState.ANSWERED and r.id not in self._claimed)
        return {name_key(request.asker): request for request in answered}

    @cached_property
    def _waiting(self) -> frozenset[str]:
        return frozenset(name_key(wait.waiter) for wait in self.waits)

    def held_up(self, request: Request) -> tuple[str, ...]:
        """The asker and everyone who waits for it, directly or not, and seats of a run whose next tasks wait for it."""
        held_up = self._held_up.get(request.asker) or (request.asker,)
        seats = self._seats_held_up.get(request.id)
        return tuple(dict.fromkeys((*held_up, *seats))) if seats else held_up

    @cached_property
    def _seats_held_up(self) -> dict[str, list[str]]:
        """By the id of a request."""
        found: dict[str, list[str]] = {}
        for wait in self.waits if self.board.runs else ():
            for reason in wait.reasons:
                if reason.because is Because.TASK and reason.request_id is not None:
                    found.setdefault(reason.request_id, []).append(wait.waiter)
        return found

    @cached_property
    def waits(self) -> tuple[Wait, ...]:
        """The board's waits without what rests on expired requests alone, which nobody can answer any more, and with
        what was answered only by somebody who claimed to be the person.
        """
        expired = {request.id for request in self.board.requests if self.is_expired(request)}
        if not expired and not self._claimed:
            return self.board.waits
        left = {
            (wait.waiter, wait.awaited): tuple(r for r in wait.reasons if r.request_id not in expired)
            for wait in self.board.waits
        }
        person = self._agents_by_key.get(name_key(self.person))
        for request in self._claimed.values():
            pair = (request.asker, person.name if person is not None else self.person)
            reason = Reason(Because.REQUEST, request.request, request.position, request.id)
            left[pair] = (reason, *left.get(pair, ()))
        return tuple(Wait(*pair, reasons) for pair, reasons in left.items() if reasons)

    @cached_property
    def deadlocks(self) -> tuple[Deadlock, ...]:
        """The board's deadlocks without those that only an expired request closed."""
        if self.waits is self.board.waits:
            return self.board.deadlocks
        return find_deadlocks(self.board.agents, self.waits)

    @cached_property
    def _held_up(self) -> dict[str, tuple[str, ...]]:
        askers = dict.fromkeys(request.asker for request in (*self.board.open_requests, *self._claimed.values()))
        waiters = find_waiters(self.waits)
        return {asker: held_up_by([asker], waiters) for asker in askers}

    def _only_keeps_the_log(self, agent: Agent) -> bool:
        """It is the person, what made the registry, or what rules write: nobody whose work is to be watched."""
        return self.is_me(agent.name) or agent.last_event == "registry_created" or agent.key == MONITOR

    @cached_property
    def agents(self) -> tuple[Agent, ...]:
        """The agents, without the person and the monitor while they declare nothing of themselves, and without those
        that were workers, or agents of a run that is over, and are gone: what came of them stands among the workers
        and the runs.
        """
        workers = {name_key(session.name) for session in self.board.sessions if session.worker is not None}
        workers.update(key for run in self.board.runs if run.state.is_over for key in _keys_of(run))
        return tuple(
            replace(agent, gone=True) if agent.key in self.gone else agent
            for agent in self.board.agents
            if agent.status is not None or agent.current_task is not None or not self._only_keeps_the_log(agent)
            if not (agent.gone and agent.key in workers)
        )

    @cached_property
    def needs(self) -> tuple[Need, ...]:
        """What waits for the person: deadlocks, then requests, most agents held up first, then oldest.

        What was answered by somebody who only claimed to be the person still waits for them.
        """
        mine = sorted(self._asked_of_me, key=lambda request: (-len(self.held_up(request)), request.position))
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
        return frozenset(name_key(request.asker) for request in self._asked_of_me)


def _keys_of(run: Run) -> list[str]:
    """Of the names of its agents: the one that leads it, then the seats."""
    return list(map(name_key, run.agents()))
