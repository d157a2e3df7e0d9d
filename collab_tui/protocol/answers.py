"""Answering what waits: deciding, unblocking, sending words. Each writes one line, and the board follows from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from collab_tui.model.board import Request, RequestKind
from collab_tui.model.event import Event
from collab_tui.model.requests import closes, is_person
from collab_tui.model.words import name_key
from collab_tui.registry.append import RefusedError
from collab_tui.registry.base import Registry


def decision(request: Request, by: str, given: str, comment: str | None = None) -> dict[str, Any]:
    """The event that answers a request.

    `given` is `approved` or `rejected`, or the answer in words (for a choice: one of its options).
    """
    is_verdict = given in ("approved", "rejected") and request.kind is not RequestKind.QUESTION
    event = {"agent": by, "event": "decision", "request_id": request.id, "verdict" if is_verdict else "answer": given}
    return event | ({"comment": comment} if comment else {})


def unasked_decision(by: str, target: str, about: str, given: str, comment: str | None = None) -> dict[str, Any]:
    """The event of a decision that nobody asked for."""
    event = {"agent": by, "event": "decision", "target": target, "decision_for": about}
    event["verdict" if given in ("approved", "rejected") else "answer"] = given
    return event | ({"comment": comment} if comment else {})


def resolution(by: str, target: str | None, blocker: str, comment: str | None = None) -> dict[str, Any]:
    """The event that removes a blocker: from one agent, or from all that have exactly it."""
    event = {"agent": by, "event": "blocker_resolved", "blocker": blocker}
    return event | ({"target": target} if target else {}) | ({"comment": comment} if comment else {})


def message(by: str, target: str, text: str) -> dict[str, Any]:
    """The event that says something to an agent, or to `all`."""
    return {"agent": by, "event": "message", "target": target, "message": text}


def answer(
    registry: Registry,
    request: Request,
    by: str,
    given: str,
    comment: str | None = None,
    *,
    known: int,
    person: str,
    clock: Callable[[], datetime],
) -> dict[str, Any]:
    """Append the decision on a request, once: nothing is written if it was closed or has expired meanwhile.

    `known` is the position of the board on which the request was open. Raises `RefusedError` with what happened to it
    or why `by` cannot answer it, or what else the append raises.
    """
    if reason := why_not_by(request, by, person):
        raise RefusedError(reason)
    return registry.append(
        decision(request, by, given, comment),
        unless=lambda: why_closed(registry, request, known=known, person=person, now=clock()),
    )


def why_not_by(request: Request, by: str, person: str) -> str | None:
    """Why a decision of this writer would not close the request; None if it would. See `closes`."""
    if name_key(by) == name_key(request.asker):
        return "nobody answers their own request"
    if request.to_person and not is_person(by, person):
        return f"it waits for {person}, and {by} is another"
    return None


def why_closed(registry: Registry, request: Request, *, known: int, person: str, now: datetime) -> str | None:
    """Why a request can no longer be answered, read afresh from the registry; None while it can."""
    if request.expires is not None and request.expires <= now:
        return "it has expired"
    newer = registry.since(known)
    still = registry.items(request.position, request.position + 1)
    if not still or not isinstance(still[0], Event) or still[0].id != request.id:
        return "the registry was replaced meanwhile"
    for item in newer:
        if isinstance(item, Event) and closes(item, request.id, request.asker, request.to_person, person):
            if item.kind == "request_withdrawn":
                return f"{item.agent} withdrew it meanwhile"
            return f"{item.agent} answered it meanwhile: {item.text('verdict') or item.text('answer') or ''}".rstrip(
                ": "
            )
    return None
