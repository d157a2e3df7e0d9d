"""The JSON of `collab-tui status --json`: one object, stable; fields are added, never renamed.

    position       lines read
    events         of them, events that counted
    registry       {name, id}
    now            the time at which ages were judged
    agents         name, status (null: none declared), raw_status, progress (per cent), current_task, next_action,
                   message, role, blockers [{text, reason, line}], dependencies, waits_for [names], gone, unblocked,
                   answered (id of the request whose answer it did not act on yet, or null),
                   silent_seconds (null: not silent), last_event, last_event_at, last_line, set_at {field: line}
    requests       id, state (open, answered, withdrawn, moved_on, expired), kind, request, details, asker, target,
                   to_person, options, default, evidence, urgency, asked_at, deadline, overdue, expires, holds_up,
                   line, perhaps_answered, claimed, answer {by, verdict, text, comment, at, line, standing} or null
    blockers       text, holders, holds_up, line
    waits          waiter, awaited, line, reasons [{because, text, line, request_id, answered}]
    deadlocks      agents, line, request_id
    problems       kind, line, text
    problem_count  all of them; `problems` lists the first thousand

`standing` says who wrote an answer in your name, or in that of an approver: signed, claimed (no signature),
unknown_key or bad; null for agents, who sign nothing. Act on signed ones only. `claimed`: it was answered in your name
and not by you, and its asker still waits.
Times are RFC 3339 in UTC, lines count from 1, absent values are null.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from collab_tui.model.board import Agent, Answer, Request, Wait
from collab_tui.model.moment import Moment


def document(moment: Moment, registry: str) -> dict[str, Any]:
    """The whole board as plain JSON values."""
    board = moment.board
    return {
        "position": board.position,
        "events": board.events,
        "registry": {"name": registry, "id": board.registry_id},
        "now": _time(moment.now),
        "agents": [_agent(moment, agent) for agent in board.agents],
        "requests": [_request(moment, request) for request in board.requests],
        "blockers": [
            {
                "text": obstacle.text,
                "holders": list(obstacle.holders),
                "holds_up": list(obstacle.holds_up),
                "line": obstacle.since + 1,
            }
            for obstacle in board.blockers
        ],
        "waits": [_wait(wait) for wait in moment.waits],
        "deadlocks": [
            {"agents": list(deadlock.agents), "line": deadlock.since + 1, "request_id": deadlock.request_id}
            for deadlock in moment.deadlocks
        ],
        "problems": [
            {"kind": problem.kind.value, "line": problem.position + 1, "text": problem.text}
            for problem in board.problems
        ],
        "problem_count": board.problem_count,
    }


def _time(time: datetime | None) -> str | None:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else None


def _agent(moment: Moment, agent: Agent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "status": agent.status.value if agent.status else None,
        "raw_status": agent.raw_status,
        "progress": agent.progress,
        "current_task": agent.current_task,
        "next_action": agent.next_action,
        "message": agent.message,
        "role": agent.role,
        "blockers": [{"text": b.text, "reason": b.reason, "line": b.position + 1} for b in agent.blockers],
        "dependencies": list(agent.dependencies),
        "waits_for": [wait.awaited for wait in moment.waits if wait.waiter == agent.name],
        "gone": moment.is_gone(agent),
        "unblocked": agent.unblocked,
        "answered": answered.id if (answered := moment.answered(agent)) is not None else None,
        "silent_seconds": moment.silence(agent),
        "last_event": agent.last_event,
        "last_event_at": _time(agent.last_event_at),
        "last_line": agent.last_position + 1,
        "set_at": {name: position + 1 for name, position in agent.set_at.items()},
    }


def _request(moment: Moment, request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "state": "expired" if moment.is_expired(request) else request.state.value,
        "kind": request.kind.value,
        "request": request.request,
        "details": request.details,
        "asker": request.asker,
        "target": request.target,
        "to_person": request.to_person,
        "options": list(request.options),
        "default": request.default,
        "evidence": list(request.evidence),
        "urgency": request.urgency,
        "asked_at": _time(request.asked_at),
        "deadline": _time(request.deadline),
        "overdue": moment.is_overdue(request),
        "expires": _time(request.expires),
        "holds_up": list(moment.held_up(request)) if request.is_open else [],
        "line": request.position + 1,
        "perhaps_answered": request.is_open and request.answer is not None,
        "claimed": moment.is_only_claimed(request),
        "answer": _answer(moment, moment.answer(request)),
    }


def _answer(moment: Moment, answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    standing = moment.standing(answer)
    return {
        "by": answer.by,
        "verdict": answer.verdict,
        "text": answer.text,
        "comment": answer.comment,
        "at": _time(answer.time),
        "line": answer.position + 1,
        "standing": standing.value if standing is not None else None,
    }


def _wait(wait: Wait) -> dict[str, Any]:
    return {
        "waiter": wait.waiter,
        "awaited": wait.awaited,
        "line": wait.since + 1,
        "reasons": [
            {
                "because": reason.because.value,
                "text": reason.text,
                "line": reason.position + 1,
                "request_id": reason.request_id,
                "answered": reason.answered,
            }
            for reason in wait.reasons
        ],
    }
