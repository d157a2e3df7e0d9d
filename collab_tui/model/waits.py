"""The wait-for graph: who waits for whom and why, deadlocks, and what holds up most.

An edge comes from an open request, a status such as `waiting_for_lubit`, a blocker or a dependency that starts with an
agent's name. Only agents that declare to be stuck can be in a deadlock: whoever works goes on, whatever it asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from collab_tui.model.board import Agent, Because, Deadlock, Obstacle, Reason, Request, RequestState, Wait
from collab_tui.model.requests import is_person
from collab_tui.model.words import (
    READY_SUFFIXES,
    Status,
    awaited_in_status,
    leading_names,
    name_key,
    status_of,
)

if TYPE_CHECKING:
    from collab_tui.model.agent_state import AgentState
    from collab_tui.model.run_waits import SeatWaits

_AT_LEISURE = frozenset({None, Status.IDLE, Status.WAITING})
_GOES_ON = frozenset({Status.IN_PROGRESS, Status.COMPLETED, Status.FAILED})


def find_waits(
    agents: Sequence[Agent], requests: Sequence[Request], person: str, of_runs: Iterable[SeatWaits] = ()
) -> tuple[Wait, ...]:
    """Every edge, one per pair with all its reasons; the person is an awaited name like any other.

    `of_runs`: for whom the idle seats of each run wait.
    """
    by_key = {agent.key: agent for agent in agents}
    person = _spelled(person, by_key)
    reasons: defaultdict[tuple[str, str], list[Reason]] = defaultdict(list)
    for request in requests:
        if request.is_open:
            reason = Reason(
                Because.REQUEST, request.request, request.position, request.id, answered=request.answer is not None
            )
            # Only the person closes what is addressed to them, whoever else is named beside them.
            targets = (person,) if request.to_person else request.targets
            for awaited in dict.fromkeys(_spelled(target, by_key) for target in targets):
                reasons[request.asker, awaited].append(reason)
    answered = _last_answers(requests)
    for agent in agents:
        for awaited, reason in _declared_reasons(agent, by_key, person, answered.get(agent.key, -1)):
            if name_key(awaited) != agent.key:
                reasons[agent.name, awaited].append(reason)
    for waits in of_runs:
        for seat, all_awaited in waits.items():
            waiter = by_key.get(seat)
            if waiter is None or waiter.gone or waiter.status not in _AT_LEISURE:
                continue
            for awaited_seat, reason in all_awaited:
                name = person if awaited_seat is None else _spelled(awaited_seat, by_key)
                reasons[waiter.name, name].append(reason)
    return tuple(Wait(waiter, awaited, tuple(found)) for (waiter, awaited), found in reasons.items())


def _last_answers(requests: Iterable[Request]) -> dict[str, int]:
    """Asker -> the line that answered a request of it last."""
    found: dict[str, int] = {}
    for request in requests:
        if request.state is RequestState.ANSWERED and request.closed_at is not None:
            key = name_key(request.asker)
            found[key] = max(found.get(key, -1), request.closed_at)
    return found


def _declared_reasons(
    agent: Agent, by_key: Mapping[str, Agent], person: str, last_answer: int
) -> Iterable[tuple[str, Reason]]:
    """What the agent's status, blockers and dependencies say about whom it waits for.

    A status is perhaps answered when the awaited agent decided something since, or when somebody, the person say,
    answered a request of the waiting one.
    """
    since = agent.status_since or 0
    awaited = awaited_in_status(agent.raw_status) if agent.raw_status and agent.status is Status.WAITING else None
    if awaited is not None and (name := named_first(awaited, by_key, person)) is not None:
        decider = by_key.get(name_key(name))
        decided = decider.last_decision if decider is not None and decider.last_decision is not None else -1
        answered = max(decided, last_answer) > since
        yield name, Reason(Because.STATUS, agent.raw_status or "", since, answered=answered)
    for blocker in agent.blockers:
        if (name := named_first(blocker.text, by_key, person)) is not None:
            yield name, Reason(Because.BLOCKER, blocker.text, blocker.position)
    if agent.status in _GOES_ON:
        return
    for dependency in agent.dependencies:
        name = named_first(dependency, by_key, person)
        if name is not None and not is_met(dependency, by_key.get(name_key(name))):
            yield name, Reason(Because.DEPENDENCY, dependency, agent.set_at.get("dependencies", 0))


def is_met(dependency: str, agent: Agent | None) -> bool:
    """`gitcode_ready` is met when gitcode is idle or completed, or uses that very word for its status."""
    suffix = name_key(dependency).rpartition("_")[2]
    if agent is None or suffix not in READY_SUFFIXES:
        return False
    return agent.status in (Status.IDLE, Status.COMPLETED) or (agent.raw_status or "").casefold() == suffix


def named_first(token: str, by_key: Mapping[str, Agent | AgentState], person: str) -> str | None:
    """The agent, or the person, whose name the token starts with; the longest name wins."""
    for key in leading_names(token):
        if key in by_key:
            return by_key[key].name
        if is_person(key, person) and status_of(key) is Status.UNKNOWN:
            return person
    return None


def _spelled(name: str, by_key: Mapping[str, Agent]) -> str:
    """The name as its agent writes it, if there is one."""
    known = by_key.get(name_key(name))
    return known.name if known else name


def find_deadlocks(agents: Sequence[Agent], waits: Sequence[Wait]) -> tuple[Deadlock, ...]:
    """One cycle for every group of stuck agents that all wait for each other; the earliest closed first.

    That a seat of a run has nothing to do yet closes none: nobody declared it.
    """
    stuck = {agent.name for agent in agents if agent.is_stuck}
    edges: dict[str, list[Wait]] = {name: [] for name in stuck}
    for wait in waits:
        if wait.waiter == wait.awaited or all(
            reason.answered or reason.because is Because.TASK for reason in wait.reasons
        ):
            continue
        if wait.waiter in stuck and wait.awaited in stuck:
            edges[wait.waiter].append(wait)
    cycles = (_shortest_cycle(group, edges) for group in _strongly_connected(edges))
    found = [Deadlock(tuple(wait.waiter for wait in cycle), cycle) for cycle in cycles]
    return tuple(sorted(found, key=lambda deadlock: deadlock.since))


def _strongly_connected(edges: Mapping[str, Sequence[Wait]]) -> list[list[str]]:
    """Groups of two or more nodes that all reach each other (Tarjan 1972, iterative)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    groups: list[list[str]] = []
    for root in edges:
        if root in order:
            continue
        path = [(root, iter(edges[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while path:
            node, rest = path[-1]
            for wait in rest:
                successor = wait.awaited
                if successor not in order:
                    order[successor] = low[successor] = len(order)
                    stack.append(successor)
                    on_stack.add(successor)
                    path.append((successor, iter(edges[successor])))
                    break
                if successor in on_stack:
                    low[node] = min(low[node], order[successor])
            else:
                path.pop()
                if path:
                    parent = path[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == order[node]:
                    cut = stack.index(node)
                    group, stack[cut:] = stack[cut:], []
                    on_stack.difference_update(group)
                    if len(group) > 1:
                        groups.append(group)
    return groups


def _shortest_cycle(group: Sequence[str], edges: Mapping[str, Sequence[Wait]]) -> tuple[Wait, ...]:
    """The shortest cycle through the group's first member: breadth first from it back to itself."""
    members, start = set(group), min(group)
    paths: list[tuple[Wait, ...]] = [()]
    seen: set[str] = set()
    for path in paths:
        node = path[-1].awaited if path else start
        for wait in edges[node]:
            if wait.awaited == start:
                return (*path, wait)
            if wait.awaited in members and wait.awaited not in seen:
                seen.add(wait.awaited)
                paths.append((*path, wait))
    raise AssertionError("a strongly connected group has a cycle through each member")


def find_waiters(waits: Iterable[Wait]) -> Mapping[str, Sequence[str]]:
    """Who waits for whom, directly: the awaited one's key -> the waiters."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for wait in waits:
        found[name_key(wait.awaited)].append(wait.waiter)
    return found


def held_up_by(names: Iterable[str], waiters: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The given agents and everyone who waits for one of them, directly or through others."""
    found = dict.fromkeys(names)
    for name in (queue := list(found)):
        for waiter in waiters.get(name_key(name), ()):
            if waiter not in found:
                found[waiter] = None
                queue.append(waiter)
    return tuple(found)


def find_obstacles(agents: Iterable[Agent], waits: Sequence[Wait]) -> tuple[Obstacle, ...]:
    """Every blocker text with its holders; the one that holds up most first, then the oldest."""
    holders: defaultdict[str, list[str]] = defaultdict(list)
    since: dict[str, int] = {}
    for agent in agents:
        for blocker in agent.blockers:
            holders[blocker.text].append(agent.name)
            since[blocker.text] = min(blocker.position, since.get(blocker.text, blocker.position))
    waiters = find_waiters(waits)
    found = [Obstacle(text, tuple(held), since[text], held_up_by(held, waiters)) for text, held in holders.items()]
    return tuple(sorted(found, key=lambda obstacle: (-len(obstacle.holds_up), obstacle.since)))
