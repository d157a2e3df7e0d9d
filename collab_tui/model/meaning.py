"""What is wrong with what the lines mean: deadlocks, requests nobody can answer, orphan blockers, silent agents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.board import Agent, Deadlock, Request
from collab_tui.model.findings import Finding, Severity, Subject, argument, at_most, said
from collab_tui.model.lines import lines_at
from collab_tui.model.moment import Moment
from collab_tui.model.silence import AT_REST_AFTER
from collab_tui.model.words import Status, name_key

_SHOWN_NAMES: Final = 6
_TO_ALL: Final = "all"


def findings_of(moment: Moment) -> list[Finding]:
    """Everything that the board at this time shows to be wrong."""
    return [
        *at_most(map(_deadlock, moment.deadlocks), "deadlocks"),
        *at_most(_unanswerable(moment), "requests that nobody can answer"),
        *at_most(_expired(moment), "requests that expired while their askers wait"),
        *at_most(_orphans(moment), "blockers of agents that are gone or done"),
        *at_most(_silent_runs(moment), "runs that nothing comes from"),
        *_silent(moment),
    ]


def _deadlock(deadlock: Deadlock) -> Finding:
    names = [said(name) for name in deadlock.agents]
    rest = f", and so on through {len(names)} agents" if len(names) > _SHOWN_NAMES else ""
    pairs = list(zip(names, (*names[1:], names[0]), strict=True))[:_SHOWN_NAMES]
    chain = f"{pairs[0][0]} waits for {pairs[0][1]}" + "".join(f", {one} for {other}" for one, other in pairs[1:])
    if deadlock.request_id is not None:
        request_id = argument(deadlock.request_id, "ID")
        mend = f"Answer the request in it, {_how_to_answer(request_id)}: that sets its asker free."
    else:
        mend = "Tell one of them to go on: m on the board."
    positions = (wait.since for wait in deadlock.waits)
    text = f"deadlock: {chain}{rest}"
    return Finding(Severity.ERROR, Subject.WORK, "deadlock", text, mend, lines_at(positions))


def _how_to_answer(request_id: str) -> str:
    return f"on the board or with `collab-tui decide {request_id}`"


def _unanswerable(moment: Moment) -> Iterator[Finding]:
    """Open requests whose every target never wrote, is gone, or is the asker itself."""
    for request in moment.to_others:
        states = [_why_it_cannot(moment, request, target) for target in request.targets]
        if states and all(states):
            asks = f"{said(request.asker)} asks {said(request.target)}, {_joined(states)}: {said(request.request)}"
            mend = f"Answer it yourself, {_how_to_answer(argument(request.id, 'ID'))}, or tell the asker whom to ask."
            yield Finding(Severity.WARNING, Subject.WORK, "unanswerable", asks, mend, lines_at((request.position,)))


def _why_it_cannot(moment: Moment, request: Request, target: str) -> str | None:
    if name_key(target) == _TO_ALL:
        return None
    if name_key(target) == name_key(request.asker):
        return "itself"
    agent = moment.board.agent(target)
    if agent is None:
        return "who never wrote a line"
    return "whose session ended" if agent.gone else None


def _joined(states: Iterable[str | None]) -> str:
    return " and ".join(dict.fromkeys(state for state in states if state))


def _expired(moment: Moment) -> Iterator[Finding]:
    """Requests that can no longer be answered, of agents that still wait."""
    for request in moment.board.open_requests:
        asker = moment.board.agent(request.asker)
        if not moment.is_expired(request) or asker is None or not asker.is_stuck:
            continue
        since = age(seconds_between(request.expires, moment.now) or 0)
        text = f"{said(request.asker)} waits for an answer that expired {since} ago: {said(request.request)}"
        mend = "Tell the asker to ask again or to go on: m on the board."
        yield Finding(Severity.WARNING, Subject.WORK, "expired", text, mend, lines_at((request.position,)))


def _orphans(moment: Moment) -> Iterator[Finding]:
    """Blockers that nobody is left to have; those that hold up others first."""
    found = []
    for obstacle in moment.board.blockers:
        holders = [agent for name in obstacle.holders if (agent := moment.board.agent(name)) is not None]
        if not all(agent.gone or agent.status is Status.COMPLETED for agent in holders):
            continue
        others = [name for name in obstacle.holds_up if name not in obstacle.holders]
        names = _names(agent.name for agent in holders)
        state = "gone" if all(agent.gone for agent in holders) else "done"
        text = f"{names}, {state}, still blocked by {said(obstacle.text)}"
        text += f", and held up by that: {_names(others)}" if others else ""
        command = f"collab-tui unblock {argument(holders[0].name, 'AGENT')} {argument(obstacle.text, 'BLOCKER')}"
        positions = (
            blocker.position for agent in holders for blocker in agent.blockers if blocker.text == obstacle.text
        )
        severity = Severity.WARNING if others else Severity.NOTE
        mend = f"Remove it: u on the board, or `{command}`."
        found.append(Finding(severity, Subject.WORK, "orphan_blocker", text, mend, lines_at(positions)))
    yield from sorted(found, key=lambda finding: finding.severity is Severity.NOTE)


def _silent_runs(moment: Moment) -> Iterator[Finding]:
    """Runs that say they go on, and none of whose agents wrote for long."""
    for run in moment.board.runs:
        if (silence := moment.run_silence(run)) is not None:
            left = sum(not task.state.is_over for task in run.tasks)
            tasks = f"{left} task{'' if left == 1 else 's'} left"
            text = f"the run {said(run.name)} has been silent for {age(silence)}, with {tasks}"
            command = f"collab-tui run --resume {argument(run.id, 'RUN')}"
            mend = f"See whether it still runs, on {said(run.host or 'its machine')}; if not: `{command}`."
            yield Finding(Severity.WARNING, Subject.WORK, "silent_run", text, mend, lines_at((run.position,)))


def _names(names: Iterable[str]) -> str:
    listed = [said(name) for name in names]
    more = len(listed) - _SHOWN_NAMES
    return ", ".join(listed[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _silent(moment: Moment) -> list[Finding]:
    """Silent agents; those in a deadlock, or in a run that is silent as a whole, are told of there."""
    told = {name_key(name) for deadlock in moment.deadlocks for name in deadlock.agents}
    for run in moment.board.runs:
        if moment.run_silence(run) is not None:
            told.update(map(name_key, run.agents()))
    silent = [agent for agent in moment.silent if agent.key not in told]
    rest = seconds_between(moment.board.last_time, moment.now)
    if silent and rest is not None and rest > AT_REST_AFTER:
        return [_at_rest(silent, moment.board.last_time, rest)]
    asking = {name_key(need.asker): need.id for need in reversed(moment.needs) if isinstance(need, Request)}
    found = [_silence(moment, agent, asking.get(agent.key)) for agent in silent]
    return [
        *at_most((finding for finding in found if finding.severity is Severity.WARNING), "silent agents"),
        *at_most(
            (finding for finding in found if finding.severity is Severity.NOTE), "silent agents that wait for you"
        ),
    ]


def _at_rest(silent: Sequence[Agent], last: datetime | None, rest: float) -> Finding:
    since = f", since {last:%Y-%m-%d}" if last is not None else ""
    who = "1 agent was" if len(silent) == 1 else f"{len(silent)} agents were"
    text = f"at rest for {age(rest)}{since}; {who} at work"
    return Finding(Severity.NOTE, Subject.WORK, "at_rest", text, "", lines_at(agent.last_position for agent in silent))


def _silence(moment: Moment, agent: Agent, request_id: str | None) -> Finding:
    """An agent that waits for the person's answer is silent with reason."""
    silence = age(moment.silence(agent) or 0)
    text = f"{said(agent.name)} has been silent for {silence}; it was last {said(agent.raw_status)}"
    lines = lines_at((agent.last_position,))
    if request_id is not None:
        mend = f"It waits for your answer, {_how_to_answer(argument(request_id, 'ID'))}."
        return Finding(Severity.NOTE, Subject.WORK, "silent_for_you", text, mend, lines)
    mend = "See whether it still runs; ask it with m on the board, or start it again."
    return Finding(Severity.WARNING, Subject.WORK, "silent", text, mend, lines)
